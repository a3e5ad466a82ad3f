"""Votes as files: nothing is lost out and back, and what is wrong is told by its line."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from parley.arena.exchange import COLUMNS, MOST_PROBLEMS, read, to_csv, to_jsonl
from parley.arena.records import as_plain
from parley.arena.votes import VoteBox
from parley.errors import StoreError
from tests.arena.voting import ANN, BOB, side, vote

BATTLE = {
    "question_id": "q1",
    "model_a": "vicuna-13b",
    "model_b": "alpaca-13b",
    "winner": "tie (bothbad)",
    "judge": "arena_user_7",
    "conversation_a": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "# Hello\n- **you**", "num_tokens": 9},
    ],
    "conversation_b": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
    ],
    "turn": 1,
    "anony": True,
    "language": "German",
    "tstamp": 1682351591.5,
}


def lines(*values):
    return "\n".join(json.dumps(value) for value in values)


def test_json_lines_lose_nothing():
    votes = (
        vote(comment="two\nlines\u2028and more", tags=("clear",), seconds=3.0),
        replace(vote(outcome="both_bad"), left=side("one", "x" * 1000, error=None)),
        vote(judge="a-model", mode="open", ranked=False),
    )
    found = read("".join(to_jsonl(votes)))
    assert found.votes == votes
    assert (found.problems, found.bad) == ((), 0)


def test_votes_go_from_one_parley_to_another(tmp_path):
    here, there = VoteBox(tmp_path / "here"), VoteBox(tmp_path / "there")
    for outcome in ("left", "right", "tie"):
        here.cast(vote(outcome=outcome, voter=here.voter(ANN)))
    file = "".join(to_jsonl(here.votes(ANN)))
    assert there.bring(BOB, read(file).votes) == (3, 0)
    assert there.bring(BOB, read(file).votes) == (0, 3)
    assert [replace(v, imported=False) for v in there.votes(BOB)] == list(here.votes(ANN))
    here.close()
    there.close()


def test_a_table_has_a_row_for_each_vote_and_no_formulas():
    cast = vote(comment='=HYPERLINK("x")', tags=("clear", "wrong"))
    rows = list(csv.DictReader(io.StringIO("".join(to_csv([cast, vote()])), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 2
    assert rows[0]["comment"] == '\'=HYPERLINK("x")'
    assert (rows[0]["left_model"], rows[0]["right_model"]) == ("one", "two")
    assert (rows[0]["ranked"], rows[0]["tags"]) == ("true", "clear wrong")
    assert rows[0]["left_tokens_per_second"] == "31.5"
    assert "It is **so**" not in "".join(to_csv([cast]))


@pytest.mark.parametrize("form", ["list", "lines"])
def test_battles_of_fastchat_are_read(form):
    other = BATTLE | {"question_id": "q2", "winner": "model_b", "anony": False}
    found = read(json.dumps([BATTLE, other]) if form == "list" else lines(BATTLE, other))
    first, second = found.votes
    assert (first.left.model, first.right.model) == ("vicuna-13b", "alpaca-13b")
    assert (first.outcome, first.mode, first.ranked) == ("both_bad", "blind", True)
    assert (first.language, first.created, first.voter) == ("de", 1682351591.5, "arena_user_7")
    assert first.left.style == (9, 1, 1, 1)
    assert first.prompt == ({"role": "user", "content": "Hi"},)
    assert (second.outcome, second.mode, second.ranked) == ("right", "open", False)
    assert read(lines(BATTLE)).votes[0].id == first.id != second.id


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{nonsense", "Line 2: This is no JSON."),
        ("[" * 5000, "Line 2: This is no JSON."),
        ("7", "Line 2: The vote is 7, not an object."),
        ("{}", "Line 2: schema is missing, not 1."),
        (lines(BATTLE | {"winner": "nobody"}), "Line 2: winner is 'nobody', not one of model_a"),
        (lines(BATTLE | {"conversation_a": []}), "Line 2: conversation_a does not end with an"),
        (lines(BATTLE | {"model_a": "alpaca-13b"}), "Line 2: Both answers are by the same model."),
        (lines(BATTLE | {"tstamp": "soon"}), "Line 2: tstamp is 'soon', not a time"),
        ('{"schema": NaN}', "Line 2: NaN is not a number in JSON."),
    ],
)
def test_a_bad_line_is_told_and_keeps_no_other_out(line, sentence):
    good = "".join(to_jsonl([vote()]))
    found = read(good + line + "\n" + good)
    assert len(found.votes) == 2
    assert len(found.problems) == found.bad == 1
    assert found.problems[0].startswith(sentence)


def test_of_many_bad_lines_some_are_told():
    found = read("".join(to_jsonl([vote()])) + "{}\n" * 1000)
    assert (len(found.problems), found.bad) == (MOST_PROBLEMS, 1000)


@pytest.mark.parametrize("file", ["", " \n", "[]", "[{}]", "hello", "[1, 2", '{"a": 1}'])
def test_a_file_without_votes_is_refused(file):
    with pytest.raises(StoreError) as refused:
        read(file)
    assert refused.value.code == "bad_import"


def test_what_was_exported_says_nothing_of_the_salt(tmp_path):
    box = VoteBox(tmp_path)
    box.cast(vote(voter=box.voter(ANN)))
    file = "".join(to_jsonl(box.votes(ANN))) + "".join(to_csv(box.votes(ANN)))
    assert ANN not in file
    assert (tmp_path / "arena.salt").read_bytes().hex() not in file
    assert set(as_plain(vote())) == set(json.loads(file.splitlines()[0]))
    box.close()
