"""What may be drawn is what the library's warpers leave, however little of the row is sorted."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.catalog.spec import Sampling
from parley.engines.filters import kept
from tests.engines.test_sampling import chain

shares = st.floats(0.01, 1.0)
settings_of_any_kind = st.builds(
    Sampling,
    temperature=st.just(1.0),
    top_k=st.sampled_from([0, 0, 0, 1, 2, 40, 255, 256, 257, 4096, 6000]),
    top_p=st.just(1.0) | st.floats(0, 1),
    min_p=st.just(0.0) | st.floats(0, 1),
    typical_p=st.just(1.0) | shares,
)
rows = st.tuples(
    st.integers(0, 2**32),
    st.sampled_from([1, 2, 7, 256, 300, 5000]),
    st.sampled_from([0.1, 1.0, 4.0, 12.0]),
    st.sampled_from([0.0, 0.5, 0.99]),
)


def row(seed, size, spread, ruled_out):
    """Scores in double precision, where no rounding of sums can move a cut, and without ties."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(size, generator=generator, dtype=torch.float64) * spread
    forbidden = torch.rand(size, generator=generator) < ruled_out
    forbidden[0] = False
    return scores.masked_fill(forbidden, -torch.inf)


def of_library(scores, sampling):
    cut = chain(sampling)(torch.empty(1, 0, dtype=torch.long), scores[None].clone())[0]
    return {i: v for i, v in enumerate(cut.tolist()) if v > -math.inf}


def of_ours(scores, sampling):
    values, ids = kept(scores, sampling)
    places = range(scores.numel()) if ids is None else ids.tolist()
    both = zip(places, values.tolist(), strict=True)
    return {i: v for i, v in both if v > -math.inf}


@settings(deadline=None, max_examples=400)
@given(rows, settings_of_any_kind)
def test_the_same_tokens_stay_with_the_same_scores(scores, sampling):
    scores = row(*scores)
    assert of_ours(scores, sampling) == of_library(scores, sampling)


@pytest.mark.parametrize(
    "wanted",
    [{"top_p": 0.9}, {"top_k": 40, "top_p": 0.9}, {"min_p": 0.05}, {"typical_p": 0.9}],
    ids=str,
)
def test_single_precision_moves_the_cut_by_one_token_at_most(wanted):
    sampling = Sampling(temperature=1.0, **wanted)
    for seed in range(20):
        scores = row(seed, 5000, 3.0, 0).float()
        ours, theirs = of_ours(scores, sampling), of_library(scores, sampling)
        assert len(ours.keys() ^ theirs.keys()) <= 1


@pytest.mark.parametrize(
    "wanted",
    [{"top_p": 0.7}, {"top_k": 300}, {"top_k": 256, "top_p": 0.9}, {"min_p": 0.2}, {"top_k": 5000}],
    ids=str,
)
def test_of_equal_scores_at_the_cut_as_many_stay(wanted):
    sampling = Sampling(temperature=1.0, **wanted)
    for seed in range(10):
        scores = row(seed, 6000, 3.0, 0).to(torch.bfloat16).double()  # hundreds share a score
        ours, theirs = of_ours(scores, sampling), of_library(scores, sampling)
        assert sorted(ours.values()) == sorted(theirs.values())


def test_without_a_filter_every_token_may_be_drawn():
    scores = torch.tensor([1.0, 2.0])
    values, ids = kept(scores, Sampling())
    assert ids is None
    assert values is scores
