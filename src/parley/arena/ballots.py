"""What one vote says, and many votes folded into the few rows that the ranking computes with.

A ballot names two models by their seats and what the person found. Folding sorts and counts equal
ballots, so that what follows can depend neither on the order of the votes nor on how they were
stored. Knows nothing of strengths, of storage, or of who may vote.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Outcome = Literal["left", "right", "tie", "both_bad"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

SCORES: dict[Outcome, float] = {"left": 1.0, "right": 0.0, "tie": 0.5}
"""What the left seat gets of the one point that a vote gives away. "Both bad" gives none away: it
says something of both answers and nothing of which is better."""

Matrix = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, order=True)
class Style:
    """The looks of one answer: length in tokens, Markdown headers, list items, bold runs."""

    tokens: int
    headers: int
    lists: int
    bold: int


FEATURES: tuple[str, ...] = tuple(field.name for field in fields(Style))


@dataclass(frozen=True, slots=True)
class Ballot:
    """One vote. ``voter`` tells people apart; "" is somebody who is not known, taken for a person
    of their own. ``style`` holds the looks of the left and of the right answer, where measured."""

    left: str
    right: str
    outcome: Outcome
    voter: str = ""
    style: tuple[Style, Style] | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Votes that are equal in all that counts, as one row each, in an order of their own.

    Row r: the model at index ``left[r]`` scored ``score[r]`` against the one at ``right[r]``,
    ``looks[r]`` being how their answers differ, ``weight[r]`` times. Of these votes, ``unknown[r]``
    are of people who are not known; for the others, ``cast`` holds (voter, row, votes), voters
    being numbers below ``voters``.
    """

    left: Indices
    right: Indices
    score: Matrix
    looks: Matrix
    weight: Matrix
    unknown: Matrix
    cast: NDArray[np.int64]
    voters: int


def difference(style: tuple[Style, Style] | None) -> tuple[float, ...]:
    """(left - right) / (left + right) of each feature; 0 where neither has any, or none was
    measured. A ratio, because ten tokens more are nothing to a long answer and much to a short one.
    """
    if style is None:
        return (0.0,) * len(FEATURES)
    found = []
    for name in FEATURES:
        left, right = getattr(style[0], name), getattr(style[1], name)
        found.append((left - right) / (left + right) if left + right else 0.0)
    return tuple(found)


def fold(ballots: Iterable[Ballot], models: Sequence[str], styled: bool) -> Rows:
    """The ballots that give points, by what they say; ``models`` holds every name in them."""
    index = {name: i for i, name in enumerate(models)}
    flat = difference(None)
    counted = Counter(
        (
            index[b.left],
            index[b.right],
            SCORES[b.outcome],
            difference(b.style) if styled else flat,
            b.voter,
        )
        for b in ballots
    )
    keys = sorted({key[:4] for key in counted})
    row = {key: r for r, key in enumerate(keys)}
    voter = {name: v for v, name in enumerate(sorted({key[4] for key in counted} - {""}))}
    unknown = np.zeros(len(keys))
    cast = []
    for key, votes in sorted(counted.items()):
        if key[4]:
            cast.append((voter[key[4]], row[key[:4]], votes))
        else:
            unknown[row[key[:4]]] += votes
    known = np.array(cast, dtype=np.int64).reshape(-1, 3)
    weight = unknown + np.bincount(known[:, 1], known[:, 2], minlength=len(keys))
    return Rows(
        left=np.array([key[0] for key in keys], dtype=np.intp),
        right=np.array([key[1] for key in keys], dtype=np.intp),
        score=np.array([key[2] for key in keys], dtype=np.float64),
        looks=np.array([key[3] for key in keys], dtype=np.float64).reshape(-1, len(FEATURES)),
        weight=weight,
        unknown=unknown,
        cast=known,
        voters=len(voter),
    )


def groups(models: Sequence[str], met: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """The models by who can be compared with whom: two are in one group if a chain of pairs that
    ``met`` leads from one to the other. The largest group first."""
    beside: dict[str, set[str]] = {name: set() for name in models}
    for left, right in met:
        beside[left].add(right)
        beside[right].add(left)
    found: list[tuple[str, ...]] = []
    left_over = set(models)
    for name in sorted(models):
        if name not in left_over:
            continue
        group, waiting = {name}, [name]
        while waiting:
            new = beside[waiting.pop()] - group
            group |= new
            waiting.extend(new)
        left_over -= group
        found.append(tuple(sorted(group)))
    return tuple(sorted(found, key=lambda group: (-len(group), group)))
