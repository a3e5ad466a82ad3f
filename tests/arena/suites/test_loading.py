"""Suites from files: every format, and one sentence with the line for every mistake."""

from __future__ import annotations

import json

import pytest

from parley.arena.suites.loading import read_file, read_text
from parley.arena.suites.shelf import SHIPPED, shipped
from parley.arena.suites.spec import MOST_ROWS, MOST_TEXT, Check, from_line, to_line
from parley.errors import SuiteError


def csv(text):
    return list(read_text("suite.csv", text))


def jsonl(*rows):
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    return list(read_text("suite.jsonl", text))


def test_csv_with_every_column():
    (row,) = csv(
        "id,category,prompt,prompt_2,system,expected,check,tolerance\n"
        'x,maths,"Two, and two?",And half of it?,Be brief.,2,number,5%\n'
    )
    assert (row.id, row.category, row.system) == ("x", "maths", "Be brief.")
    assert row.turns == ("Two, and two?", "And half of it?")
    assert row.check == Check("number", "2", 0.05, True)


def test_a_prompt_alone_is_enough():
    first, second = csv("prompt\nHello\n\nGood bye\n")
    assert (first.id, second.id, second.number) == ("1", "2", 1)
    assert first.check is None
    assert first.system is None


@pytest.mark.parametrize("mark", [";", "\t"])
def test_csv_as_other_countries_write_it(mark):
    assert csv(f"prompt{mark}category\r\nHello, you{mark}x\r\n")[0].turns == ("Hello, you",)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    file = tmp_path / "suite.csv"
    file.write_text("\ufeffprompt\nHello\n", encoding="utf-8")
    assert [row.turns for row in read_file(file)] == [("Hello",)]


def test_jsonl_takes_turns_and_a_schema_as_it_is():
    schema = {"type": "object"}
    (row,) = jsonl({"turns": ["a", "b"], "expected": schema, "check": "json_schema"})
    assert row.turns == ("a", "b")
    assert json.loads(row.check.expected) == schema


def test_mt_bench_as_it_is_published():
    (row,) = jsonl(
        {
            "question_id": 101,
            "category": "reasoning",
            "turns": ["Where are you?", "And now?"],
            "reference": ["Second.", "Last."],
            "another": "thing",
        }
    )
    assert (row.id, row.category) == ("101", "reasoning")
    assert row.turns == ("Where are you?", "And now?")
    assert row.expected == "Second.\n\nLast."
    assert row.check is None


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("prompt\nHello\nHi, you\n", 3, "2 fields"),
        ("prompt,check\nHi,\nHello,guess\n", 3, "no check 'guess'"),
        ("prompt,promt\nHello,x\n", 2, "no column 'promt'"),
        ("prompt,prompt\nHello,x\n", 1, "twice"),
        ('prompt\n"a\nb"\n"torn\n', 4, "not CSV"),
        ('prompt,check\n"one\ntwo",\nHello,contains\n', 4, "nothing to check against"),
        ("category,prompt\nx,\n", 2, "empty"),
        ("prompt,expected,check\nHi,many,number\n", 2, "not a number"),
        ("prompt,expected,check\nHi,nan,number\n", 2, "not a number"),
        ("prompt,expected,check,tolerance\nHi,1,number,some\n", 2, "tolerance 'some'"),
        ("prompt,expected,check,tolerance\nHi,1,number,-1\n", 2, "tolerance '-1'"),
        ("prompt,expected,check,tolerance\nHi,a,contains,1\n", 2, "takes no tolerance"),
        ("prompt,tolerance\nHi,1\n", 2, "nothing is checked"),
        ("prompt,expected,check\nHi,(,regex\n", 2, "cannot be read"),
        ("prompt,expected,check\nHi,{,json_schema\n", 2, "not JSON"),
        ('prompt,expected,check\nHi,"{""type"": 1}",json_schema\n', 2, "not one"),
        ("prompt,prompt_3\nHi,there\n", 2, "missing between"),
        (f"prompt\nHi\n{'x' * (MOST_TEXT + 1)}\n", 3, "characters long"),
        ("id,prompt\na,Hi\nb,Hi\na,Ho\n", 4, "that of line 2"),
    ],
)
def test_a_mistake_in_csv_names_its_line(text, line, says):
    with pytest.raises(SuiteError) as caught:
        csv(text)
    assert caught.value.code == "bad_row"
    assert caught.value.sentence.startswith(f"Line {line}: ")
    assert says in caught.value.sentence
    assert caught.value.fix


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{torn", "not JSON"),
        ("[1]", "not an object"),
        ("[" * 100_000, "not JSON"),
        ({"prompt": 5}, "prompt is not text"),
        ({"prompt": "a", "turns": ["b"]}, "both"),
        ({"turns": []}, "turns is not"),
        ({"turns": ["a"] * 9}, "turns is not"),
        ({"turns": ["a", 5]}, "prompt is not text"),
        ({"prompt": "a", "system": 1}, "system is not text"),
    ],
)
def test_a_mistake_in_jsonl_names_its_line(row, says):
    with pytest.raises(SuiteError, match=r"^Line 3: ") as caught:
        jsonl({"prompt": "fine"}, "", row)
    assert says in caught.value.sentence


def test_what_is_wrong_with_a_whole_file(tmp_path):
    for name, text, code in [
        ("suite.txt", "prompt\nHi\n", "suite_kind"),
        ("suite.csv", "prompt\n", "no_rows"),
        ("suite.jsonl", "", "no_rows"),
        ("suite.csv", "prompt\n" + "Hi\n" * (MOST_ROWS + 1), "too_many_rows"),
    ]:
        with pytest.raises(SuiteError) as caught:
            list(read_text(name, text))
        assert caught.value.code == code
    with pytest.raises(SuiteError) as caught:
        list(read_file(tmp_path / "none.csv"))
    assert caught.value.code == "no_such_suite"
    (tmp_path / "latin.csv").write_bytes(b"prompt\nGr\xfc\xdfe\n")
    with pytest.raises(SuiteError) as caught:
        list(read_file(tmp_path / "latin.csv"))
    assert caught.value.code == "suite_encoding"


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_suites_are_valid_and_survive_their_own_form(name):
    rows = list(shipped(name))
    assert 12 <= len(rows) <= 20
    assert sum(row.check is not None for row in rows) >= 10
    assert [from_line(row.number, to_line(row)) for row in rows] == rows
