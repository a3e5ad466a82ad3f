"""How much longer a load will take."""

from __future__ import annotations

import pytest

from parley.events import Loading
from parley.pool.pace import Pace


def remaining(pace, phase, done, total, seconds):
    return pace.take(Loading(phase, done, total, seconds)).remaining


def test_a_step_keeps_all_it_says():
    step = Loading("weights", 3, 9, 1.0)
    taken = Pace(4.0).take(step)
    assert taken == Loading("weights", 3, 9, 1.0, 3.0)
    assert step.remaining is None


def test_a_download_is_judged_by_its_speed_and_what_comes_after_it():
    pace = Pace(4.0)
    assert remaining(pace, "download", 0, 1000, 0.0) is None
    assert remaining(pace, "download", 50, 1000, 0.5) is None  # too early to tell
    assert remaining(pace, "download", 200, 1000, 2.0) == pytest.approx(8 + 4)


def test_a_first_load_counts_only_the_download():
    pace = Pace(None)
    remaining(pace, "download", 0, 1000, 0.0)
    assert remaining(pace, "download", 200, 1000, 2.0) == pytest.approx(8)


def test_the_speed_is_that_of_the_last_ten_seconds():
    pace = Pace(None)
    for second in range(11):
        remaining(pace, "download", second * 100, 10_000, float(second))
    for second in range(11, 22):
        left = remaining(pace, "download", 1000 + (second - 10) * 10, 10_000, float(second))
    assert left == pytest.approx((10_000 - 1110) / 10)


@pytest.mark.parametrize(("done", "total"), [(0, 1000), (100, 0)])
def test_a_download_that_stands_still_or_has_no_known_end_is_not_judged(done, total):
    pace = Pace(4.0)
    remaining(pace, "download", 0, total, 0.0)
    assert remaining(pace, "download", done, total, 5.0) is None


def test_more_than_was_announced_is_no_time_left_rather_than_less():
    pace = Pace(None)
    remaining(pace, "download", 0, 100, 0.0)
    assert remaining(pace, "download", 150, 100, 2.0) == 0
    assert remaining(pace, "weights", 12, 10, 4.0) == 0


def test_a_load_is_judged_by_what_it_took_before_the_download_not_counted():
    pace = Pace(4.0)
    assert remaining(pace, "start", 0, 0, 0.0) == 4.0
    remaining(pace, "download", 500, 500, 60.0)
    assert remaining(pace, "weights", 0, 10, 61.0) == 3.0
    assert remaining(pace, "warmup", 0, 0, 63.0) == 1.0


def test_a_load_that_runs_over_is_judged_by_its_weights():
    pace = Pace(2.0)
    remaining(pace, "start", 0, 0, 1.0)
    assert remaining(pace, "weights", 4, 10, 5.0) == pytest.approx(4 * 0.6 / 0.4)
    assert remaining(pace, "warmup", 0, 0, 12.0) is None


def test_without_a_history_the_first_tensors_say_too_little():
    pace = Pace(None)
    assert remaining(pace, "start", 0, 0, 1.0) is None
    assert remaining(pace, "weights", 0, 0, 1.0) is None
    assert remaining(pace, "weights", 9, 100, 2.0) is None
    assert remaining(pace, "weights", 10, 100, 2.0) == pytest.approx(9.0)
    assert remaining(pace, "weights", 100, 100, 11.0) == 0.0


def test_seconds_are_counted_by_phase_and_never_twice():
    pace = Pace(None)
    for phase, seconds in (
        ("start", 0.5),
        ("download", 2.5),
        ("weights", 3.0),
        ("weights", 2.0),  # came late
        ("weights", 4.0),
        ("warmup", 4.25),
    ):
        pace.take(Loading(phase, seconds=seconds))
    assert pace.phases == {"start": 0.5, "download": 2.0, "weights": 1.5, "warmup": 0.25}
    assert pace.from_disk == 2.25
