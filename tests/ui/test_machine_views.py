"""What the page is told of the pool, from frozen values alone."""

import json

import pytest

from parley.catalog.spec import ModelSpec
from parley.engines.stock import Stock
from parley.errors import LoadError
from parley.events import Failed, Loading
from parley.meters import Totals
from parley.pool.view import Fit, ModelView, PoolView
from parley.ui import machine

GB = 10**9
SMALL = ModelSpec("small", "Small 1B", repo="who/small")
LARGE = ModelSpec("large", "Large 8B", repo="who/large")
GATED = ModelSpec("gated", "Gated 2B", repo="who/gated", gated=True)
SPECS = (SMALL, LARGE, GATED)


def states(*models: ModelView, fits=None, stocks=None, token=False) -> dict:
    view = PoolView({m.model_id: m for m in models}, {"cpu": 12 * GB})
    made = machine.states(SPECS, view, fits or {}, stocks or {}, token=token)
    json.dumps(made)
    return made


def one(model: ModelView) -> tuple[str, str]:
    shown = states(model)[model.model_id]
    return shown["state"], shown["status"]


def disk(stock: Stock | None) -> object:
    return states(stocks={"small": stock})["small"]["disk"]


def fit(**known) -> dict:
    return states(fits={"small": Fit(**known)})["small"]["fit"]


def gate(stock: Stock | None = None, *, token: bool) -> object:
    return states(stocks={"gated": stock}, token=token)["gated"]["gate"]


def test_every_model_is_told_of_whether_or_not_the_pool_knows_it():
    made = states(ModelView("small", "ready"))
    assert list(made) == ["small", "large", "gated"]
    assert (made["large"]["state"], made["large"]["status"]) == ("cold", "")


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        (ModelView("small", "cold"), ("cold", "")),
        (ModelView("small", "queued", waiting=1, position=2), ("queued", "Queued, place 2")),
        (ModelView("small", "queued"), ("queued", "Queued")),
        (
            ModelView("small", "loading", progress=Loading("download", 12 * 10**8, 31 * 10**8)),
            ("downloading", "Downloading 1.2 of 3.1 GB"),
        ),
        (
            ModelView("small", "loading", progress=Loading("weights", 172, 272, 2.0, 4.0)),
            ("loading", "Loading 63 % · 4 s left"),
        ),
        (ModelView("small", "loading"), ("loading", "Starting the engine")),
        (ModelView("small", "ready", idle_seconds=59.0), ("ready", "In memory")),
        (ModelView("small", "ready", idle_seconds=190.0), ("ready", "In memory, idle for 3 min")),
        (ModelView("small", "ready", leases=2), ("answering", "Answering 2")),
        (
            ModelView("small", "ready", leases=2, waiting=3),
            ("answering", "Answering 2 · 3 waiting"),
        ),
        (ModelView("small", "draining", leases=2), ("draining", "Unloads when its 2 answers end")),
        (ModelView("small", "draining", leases=1), ("draining", "Unloads when its answer ends")),
        (ModelView("small", "draining"), ("draining", "Unloading")),
        (ModelView("small", "unloading"), ("unloading", "Unloading")),
        (ModelView("small", "failed"), ("failed", "Could not be loaded")),
    ],
)
def test_states_and_the_words_for_them(model, shown):
    assert one(model) == shown


def test_how_far_a_load_is():
    def far(progress: Loading | None) -> float | None:
        return states(ModelView("small", "loading", progress=progress))["small"]["progress"]

    assert far(Loading("weights", 1, 4)) == 0.25
    # More than was announced is still no more than all.
    assert far(Loading("download", 11, 10)) == 1.0
    assert far(Loading("start")) is None
    assert far(None) is None


def test_a_failure_is_told_while_the_model_is_failed_and_no_longer():
    why = Failed("disk_full", "The disk is full.", "Make room.")
    failed = states(ModelView("small", "failed", error=why))["small"]
    assert failed["error"] == {"sentence": "The disk is full.", "fix": "Make room."}
    assert states(ModelView("small", "ready", error=why))["small"]["error"] is None


def test_a_pin_is_the_pools_and_before_that_the_catalogues():
    assert states(ModelView("small", "ready", pinned=True))["small"]["pinned"] is True
    kept = ModelSpec("small", "Small 1B", repo="who/small", pinned=True)
    made = machine.states((kept,), PoolView(), {}, {}, token=False)
    assert made["small"]["pinned"] is True
    loose = PoolView({"small": ModelView("small", "ready", pinned=False)})
    assert machine.states((kept,), loose, {}, {}, token=False)["small"]["pinned"] is False


@pytest.mark.parametrize(
    ("stock", "shown"),
    [
        (None, None),
        (Stock(on_disk=True), {"here": True, "text": "On disk"}),
        (Stock(download=3_100_000_000), {"here": False, "text": "3.1 GB to download"}),
        (Stock(), {"here": False, "text": "Not downloaded"}),
    ],
)
def test_what_is_on_disk_and_what_is_to_come(stock, shown):
    assert disk(stock) == shown


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ({"kind": "fits"}, "Fits"),
        ({"kind": "unload", "unload": ("large",)}, "Fits after unloading Large 8B"),
        (
            {"kind": "unload", "unload": ("large", "gated")},
            "Fits after unloading Large 8B and Gated 2B",
        ),
        ({"kind": "busy", "unload": ("large",)}, "Waits for Large 8B"),
        ({"kind": "busy"}, "Waits for memory"),
        ({"kind": "busy", "unload": ("who-left",)}, "Waits for who-left"),
        (
            {"kind": "too_large", "need": 14_200_000_000, "has": 12_800_000_000},
            "Too large: needs 14.2 GB, this machine has 12.8 GB",
        ),
        (
            {"kind": "too_large", "need": 12_820_000_000, "has": 12_800_000_000},
            "Too large: needs more than 12.8 GB, this machine has 12.8 GB",
        ),
        ({"kind": "too_large"}, "Too large for this machine"),
        ({"kind": "loaded"}, ""),
        ({"kind": "unknown"}, ""),
    ],
)
def test_whether_it_fits(known, text):
    assert fit(**known) == {"kind": known["kind"], "text": text}


def test_a_model_nobody_has_judged_is_of_unknown_fit():
    assert states()["small"]["fit"] == {"kind": "unknown", "text": ""}


def test_the_gate_and_whether_there_is_a_token():
    no_token = Stock(problem=LoadError("gated_no_token", "It is gated.", "Set HF_TOKEN."))
    denied = Stock(problem=LoadError("gated_denied", "No access.", "Ask for it."))
    assert gate(token=False) == {"kind": "no_token", "text": "Gated: set HF_TOKEN"}
    assert gate(token=True) == {"kind": "open", "text": "Gated, token set"}
    assert gate(no_token, token=False)["kind"] == "no_token"
    assert gate(denied, token=True) == {"kind": "denied", "text": "Gated: access not granted"}
    assert gate(Stock(on_disk=True), token=False) == {"kind": "open", "text": "Gated"}
    assert states(token=False)["small"]["gate"] is None


def test_a_gate_that_the_catalogue_does_not_know_of_is_told_too():
    found = Stock(problem=LoadError("gated_no_token", "It is gated.", "Set HF_TOKEN."))
    shown = states(stocks={"small": found})["small"]
    assert shown["gate"]["kind"] == "no_token"
    assert shown["problem"] == {"sentence": "It is gated.", "fix": "Set HF_TOKEN."}


def panel(*models: ModelView, totals=None, **view) -> dict:
    known = {"budget": {"cpu": 10 * GB}} | view
    made = machine.machine(SPECS, PoolView({m.model_id: m for m in models}, **known), totals or {})
    json.dumps(made)
    return made


def row(model: ModelView) -> dict:
    return panel(model)["loaded"][0]


def test_the_memory_and_who_has_it():
    (device,) = panel(
        ModelView("large", "loading", bytes={"cpu": 2 * GB}),
        ModelView("small", "ready", bytes={"cpu": GB}),
        ModelView("gated", "queued", waiting=1, position=1),
    )["devices"]
    assert (device["name"], device["budget_text"]) == ("Memory", "10.0 GB")
    assert (device["used_text"], device["free_text"]) == ("3.0 of 10.0 GB", "7.0 GB free")
    # In the catalogue's order, whatever the pool's.
    assert [(p["name"], p["text"], p["share"], p["state"]) for p in device["parts"]] == [
        ("Small 1B", "1.0 GB", 0.1, "ready"),
        ("Large 8B", "2.0 GB", 0.2, "loading"),
    ]


def test_each_device_stands_for_itself():
    split = ModelView("large", "ready", bytes={"cuda:0": GB, "cuda:1": 3 * GB})
    devices = panel(split, budget={"cuda:0": 4 * GB, "cuda:1": 4 * GB, "cpu": GB})["devices"]
    assert [d["name"] for d in devices] == ["GPU 0", "GPU 1", "Memory"]
    assert [[p["share"] for p in d["parts"]] for d in devices] == [[0.25], [0.75], []]
    assert row(split)["size"] == "4.0 GB"


def test_more_than_the_budget_leaves_nothing_free():
    (device,) = panel(ModelView("large", "ready", bytes={"cpu": 12 * GB}))["devices"]
    assert device["free_text"] == "0 B free"


def test_a_row_says_what_the_model_takes_and_when_it_leaves():
    shown = row(
        ModelView(
            "small",
            "ready",
            bytes={"cpu": 1_200_000_000},
            measured=1_100_000_000,
            idle_seconds=60.0,
            ttl=300.0,
            dtype="float32",
        )
    )
    assert (shown["size"], shown["measured"], shown["dtype"]) == ("1.2 GB", "1.1 GB", "float32")
    assert (shown["idle"], shown["ttl"]) == ("idle for 60 s", "leaves in 4 min")


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ({"ttl": 300.0, "leases": 1}, "leaves after 5 min"),
        ({"ttl": 300.0, "idle_seconds": 400.0}, "leaves in 0 s"),
        ({"ttl": 300.0, "pinned": True, "idle_seconds": 9.0}, "stays in memory"),
        ({"ttl": 0.0, "idle_seconds": 9.0}, "stays in memory"),
    ],
)
def test_when_an_idle_model_leaves(known, text):
    assert row(ModelView("small", "ready", **known))["ttl"] == text


def test_only_what_takes_memory_is_loaded():
    made = panel(
        ModelView("small", "failed"),
        ModelView("large", "queued", waiting=1, position=1),
        ModelView("gated", "unloading"),
    )
    assert [m["id"] for m in made["loaded"]] == ["gated"]


def test_a_model_that_has_left_the_catalogue_is_still_told_of():
    made = panel(ModelView("old", "ready", bytes={"cpu": GB}), ModelView("small", "ready"))
    assert [(m["id"], m["name"]) for m in made["loaded"]] == [("small", "Small 1B"), ("old", "old")]
    assert made["devices"][0]["parts"][0]["name"] == "old"


def test_the_queue_in_its_order():
    made = panel(
        ModelView("small", "ready", leases=1, waiting=1),
        ModelView("large", "queued", waiting=1, position=2),
        ModelView("gated", "queued", waiting=3, position=1),
        queue_depth=2,
        queue_oldest=12.3,
    )["queue"]
    assert (made["depth"], made["oldest"]) == (2, "12 s")
    assert [(m["id"], m["place"], m["waiting"]) for m in made["models"]] == [
        ("gated", 1, 3),
        ("large", 2, 1),
        ("small", None, 1),
    ]
    assert panel()["queue"] == {"depth": 0, "oldest": "", "models": []}


def test_counts_of_those_that_have_done_something():
    made = panel(
        totals={
            "large": Totals(loads=1),
            "small": Totals(12, 1, 2, 3311, 38.4, 0.61, 2, 2.1),
            "gated": Totals(),
        }
    )["counts"]
    small, large = made
    assert [small[key] for key in ("name", "answers", "failed", "stopped", "tokens", "loads")] == [
        *("Small 1B", 12, 1, 2, 3311, 2)
    ]
    assert [small[key] for key in ("speed", "ttft", "load")] == ["38 tok/s", "0.6 s", "2.1 s"]
    assert [large[key] for key in ("id", "loads", "speed", "ttft", "load")] == [
        *("large", 1, "", "", "")
    ]


def test_the_small_meter_shows_the_device_that_is_nearest_to_full():
    busy = ModelView("large", "ready", bytes={"cuda:0": GB, "cpu": GB})
    view = PoolView({"large": busy}, {"cpu": 10 * GB, "cuda:0": 4 * GB})
    assert machine.usage(view) == {"share": 0.25, "text": "1.0 of 4.0 GB"}
    assert machine.usage(PoolView()) == {"share": 0.0, "text": ""}
