"""Votes of made-up people on made-up models, and what a ranking of them should find.

A person's taste is a strength per model: everybody's, and a normal deviation of ``taste``. Each
vote is on a pair drawn uniformly, in seats drawn at random; a tie comes with a fixed probability,
else the left answer wins by Bradley and Terry. So the truth is not quite of the form that the
ranking assumes: ``truth`` is what it finds from votes without end, and what its intervals are for.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from parley.arena.ballots import Ballot
from parley.arena.strengths import Votes, estimate

CROWD = 20_000
"""People whose mean stands for everybody's."""


@dataclass(frozen=True)
class World:
    """``strengths`` on the natural scale; ``seat`` is what the left seat is worth there."""

    strengths: tuple[float, ...]
    ties: float = 0.2
    seat: float = 0.15
    taste: float = 0.0

    @property
    def models(self) -> list[str]:
        return [f"m{i:02d}" for i in range(len(self.strengths))]

    def truth(self) -> tuple[np.ndarray, float]:
        """The strengths, their mean 0, and the seat's worth."""
        x = seats(len(self.strengths))
        crowd = np.random.default_rng(0).normal(size=(CROWD if self.taste else 1, x.shape[1] - 1))
        strengths = np.array(self.strengths) + self.taste * crowd
        wins = 1 / (1 + np.exp(-(strengths @ x[:, :-1].T + self.seat)))
        score = self.ties / 2 + (1 - self.ties) * wins.mean(axis=0)
        many = np.full(len(x), 1e6)
        votes = Votes(x, score, many, many, np.zeros((0, 3), dtype=np.int64), 0)
        found = estimate(votes, np.full(x.shape[1], 1e-6))
        return found[:-1] - found[:-1].mean(), float(found[-1])

    def ballots(
        self, each: list[int], rng: np.random.Generator, known: bool = True
    ) -> list[Ballot]:
        """Votes of as many people as ``each`` has entries, so many of each one."""
        models, found = self.models, []
        for person, votes in enumerate(each):
            own = np.array(self.strengths) + self.taste * rng.normal(size=len(models))
            left = rng.integers(len(models), size=votes)
            right = (left + rng.integers(1, len(models), size=votes)) % len(models)
            wins = 1 / (1 + np.exp(-(own[left] - own[right] + self.seat)))
            drawn, tied = rng.random(votes) < wins, rng.random(votes) < self.ties
            found += [
                Ballot(
                    models[a],
                    models[b],
                    "tie" if tie else "left" if win else "right",
                    f"p{person}" if known else "",
                )
                for a, b, win, tie in zip(left, right, drawn, tied, strict=True)
            ]
        return found


def seats(models: int) -> np.ndarray:
    """A row for each order of each two models: 1 on the left, -1 on the right, 1 for the seat."""
    rows = list(permutations(range(models), 2))
    x = np.zeros((len(rows), models + 1))
    x[:, -1] = 1
    for row, (left, right) in enumerate(rows):
        x[row, left], x[row, right] = 1, -1
    return x
