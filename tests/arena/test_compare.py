"""Comparisons in the store: columns are chats that stand in no list and share their comparison's
fate."""

from __future__ import annotations

import pytest

from parley.arena.compare import MOST, Column, Comparisons, Wish, columns
from parley.chats.store import Store
from parley.errors import StoreError

ANN, BOB = "ann", "bob"


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def comparisons(store):
    return Comparisons(store)


@pytest.fixture
def pair(comparisons):
    return comparisons.begin(ANN, [Wish("one"), Wish("two", {"seed": 1}, "Be brief.")])


def say(store, chat: str, text: str = "Well?", answer: str = "Well.") -> str:
    question = store.add_user(chat, store.chat(ANN, chat)[0].leaf, text)
    begun = store.begin_answer(chat, question.id, "one", "One")
    store.end_answer(begun.id, "done", answer)
    return begun.id


def keys(chat) -> list[str]:
    return [column.chat for column in columns(chat)]


def test_columns_are_kept_as_they_were_wished(comparisons, pair):
    one, two = columns(comparisons.get(ANN, pair.id))
    assert (one.model, one.settings, one.system_prompt) == ("one", {}, None)
    assert (two.model, two.settings, two.system_prompt) == ("two", {"seed": 1}, "Be brief.")


def test_the_list_has_the_comparison_and_not_its_columns(store, pair):
    say(store, keys(pair)[0], "What do you say?")
    (listed,) = store.chats(ANN)
    assert listed.id == pair.id
    assert listed.title == "What do you say?"
    say(store, keys(pair)[1], "Something else")
    assert store.chats(ANN)[0].title == "What do you say?"


def test_a_message_in_a_column_moves_the_comparison_up(store, comparisons, pair):
    say(store, keys(pair)[0])
    other = store.create_chat(ANN, "one")
    store.add_user(other.id, None, "Later")
    assert store.chats(ANN)[0].id == other.id
    say(store, keys(pair)[1], "Later still")
    assert store.chats(ANN)[0].id == pair.id


def test_delete_and_restore_take_the_columns_along(store, pair):
    say(store, keys(pair)[0])
    store.delete(ANN, pair.id)
    for key in (pair.id, *keys(pair)):
        with pytest.raises(StoreError):
            store.chat(ANN, key)
    store.restore(ANN, pair.id)
    assert len(store.chat(ANN, keys(pair)[0])[1]) == 2


def test_what_is_purged_leaves_no_column_behind(store, pair):
    say(store, keys(pair)[0], "A secret word")
    store.delete(ANN, pair.id)
    store.purge(0)
    store.restore(ANN, pair.id, *keys(pair))
    assert store.search(ANN, "secret") == ()
    for key in (pair.id, *keys(pair)):
        with pytest.raises(StoreError):
            store.chat(ANN, key)


def test_a_column_is_found_with_its_comparison(store, pair):
    say(store, keys(pair)[1], "Unheard-of", "Quite so")
    (place,) = store.search(ANN, "quite")
    assert place.chat.id == keys(pair)[1]
    assert place.chat.comparison == pair.id


def test_a_column_added_like_another_begins_with_its_branch(store, comparisons, pair):
    say(store, keys(pair)[0], "Well?", "Well.")
    made = comparisons.add(ANN, pair.id, Wish("three", like=keys(pair)[0]))
    copied = store.chat(ANN, keys(made)[2])[1]
    assert [m.content for m in copied] == ["Well?", "Well."]
    # A copy of its own.
    say(store, keys(made)[2], "And now?")
    assert len(store.chat(ANN, keys(pair)[0])[1]) == 2


@pytest.mark.parametrize("count", [0, 1, MOST + 1])
def test_there_are_two_to_four_columns(comparisons, count):
    with pytest.raises(StoreError) as caught:
        comparisons.begin(ANN, [Wish("one")] * count)
    assert caught.value.code == "bad_columns"


def test_a_fifth_column_and_the_last_but_one_are_refused(comparisons, pair):
    with pytest.raises(StoreError):
        comparisons.remove(ANN, pair.id, keys(pair)[0])
    comparisons.add(ANN, pair.id, Wish("one"))
    full = comparisons.add(ANN, pair.id, Wish("one"))
    assert len(keys(full)) == MOST
    with pytest.raises(StoreError):
        comparisons.add(ANN, pair.id, Wish("one"))


def test_a_removed_column_comes_back_to_its_place(store, comparisons, pair):
    three = comparisons.add(ANN, pair.id, Wish("three"))
    gone = columns(three)[1]
    say(store, gone.chat)
    left = comparisons.remove(ANN, pair.id, gone.chat)
    assert keys(left) == [keys(three)[0], keys(three)[2]]
    with pytest.raises(StoreError):
        store.chat(ANN, gone.chat)
    back = comparisons.put_back(ANN, pair.id, gone, 1)
    assert keys(back) == keys(three)
    assert len(store.chat(ANN, gone.chat)[1]) == 2
    assert keys(comparisons.put_back(ANN, pair.id, gone, 1)) == keys(three)


def test_no_chat_of_another_comparison_is_put_in(comparisons, pair):
    other = comparisons.begin(ANN, [Wish("one"), Wish("two")])
    with pytest.raises(StoreError):
        comparisons.put_back(ANN, pair.id, columns(other)[0], 0)


def test_changes_touch_only_columns_that_are_there(comparisons, pair):
    one, two = columns(pair)
    made = comparisons.change(
        ANN, pair.id, [Column(two.chat, "other", {"seed": 2}, hidden=True), Column("nobody's", "x")]
    )
    assert [(c.chat, c.model) for c in columns(made)] == [(two.chat, "other"), (one.chat, "one")]
    assert columns(made)[0].hidden


def test_a_comparison_is_its_owners(comparisons, pair):
    for deed in (
        lambda: comparisons.get(BOB, pair.id),
        lambda: comparisons.add(BOB, pair.id, Wish("one")),
        lambda: comparisons.change(BOB, pair.id, []),
        lambda: comparisons.begin(BOB, [Wish("one", like=keys(pair)[0]), Wish("two")]),
    ):
        with pytest.raises(StoreError):
            deed()


def test_a_blind_comparison_names_nobody_until_it_is_revealed(store, comparisons):
    made = comparisons.blind(ANN, ("left", "right"))
    assert [(c.model, c.side) for c in columns(made)] == [("", "left"), ("", "right")]
    # Nor can a page put a name there.
    changed = comparisons.change(ANN, made.id, [Column(keys(made)[0], "guess")])
    assert columns(changed)[0].side == "left"
    shown = comparisons.reveal(ANN, made.id, {"left": "one", "right": "two"})
    assert [(c.model, c.side) for c in columns(shown)] == [("one", None), ("two", None)]
