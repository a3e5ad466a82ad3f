"""Do the leaderboard's 95 % intervals hold the truth 95 times in 100?

    python benchmarks/ranking.py [--trials 1000] [--resamples 200]

Votes are made up from strengths that are known (``parts/made_votes.py``), ranked as the page ranks
them, and the intervals compared with what votes without end would give. Three parts: votes that
have nothing to do with each other; votes of people with tastes of their own, with other ways to
compute the interval beside the board's; and the textbook's interval, Laplace's, for two priors.

It takes some five minutes and prints the same numbers each time: the seeds are fixed. Ends with
status 1 if the ratings' coverage leaves 93 to 97 % where the board prints ranks (with fewer than
1,000 trials it may, by chance).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from unittest import mock

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # matrices of ten rows

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

import numpy as np  # noqa: E402 - after what it reads once

from benchmarks.parts.made_votes import World  # noqa: E402
from benchmarks.parts.tables import table  # noqa: E402
from parley.arena import ranking, strengths  # noqa: E402
from parley.arena.ballots import Ballot, fold  # noqa: E402
from parley.arena.ranking import MIDDLE, POINTS, Rules, rank  # noqa: E402

SIZES = (20, 60, 200, 1000)
NOTE = (0.8, 0.4, 0.0, -0.3, -0.9)
WORLDS = {
    "2 models, close": World((0.2, -0.2)),
    "3 models, far apart": World((1.5, 0.0, -1.5)),
    "3 models, the same, no ties": World((1.5, 0.0, -1.5), ties=0.0),
    "5 models, equal": World((0.0,) * 5),
    "5 models": World(NOTE),
    "5 models, no ties": World(NOTE, ties=0.0),
    "5 models, half ties": World(NOTE, ties=0.5),
    "5 models, far apart": World(tuple(2.5 * s for s in NOTE)),
    "10 models": World(tuple(np.linspace(0.9, -0.9, 10))),
    "10 models, far apart": World(tuple(np.linspace(2.0, -2.0, 10))),
}
PEOPLE = {
    "6 people, 10 votes each": [10] * 6,
    "20 people, 10 votes each": [10] * 20,
    "20 people, 50 votes each": [50] * 20,
    "100 people, 10 votes each": [10] * 100,
    "250 people, 4 votes each": [4] * 250,
    "100 people, 1 to 80 votes": [80] * 4 + [40] * 6 + [10] * 30 + [2] * 30 + [1] * 30,
}
TASTES = (0.0, 0.5, 1.0)
GOAL = (0.93, 0.97)


class Hits:
    """How often the truth was inside, by what was asked."""

    def __init__(self) -> None:
        self._kept: dict[str, list[float]] = defaultdict(list)

    def add(self, what: str, value: float) -> None:
        self._kept[what].append(float(value))

    def mean(self, what: str) -> float | None:
        return float(np.mean(self._kept[what])) if self._kept[what] else None

    def percent(self, what: str) -> str:
        mean = self.mean(what)
        return "–" if mean is None else f"{100 * mean:.1f}"


def check(hits: Hits, board: ranking.Board, world: World, truth: tuple[np.ndarray, float]) -> None:
    """Every interval of a board against the truth; a board in several groups is asked only for its
    left seat, since its ratings are about other means."""
    at = {name: i for i, name in enumerate(world.models)}
    value, seat = truth
    chance = 1 / (1 + np.exp(-seat))
    hits.add("seat", board.left_share.low <= chance <= board.left_share.high)
    if len(board.groups) > 1 or len(board.groups[0].rows) < len(at):
        return
    group = board.groups[0]
    for row in group.rows:
        mine = value[at[row.model]]
        hits.add("rating", row.rating.low <= MIDDLE + POINTS * mine <= row.rating.high)
        hits.add("points", row.rating.high - row.rating.value)
        if row.best is not None:
            # Models within a point of each other share their ranks.
            best = 1 + (value > mine + 1 / POINTS).sum()
            worst = len(value) - (value < mine - 1 / POINTS).sum()
            hits.add("rank", row.best <= worst and best <= row.worst)
    ends = {world.models[0], world.models[-1]}
    for pair in group.pairs:
        true = 1 / (1 + np.exp(value[at[pair.second]] - value[at[pair.first]]))
        inside = pair.share.low <= true <= pair.share.high
        hits.add("pair", inside)
        if {pair.first, pair.second} == ends:
            hits.add("ends", inside)


def independent(trials: int) -> bool:
    """The first tables; whether the ratings kept to the goal wherever there are ranks."""
    covered, sizes, good = [], [], True
    for name, world in WORLDS.items():
        truth = world.truth()
        rows: tuple[list[str], list[str]] = ([name], [name])
        for size in SIZES:
            rng, hits = np.random.default_rng(size), Hits()
            for _ in range(trials):
                check(hits, rank(world.ballots([size], rng, known=False)), world, truth)
            rows[0].append(" / ".join(hits.percent(w) for w in ("rating", "pair", "ends", "seat")))
            rows[1].append(f"±{hits.mean('points'):.0f}; {hits.percent('rank')}")
            if hits.mean("rank") is not None:
                good = good and GOAL[0] <= hits.mean("rating") <= GOAL[1]
        covered.append(rows[0])
        sizes.append(rows[1])
    head = ["", *(f"{n:,} votes" for n in SIZES)]
    print(
        "Votes that have nothing to do with each other. Coverage in per cent: ratings / differences"
    )
    print("of pairs / best against worst / left seat")
    table(head, covered)
    print("\nThe mean ± of a rating in points; rank ranges that hold the true rank, in per cent")
    table(head, sizes)
    return good


def clustered(trials: int, resamples: int) -> None:
    found = []
    for taste in TASTES:
        world = World(NOTE, taste=taste)
        truth = world.truth()
        for name, each in PEOPLE.items():
            rng = np.random.default_rng(sum(each))
            columns = [Hits() for _ in range(4)]
            for _ in range(trials):
                ballots = world.ballots(each, rng)
                strangers = [replace(ballot, voter="") for ballot in ballots]
                check(columns[0], rank(strangers), world, truth)
                check(columns[1], rank(ballots), world, truth)
                with mock.patch.object(strengths, "PEOPLE", 0.0):
                    check(columns[2], rank(ballots), world, truth)
                bootstrap(columns[3], ballots, world, truth[0], resamples, rng)
            cells = [f"{h.percent('rating')} / {h.percent('pair')}" for h in columns]
            found.append([f"{name}, taste {taste}", *cells])
    print("\nPeople with tastes of their own, 5 models; coverage: ratings / differences of pairs")
    ways = ("votes as strangers'", "the board", "only what was seen", f"bootstrap ({resamples})")
    table(["", *ways], found)


def bootstrap(
    hits: Hits,
    ballots: list[Ballot],
    world: World,
    truth: np.ndarray,
    resamples: int,
    rng: np.random.Generator,
) -> None:
    """Percentile intervals of people drawn again with replacement."""
    rows = fold(ballots, world.models, styled=False)
    votes, ridge = ranking.design(rows, world.models, Rules())
    voter, row, cast = rows.cast.T
    drawn = []
    for _ in range(resamples):
        times = np.bincount(rng.integers(rows.voters, size=rows.voters), minlength=rows.voters)
        weight = np.bincount(row, cast * times[voter], minlength=len(rows.weight))
        value = strengths.estimate(replace(votes, weight=weight), ridge)[: len(truth)]
        drawn.append(value - value.mean())
    every = np.array(drawn)
    inside(hits, "rating", every, truth)
    for i, j in combinations(range(len(truth)), 2):
        inside(hits, "pair", every[:, [i]] - every[:, [j]], truth[[i]] - truth[[j]])


def inside(hits: Hits, what: str, drawn: np.ndarray, truth: np.ndarray) -> None:
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    for hit in (low <= truth) & (truth <= high):
        hits.add(what, hit)


def textbook(trials: int) -> None:
    found = []

    def laplace(votes: strengths.Votes, ridge: np.ndarray, value: np.ndarray) -> np.ndarray:
        p = strengths.chance(votes.x @ value)
        return np.linalg.inv(strengths.information(votes, p) + np.diag(ridge))

    for name, world in WORLDS.items():
        truth, cells = world.truth(), [name]
        for size in SIZES:
            rng, columns = np.random.default_rng(size), [Hits() for _ in range(3)]
            for _ in range(trials):
                ballots = world.ballots([size], rng, known=False)
                with mock.patch.object(strengths, "covariance", laplace):
                    check(columns[0], rank(ballots, Rules(ridge=1.0)), world, truth)
                    check(columns[1], rank(ballots), world, truth)
                check(columns[2], rank(ballots), world, truth)
            cells.append(" / ".join(hits.percent("pair") for hits in columns))
        found.append(cells)
    print("\nDifferences of pairs: Laplace's interval, ridge 1 / the same, ridge ¼ / the board's")
    table(["", *(f"{n:,} votes" for n in SIZES)], found)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=200)
    options = parser.parse_args(argv)
    few = max(1, options.trials // 5)
    good = independent(options.trials)
    clustered(few, options.resamples)
    textbook(few * 2)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
