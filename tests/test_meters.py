"""What is counted, that nothing is lost between threads, and what the page is told of it."""

from __future__ import annotations

import threading

import pytest

from parley.events import Failed, Finished, Stats
from parley.meters import MEDIAN_OF, Meters, Totals

FAILED = Failed("engine_died", "The model's process died.", "Ask again.")


def finished(reason="stop", **stats):
    return Finished(reason, Stats(**stats))


def value(meters, sample, **labels):
    """A sample by its full name; None where there is none."""
    found = [
        s.value
        for family in meters.collect()
        for s in family.samples
        if s.name == f"parley_{sample}" and s.labels == labels
    ]
    assert len(found) <= 1
    return found[0] if found else None


def test_an_answer_is_counted_by_how_it_ended():
    meters = Meters()
    for event in (finished("stop"), finished("length"), finished("cancelled"), FAILED, FAILED):
        meters.answered("a", event, cold=False)
    ends = {
        finish: value(meters, "generations_total", model="a", finish=finish)
        for finish in ("stop", "length", "cancelled", "failed")
    }
    assert ends == {"stop": 1, "length": 1, "cancelled": 1, "failed": 2}
    assert meters.totals() == {"a": Totals(answers=5, failed=2, stopped=1)}


def test_tokens_are_counted_by_kind_and_model():
    meters = Meters()
    spent = {"prompt_tokens": 100, "completion_tokens": 7, "cached_tokens": 90}
    meters.answered("a", finished(**spent), cold=False)
    meters.answered("a", finished("cancelled", **spent), cold=True)
    meters.answered("b", finished(completion_tokens=1), cold=False)
    kinds = ("prompt", "completion", "cached")
    counted = [value(meters, "tokens_total", model="a", kind=kind) for kind in kinds]
    assert counted == [200, 14, 180]
    assert {model: total.tokens for model, total in meters.totals().items()} == {"a": 14, "b": 1}


def test_a_cold_first_token_includes_the_load_and_stays_out_of_the_median():
    meters = Meters()
    meters.answered("a", finished(ttft_seconds=0.5, load_seconds=20), cold=True)
    assert meters.totals()["a"].ttft_seconds is None
    meters.answered("a", finished(ttft_seconds=0.25, load_seconds=20), cold=False)
    assert meters.totals()["a"].ttft_seconds == 0.25
    assert value(meters, "ttft_seconds_sum", model="a", cold="true") == 20.5
    assert value(meters, "ttft_seconds_sum", model="a", cold="false") == 0.25


def test_an_answer_stopped_before_its_first_token_has_no_time_to_it():
    meters = Meters()
    meters.answered("a", finished("cancelled"), cold=False)
    assert value(meters, "ttft_seconds_count", model="a", cold="false") is None
    assert meters.totals()["a"].tokens_per_second is None


def test_medians_are_of_the_latest_only():
    meters = Meters()
    for _ in range(MEDIAN_OF):
        meters.answered("a", finished(tokens_per_second=1.0, ttft_seconds=9.0), cold=False)
        meters.loaded("a", 90.0, {})
    for _ in range(MEDIAN_OF):
        meters.answered("a", finished(tokens_per_second=40.0, ttft_seconds=0.1), cold=False)
        meters.loaded("a", 2.0, {})
    totals = meters.totals()["a"]
    assert (totals.tokens_per_second, totals.ttft_seconds, totals.load_seconds) == (40.0, 0.1, 2.0)
    assert (totals.answers, totals.loads) == (2 * MEDIAN_OF, 2 * MEDIAN_OF)


def test_a_median_is_not_a_mean():
    meters = Meters()
    for speed in (10.0, 11.0, 900.0):
        meters.answered("a", finished(tokens_per_second=speed), cold=False)
    assert meters.totals()["a"].tokens_per_second == 11.0


def test_a_load_is_counted_whole_and_by_phase():
    meters = Meters()
    meters.loaded("a", 12.5, {"download": 10.0, "weights": 2.5})
    assert value(meters, "model_loads_total", model="a", result="ok", code="") == 1
    sums = [
        value(meters, "model_load_seconds_sum", model="a", phase=phase)
        for phase in ("download", "weights", "all", "warmup")
    ]
    assert sums == [10.0, 2.5, 12.5, None]
    assert meters.totals() == {"a": Totals(loads=1, load_seconds=12.5)}


def test_half_an_hour_of_loading_still_has_a_bucket():
    meters = Meters()
    meters.loaded("a", 1800.0, {})
    meters.loaded("a", 1801.0, {})
    bucket = {"model": "a", "phase": "all", "le": "1800.0"}
    assert value(meters, "model_load_seconds_bucket", **bucket) == 1


def test_a_load_that_was_called_off_is_no_failure():
    meters = Meters()
    meters.load_failed("a", "oom_load")
    meters.load_failed("a", "load_cancelled")
    loads = {
        (result, code): value(meters, "model_loads_total", model="a", result=result, code=code)
        for result, code in (("failed", "oom_load"), ("cancelled", "load_cancelled"))
    }
    assert set(loads.values()) == {1}
    assert value(meters, "load_cancelled_total") == 1
    assert meters.totals() == {}


def test_the_rest_is_counted_under_its_own_name():
    meters = Meters()
    meters.coalesced("a")
    meters.unloaded("a", "idle")
    meters.unloaded("a", "oom")
    meters.unloaded("a", "oom")
    meters.refused("queue_full")
    meters.waited(3.0)
    meters.stopped_after(0.5)
    assert value(meters, "load_waiters_coalesced_total", model="a") == 1
    assert value(meters, "model_unloads_total", model="a", reason="idle") == 1
    assert value(meters, "model_unloads_total", model="a", reason="oom") == 2
    assert value(meters, "rejections_total", code="queue_full") == 1
    assert value(meters, "queue_wait_seconds_sum") == 3.0
    assert value(meters, "stop_latency_seconds_sum") == 0.5


@pytest.mark.parametrize(
    ("estimate", "measured", "error"), [(100, 125, 0.25), (100, 50, -0.5), (0, 50, None)]
)
def test_an_estimate_is_compared_with_what_was_measured(estimate, measured, error):
    meters = Meters()
    meters.estimated("a", estimate, measured)
    assert value(meters, "estimate_error_ratio", model="a") == error


def test_two_in_one_process_do_not_add_up():
    one, other = Meters(), Meters()
    one.refused("queue_full")
    assert value(one, "rejections_total", code="queue_full") == 1
    assert value(other, "rejections_total", code="queue_full") is None


def test_nothing_is_lost_between_threads_and_readers():
    meters = Meters()
    counters, rounds, over = 4, 300, threading.Event()
    failures = []

    def count(number):
        for _ in range(rounds):
            meters.answered("a", finished(completion_tokens=2, ttft_seconds=0.1), cold=False)
            meters.answered(f"only-{number}", FAILED, cold=False)
            meters.loaded("a", 1.0, {"weights": 1.0})

    def read():
        try:
            while not over.is_set():
                list(meters.collect())
                meters.totals()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=count, args=(number,)) for number in range(counters)]
    reader = threading.Thread(target=read)
    for thread in (reader, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    reader.join()
    assert failures == []
    answers = counters * rounds
    totals = meters.totals()
    assert (totals["a"].answers, totals["a"].tokens, totals["a"].loads) == (
        *(answers, 2 * answers),
        answers,
    )
    assert value(meters, "tokens_total", model="a", kind="completion") == 2 * answers
    assert value(meters, "ttft_seconds_count", model="a", cold="false") == answers
    assert all(totals[f"only-{number}"].failed == rounds for number in range(counters))
