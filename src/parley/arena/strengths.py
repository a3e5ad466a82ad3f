"""Strengths from paired comparisons, and how far they can be trusted: Bradley-Terry with a prior.

Bradley and Terry (1952): the left answer is preferred with probability 1 / (1 + exp(-z)), z being
the difference of two strengths plus whatever else pulls (a seat, looks). A normal prior makes the
estimate finite for any votes at all (MAP, a ridge). The covariance is the usual "sandwich" of a
quasi-likelihood, whose filling is what the model expects of the votes, moved towards what was seen
between people as there are more of them (Huber 1967; Liang and Zeger 1986).
docs/ranking.md derives it and says how well its intervals keep their word.

Arrays in, arrays out. Knows nothing of models' names or of what a column stands for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

CONVERGED = 1e-11
STEPS = 100
HALVINGS = 40

ONE_MORE = 2.0
"""Votes added to all, none of them a tie, before ties narrow an interval: a handful of ties only
must not read as certainty."""

PEOPLE = 10.0
"""How many people the model's expectation is worth against what was seen between people. Tried with
0, 10 and 20: fewer is too narrow where few have voted, more where people differ much."""

FLOOR = 0.05
"""The smallest share of a coin's variance that ties can leave."""


@dataclass(frozen=True, slots=True)
class Votes:
    """``x`` has a row per different vote and a column per coefficient; ``score`` is 1, 0 or ½ and
    ``weight`` how often the vote was cast. ``unknown`` is how many of these belong to nobody in
    particular, the others are in ``cast``: (voter, row, votes), voters numbered from 0."""

    x: Matrix
    score: Matrix
    weight: Matrix
    unknown: Matrix
    cast: NDArray[np.int64]
    voters: int


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients on the natural (logit) scale and their covariance."""

    value: Matrix
    covariance: Matrix


def fit(votes: Votes, ridge: Matrix) -> Fit:
    """The estimate and its covariance; ``ridge``, all above 0, is 1 / variance of each
    coefficient's prior around 0."""
    value = estimate(votes, ridge)
    return Fit(value, covariance(votes, ridge, value))


def estimate(votes: Votes, ridge: Matrix) -> Matrix:
    """The coefficients of the largest posterior, by Newton's method from 0. The function is
    strictly convex: there is one minimum, and a step that is halved until it goes down finds it."""
    value = np.zeros(votes.x.shape[1])
    height = loss(votes, ridge, value)
    for _ in range(STEPS):
        p = chance(votes.x @ value)
        slope = votes.x.T @ (votes.weight * (p - votes.score)) + ridge * value
        step = np.linalg.solve(information(votes, p) + np.diag(ridge), slope)
        for _ in range(HALVINGS):
            lower = loss(votes, ridge, value - step)
            if lower <= height + 1e-12 * abs(height):
                break
            step = step / 2
        value, height = value - step, lower
        if np.max(np.abs(step), initial=0.0) < CONVERGED:
            break
    return value


def covariance(votes: Votes, ridge: Matrix, value: Matrix) -> Matrix:
    """H⁻¹ (R + J) H⁻¹, where R is the ridge, H = R + L the curvature, and J the variance of the
    slope. With J = L, as for votes without ties and of nobody in particular, it is H⁻¹: Laplace's.
    """
    total = votes.weight.sum()
    prior = np.diag(ridge)
    p = chance(votes.x @ value)
    curvature = information(votes, p)
    inverse = np.linalg.inv(curvature + prior).astype(np.float64, copy=False)
    if not total:
        return inverse
    # Half a point varies less than a coin: p(1-p) less a quarter of the share of ties, exactly.
    ties = votes.weight[votes.score == 0.5].sum() / (total + ONE_MORE)
    coin = (votes.weight * p * (1 - p)).sum() / total
    expected: Matrix = max(FLOOR, 1 - ties / (4 * coin)) * curvature
    people = votes.voters + votes.unknown.sum()
    if people < 2:
        return sandwich(inverse, prior + expected)
    # Each person's votes as one draw: what they have in common is not counted as many votes.
    slopes = (votes.score - p)[:, None] * votes.x
    by_person = np.zeros((votes.voters, votes.x.shape[1]))
    voter, row, cast = votes.cast.T
    np.add.at(by_person, voter, cast[:, None] * slopes[row])
    seen = by_person.T @ by_person + (slopes * votes.unknown[:, None]).T @ slopes
    # The estimate has bent towards these very votes; the usual correction for both counts.
    used = np.trace(inverse @ curvature)
    seen = seen * (people / (people - 1) * (total - 1) / (total - used))
    trust = (people - 1) / (people - 1 + PEOPLE)
    return sandwich(inverse, prior + (1 - trust) * expected + trust * seen)


def sandwich(bread: Matrix, filling: Matrix) -> Matrix:
    made: Matrix = bread @ filling @ bread
    return made


def information(votes: Votes, p: Matrix) -> Matrix:
    """L = Σ w p(1-p) x xᵀ."""
    curvature: Matrix = (votes.x * (votes.weight * p * (1 - p))[:, None]).T @ votes.x
    return curvature


def loss(votes: Votes, ridge: Matrix, value: Matrix) -> float:
    """-log posterior, up to a constant."""
    z = votes.x @ value
    doubt = votes.score * np.logaddexp(0, -z) + (1 - votes.score) * np.logaddexp(0, z)
    return float(votes.weight @ doubt + ridge @ (value * value) / 2)


def chance(z: Matrix) -> Matrix:
    """The logistic function, without overflow at either end."""
    p: Matrix = (1 + np.tanh(z / 2)) / 2
    return p
