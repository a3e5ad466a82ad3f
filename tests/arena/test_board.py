"""Which votes a board counts, and that what it says can go to a page."""

from __future__ import annotations

import json

import pytest

from parley.arena.board import Filters, ballots, board, filters_of
from parley.arena.votes import VoteBox
from tests.arena.voting import ANN, BOB, many, vote

NOW = 1_800_000_000.0


@pytest.fixture
def box(tmp_path):
    made = VoteBox(tmp_path)
    yield made
    made.close()


def counted(box, owner=ANN, **asked):
    return len(ballots(box.tallies(owner), filters_of(asked, NOW), box.voter(owner)))


def test_each_filter_counts_its_votes(box):
    me = box.voter(ANN)
    box.cast(vote(category="maths", language="de", created=NOW - 10 * 86400, voter=me))
    box.cast(vote(category="maths", language="en", created=NOW - 3600))
    box.cast(vote(category="coding", created=NOW))
    assert counted(box) == 3
    assert counted(box, category="maths") == 2
    assert counted(box, category="maths", language="de") == 1
    assert counted(box, mine=True) == 1
    assert counted(box, days=7) == 2
    assert counted(box, days=0.5) == 2
    assert counted(box, category="nonsense", language=7, days="x", judge=[], mode={}) == 3


def test_people_and_judges_are_kept_apart(box):
    box.cast(vote(round="r"))
    box.cast(vote(round="r", judge="three"))
    box.cast(vote("one", "three", judge="three"))
    assert counted(box) == 1
    # Not the one about itself.
    assert counted(box, judge="model") == 1
    assert counted(box, judge="all") == 2
    (found,) = ballots(box.tallies(ANN), Filters(judge="model"), "")
    assert found.voter == "model:three"


def test_only_blind_votes_without_a_leak_rank(box):
    box.cast(vote())
    box.cast(vote(mode="open", ranked=False))
    box.cast(vote(ranked=False, identity_leak=True))
    assert counted(box) == 1
    assert counted(box, mode="open") == 1
    assert counted(box, mode="all") == 2


def test_imported_votes_count_for_their_bringer_until_left_out(box):
    box.cast(vote(voter=box.voter(BOB)))
    box.bring(ANN, [vote()])
    assert (counted(box), counted(box, imported=False), counted(box, BOB)) == (2, 1, 1)
    assert counted(box, mine=True) == 1


def test_a_board_goes_to_a_page_and_ranks_as_people_voted(box):
    many(box, {"best": 1250, "middle": 1000, "worst": 750}, 240, category="coding")
    box.cast(vote("elsewhere", "alone", "tie"))
    found = json.loads(json.dumps(board(box.tallies(ANN), Filters(), box.voter(ANN))))
    assert [row["model"] for row in found["groups"][0]["rows"]] == ["best", "middle", "worst"]
    assert [row["best"] for row in found["groups"][0]["rows"]] == [1, 2, 3]
    assert {row["model"] for row in found["groups"][1]["rows"]} == {"elsewhere", "alone"}
    assert found["all"] == found["counts"]["ballots"] == 241
    assert found["facets"]["categories"] == {"general": 1, "coding": 240}
    assert found["facets"]["languages"] == {"en": 241}


def test_a_board_controls_for_looks_and_drops_ties(box):
    many(box, {"one": 1000, "two": 1000}, 60)
    plain = board(box.tallies(ANN), Filters(), "")
    styled = board(box.tallies(ANN), Filters(), "", style=True)
    strict = board(box.tallies(ANN), Filters(), "", drop_ties=True)
    assert plain["style"] == ()
    assert len(styled["style"]) == 4
    assert strict["counts"]["rated"] == plain["counts"]["rated"] - plain["counts"]["ties"]


def test_no_votes_make_an_empty_board():
    found = board((), Filters(), "")
    assert (found["groups"], found["all"]) == ((), 0)
