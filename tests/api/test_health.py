"""When a Parley is well, and that it does not say so when it is not."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from parley import __version__
from parley.api.health import OWNER_LIMIT, look
from parley.pool.view import PoolView
from tests.api.watched import Watched, busy


def test_a_busy_pool_is_well():
    health = look(Watched(busy(), age=0.25))
    assert health.ok
    assert health.report() == {
        "status": "ok",
        "reasons": [],
        "queue_depth": 2,
        "queue_oldest_seconds": 7.5,
        "owner_seconds": 0.25,
        "models": {"failed": 1, "loading": 1, "ready": 2},
        "version": __version__,
    }


@pytest.mark.parametrize(
    ("age", "oldest", "closed", "reasons"),
    [
        (OWNER_LIMIT, 0.0, False, []),
        (OWNER_LIMIT + 2, 0.0, False, ["no sign of life for 7 s"]),
        (0.0, 120.0 + OWNER_LIMIT, False, []),
        (0.0, 130.0, False, ["has waited 130 s and should have been turned away after 120 s"]),
        (60.0, 180.0, False, ["no sign of life for 60 s", "has waited 180 s"]),
        (0.0, 0.0, True, ["shutting down"]),
        # An owner that has ended is not a second thing that is wrong.
        (60.0, 0.0, True, ["shutting down"]),
    ],
)
def test_what_is_wrong_is_said(age, oldest, closed, reasons):
    shown = replace(PoolView(), queue_depth=1, queue_oldest=oldest, closed=closed)
    health = look(Watched(shown, age=age))
    assert health.ok is (not reasons)
    assert health.report()["status"] == ("failing" if reasons else "ok")
    assert len(health.reasons) == len(reasons)
    for said, expected in zip(health.reasons, reasons, strict=True):
        assert expected in said


def test_the_owner_may_be_given_more_time():
    assert not look(Watched(PoolView(), age=8.0)).ok
    assert look(Watched(PoolView(), age=8.0), owner_limit=10.0).ok


def test_an_owner_that_never_moved_and_a_queue_without_end_fit_into_json():
    health = look(Watched(PoolView(), age=math.inf, queue_timeout=math.inf))
    report = json.loads(json.dumps(health.report(), allow_nan=False))
    assert report["status"] == "failing"
    assert report["owner_seconds"] is None
    assert len(report["reasons"]) == 1
