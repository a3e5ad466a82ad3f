"""The arithmetic, against other people's and against a second method of our own."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import choix
import numpy as np
import pytest

from parley.arena.ballots import Ballot, fold
from parley.arena.ranking import Rules, design
from parley.arena.strengths import Votes, chance, covariance, estimate, fit

MODELS = [f"m{i}" for i in range(6)]


def made(votes, ties, seed=0, models=MODELS):
    """Votes between models of quite different strength."""
    rng = np.random.default_rng(seed)
    strength = np.linspace(1.5, -1.5, len(models))
    found = []
    for _ in range(votes):
        left, right = rng.choice(len(models), 2, replace=False)
        wins = rng.random() < chance(strength[left] - strength[right])
        outcome = "tie" if rng.random() < ties else "left" if wins else "right"
        found.append(Ballot(models[left], models[right], outcome))
    return found


def columns(ballots, rules, models=MODELS):
    return design(fold(ballots, models, rules.style), models, rules)


@pytest.mark.parametrize("ridge", [0.01, 0.25, 1.0])
@pytest.mark.parametrize("ties", [0.0, 0.3])
@pytest.mark.parametrize("size", [1, 30, 400])
def test_choix_finds_the_same_strengths(ridge, ties, size):
    ballots = made(size, ties)
    index = MODELS.index
    # A tie is half a win each way. choix has no halves: everything twice, and the ridge with it.
    # Its ridge multiplies the sum of squares, ours half of it.
    won = {"left": 2, "tie": 1, "right": 0}
    pairs = [
        pair
        for b in ballots
        for pair in [(index(b.left), index(b.right))] * won[b.outcome]
        + [(index(b.right), index(b.left))] * (2 - won[b.outcome])
    ]
    theirs = choix.opt_pairwise(len(MODELS), pairs, alpha=ridge, tol=1e-12)
    ours = estimate(*columns(ballots, Rules(position=False, ridge=ridge)))
    assert ours == pytest.approx(theirs, abs=1e-6)


def test_minorise_maximise_with_phantom_draws_finds_the_same_strengths():
    """Hunter (2004). Half a win for both sides of every pair makes the maximum finite without a
    ridge; the same draws among our votes, and next to no ridge, have to give the same."""
    ballots = made(200, 0.2, seed=1)
    phantoms = [Ballot(a, b, "tie") for a, b in combinations(MODELS, 2)]
    ours = estimate(*columns([*ballots, *phantoms], Rules(position=False, ridge=1e-9)))

    wins = np.zeros((len(MODELS), len(MODELS)))
    for b in [*ballots, *phantoms]:
        i, j = MODELS.index(b.left), MODELS.index(b.right)
        score = {"left": 1.0, "tie": 0.5, "right": 0.0}[b.outcome]
        wins[i, j] += score
        wins[j, i] += 1 - score
    met, strength = wins + wins.T, np.ones(len(MODELS))
    for _ in range(2000):
        strength = wins.sum(1) / (met / (strength[:, None] + strength)).sum(1)
        strength /= np.exp(np.log(strength).mean())
    assert ours == pytest.approx(np.log(strength), abs=1e-6)


def test_the_slope_is_flat_where_the_estimate_is():
    votes, ridge = columns(made(300, 0.2), Rules())
    value = estimate(votes, ridge)
    slope = votes.x.T @ (votes.weight * (chance(votes.x @ value) - votes.score)) + ridge * value
    assert np.abs(slope).max() < 1e-8


def test_votes_as_different_as_can_be_are_no_trouble_for_newton():
    x = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    votes = Votes(
        x, np.array([1.0, 0.0]), *[np.array([1e7, 1.0])] * 2, np.zeros((0, 3), dtype=np.int64), 0
    )
    value = estimate(votes, np.full(3, 1e-4))
    slope = x.T @ (votes.weight * (chance(x @ value) - votes.score)) + 1e-4 * value
    assert np.abs(slope).max() < 1e-6


def test_one_person_has_laplaces_interval():
    """With nobody to compare with there is only the model's word: H⁻¹ where nothing was a tie."""
    votes, ridge = columns([replace(b, voter="p") for b in made(40, 0.0)], Rules())
    found = fit(votes, ridge)
    p = chance(votes.x @ found.value)
    curvature = (votes.x * (votes.weight * p * (1 - p))[:, None]).T @ votes.x + np.diag(ridge)
    assert found.covariance == pytest.approx(np.linalg.inv(curvature))


def test_no_votes_leave_the_prior():
    votes, ridge = columns([], Rules(ridge=0.25, position_ridge=4.0), MODELS[:2])
    assert estimate(votes, ridge) == pytest.approx(np.zeros(3))
    assert covariance(votes, ridge, np.zeros(3)) == pytest.approx(np.diag([4, 4, 0.25]))


def test_a_covariance_is_one_for_any_votes():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        ballots = [replace(b, voter=rng.choice(["", "p", "q"])) for b in made(seed + 1, 0.6, seed)]
        found = fit(*columns(ballots, Rules()))
        assert np.linalg.eigvalsh(found.covariance).min() > 0


def test_votes_of_the_unknown_are_people_of_their_own():
    ballots = made(80, 0.2)
    named = [replace(b, voter=str(i)) for i, b in enumerate(ballots)]
    ours, theirs = fit(*columns(ballots, Rules())), fit(*columns(named, Rules()))
    assert ours.covariance == pytest.approx(theirs.covariance)
