"""What is known of a run's cells: filters, sums, ratings, and the run's folder."""

from __future__ import annotations

import pytest

from parley.arena.suites import plan as plans
from parley.arena.suites.plan import Plan
from parley.arena.suites.ratings import rate
from parley.arena.suites.results import by_category, results, wilson
from parley.errors import SuiteError
from tests.arena.suites.made import answer, index, make

ROWS = [
    {"prompt": "one", "category": "x", "expected": "1", "check": "contains"},
    {"prompt": "two", "category": "y"},
    {"prompt": "three", "category": "x", "expected": "3", "check": "contains"},
]


@pytest.fixture
def folder(tmp_path):
    make(tmp_path / "run", ROWS)
    return tmp_path / "run"


def test_filters_and_categories(folder):
    answer(folder, 0, "a", "1", passed=True)
    answer(folder, 0, "b", "2", passed=False)
    answer(folder, 1, "a", "Same  thing")
    answer(folder, 1, "b", "same thing")
    answer(folder, 2, "a", "3", passed=True)
    answer(folder, 2, "b", "", error={"code": "x", "sentence": "No.", "fix": ""})
    found = index(folder)
    assert list(found.chosen()) == [0, 1, 2]
    assert list(found.chosen("different")) == [0]
    assert list(found.chosen("failed")) == [0, 2]
    assert list(found.chosen("all", "x")) == [0, 2]
    assert list(found.chosen("all", "z")) == []
    assert (found.total, found.settled, found.failed) == (6, 6, 1)
    for row, model in [(0, "a"), (0, "b"), (1, "a"), (1, "b")]:
        rate(folder, found, row, model, 1, blind=False)
    assert list(found.chosen("unrated")) == [2]


def test_a_rating_can_be_changed_and_taken_back(folder):
    answer(folder, 0, "a", "1")
    found = index(folder)
    for value in (1, -1, 0, -1):
        rate(folder, found, 0, "a", value, blind=True)
        assert found.rating("a", 0) == value
    assert index(folder).rating("a", 0) == -1
    for row, model, value, code in [
        (0, "b", 1, "no_such_cell"),
        (9, "a", 1, "no_such_cell"),
        (0, "z", 1, "no_such_cell"),
        (0, "a", 5, "bad_rating"),
    ]:
        with pytest.raises(SuiteError) as caught:
            rate(folder, found, row, model, value, blind=False)
        assert caught.value.code == code


def test_finished_once_is_finished_and_a_failure_is_replaced(folder):
    answer(folder, 0, "a", "", error={"code": "x", "sentence": "No.", "fix": ""})
    found = index(folder)
    assert not found.finished("a", 0)
    answer(folder, 0, "a", "first")
    answer(folder, 0, "a", "second")
    found.catch_up()
    assert found.finished("a", 0)
    assert found.failed == 0
    ((_, cells),) = found.read(iter([0]))
    assert cells["a"]["answers"] == ["first"]


def test_results_are_sums_over_what_there_is(folder):
    answer(folder, 0, "a", "one 1", passed=True, tokens=10, speed=10.0)
    answer(folder, 1, "a", "four", tokens=30, speed=None)
    answer(folder, 2, "a", "five!", passed=False, tokens=20, speed=30.0)
    a, b = results(index(folder))
    assert (a.done, a.checked, a.passed, a.rate) == (3, 2, 1, 0.5)
    assert (a.tokens, a.speed, a.wait) == (20.0, 20.0, 0.5)
    assert a.characters == pytest.approx(14 / 3)
    assert (a.low, a.high) == wilson(1, 2)
    assert (b.done, b.rate, b.low, b.speed) == (0, None, None, None)
    assert by_category(index(folder)) == {"x": {"a": (1, 2), "b": (0, 0)}}


@pytest.mark.parametrize(
    ("passed", "of", "low", "high"),
    [  # Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_published(passed, of, low, high):
    assert wilson(passed, of) == pytest.approx((low, high), abs=5e-5)


def test_nothing_is_left_of_a_run_whose_suite_is_at_fault(tmp_path):
    with pytest.raises(SuiteError, match="Line 2"):
        make(tmp_path / "run", [{"prompt": "fine"}, {"prompt": ""}])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"models": ()}, "few_models"),
        ({"models": ("a", "a")}, "model_twice"),
        ({"models": tuple("abcdefghi")}, "too_many_models"),
        ({"models": ("a", "b"), "judge": "b"}, "judge_contends"),
    ],
)
def test_a_line_up_that_cannot_be(tmp_path, wishes, code):
    with pytest.raises(SuiteError) as caught:
        make(tmp_path / "run", ROWS, **wishes)
    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_a_plan_is_what_was_written(folder):
    plan = plans.opened(folder)
    assert (plan.models, plan.rows, plan.id) == (("a", "b"), 3, "run")
    assert plan.asks_the_same(Plan("test", ("a", "b"), rows=3, digest=plan.digest))
    assert not plan.asks_the_same(Plan("test", ("a",), rows=3, digest=plan.digest))
    assert [row.turns for row in plans.rows(folder)] == [("one",), ("two",), ("three",)]
    (folder / plans.PLAN).write_text("{}")
    with pytest.raises(SuiteError) as caught:
        plans.opened(folder)
    assert caught.value.code == "no_such_run"
