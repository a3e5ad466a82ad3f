"""What passes and what does not, and that no check runs for ever."""

from __future__ import annotations

import json
import time

import pytest

from parley.arena.suites.checks import Checker, Mark
from parley.arena.suites.spec import Check


@pytest.fixture(scope="module")
def checker():
    made = Checker(seconds=1.0)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("expected", "answer", "passed"),
    [
        ("Lima", "It is LIMA.", True),
        ("Lima", "It is Quito.", False),
        ("１０", "答えは10です", True),
        ("two  words", "Two\nwords", True),
    ],
)
def test_contains(checker, expected, answer, passed):
    assert checker.mark(Check("contains", expected), answer).passed is passed


@pytest.mark.parametrize(
    ("check", "answer", "passed"),
    [
        (Check("number", "42"), "6 × 7 = 42.", True),
        (Check("number", "42"), "42, not 43", False),
        (Check("number", "1000"), "It is 1,000!", True),
        (Check("number", "-19"), "So: −19", True),
        (Check("number", "47"), "４７です", True),
        (Check("number", "7.07", 0.01), "about 7.075", True),
        (Check("number", "7.07", 0.001), "about 7.075", False),
        (Check("number", "200", 0.05, True), "209", True),
        (Check("number", "200", 0.05, True), "211", False),
        (Check("number", "0.3", 0.1), "0.4", True),
        (Check("number", "1500"), "1.5e3", True),
        (Check("number", "1"), "none at all", False),
        (Check("number", "1"), "1e999", False),
    ],
)
def test_number(checker, check, answer, passed):
    assert checker.mark(check, answer).passed is passed


def test_regex(checker):
    assert checker.mark(Check("regex", "^Arr"), "Arr, rain.") == Mark(True)
    assert checker.mark(Check("regex", "^Arr"), "Rain.").passed is False


def test_a_regex_that_never_ends_is_given_up_and_the_next_check_works(checker):
    began = time.monotonic()
    mark = checker.mark(Check("regex", r"^(a+)+$"), "a" * 60 + "b")
    assert mark.passed is None
    assert "given up" in mark.why
    assert time.monotonic() - began < 30
    assert checker.mark(Check("regex", "b"), "abc").passed is True


SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        ('{"age": 3}', True),
        ('Here it is:\n```json\n{"age": 3}\n```\nGood?', True),
        ('{"age": "three"}', False),
        ("{}", False),
        ("I do not know", False),
    ],
)
def test_json_schema(checker, answer, passed):
    assert checker.mark(Check("json_schema", json.dumps(SCHEMA)), answer).passed is passed


def test_why_a_schema_is_not_met_is_said(checker):
    why = checker.mark(Check("json_schema", json.dumps(SCHEMA)), '{"age": "x"}').why
    assert why == "age: 'x' is not of type 'integer'"


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "https://example.com/schema.json"},
        {"type": "string", "pattern": "^(a+)+$"},
    ],
)
def test_a_schema_that_is_a_trap_ends_too(checker, schema):
    mark = checker.mark(Check("json_schema", json.dumps(schema)), json.dumps("a" * 60 + "b"))
    assert mark.passed is None
