"""A leaderboard from votes: ratings with intervals, rank ranges, pairs, and what is not known yet.

Pure: the same ballots in any order give the same board, to the last bit. Which ballots count (by
language, by person, by time) is decided before; here is nothing of storage, pages or words. The
formulas and what the intervals are worth are in docs/ranking.md.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from parley.arena.ballots import (
    FEATURES,
    OUTCOMES,
    Ballot,
    Matrix,
    Outcome,
    Rows,
    Style,
    fold,
    groups,
)
from parley.arena.standings import Board, Counts, Effect, Estimate, Group, Pair, Row
from parley.arena.strengths import Fit, Votes, fit

__all__ = ["FEATURES", "OUTCOMES", "Ballot", "Board", "Outcome", "Rules", "Style", "rank"]

MIDDLE = 1000.0
POINTS = 400 / math.log(10)
"""Rating points in one natural unit of strength: 400 points are odds of ten to one, as in chess."""

Z = 1.96
"""Half the width of a 95 % interval, in standard errors."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How votes are counted. Each ridge is above 0 and is 1 / variance of a normal prior around 0
    on the natural scale: ¼ expects models to lie some 350 points about their mean."""

    drop_ties: bool = False
    """Leave ties out of the strengths instead of giving each side half a point."""
    position: bool = True
    """Estimate what the left seat is worth, and take it out of the ratings."""
    style: bool = False
    """Estimate what length and Markdown are worth, and take them out of the ratings."""
    ridge: float = 0.25
    position_ridge: float = 0.25
    style_ridge: float = 0.5
    enough: int = 20
    """Votes that a model needs for a rank, and that a group needs for each of its models."""


def rank(ballots: Iterable[Ballot], rules: Rules | None = None) -> Board:
    """The board of these ballots, whose outcomes have been checked; no ballots make one without
    groups."""
    rules = rules or Rules()
    given = list(ballots)
    valid = [b for b in given if b.left != b.right]
    rated = [b for b in valid if b.outcome != "both_bad"]
    if rules.drop_ties:
        rated = [b for b in rated if b.outcome != "tie"]
    models = sorted({name for b in valid for name in (b.left, b.right)})
    rows = fold(rated, models, rules.style)
    found = fit(*design(rows, models, rules))
    seen = Counter((b.left, b.right, b.outcome) for b in valid)
    outcomes = Counter(b.outcome for b in valid)
    seat = len(models)
    looks = len(found.value) - len(FEATURES)
    return Board(
        groups=tuple(
            placed(group, models, seen, found, rules)
            for group in groups(models, {(b.left, b.right) for b in rated})
        ),
        left_share=share(found.value[seat], found.covariance[seat, seat])
        if rules.position
        else None,
        style=tuple(
            Effect(name, points(found.value[i], found.covariance[i, i]))
            for i, name in enumerate(FEATURES, looks)
        )
        if rules.style
        else (),
        tie_rate=wilson(outcomes["tie"], len(valid)),
        both_bad_rate=wilson(outcomes["both_bad"], len(valid)),
        counts=Counts(
            ballots=len(given),
            rated=len(rated),
            left=outcomes["left"],
            right=outcomes["right"],
            ties=outcomes["tie"],
            both_bad=outcomes["both_bad"],
            same_model=len(given) - len(valid),
            people=rows.voters,
            unknown=int(rows.unknown.sum()),
        ),
    )


def design(rows: Rows, models: Sequence[str], rules: Rules) -> tuple[Votes, Matrix]:
    """The votes with a column for each model, then one for the left seat and one for each feature
    of style, as far as the rules have them estimated; and the ridge of each column."""
    every = np.arange(len(rows.weight))
    x = np.zeros((len(rows.weight), len(models)))
    x[every, rows.left] = 1
    x[every, rows.right] = -1
    columns, ridge = [x], [rules.ridge] * len(models)
    if rules.position:
        columns.append(np.ones((len(x), 1)))
        ridge += [rules.position_ridge]
    if rules.style:
        # Scaled, not shifted: no difference stays 0, so that two alike answers are judged alike.
        spread = np.sqrt(rows.weight @ rows.looks**2 / max(1.0, rows.weight.sum()))
        columns.append(rows.looks / np.where(spread > 0, spread, 1))
        ridge += [rules.style_ridge] * len(FEATURES)
    votes = Votes(np.hstack(columns), rows.score, rows.weight, rows.unknown, rows.cast, rows.voters)
    return votes, np.array(ridge, dtype=np.float64)


def placed(
    group: tuple[str, ...],
    models: Sequence[str],
    seen: Counter[tuple[str, str, Outcome]],
    found: Fit,
    rules: Rules,
) -> Group:
    """One group with its ratings about their own mean. Only differences within it are known: what
    the prior adds to the level of all is taken out of the intervals."""
    at = [models.index(name) for name in group]
    centre = np.eye(len(at)) - 1 / len(at)
    value = centre @ found.value[at]
    spread = centre @ found.covariance[np.ix_(at, at)] @ centre
    tallies = {name: tally(name, None, seen) for name in group}
    rated = {name: in_rating(tallies[name], rules) for name in group}
    votes = sum(rated.values()) // 2
    needed = rules.enough * len(group)
    enough = len(group) > 1 and votes >= needed
    rows = [
        Row(
            model=name,
            rating=points(value[i], spread[i, i], MIDDLE),
            best=None,
            worst=None,
            enough=enough and rated[name] >= rules.enough,
            votes=rated[name],
            wins=tallies[name]["left"],
            ties=tallies[name]["tie"],
            losses=tallies[name]["right"],
            both_bad=tallies[name]["both_bad"],
            both_bad_rate=wilson(
                tallies[name]["both_bad"], sum(tallies[name][outcome] for outcome in OUTCOMES)
            ),
        )
        for i, name in enumerate(group)
    ]
    ordered = ranked(sorted(rows, key=lambda row: (not row.enough, -row.rating.value, row.model)))
    return Group(ordered, pairs(ordered, group, value, spread, seen), votes, needed, enough)


def ranked(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows with the range of their ranks: a model is surely better where the whole of its
    interval is above the other's. Only models with enough votes have ranks or take them."""
    able = [row.rating for row in rows if row.enough]
    return tuple(
        replace(
            row,
            best=1 + sum(other.low > row.rating.high for other in able),
            worst=len(able) - sum(other.high < row.rating.low for other in able),
        )
        if row.enough
        else row
        for row in rows
    )


def pairs(
    rows: Sequence[Row],
    group: Sequence[str],
    value: Matrix,
    spread: Matrix,
    seen: Counter[tuple[str, str, Outcome]],
) -> tuple[Pair, ...]:
    """Every two models of the group once, also those that never met: their share is what the others
    tell of them."""
    found = []
    for above, first in enumerate(rows):
        for second in rows[above + 1 :]:
            i, j = group.index(first.model), group.index(second.model)
            votes = tally(first.model, second.model, seen)
            found.append(
                Pair(
                    first=first.model,
                    second=second.model,
                    votes=votes.total(),
                    wins=votes["left"],
                    ties=votes["tie"],
                    losses=votes["right"],
                    both_bad=votes["both_bad"],
                    share=share(
                        value[i] - value[j], spread[i, i] + spread[j, j] - 2 * spread[i, j]
                    ),
                )
            )
    return tuple(found)


def tally(
    model: str, other: str | None, seen: Counter[tuple[str, str, Outcome]]
) -> Counter[Outcome]:
    """Outcomes as if ``model`` had always sat on the left, against ``other`` or against all."""
    mirrored: dict[Outcome, Outcome] = {"left": "right", "right": "left"}
    found: Counter[Outcome] = Counter()
    for (left, right, outcome), votes in seen.items():
        if left == model and other in (None, right):
            found[outcome] += votes
        elif right == model and other in (None, left):
            found[mirrored.get(outcome, outcome)] += votes
    return found


def in_rating(votes: Counter[Outcome], rules: Rules) -> int:
    return votes["left"] + votes["right"] + (0 if rules.drop_ties else votes["tie"])


def points(value: float, variance: float, middle: float = 0.0) -> Estimate:
    """Natural units as rating points, ``middle`` being 0's rating."""
    around = Z * POINTS * math.sqrt(max(0.0, variance))
    rating = middle + POINTS * float(value)
    return Estimate(rating, rating - around, rating + around)


def share(value: float, variance: float) -> Estimate:
    """A difference in natural units as the part of the points it is worth, between 0 and 1."""
    around = Z * math.sqrt(max(0.0, variance))
    return Estimate(*((1 + math.tanh(z / 2)) / 2 for z in (value, value - around, value + around)))


def wilson(hits: int, of: int) -> Estimate:
    """A rate with Wilson's interval (1927), which stays within 0 and 1 and says something of rates
    that have not been seen yet; nothing seen is 0, from 0 to 1."""
    if not of:
        return Estimate(0.0, 0.0, 1.0)
    rate = hits / of
    middle = (rate + Z * Z / (2 * of)) / (1 + Z * Z / of)
    around = Z / (1 + Z * Z / of) * math.sqrt(rate * (1 - rate) / of + Z * Z / (4 * of * of))
    return Estimate(
        rate, max(0.0, min(rate, middle - around)), min(1.0, max(rate, middle + around))
    )
