"""A run taken along: read back as the programs it is for would read it."""

from __future__ import annotations

import csv
import io
import json

import pytest

from parley.arena.suites import plan as plans
from parley.arena.suites.comparator import to_comparator
from parley.arena.suites.formats import to_csv, to_jsonl, to_markdown
from parley.arena.suites.journal import Journal
from parley.arena.suites.ratings import rate
from parley.errors import SuiteError
from tests.arena.suites.made import answer, index, make


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "run"
    make(
        folder,
        [
            {"id": "p", "prompt": "one", "category": "x", "expected": "1", "check": "contains"},
            {"id": "q", "prompt": "two | three"},
            {"id": "r", "prompt": "four"},
        ],
    )
    answer(folder, 0, "a", "1", passed=True)
    answer(folder, 0, "b", "2", passed=False, why="'1' is not in it")
    answer(folder, 1, "a", '=1+1, "said"\nand more')
    answer(folder, 1, "b", "-5")
    answer(folder, 2, "a", "", error={"code": "x", "sentence": "It broke.", "fix": "Mend it."})
    return folder


def read_csv(found):
    text = "".join(to_csv(found))
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def test_csv_for_spreadsheets(folder):
    found = index(folder)
    rate(folder, found, 0, "a", 1, blind=False)
    one, two, four = read_csv(found)
    assert (one["a: answer"], one["a: passed"], one["b: passed"]) == ("1", "yes", "no")
    assert (one["a: rating"], one["b: rating"], one["expected"]) == ("good", "", "1")
    # Nothing that a spreadsheet would run; numbers stay numbers.
    assert two["a: answer"] == '\'=1+1, "said"\nand more'
    assert two["b: answer"] == "-5"
    assert (four["a: error"], four["b: answer"]) == ("It broke.", "")


def test_jsonl_for_programs(folder):
    head, *rows = [json.loads(line) for line in to_jsonl(index(folder))]
    assert head["run"]["models"] == ["a", "b"]
    assert [row["id"] for row in rows] == ["p", "q", "r"]
    assert [cell["passed"] for cell in rows[0]["cells"]] == [True, False]
    assert rows[2]["cells"][0]["error"]["code"] == "x"


def test_markdown_for_people(folder):
    text = "".join(to_markdown(index(folder)))
    assert "| a | 2 (1 failed) | 1 of 1 (100%) | 21% to 100% | 20.0 | 0.50 s | 10 |" in text
    assert "> two | three" in text
    assert "**b** · not passed: '1' is not in it" in text


def comparator(folder, a="a", b="b"):
    return json.loads("".join(to_comparator(index(folder), a, b)))


def test_what_llm_comparator_asks_of_a_file(folder):
    found = comparator(folder)
    assert [model["name"] for model in found["models"]] == ["a", "b"]
    assert set(found["metadata"]) == {"source_path", "custom_fields_schema"}
    fields = {field["name"]: field["type"] for field in found["metadata"]["custom_fields_schema"]}
    # The third row has one answer only, and is not there.
    assert [e["input_text"] for e in found["examples"]] == ["one", "two | three"]
    for example in found["examples"]:
        assert set(example) == {
            *("input_text", "tags", "output_text_a", "output_text_b", "score"),
            *("individual_rater_scores", "custom_fields"),
        }
        assert set(example["custom_fields"]) == set(fields)
        for name, kind in fields.items():
            if kind.startswith("per_model"):
                assert len(example["custom_fields"][name]) == 2
    assert found["examples"][0]["tags"] == ["x"]


def test_the_score_is_the_readers_else_the_judges_else_the_checks(folder):
    assert [e["score"] for e in comparator(folder)["examples"]] == [1.0, 0.0]
    assert [e["score"] for e in comparator(folder, "b", "a")["examples"]] == [-1.0, 0.0]
    verdict = {"left": "a", "right": "b", "judge": "j"}
    with Journal(folder / plans.JUDGED) as journal:
        said = {"verdict": "right", "first": "right", "second": "right"}
        journal.append({"row": 0, **verdict, **said})
        said = {"verdict": "abstain", "first": "left", "second": "right"}
        journal.append({"row": 1, **verdict, **said})
    one, two = comparator(folder)["examples"]
    assert (one["score"], one["custom_fields"]["scored_by"]) == (-1.0, "judge")
    assert comparator(folder, "b", "a")["examples"][0]["score"] == 1.0
    assert (two["score"], two["custom_fields"]["scored_by"]) == (0.0, "nobody")
    assert [(r["is_flipped"], r["score"]) for r in two["individual_rater_scores"]] == [
        (False, 1.0),
        (True, -1.0),
    ]
    found = index(folder)
    rate(folder, found, 0, "a", 1, blind=True)
    rate(folder, found, 0, "b", -1, blind=True)
    assert comparator(folder)["examples"][0]["score"] == 1.0


def test_two_models_of_the_run_are_compared(folder):
    for a, b in [("a", "a"), ("a", "z")]:
        with pytest.raises(SuiteError) as caught:
            comparator(folder, a, b)
        assert caught.value.code == "not_a_pair"
