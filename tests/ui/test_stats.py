"""The quiet line under an answer."""

import pytest

from parley.ui import stats


def test_the_line_has_count_speed_and_wait():
    spent = {"completion_tokens": 412, "tokens_per_second": 38.2, "ttft_seconds": 0.61}
    assert stats.line(spent, "stop") == "412 tokens · 38 tok/s · first token 0.6 s"


def test_a_load_is_a_figure_of_its_own():
    spent = {"completion_tokens": 2, "ttft_seconds": 0.05, "load_seconds": 3.2}
    assert stats.line(spent, "stop") == "2 tokens · first token 0.05 s · loaded in 3.2 s"


def test_what_was_not_measured_is_left_out():
    assert stats.line({"completion_tokens": 1}, "stop") == "1 token"
    assert stats.line({}, "cancelled") == "stopped"


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("cancelled", "stopped"),
        ("length", "cut at the token limit"),
        ("interrupted", "interrupted"),
    ],
)
def test_it_says_why_an_answer_ended_early(reason, word):
    assert stats.line({"completion_tokens": 5}, reason) == f"5 tokens · {word}"


def test_slow_speeds_keep_a_decimal():
    assert "4.3 tok/s" in stats.line({"completion_tokens": 9, "tokens_per_second": 4.31}, "stop")


def test_the_details_tell_how_to_get_the_same_again():
    meta = {
        "dtype": "float32",
        "device": "cpu",
        "revision": "0123456789abcdef",
        "sampling": {"temperature": 0.7},
        "seed": 42,
        "stats": {"prompt_tokens": 1200, "total_seconds": 11.4},
    }
    assert stats.details(meta) == (
        "float32 · cpu · revision 01234567 · prompt 1,200 tokens · temperature 0.7 · seed 42"
        " · 11 s in all"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.4, "0 s"),
        (12, "12 s"),
        (99.4, "99 s"),
        (99.6, "2 min"),
        (180, "3 min"),
        (3600, "1 h"),
        (4800, "1 h 20 min"),
        (3 * 86400, "3 days"),
    ],
)
def test_durations(value, text):
    assert stats.duration(value) == text
