"""The text that Prometheus reads, parsed the way Prometheus would."""

from __future__ import annotations

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from parley import __version__
from parley.api.metrics import exposition
from parley.events import Failed, Finished, Stats
from parley.meters import Meters
from parley.pool.view import ModelView, PoolView
from tests.api.watched import busy

# Each family with its type and its labels.
FAMILIES = {
    "model_state": ("gauge", {"model", "state"}),
    "leases": ("gauge", {"model"}),
    "build_info": ("gauge", {"version"}),
    "model_loads": ("counter", {"model", "result", "code"}),
    "model_load_seconds": ("histogram", {"model", "phase"}),
    "load_waiters_coalesced": ("counter", {"model"}),
    "load_cancelled": ("counter", set()),
    "model_unloads": ("counter", {"model", "reason"}),
    "queue_depth": ("gauge", set()),
    "queue_oldest_seconds": ("gauge", set()),
    "queue_wait_seconds": ("histogram", set()),
    "rejections": ("counter", {"code"}),
    "ttft_seconds": ("histogram", {"model", "cold"}),
    "tokens": ("counter", {"model", "kind"}),
    "generations": ("counter", {"model", "finish"}),
    "stop_latency_seconds": ("histogram", set()),
    "memory_estimated_bytes": ("gauge", {"model"}),
    "memory_measured_bytes": ("gauge", {"model"}),
    "memory_budget_bytes": ("gauge", {"device"}),
    "memory_used_bytes": ("gauge", {"device"}),
    "memory_available_bytes": ("gauge", set()),
    "estimate_error_ratio": ("gauge", {"model"}),
}


def used():
    """Meters on which everything has happened once."""
    meters = Meters()
    stats = Stats(prompt_tokens=9, completion_tokens=5, ttft_seconds=0.1)
    meters.answered("small", Finished("stop", stats), cold=False)
    meters.answered("small", Failed("oom_generate", "It is full.", "Ask less."), cold=False)
    meters.loaded("small", 2.0, {"weights": 2.0})
    meters.load_failed("torn", "corrupt_weights")
    meters.load_failed("torn", "load_cancelled")
    meters.coalesced("small")
    meters.unloaded("small", "idle")
    meters.refused("queue_full")
    meters.waited(0.5)
    meters.stopped_after(0.1)
    meters.estimated("small", 1000, 900)
    return meters


def families(text):
    found = list(text_string_to_metric_families(text))
    by_name = {family.name.removeprefix("parley_"): family for family in found}
    assert len(by_name) == len(found)
    assert all(family.name.startswith("parley_") for family in found)
    return by_name


def values(text, name):
    """One family's samples, each under its labels' values in the order of the labels' names."""
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for sample in families(text)[name].samples
    }


@pytest.fixture(scope="module")
def text():
    return exposition(used(), busy(), 4096).decode()


def test_every_family_is_there_with_its_type_and_labels(text):
    found = families(text)
    assert {name: family.type for name, family in found.items()} == {
        name: kind for name, (kind, _) in FAMILIES.items()
    }
    for name, (_, labels) in FAMILIES.items():
        assert found[name].samples, name
        for sample in found[name].samples:
            assert set(sample.labels) - {"le"} == labels, name


def test_every_family_is_there_before_anything_has_happened():
    found = families(exposition(Meters(), PoolView(), 4096).decode())
    assert set(found) == set(FAMILIES)
    # Sums that start at nothing are told apart from sums that nobody makes.
    assert found["load_cancelled"].samples[0].value == 0


def test_every_family_says_what_it_is(text):
    assert all(family.documentation.endswith(".") for family in families(text).values())


def test_the_pool_is_shown_as_it_is_seen(text):
    assert values(text, "model_state") == {
        ("small", "ready"): 1,
        ("wide", "ready"): 1,
        ("next", "loading"): 1,
        ("torn", "failed"): 1,
    }
    assert values(text, "leases")[("small",)] == 2
    assert values(text, "queue_depth") == {(): 2}
    assert values(text, "queue_oldest_seconds") == {(): 7.5}
    assert values(text, "build_info") == {(__version__,): 1}


def test_memory_is_told_by_model_and_by_device(text):
    assert values(text, "memory_estimated_bytes") == {
        ("next",): 500,
        ("small",): 1000,
        ("torn",): 0,
        ("wide",): 7000,
    }
    assert values(text, "memory_measured_bytes") == {("small",): 900}
    assert values(text, "memory_budget_bytes")[("cuda:1",)] == 20_000
    assert values(text, "memory_used_bytes") == {
        ("cpu",): 1500,
        ("cuda:0",): 3000,
        ("cuda:1",): 4000,
    }
    assert values(text, "memory_available_bytes") == {(): 4096}


def test_a_gauge_keeps_nothing_from_the_scrape_before():
    meters = Meters()
    exposition(meters, busy(), 1)
    after = exposition(meters, PoolView(), 2).decode()
    assert values(after, "model_state") == values(after, "leases") == {}
    assert values(after, "memory_available_bytes") == {(): 2}


def test_no_series_tells_when_it_began(text):
    assert "_created" not in text


def test_a_model_id_cannot_break_the_text():
    odd = 'a "model"\\ of\nmany {words}'
    meters = Meters()
    meters.coalesced(odd)
    view = PoolView(models={odd: ModelView(odd, "ready")})
    text = exposition(meters, view, 1).decode()
    assert values(text, "load_waiters_coalesced") == {(odd,): 1}
    assert values(text, "model_state") == {(odd, "ready"): 1}
    assert all(re.match(r"#|parley_", line) for line in text.splitlines())
