"""Pinning, deleting, taking back, and what is gone for good."""

from __future__ import annotations

import sqlite3

import pytest

from parley.chats.records import Removed
from parley.chats.store import FILE, KEEP_DELETED
from parley.chats.tree import path
from parley.errors import StoreError
from tests.chats.talking import (
    ANN,
    BOB,
    answered,
    branched,
    everything,
    index_is_whole,
    turn,
)


def ids(chats):
    return [chat.id for chat in chats]


def refused(action, code):
    with pytest.raises(StoreError) as caught:
        action()
    assert caught.value.code == code
    assert caught.value.sentence
    assert caught.value.fix


# Chats


def test_pinned_chats_stand_first_also_beyond_the_limit(store):
    first, second, third = (turn(store, text, "yes")[0] for text in ("one", "two", "three"))
    store.pin(ANN, first.id, True)
    assert ids(store.chats(ANN)) == [first.id, third.id, second.id]
    assert ids(store.chats(ANN, limit=1)) == [first.id]
    assert store.chat(ANN, first.id)[0].pinned is True
    store.pin(ANN, first.id, False)
    assert ids(store.chats(ANN)) == [third.id, second.id, first.id]
    assert store.chat(ANN, first.id)[0].pinned is False


def test_a_deleted_chat_is_nowhere_until_it_is_restored(store):
    chat, question, answer = turn(store, "What is a model?", "A function.")
    before = everything(store)
    store.delete(ANN, chat.id)
    assert store.chats(ANN) == ()
    assert store.search(ANN, "model function") == store.search(ANN, "model") == ()
    for action in (
        lambda: store.chat(ANN, chat.id),
        lambda: store.rename(ANN, chat.id, "new"),
        lambda: store.pin(ANN, chat.id, True),
        lambda: store.set_leaf(ANN, chat.id, question.id),
        lambda: store.add_user(chat.id, answer.id, "more"),
        lambda: store.begin_answer(chat.id, question.id, "guide", "The Guide"),
        lambda: store.edit_answer(ANN, chat.id, answer.id, "other"),
        lambda: store.delete_message(ANN, chat.id, answer.id),
        lambda: store.restore_messages(ANN, chat.id, Removed((), None, None)),
        lambda: store.set_feedback(ANN, chat.id, answer.id, 1),
        lambda: store.share(ANN, chat.id),
    ):
        refused(action, "no_such_chat")
    store.restore(ANN, chat.id)
    assert everything(store) == before
    assert len(store.search(ANN, "model")) == 2


def test_many_are_deleted_and_restored_at_once(store):
    chats = [turn(store, text, "yes")[0].id for text in ("one", "two", "three")]
    store.delete(ANN, *chats[:2], "gone")
    assert ids(store.chats(ANN)) == [chats[2]]
    store.restore(ANN, *chats, "gone")
    assert len(store.chats(ANN)) == 3


def test_no_ids_and_other_peoples_ids_change_nothing(store):
    chat, *_ = turn(store, "mine", "yes")
    store.delete(ANN)
    store.restore(ANN)
    store.delete(BOB, chat.id)
    assert ids(store.chats(ANN)) == [chat.id]
    store.delete(ANN, chat.id)
    store.restore(BOB, chat.id)
    assert store.chats(ANN) == ()


def test_an_answer_under_way_in_a_deleted_chat_is_there_when_it_comes_back(store):
    chat = store.create_chat(ANN, "guide")
    question = store.add_user(chat.id, None, "hello")
    answer = store.begin_answer(chat.id, question.id, "guide", "The Guide")
    store.delete(ANN, chat.id)
    store.flush_answer(answer.id, "Hello")
    store.end_answer(answer.id, "done", "Hello you", reason="stop")
    store.restore(ANN, chat.id)
    assert store.chat(ANN, chat.id)[1][1].content == "Hello you"


def test_purge_takes_what_was_deleted_long_enough_ago(store, folder):
    gone, kept, late = (branched(store) for _ in range(3))
    store.delete(ANN, gone.id)
    store.delete_message(ANN, late.id, late.ids["a2"])
    assert store.purge(3600) == 0
    with sqlite3.connect(folder / FILE) as direct:
        direct.execute("UPDATE chats SET deleted = deleted - 3600 WHERE deleted IS NOT NULL")
    direct.close()
    assert store.purge(3600) == 1
    store.restore(ANN, gone.id)
    assert set(everything(store)) == {kept.id, late.id}
    assert store.purge(0) == 1
    with sqlite3.connect(folder / FILE) as direct:
        assert direct.execute("SELECT count(*) FROM messages").fetchone() == (6 + 5,)
    direct.close()
    assert index_is_whole(folder)


def test_a_start_purges_what_can_no_longer_be_taken_back(store, folder):
    old, new = branched(store), branched(store)
    store.delete(ANN, old.id, new.id)
    with sqlite3.connect(folder / FILE) as direct:
        direct.execute(
            "UPDATE chats SET deleted = deleted - ? WHERE id = ?", (KEEP_DELETED, old.id)
        )
    direct.close()
    store.recover()
    store.restore(ANN, old.id, new.id)
    assert set(everything(store)) == {new.id}


def test_wipe_takes_all_of_one_person_and_nothing_of_another(store):
    mine, other = branched(store), branched(store, BOB)
    deleted = branched(store)
    shares = store.share(ANN, mine.id), store.share(BOB, other.id)
    store.delete(ANN, deleted.id)
    before = everything(store, BOB)
    store.wipe(ANN)
    store.restore(ANN, mine.id, deleted.id)
    assert store.chats(ANN) == store.shares(ANN) == store.search(ANN, "model") == ()
    refused(lambda: store.shared(shares[0]), "no_such_share")
    assert everything(store, BOB) == before
    assert store.shared(shares[1])[0] == "What is a model?"


@pytest.mark.parametrize("how", ["wipe", "purge"])
def test_what_is_gone_for_good_is_in_no_file(store, folder, how):
    turn(store, "something that stays", "yes", BOB)
    chat, _, answer = turn(store, "zzqsecretquestion", "zzqsecretanswer " * 2000)
    store.set_feedback(ANN, chat.id, answer.id, 1, ["zzqsecretreason"])
    share = store.share(ANN, chat.id)
    turn(store, "something else that stays", "yes", BOB)

    def written():
        return b"zzqsecret" in b"".join(file.read_bytes() for file in folder.iterdir())

    assert written()
    if how == "wipe":
        store.wipe(ANN)
    else:
        store.unshare(ANN, share)
        store.delete(ANN, chat.id)
        store.purge(0)
    assert not written()
    assert index_is_whole(folder)
    assert len({found.chat.id for found in store.search(BOB, "something")}) == 2


def test_a_long_conversation_can_be_deleted(store, folder):
    chat = store.create_chat(ANN, "guide")
    parent = first = store.add_user(chat.id, None, "0").id
    for n in range(1, 1500):
        parent = store.add_user(chat.id, parent, str(n)).id
    removed = store.delete_message(ANN, chat.id, first)
    assert len(removed.messages) == 1500
    store.restore_messages(ANN, chat.id, removed)
    assert len(path(store.chat(ANN, chat.id)[1], parent)) == 1500
    second = store.chat(ANN, chat.id)[1][1].id
    store.delete_message(ANN, chat.id, second)
    assert store.purge(0) == 1499
    store.delete(ANN, chat.id)
    assert store.purge(0) == 1
    assert index_is_whole(folder)


# Messages


@pytest.mark.parametrize(
    ("gone", "left", "leaf"),
    [
        ("a2'", ["q1", "a1", "q2", "a2", "a1'"], "a2"),  # the other answer to the same question
        ("a2", ["q1", "a1", "q2", "a1'", "a2'"], "a2'"),  # not where the reader is
        ("q2", ["q1", "a1", "a1'"], "a1"),  # no alternative: the answer above
        ("a1", ["q1", "a1'"], "a1'"),
        ("a1'", ["q1", "a1", "q2", "a2", "a2'"], "a2'"),
        ("q1", [], None),
    ],
)
def test_a_message_goes_with_everything_below_it_and_comes_back(store, gone, left, leaf):
    tree = branched(store)
    before = everything(store)
    removed = store.delete_message(ANN, tree.id, tree.ids[gone])
    chat, messages = store.chat(ANN, tree.id)
    assert tree.names(messages) == left
    assert chat.leaf == removed.leaf == (leaf and tree.ids[leaf])
    assert removed.before == tree.ids["a2'"]
    store.restore_messages(ANN, tree.id, removed)
    assert everything(store) == before


def test_a_removed_message_takes_no_answer_and_is_not_found(store):
    tree = branched(store)
    store.delete_message(ANN, tree.id, tree.ids["q2"])
    assert [f.message for f in store.search(ANN, "text numbers")] == []
    assert [f.message for f in store.search(ANN, "program")] == [tree.ids["a1'"]]
    for action in (
        lambda: store.add_user(tree.id, tree.ids["a2"], "more"),
        lambda: store.begin_answer(tree.id, tree.ids["q2"], "guide", "The Guide"),
        lambda: store.set_leaf(ANN, tree.id, tree.ids["a2"]),
        lambda: store.edit_answer(ANN, tree.id, tree.ids["a2"], "other"),
        lambda: store.set_feedback(ANN, tree.id, tree.ids["a2"], 1),
        lambda: store.delete_message(ANN, tree.id, tree.ids["a2"]),
        lambda: store.reopen_answer(tree.ids["a2"]),
    ):
        refused(action, "no_such_message")


def test_undo_in_another_order_leaves_nothing_hanging(store):
    tree = branched(store)
    before = everything(store)[tree.id][1]
    first = store.delete_message(ANN, tree.id, tree.ids["a2'"])
    second = store.delete_message(ANN, tree.id, tree.ids["q2"])
    store.restore_messages(ANN, tree.id, first)
    assert tree.names(store.chat(ANN, tree.id)[1]) == ["q1", "a1", "q2", "a1'", "a2'"]
    store.restore_messages(ANN, tree.id, second)
    assert everything(store)[tree.id][1] == before


def test_undo_in_an_emptied_chat_shows_what_came_back(store):
    chat = store.create_chat(ANN, "guide").id
    first, second = (store.add_user(chat, None, text).id for text in ("one", "two"))
    removed = store.delete_message(ANN, chat, first)
    store.delete_message(ANN, chat, second)
    store.restore_messages(ANN, chat, removed)
    assert store.chat(ANN, chat)[0].leaf == first


def test_undo_does_not_take_away_a_reader_who_has_gone_on(store):
    tree = branched(store)
    removed = store.delete_message(ANN, tree.id, tree.ids["q2"])
    more = store.add_user(tree.id, removed.leaf, "Something else")
    store.restore_messages(ANN, tree.id, removed)
    chat, messages = store.chat(ANN, tree.id)
    assert chat.leaf == more.id
    assert len(messages) == 7


def test_undo_reaches_only_its_own_chat(store):
    tree, other = branched(store), branched(store, BOB)
    store.delete_message(BOB, other.id, other.ids["q2"])
    before = everything(store, BOB), everything(store)
    stray = Removed((*other.ids.values(), "gone"), other.ids["a2"], tree.ids["a2'"])
    store.restore_messages(ANN, tree.id, stray)
    assert (everything(store, BOB), everything(store)) == before
    refused(lambda: store.restore_messages(ANN, other.id, stray), "no_such_chat")
    refused(lambda: store.delete_message(ANN, other.id, other.ids["q1"]), "no_such_chat")
    refused(lambda: store.delete_message(ANN, tree.id, other.ids["q1"]), "no_such_message")


def test_undo_after_a_purge_brings_nothing_back(store):
    tree = branched(store)
    removed = store.delete_message(ANN, tree.id, tree.ids["q2"])
    store.purge(0)
    before = everything(store)
    store.restore_messages(ANN, tree.id, removed)
    assert everything(store) == before


def test_an_answer_that_is_removed_while_it_is_written_comes_back_whole(store):
    tree = branched(store)
    answer = store.begin_answer(tree.id, tree.ids["q1"], "guide", "The Guide")
    removed = store.delete_message(ANN, tree.id, answer.id)
    store.flush_answer(answer.id, "A")
    store.end_answer(answer.id, "done", "A thing", reason="stop")
    assert len(store.chat(ANN, tree.id)[1]) == 6
    store.restore_messages(ANN, tree.id, removed)
    chat, messages = store.chat(ANN, tree.id)
    assert (chat.leaf, messages[-1].content) == (answer.id, "A thing")


def test_an_emptied_chat_can_be_begun_again(store):
    tree = branched(store)
    store.delete_message(ANN, tree.id, tree.ids["q1"])
    question = store.add_user(tree.id, None, "Again")
    answered(store, tree.id, question.id, "Yes")
    chat, messages = store.chat(ANN, tree.id)
    assert [m.content for m in path(messages, chat.leaf)] == ["Again", "Yes"]
