"""Answers after their end: edited, gone on with, and judged."""

from __future__ import annotations

import pytest

from parley.chats.messages import MOST_REASONS, NOTE_LENGTH, REASON_LENGTH
from parley.chats.tree import siblings
from parley.errors import StoreError
from tests.chats.talking import ANN, BOB, answered, turn


def read(store, chat, message):
    return next(m for m in store.chat(ANN, chat.id)[1] if m.id == message.id)


def code(action):
    with pytest.raises(StoreError) as caught:
        action()
    return caught.value.code


# Edited


def test_an_edited_answer_stands_beside_the_original(store):
    chat, question, answer = turn(store, "What is a model?", "A function.")
    original = read(store, chat, answer)
    edited = store.edit_answer(ANN, chat.id, answer.id, "A program.")
    record, messages = store.chat(ANN, chat.id)
    assert messages[-1] == edited
    assert [m.id for m in siblings(messages, edited.id)] == [answer.id, edited.id]
    assert (edited.content, edited.state, edited.parent) == ("A program.", "done", question.id)
    assert (edited.model, edited.model_name) == ("guide", "The Guide")
    assert edited.meta == {"edited": True, "edited_of": answer.id}
    assert record.leaf == edited.id
    assert read(store, chat, answer) == original
    assert [f.message for f in store.search(ANN, "program")] == [edited.id]


def test_what_cannot_be_edited_is_refused_in_a_sentence(store):
    chat, question, answer = turn(store, "What is a model?", "A function.")
    assert code(lambda: store.edit_answer(ANN, chat.id, answer.id, " \n")) == "empty_message"
    assert code(lambda: store.edit_answer(ANN, chat.id, question.id, "x")) == "not_an_answer"
    assert code(lambda: store.edit_answer(ANN, chat.id, "gone", "x")) == "no_such_message"
    assert code(lambda: store.edit_answer(BOB, chat.id, answer.id, "x")) == "no_such_chat"
    assert len(store.chat(ANN, chat.id)[1]) == 2


# Gone on with


def test_an_answer_that_was_cut_off_goes_on(store):
    chat = store.create_chat(ANN, "guide")
    question = store.add_user(chat.id, None, "Tell me everything")
    answer = answered(store, chat.id, question.id, "First", reason="length", meta={"seed": 7})
    reopened = store.reopen_answer(answer.id)
    assert reopened == read(store, chat, answer)
    assert (reopened.state, reopened.content, reopened.finish_reason) == (
        "streaming",
        "First",
        None,
    )
    store.flush_answer(answer.id, "First and sec")
    assert read(store, chat, answer).content == "First and sec"
    store.end_answer(answer.id, "done", "First and second", reason="stop", meta={"more": 1})
    last = read(store, chat, answer)
    assert (last.state, last.content, last.finish_reason) == ("done", "First and second", "stop")
    assert last.meta == {"seed": 7, "more": 1}
    assert [f.message for f in store.search(ANN, "first second")] == [answer.id]


def test_only_one_can_go_on_with_it(store):
    chat = store.create_chat(ANN, "guide")
    question = store.add_user(chat.id, None, "Tell me everything")
    answer = answered(store, chat.id, question.id, "First", reason="length")
    store.reopen_answer(answer.id)
    assert code(lambda: store.reopen_answer(answer.id)) == "not_cut_short"


def test_a_crash_after_reopening_loses_nothing(store):
    chat = store.create_chat(ANN, "guide")
    question = store.add_user(chat.id, None, "Tell me everything")
    answer = answered(store, chat.id, question.id, "First", thinking="hm", reason="length")
    store.reopen_answer(answer.id)
    assert store.recover() == 1
    last = read(store, chat, answer)
    assert (last.state, last.content, last.thinking) == ("stopped", "First", "hm")


@pytest.mark.parametrize(
    ("state", "reason"),
    [("done", "stop"), ("stopped", "cancelled"), ("failed", None), ("stopped", "length")],
)
def test_an_answer_that_ended_otherwise_stays_ended(store, state, reason):
    chat = store.create_chat(ANN, "guide")
    question = store.add_user(chat.id, None, "Tell me everything")
    answer = answered(store, chat.id, question.id, "First", state=state, reason=reason)
    before = read(store, chat, answer)
    assert code(lambda: store.reopen_answer(answer.id)) == "not_cut_short"
    assert read(store, chat, answer) == before
    assert code(lambda: store.reopen_answer(question.id)) == "not_cut_short"
    assert code(lambda: store.reopen_answer("gone")) == "no_such_message"
    store.delete(ANN, chat.id)
    assert code(lambda: store.reopen_answer(answer.id)) == "no_such_message"


# Judged


def test_feedback_is_kept_replaced_and_taken_back(store):
    chat, _, answer = turn(store, "What is a model?", "A function.")
    assert read(store, chat, answer).feedback is None
    store.set_feedback(ANN, chat.id, answer.id, -1, ("wrong", "too short"), "No: ünïcode")
    assert read(store, chat, answer).feedback == {
        "value": -1,
        "reasons": ["wrong", "too short"],
        "note": "No: ünïcode",
    }
    store.set_feedback(ANN, chat.id, answer.id, 1)
    assert read(store, chat, answer).feedback == {"value": 1, "reasons": [], "note": ""}
    store.set_feedback(ANN, chat.id, answer.id, 0, note="undecided")
    assert read(store, chat, answer).feedback["note"] == "undecided"
    store.set_feedback(ANN, chat.id, answer.id, 0)
    assert read(store, chat, answer).feedback is None


def test_feedback_changes_nothing_else(store):
    chat, _, answer = turn(store, "What is a model?", "A function.")
    before, was = store.chat(ANN, chat.id)[0], read(store, chat, answer)
    store.set_feedback(ANN, chat.id, answer.id, 1)
    assert store.chat(ANN, chat.id)[0] == before
    assert read(store, chat, answer).meta == was.meta


def test_feedback_of_any_length_is_kept_within_bounds(store):
    chat, _, answer = turn(store, "What is a model?", "A function.")
    store.set_feedback(ANN, chat.id, answer.id, 1, ["x" * 1000] * 1000, "half \ud83d" * 10_000)
    kept = read(store, chat, answer).feedback
    assert [len(reason) for reason in kept["reasons"]] == [REASON_LENGTH] * MOST_REASONS
    assert len(kept["note"]) == NOTE_LENGTH


def test_feedback_that_means_nothing_is_refused(store):
    chat, question, answer = turn(store, "What is a model?", "A function.")
    for value in (2, -2, 0.5, "1", None):
        assert code(lambda v=value: store.set_feedback(ANN, chat.id, answer.id, v)) == (
            "bad_feedback"
        )
    assert code(lambda: store.set_feedback(ANN, chat.id, question.id, 1)) == "not_an_answer"
    assert code(lambda: store.set_feedback(BOB, chat.id, answer.id, 1)) == "no_such_chat"
    assert read(store, chat, answer).feedback is None
