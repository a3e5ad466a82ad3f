"""Blind rounds: who meets whom, on which side, and what may be voted when."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import replace

import pytest

from parley.arena.casting import Said
from parley.arena.rounds import Rounds, draw
from parley.arena.votes import VoteBox
from parley.errors import StoreError
from tests.arena.voting import ANN, BOB, PROMPT, side, vote

MODELS = ("one", "two", "three")


@pytest.fixture
def box(tmp_path):
    made = VoteBox(tmp_path)
    yield made
    made.close()


@pytest.fixture
def rounds(box):
    return Rounds(box, random.Random(1))


def refusal(code):
    return pytest.raises(StoreError, check=lambda error: error.code == code)


def voted(rounds, found, owner=ANN, outcome="left", left=None, right=None, **more):
    return rounds.vote(
        owner,
        found.id,
        outcome,
        left or side(found.left),
        right or side(found.right),
        prompt=PROMPT,
        **more,
    )


def test_the_pair_that_met_least_is_drawn():
    counts = {frozenset({"one", "two"}): 3, frozenset({"one", "three"}): 2}
    for seed in range(20):
        assert set(draw(MODELS, counts, random.Random(seed))) == {"two", "three"}


def test_equal_pairs_and_sides_are_drawn_alike():
    rng = random.Random(5)
    drawn = Counter(draw(MODELS, {}, rng) for _ in range(6000))
    assert len(drawn) == 6
    # 1000 each, standard deviation 29.
    assert all(850 < times < 1150 for times in drawn.values())


@pytest.mark.parametrize("candidates", [(), ("one",), ("one", "one")])
def test_one_model_makes_no_round(rounds, candidates):
    with refusal("too_few_models"):
        rounds.open(ANN, candidates)


def test_rounds_even_out_the_pairs_before_anybody_has_voted(rounds):
    met = Counter(frozenset({r.left, r.right}) for r in (rounds.open(ANN, MODELS) for _ in "x" * 9))
    assert set(met.values()) == {3}


def test_a_round_is_kept_with_its_chats(rounds, box, tmp_path):
    found = rounds.open(ANN, MODELS, "coding")
    rounds.attach(ANN, found.id, "left", "chat1")
    rounds.attach(ANN, found.id, "right", "chat2")
    other = VoteBox(tmp_path)
    again = Rounds(other).round(ANN, found.id)
    assert again == replace(found, left_chat="chat1", right_chat="chat2")
    assert Rounds(other).round_of(ANN, "chat2") == again
    assert Rounds(other).round_of(BOB, "chat2") is None
    assert [rounds.model(ANN, found.id, seat) for seat in ("left", "right")] == [
        found.left,
        found.right,
    ]
    assert (again.category, again.state, again.revealed) == ("coding", "open", False)
    other.close()


def test_somebody_elses_round_does_not_exist(rounds):
    found = rounds.open(ANN, MODELS)
    for ask in (
        lambda: rounds.round(BOB, found.id),
        lambda: rounds.attach(BOB, found.id, "left", "c"),
        lambda: rounds.void(BOB, found.id),
        lambda: voted(rounds, found, BOB),
    ):
        with refusal("no_such_round"):
            ask()


def test_a_vote_ends_the_round_and_says_all_about_it(rounds, box):
    found = rounds.open(ANN, MODELS)
    said = Said(("clear", "lovely", "correct"), "  why not  ", "maths", 4.5)
    cast = voted(rounds, found, outcome="both_bad", turn=2, said=said)
    assert rounds.round(ANN, found.id).state == "voted"
    assert rounds.round(ANN, found.id).revealed
    assert list(box.votes(ANN)) == [cast]
    assert (cast.outcome, cast.mode, cast.ranked, cast.turn) == ("both_bad", "blind", True, 2)
    assert (cast.tags, cast.comment, cast.category) == (("correct", "clear"), "why not", "maths")
    assert (cast.language, cast.seconds, cast.prompt) == ("en", 4.5, PROMPT)
    assert cast.voter == box.voter(ANN)
    assert cast.left.model == found.left


def test_a_second_vote_is_refused_from_every_tab(rounds, box, tmp_path):
    found = rounds.open(ANN, MODELS)
    start, codes = threading.Barrier(4), []

    def tab():
        start.wait()
        try:
            voted(rounds, found)
            codes.append("kept")
        except StoreError as error:
            codes.append(error.code)

    tabs = [threading.Thread(target=tab) for _ in range(4)]
    for thread in tabs:
        thread.start()
    for thread in tabs:
        thread.join()
    assert sorted(codes) == ["already_voted"] * 3 + ["kept"]
    again = VoteBox(tmp_path)
    with refusal("already_voted"):
        voted(Rounds(again), found)
    assert len(list(again.votes(ANN))) == 1
    again.close()


def test_no_vote_before_both_have_text_nor_on_a_failure(rounds):
    found = rounds.open(ANN, MODELS)
    with refusal("no_text_yet"):
        voted(rounds, found, right=side(found.right, " \n"))
    with refusal("side_failed"):
        voted(rounds, found, left=side(found.left, "half of", error="out_of_memory"))
    with refusal("bad_vote"):
        voted(rounds, found, outcome="win")
    with refusal("bad_vote"):
        voted(rounds, found, left=side(found.right), right=side(found.left))
    # Retried, it can be voted on.
    assert voted(rounds, found).ranked


def test_a_round_that_was_given_up_takes_no_vote(rounds):
    found = rounds.open(ANN, MODELS)
    assert rounds.void(ANN, found.id).state == "void"
    with refusal("round_over"):
        voted(rounds, found)
    with refusal("round_over"):
        rounds.attach(ANN, found.id, "left", "c")


def test_a_vote_cannot_be_taken_back_by_giving_up(rounds):
    found = rounds.open(ANN, MODELS)
    voted(rounds, found)
    assert rounds.void(ANN, found.id).state == "voted"


def test_an_answer_that_introduces_itself_takes_the_rank(rounds):
    found = rounds.open(ANN, MODELS)
    cast = voted(rounds, found, left=side(found.left, "I am Qwen, made by Alibaba Cloud."))
    assert (cast.ranked, cast.identity_leak) == (False, True)
    found = rounds.open(ANN, MODELS)
    cast = voted(rounds, found, right=side(found.right, "My name is Babbler."), names=["Babbler"])
    assert cast.identity_leak


def test_an_open_vote_is_kept_apart(rounds, box):
    cast = rounds.vote_open(ANN, "pair", "right", side("one"), side("two"), prompt=PROMPT)
    assert (cast.mode, cast.ranked) == ("open", False)
    with refusal("already_voted"):
        rounds.vote_open(ANN, "pair", "left", side("one"), side("two"))
    with refusal("bad_vote"):
        rounds.vote_open(ANN, "other", "left", side("one"), side("one"))
    assert box.pair_counts() == {}


def test_votes_count_when_pairs_are_drawn(rounds, box):
    for _ in range(3):
        box.cast(vote("one", "two"))
        box.cast(vote("three", "one"))
    found = rounds.open(ANN, MODELS)
    assert {found.left, found.right} == {"two", "three"}


def test_forgetting_somebody_takes_their_rounds(rounds, box):
    found = rounds.open(ANN, MODELS)
    box.wipe(ANN)
    with refusal("no_such_round"):
        rounds.round(ANN, found.id)
