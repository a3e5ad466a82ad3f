"""What a leaderboard says: the shape of the answer, from the whole board down to one number.

Plain frozen data, which ``dataclasses.asdict`` turns into JSON. Knows nothing of how the numbers
come about (``ranking.py``) or of how they look.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its 95 % interval. Of what, is said where it stands."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """One model. ``rating`` in points about the mean of its group, which is 1000; a group of one
    has no interval, there being nothing to compare with.

    ``best`` and ``worst`` rank: 1 + how many models are surely better, and that counted from below;
    None where there are not ``enough`` votes. ``votes`` are those in the rating: wins, losses and,
    unless dropped, ties. ``both_bad_rate`` is of all votes on an answer of this model.
    """

    model: str
    rating: Estimate
    best: int | None
    worst: int | None
    enough: bool
    votes: int
    wins: int
    ties: int
    losses: int
    both_bad: int
    both_bad_rate: Estimate


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models of one group, ``first`` the better rated. ``share`` is what part of the points
    ``first`` would get of many votes without an advantage of seat; a tie is half a point. Votes as
    they are: ``votes`` is the sum of the other four."""

    first: str
    second: str
    votes: int
    wins: int
    ties: int
    losses: int
    both_bad: int
    share: Estimate


@dataclass(frozen=True, slots=True)
class Group:
    """Models that can be compared with each other, directly or through others, the best first and
    those without a rank last. ``votes`` are in the ratings, ``needed`` is how many it takes."""

    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    votes: int
    needed: int
    enough: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """What looks are worth: rating points for one standard deviation more of ``feature``."""

    feature: str
    points: Estimate


@dataclass(frozen=True, slots=True)
class Counts:
    """Ballots given, by what became of them. ``rated`` are in the ratings; ``same_model`` had one
    model in both seats and are nowhere else. ``people`` who are known, ``unknown`` ballots of
    others, among the rated."""

    ballots: int
    rated: int
    left: int
    right: int
    ties: int
    both_bad: int
    same_model: int
    people: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Board:
    """Everything the leaderboard says; ``dataclasses.asdict`` makes JSON of it.

    Several ``groups`` must not be shown as one list: nothing compares a model of one with a model
    of another. ``left_share`` is what part of the points the left seat gets between equals; None
    where no position is estimated. Rates are of all ballots of two models.
    """

    groups: tuple[Group, ...]
    left_share: Estimate | None
    style: tuple[Effect, ...]
    tie_rate: Estimate
    both_bad_rate: Estimate
    counts: Counts
