"""The box of votes: kept for good, once for each round, under names that lead to nobody."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from parley.arena.records import as_plain, from_plain
from parley.arena.votes import FILE, SALT_FILE, VoteBox
from parley.errors import StoreError
from tests.arena.voting import ANN, BOB, vote


@pytest.fixture
def box(tmp_path):
    made = VoteBox(tmp_path / "data")
    yield made
    made.close()


def all_of(box, owner=ANN, **more):
    return list(box.votes(owner, **more))


def test_a_vote_comes_back_as_it_was_cast(box):
    cast = vote(comment="Häßlich ☂", tags=("correct", "clear"), seconds=12.5, category="maths")
    box.cast(cast)
    assert all_of(box) == [cast]
    (tally,) = box.tallies(ANN)
    assert (tally.left, tally.right, tally.outcome) == ("one", "two", "left")
    assert tally.style == ([5, 0, 0, 1], [5, 0, 0, 1])


def test_what_is_written_as_json_is_read_back_whole():
    cast = vote(seconds=1.0, comment="x", turn=3)
    assert from_plain(json.loads(json.dumps(as_plain(cast)))) == cast


def test_a_second_vote_on_a_round_is_refused_also_after_a_restart(box, tmp_path):
    box.cast(vote(round="r"))
    with pytest.raises(StoreError, match="voted on already") as refused:
        box.cast(vote(round="r", outcome="tie"))
    assert refused.value.code == "already_voted"
    box.close()
    again = VoteBox(tmp_path / "data")
    with pytest.raises(StoreError, match="voted on already"):
        again.cast(vote(round="r"))
    assert len(all_of(again)) == 1
    again.close()


def test_of_many_votes_on_one_round_at_the_same_time_one_counts(box, tmp_path):
    boxes = [box, VoteBox(tmp_path / "data")]
    start, codes = threading.Barrier(8), []

    def cast(n):
        start.wait()
        try:
            boxes[n % 2].cast(vote(round="r"))
            codes.append("kept")
        except StoreError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=cast, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    boxes[1].close()
    assert sorted(codes) == ["already_voted"] * 7 + ["kept"]
    assert len(all_of(box)) == 1


def test_a_judge_and_a_person_may_both_vote_on_a_round(box):
    box.cast(vote(round="r"))
    box.cast(vote(round="r", judge="some-model"))
    with pytest.raises(StoreError):
        box.cast(vote(round="r", judge="some-model"))


def test_what_was_voted_cannot_be_changed(box, tmp_path):
    box.cast(vote())
    with sqlite3.connect(tmp_path / "data" / FILE) as db, pytest.raises(sqlite3.DatabaseError):
        db.execute("UPDATE votes SET outcome = 'right'")
    db.close()


def test_people_are_told_apart_without_being_known(box, tmp_path):
    assert box.voter(ANN) == box.voter(ANN) != box.voter(BOB)
    assert ANN not in box.voter(ANN)
    elsewhere = VoteBox(tmp_path / "elsewhere")
    assert elsewhere.voter(ANN) != box.voter(ANN)
    elsewhere.close()
    again = VoteBox(tmp_path / "data")
    assert again.voter(ANN) == box.voter(ANN)
    again.close()


def test_the_salt_is_private_and_in_no_vote(box, tmp_path):
    salt = tmp_path / "data" / SALT_FILE
    assert salt.stat().st_mode & 0o077 == 0
    assert (tmp_path / "data" / FILE).stat().st_mode & 0o077 == 0
    box.cast(vote(voter=box.voter(ANN)))
    box.close()
    for file in (tmp_path / "data").glob(f"{FILE}*"):
        assert salt.read_bytes() not in file.read_bytes()
        assert ANN.encode() not in file.read_bytes()


def test_two_processes_that_begin_at_once_share_one_salt(tmp_path):
    made, start = [], threading.Barrier(6)

    def begin():
        start.wait()
        opened = VoteBox(tmp_path / "new")
        made.append(opened.voter(ANN))
        opened.close()

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6
    assert len(set(made)) == 1
    assert not list((tmp_path / "new").glob(".salt*"))


def test_forgetting_somebody_takes_their_votes_out_of_the_file(box, tmp_path):
    secret = "the secret of Ann"
    box.cast(vote(voter=box.voter(ANN), comment=secret))
    box.cast(vote(voter=box.voter(BOB)))
    box.bring(ANN, [vote(comment=secret)])
    box.wipe(ANN)
    assert [v.voter for v in all_of(box)] == [box.voter(BOB)]
    box.close()
    for file in (tmp_path / "data").glob(f"{FILE}*"):
        assert secret.encode() not in file.read_bytes()


def test_votes_that_were_brought_count_for_their_bringer_alone(box):
    brought = [vote(), vote()]
    assert box.bring(ANN, brought) == (2, 0)
    assert box.bring(ANN, [*brought, vote()]) == (1, 2)
    assert len(box.tallies(ANN)) == 3
    assert all(tally.imported for tally in box.tallies(ANN))
    assert box.tallies(BOB) == ()
    assert all_of(box, BOB) == []
    assert box.bring(BOB, brought) == (2, 0)
    assert box.pair_counts() == {}


def test_ones_own_votes_come_back_as_known(box):
    box.cast(vote(voter=box.voter(ANN)))
    assert box.bring(ANN, all_of(box)) == (0, 1)


def test_mine_are_my_votes_and_what_i_brought(box):
    for owner in (ANN, BOB, BOB):
        box.cast(vote(voter=box.voter(owner)))
    box.bring(ANN, [vote()])
    assert len(all_of(box, ANN)) == 4
    assert len(all_of(box, ANN, mine=True)) == 2
    assert len(all_of(box, BOB, mine=True)) == 2


def test_more_votes_than_are_read_at_once_come_once_each(box):
    box.bring(ANN, [vote() for _ in range(450)])
    found = [v.id for v in box.votes(ANN)]
    assert len(found) == len(set(found)) == 450


def test_pairs_are_counted_whatever_the_seats(box):
    for left, right in (("one", "two"), ("two", "one"), ("two", "three")):
        box.cast(vote(left, right))
    box.cast(vote("one", "three", mode="open", ranked=False))
    box.cast(vote("one", "three", judge="m"))
    assert box.pair_counts() == {frozenset({"one", "two"}): 2, frozenset({"two", "three"}): 1}


def test_the_version_changes_with_every_vote_and_every_loss(box):
    seen = [box.version()]
    box.cast(vote(voter=box.voter(ANN)))
    seen.append(box.version())
    box.cast(vote())
    seen.append(box.version())
    box.wipe(ANN)
    seen.append(box.version())
    assert len(set(seen)) == 4


VOTER = """
import os, sys
from dataclasses import replace
from pathlib import Path
from parley.arena.votes import VoteBox
from tests.arena.voting import vote

box = VoteBox(Path(sys.argv[1]))
while True:
    cast = vote()
    box.cast(cast)
    os.write(1, (cast.id + "\\n").encode())
"""


def test_a_vote_that_was_acknowledged_survives_any_death(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", VOTER, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(["src", "."])},
    )
    said = [process.stdout.readline().strip() for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    said += process.stdout.read().split("\n")[:-1]
    process.wait()
    process.stdout.close()
    box = VoteBox(tmp_path)
    kept = [v.id for v in box.votes(ANN)]
    box.close()
    assert len(said) >= 20
    assert kept[: len(said)] == said
    assert len(kept) <= len(said) + 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"schema": 2}, "schema is 2, not 1."),
        ({"outcome": "win"}, "outcome is 'win', not one of left, right, tie, both_bad."),
        ({"left": None}, "left is missing, not an object."),
        ({"vote_id": ""}, "vote_id is '', not a text of 1 to 200 characters."),
        ({"ts_utc": "yesterday"}, "ts_utc is 'yesterday', not a time like 2026-01-31T12:00:00Z."),
        ({"ranked": "yes"}, "ranked is 'yes', not true or false."),
        ({"turn": -1}, "turn is -1, not a whole number."),
        ({"tags": ["nice"]}, "A tag is 'nice', not one of correct, complete"),
    ],
)
def test_a_record_that_is_wrong_says_where(change, sentence):
    with pytest.raises(StoreError) as wrong:
        from_plain(as_plain(vote()) | change)
    assert wrong.value.sentence.startswith(sentence)


def test_a_vote_of_a_model_against_itself_is_none():
    with pytest.raises(StoreError, match="same model"):
        from_plain(as_plain(replace(vote(), right=vote().left)))
