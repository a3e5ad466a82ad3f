"""Snapshots for everybody with the link: what they show, what they keep to themselves."""

from __future__ import annotations

import pytest

from parley.chats.store import Store
from parley.chats.tree import path
from parley.errors import StoreError
from tests.chats.talking import ANN, BOB, answered, branched, everything, turn


def said(messages):
    return [message.content for message in messages]


def code(action):
    with pytest.raises(StoreError) as caught:
        action()
    return caught.value.code


def test_a_snapshot_is_the_branch_that_is_read(store, folder):
    tree = branched(store)
    id = store.share(ANN, tree.id)
    store.close()
    again = Store(folder)
    title, messages = again.shared(id)
    again.close()
    assert title == "What is a model?"
    assert said(messages) == ["What is a model?", "A function.", "Of what?", "Of numbers."]
    assert [message.role for message in messages] == ["user", "assistant"] * 2
    assert messages[1].model_name == "The Guide"
    assert path(messages, messages[-1].id) == messages


def test_a_snapshot_stays_as_it_is(store):
    tree = branched(store)
    id = store.share(ANN, tree.id)
    before = store.shared(id)
    store.rename(ANN, tree.id, "Other")
    store.add_user(tree.id, tree.ids["a2'"], "More")
    store.set_feedback(ANN, tree.id, tree.ids["a1"], 1)
    store.delete_message(ANN, tree.id, tree.ids["q2"])
    assert store.shared(id) == before
    store.delete(ANN, tree.id)
    store.purge(0)
    assert store.shared(id) == before


def test_what_was_not_said_in_public_stays_out(store):
    chat, question, answer = turn(store, "Hello", "there")
    meta = {"seed": 7, "system_prompt": "secret instructions", "edited_of": answer.id}
    shown = answered(store, chat.id, question.id, "Shown", begun=meta)
    store.set_feedback(ANN, chat.id, shown.id, -1, note="secret note")
    _, messages = store.shared(store.share(ANN, chat.id))
    assert said(messages) == ["Hello", "Shown"]
    assert messages[1].meta == {"seed": 7}
    assert "secret" not in repr(messages)
    assert all(part not in repr(messages) for part in (ANN, chat.id, question.id, shown.id))


def test_an_answer_under_way_is_shown_as_far_as_it_is(store):
    chat = store.create_chat(ANN, "guide")
    question = store.add_user(chat.id, None, "Hello")
    answer = store.begin_answer(chat.id, question.id, "guide", "The Guide")
    store.flush_answer(answer.id, "He")
    id = store.share(ANN, chat.id)
    store.end_answer(answer.id, "done", "Hello", reason="stop")
    last = store.shared(id)[1][-1]
    assert (last.content, last.state) == ("He", "stopped")


def test_ids_cannot_be_guessed(store):
    chat, _, answer = turn(store, "Hello", "there")
    ids = set()
    for n in range(50):
        store.edit_answer(ANN, chat.id, answer.id, f"there {n}")
        ids.add(store.share(ANN, chat.id))
    assert len(ids) == 50
    # 64 symbols: 22 of them hold 128 bits.
    assert all(len(id) >= 22 for id in ids)
    assert all(sum(id[n] != next(iter(ids))[n] for id in ids) > 25 for n in range(22))


def test_the_same_again_is_the_same_link(store):
    chat, _, answer = turn(store, "Hello", "there")
    first = store.share(ANN, chat.id)
    assert store.share(ANN, chat.id) == first
    store.add_user(chat.id, answer.id, "More")
    assert store.share(ANN, chat.id) != first


def test_what_somebody_shares_is_listed_for_them_and_taken_back_by_them(store):
    tree = branched(store)
    first = store.share(ANN, tree.id)
    store.rename(ANN, tree.id, "Later")
    second = store.share(ANN, tree.id)
    assert [(share.id, share.chat, share.title) for share in store.shares(ANN)] == [
        (second, tree.id, "Later"),
        (first, tree.id, "What is a model?"),
    ]
    assert store.shares(ANN)[0].created >= store.shares(ANN)[1].created > 0
    assert store.shares(BOB) == ()
    store.unshare(BOB, first)
    store.unshare(ANN, "gone")
    assert store.shared(first)[0] == "What is a model?"
    store.unshare(ANN, first)
    assert code(lambda: store.shared(first)) == "no_such_share"
    assert code(lambda: store.adopt(BOB, first)) == "no_such_share"
    assert [share.id for share in store.shares(ANN)] == [second]


def test_only_what_is_there_and_ones_own_can_be_shared(store):
    chat, *_ = turn(store, "Hello", "there")
    empty = store.create_chat(ANN, "guide")
    assert code(lambda: store.share(BOB, chat.id)) == "no_such_chat"
    assert code(lambda: store.share(ANN, "gone")) == "no_such_chat"
    assert code(lambda: store.share(ANN, empty.id)) == "nothing_to_share"
    for id in ("", "gone", chat.id, "\ud83d", "%"):
        with pytest.raises(StoreError):
            store.shared(id)


def test_whoever_adopts_a_snapshot_goes_on_by_themselves(store):
    tree = branched(store)
    id = store.share(ANN, tree.id)
    before = everything(store), store.shared(id)
    mine = store.adopt(BOB, id)
    chat, messages = store.chat(BOB, mine.id)
    assert chat == mine
    assert (chat.title, chat.model) == ("What is a model?", "guide")
    assert said(path(messages, chat.leaf)) == said(before[1][1])
    question = store.add_user(chat.id, chat.leaf, "And?")
    answered(store, chat.id, question.id, "So.")
    assert (everything(store), store.shared(id)) == before
    assert store.adopt(BOB, id).id != mine.id
    assert [found.chat.owner for found in store.search(BOB, "numbers")] == [BOB, BOB]
