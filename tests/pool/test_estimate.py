"""How much a model will take, and where it could go."""

from __future__ import annotations

import pytest

from parley.catalog.spec import ModelSpec
from parley.engines.cache_budget import CONVERSATION
from parley.engines.precision import CPU_FLOAT32_LIMIT, SMALL
from parley.engines.stock import Stock
from parley.pool.estimate import WORKSPACE, Estimate, estimate, ways
from parley.pool.room import MODELS


def spec(**more):
    return ModelSpec(id="one", name="One", repo="made/one", **more)


@pytest.mark.parametrize(
    ("dtype", "kind", "parameters", "width"),
    [
        ("auto", "cpu", 1_000, 4),
        ("auto", "cpu", SMALL, 4),
        ("auto", "cpu", CPU_FLOAT32_LIMIT + 1, 2),
        ("auto", "cuda", 1_000, 2),
        ("auto", "mps", 1_000, 2),
        ("float32", "cuda", 1_000, 4),
        ("float32", "cpu", CPU_FLOAT32_LIMIT + 1, 4),
        ("bfloat16", "cpu", 1_000, 2),
    ],
)
def test_weights_are_counted_as_they_will_be_loaded(dtype, kind, parameters, width):
    stock = Stock(parameters={"BF16": parameters - 10, "F32": 10})
    assert estimate(spec(dtype=dtype), stock, kind, 2).weights == parameters * width


@pytest.mark.parametrize(
    ("window", "context", "lanes", "tokens"),
    [
        (512, None, 1, 512),
        (512, None, 2, 2 * 512),
        (512, None, 8, 2 * 512),
        (131_072, None, 1, CONVERSATION),
        (None, None, 1, CONVERSATION),
        (2_048, 1_024, 1, 1_024),
        (1_024, 2_048, 1, 1_024),
    ],
)
def test_the_cache_is_reckoned_for_ordinary_conversations(window, context, lanes, tokens):
    stock = Stock(parameters={"F32": 1_000}, kv_values=30, window=window)
    on_cpu = estimate(spec(context_max=context), stock, "cpu", lanes)
    assert on_cpu.kv_cache == 30 * 4 * tokens
    on_gpu = estimate(spec(context_max=context), stock, "cuda", lanes)
    assert on_gpu.kv_cache == 30 * 2 * tokens


def test_a_model_that_does_not_tell_its_cache_has_none():
    assert estimate(spec(), Stock(parameters={"F32": 1_000}), "cpu", 2).kv_cache == 0


def test_workspace_is_a_share_of_the_weights_and_never_little():
    small = estimate(spec(), Stock(parameters={"F32": 1_000}), "cpu", 1)
    assert small == Estimate(4_000, 0, WORKSPACE)
    assert small.total == 4_000 + WORKSPACE
    large = estimate(spec(), Stock(parameters={"BF16": 5 * 10**9}), "cuda", 1)
    assert (large.weights, large.workspace) == (10**10, 10**9)


def test_what_was_seen_replaces_the_guess():
    stock = Stock(parameters={"F32": 1_000}, kv_values=10, window=100)
    weights, cache = 4_000, 10 * 4 * 100
    more = estimate(spec(), stock, "cpu", 1, seen=9_000)
    assert more == Estimate(weights, cache, 1_000)
    less = estimate(spec(), stock, "cpu", 1, seen=4_500)
    assert less == Estimate(weights, cache, 0)


def test_a_packed_model_is_as_large_as_it_is_stored():
    stock = Stock(parameters={"U8": 1_000, "F4": 1_000, "F16": 10, "odd": 10}, quantised=True)
    assert estimate(spec(dtype="float32"), stock, "cpu", 1).weights == 1_000 + 500 + 20 + 20
    nothing_read = Stock(quantised=True)
    assert estimate(spec(parameters=1_000), nothing_read, "cuda", 1).weights == 2_000


@pytest.mark.parametrize("stock", [None, Stock(), Stock(kv_values=10)])
def test_a_size_that_nobody_knows_is_not_made_up(stock):
    assert estimate(spec(), stock, "cpu", 2) is None
    assert estimate(spec(), stock, "cpu", 2, seen=9_000) is None
    assert estimate(spec(parameters=1_000), stock, "cpu", 2).weights == 4_000


def test_one_device_is_one_way_even_where_it_is_too_small():
    assert ways(4, {"cpu": 10, MODELS: 3}) == ({"cpu": 4, MODELS: 1},)
    assert ways(40, {"cpu": 10}) == ({"cpu": 40, MODELS: 1},)
    assert ways(4, {}) == ()


def test_the_larger_of_two_devices_comes_first():
    found = ways(4, {"cuda:0": 6, "cuda:1": 8})
    assert found == ({"cuda:1": 4, MODELS: 1}, {"cuda:0": 4, MODELS: 1})


@pytest.mark.parametrize("need", [6_001, 7_500, 9_000])
def test_what_no_device_can_hold_is_spread_in_proportion(need):
    budget = {"cuda:0": 6_000, "cuda:1": 3_000}
    *single, spread = ways(need, budget)
    assert single == [{name: need, MODELS: 1} for name in budget]
    assert spread[MODELS] == 1
    assert sum(spread[name] for name in budget) >= need
    assert all(spread[name] <= budget[name] for name in budget)
    assert spread["cuda:0"] == pytest.approx(2 * spread["cuda:1"], abs=2)


def test_what_one_device_can_hold_is_not_spread():
    assert len(ways(6_000, {"cuda:0": 6_000, "cuda:1": 3_000})) == 2
