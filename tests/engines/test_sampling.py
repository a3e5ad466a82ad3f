"""Choosing tokens: neutral settings are absent, and the noise is honest."""

import math

import pytest
import torch

from parley.catalog.spec import Sampling
from parley.engines.sampling import Gumbel, draw_seed, processors

CPU = torch.device("cpu")


def names(**sampling):
    return [type(p).__name__ for p in processors(Sampling(**sampling), 1, CPU)]


def test_greedy_has_no_processors():
    assert names(temperature=0.0, top_p=0.5, top_k=4, min_p=0.2) == []


def test_repetition_penalty_works_for_greedy_too():
    assert names(temperature=0.0, repetition_penalty=1.2) == ["RepetitionPenaltyLogitsProcessor"]


def test_neutral_values_are_absent():
    assert names(temperature=1.0) == ["Gumbel"]


def test_order():
    assert names(temperature=0.5, top_p=0.9, top_k=5, min_p=0.1, repetition_penalty=1.1) == [
        "RepetitionPenaltyLogitsProcessor",
        "TemperatureLogitsWarper",
        "TopKLogitsWarper",
        "TopPLogitsWarper",
        "MinPLogitsWarper",
        "Gumbel",
    ]


def test_integers_are_good_enough():
    processors(Sampling(temperature=2, top_p=0, min_p=1, repetition_penalty=2), 1, CPU)


def test_draws_follow_softmax():
    scores = torch.tensor([[2.0, 1.0, 0.0, -1.0, -math.inf]])
    draws = 20_000
    noise = Gumbel(3, CPU)
    picked = noise(torch.empty(0), scores.expand(draws, -1)).argmax(-1)
    seen = torch.bincount(picked, minlength=5) / draws
    wanted = scores.softmax(-1)[0]
    assert torch.all((seen - wanted).abs() < 4 * (wanted * (1 - wanted) / draws).sqrt() + 1e-9)
    assert seen[4] == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_noise_keeps_the_dtype(dtype):
    assert Gumbel(1, CPU)(torch.empty(0), torch.zeros(1, 8, dtype=dtype)).dtype == dtype


def test_noise_belongs_to_its_seed():
    scores = torch.zeros(1, 50)
    one, same, other = (Gumbel(s, CPU)(torch.empty(0), scores) for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_drawn_seeds_differ():
    assert len({draw_seed() for _ in range(20)}) == 20
