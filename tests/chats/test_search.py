"""Searching: what is found, in what order, by whom, and that nothing a person types breaks it."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.chats.search import SNIPPET_WORDS
from parley.chats.store import FILE, Store
from tests.chats.talking import ANN, BOB, answered, branched, index_is_whole, turn


def places(found):
    return [(f.chat.id, f.message) for f in found]


def text(found):
    return "".join(part for part, _ in found.snippet)


def matches(found):
    return [part for part, is_match in found.snippet if is_match]


def test_titles_come_first_then_the_best_messages(store):
    chat, question, answer = turn(store, "Hello there", "The parrot, a parrot among parrots.")
    other, _, talk = turn(store, "Good day", "x " * 50 + "and somewhere a parrot " + "y " * 50)
    named, *_ = turn(store, "Anything", "at all")
    store.rename(ANN, named.id, "My parrot")
    assert places(store.search(ANN, "parrot")) == [
        (named.id, None),
        (chat.id, answer.id),
        (other.id, talk.id),
    ]
    assert places(store.search(ANN, "parrot", limit=2)) == [(named.id, None), (chat.id, answer.id)]
    assert places(store.search(ANN, "parrot", limit=1)) == [(named.id, None)]
    assert places(store.search(ANN, "hello")) == [(chat.id, None), (chat.id, question.id)]


def test_what_is_found_says_where(store):
    words = [f"word{n}" for n in range(100)]
    chat, _, answer = turn(
        store, "Question", " ".join([*words, "a <b>Parrot</b>\n\tspeaks", *words])
    )
    (found,) = store.search(ANN, "parrot speak")
    assert (found.chat, found.message) == (store.chat(ANN, chat.id)[0], answer.id)
    assert matches(found) == ["Parrot", "speaks"]
    assert "<b>Parrot</b> speaks word0" in text(found)
    assert text(found).startswith("…")
    assert text(found).endswith("…")
    assert len(text(found).split()) <= SNIPPET_WORDS + 2
    store.rename(ANN, chat.id, "The Parrot of a long title that is shown as a whole, however long")
    title = store.search(ANN, "parrot")[0]
    assert text(title) == "The Parrot of a long title that is shown as a whole, however long"
    assert matches(title) == ["Parrot"]


def test_marks_in_a_text_are_text(store):
    turn(store, "Question", "\x02abc\x03 [b]parrot[/b] \x02\x03 **")
    (found,) = store.search(ANN, "parrot")
    assert text(found) == "\x02abc\x03 [b]parrot[/b] \x02\x03 **"
    assert matches(found) == ["parrot"]


@pytest.mark.parametrize(
    ("query", "hit"),
    [
        ("crepe", True),  # without its accents
        ("CRÊPE", True),
        ("crêp", True),  # the last word unfinished
        ("crêp sucre", False),  # another word unfinished
        ("sucre crêp", True),  # in any order
        ("sucre sel", False),  # all words are needed
        ("au-sucre", True),  # two words that stand together
        ("sucre-au", False),
        ("  crêpe \t\n ", True),
        ("crêpe !!! 🙂", True),  # what is no word is no condition
        ("naïve", False),
        ("模型", True),
        ("модел", True),
    ],
)
def test_words(store, query, hit):
    turn(store, "Question", "Une crêpe au sucre. 模型 МОДЕЛЬ")
    assert bool(store.search(ANN, query)) is hit


ODD = [
    *("", " ", '"', '""', '"a', 'a"', "'", "*", "a*", "*a", "(", ")", "(a", "a)", "^a", "a^"),
    *("AND", "OR", "NOT", "NEAR", "a AND", "AND a", "NOT a", "NEAR(a b)", "NEAR(a, b)"),
    *("owner:a", "content : a", "{owner} : a", "-a", "+a", "a + b", "a:b", ":", "{", "}"),
    *(
        "!!!",
        "...",
        "🙂",
        "👩‍👩‍👧",
        "\u0301",
        "\u200b",
        "\ue000",
        "a\0b",
        "\0",
        "\ud83d",
        "\ud83da",
    ),
    *("'; DROP TABLE chats; --", "%", "_", "\\", "x" * 100_000, "a " * 100_000, "a.b" * 10_000),
    *('"' * 5000, "(" * 5000, "½", "²", "٣", "ﬀ", "ß"),
]


@pytest.mark.parametrize("query", ODD, ids=lambda query: ascii(query[:20]))
def test_anything_can_be_typed(store, query):
    turn(store, "What", "no such thing")
    assert isinstance(store.search(ANN, query), tuple)
    if not any(character.isalnum() for character in query):
        assert store.search(ANN, query) == ()
    store.chats(ANN)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=6))
def test_any_text_is_searched_for_any_text(written, queries):
    store = Store.temporary()
    turn(store, written, written)
    for query in (written, *queries, f'{written}"', f"{written} AND"):
        for found in store.search(ANN, query):
            assert matches(found)
    store.close()


def test_operators_are_words(store):
    turn(store, "Question", "this or that")
    assert store.search(ANN, "this OR other") == ()
    assert store.search(ANN, "this NOT that") == ()
    assert len(store.search(ANN, "that OR this")) == 1


def test_everybody_finds_their_own(store):
    mine, *_ = turn(store, "My parrot", "speaks")
    turn(store, "His parrot", "is silent", BOB)
    assert {f.chat.id for f in store.search(ANN, "parrot")} == {mine.id}
    assert store.search(ANN, "silent") == ()
    assert store.search(ANN, f"owner : {BOB}") == store.search(ANN, BOB) == ()
    assert store.search("", "parrot") == store.search('a" OR "b', "parrot") == ()


def test_all_branches_are_searched(store):
    tree = branched(store)
    assert places(store.search(ANN, "text")) == [(tree.id, tree.ids["a2"])]


def test_an_answer_is_found_once_it_has_ended(store):
    chat = store.create_chat(ANN, "guide")
    question = store.add_user(chat.id, None, "Hello")
    answer = store.begin_answer(chat.id, question.id, "guide", "The Guide")
    store.flush_answer(answer.id, "A parrot")
    assert store.search(ANN, "parrot") == ()
    store.end_answer(answer.id, "stopped", "A parrot sp", reason="cancelled")
    assert places(store.search(ANN, "parrot sp")) == [(chat.id, answer.id)]


def test_a_title_is_found_by_what_it_is_now(store):
    chat, *_ = turn(store, "Hello", "there")
    store.rename(ANN, chat.id, "Parrots")
    assert places(store.search(ANN, "parrots")) == [(chat.id, None)]
    assert None not in [f.message for f in store.search(ANN, "hello")]


def test_the_index_holds_what_the_chats_hold(store, folder):
    for _ in range(3):
        tree = branched(store)
        chat, _, answer = turn(store, "a\0b \ud83d 𝄞", "x\0y")
        store.edit_answer(ANN, chat.id, answer.id, "edited")
        store.delete_message(ANN, tree.id, tree.ids["q2"])
        cut = answered(store, tree.id, tree.ids["q1"], "cut", reason="length")
        store.reopen_answer(cut.id)
        store.begin_answer(tree.id, tree.ids["q1"], "guide", "The Guide")
        store.adopt(BOB, store.share(ANN, chat.id))
        store.rename(ANN, tree.id, "other")
    assert index_is_whole(folder)
    store.recover()
    store.delete(ANN, tree.id)
    store.purge(0)
    assert index_is_whole(folder)
    store.wipe(BOB)
    assert index_is_whole(folder)


def test_the_check_of_the_index_can_fail(store, folder):
    turn(store, "Hello", "there")
    with sqlite3.connect(folder / FILE) as direct:
        direct.execute("DROP TRIGGER message_words_new")
    direct.close()
    turn(store, "Hello", "there")
    assert not index_is_whole(folder)
