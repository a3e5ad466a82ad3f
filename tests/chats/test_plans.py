"""With ten thousand chats nothing that a page asks for goes through all of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from parley.chats.store import FILE, Store
from tests.chats.talking import ANN, BOB, branched

CHATS = 10_000


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A store and its folder; every other chat is Ann's, the others are Bob's."""
    folder = tmp_path_factory.mktemp("full")
    store = Store(folder)
    with closing(sqlite3.connect(folder / FILE)) as direct, direct:
        direct.executemany(
            "INSERT INTO chats (id, owner, title, created, updated) VALUES (?, ?, ?, 1, ?)",
            [(f"c{n}", (ANN, BOB)[n % 2], f"Chat about thing{n}", n) for n in range(CHATS)],
        )
        direct.executemany(
            "INSERT INTO messages (id, chat, role, content, created) VALUES (?, ?, 'user', ?, 1)",
            [(f"m{n}", f"c{n}", f"Tell me about thing{n}") for n in range(CHATS)],
        )
    yield store, folder
    store.close()


def plans(full, action):
    """How SQLite carries out what ``action`` asks of it, step by step."""
    store, folder = full
    tree = branched(store)
    statements: list[str] = []
    with store._database.connection() as connection:
        connection.set_trace_callback(statements.append)
    action(store, tree)
    with store._database.connection() as connection:
        connection.set_trace_callback(None)
    with closing(sqlite3.connect(folder / FILE)) as direct:
        steps = [
            row[3]
            for statement in statements
            if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE"))
            for row in direct.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]
    # What the index looks up in its own tables is its own business.
    return [step for step in steps if "_words_" not in step]


@pytest.mark.parametrize(
    "action",
    [
        lambda store, tree: store.chats(ANN),
        lambda store, tree: store.chat(ANN, tree.id),
        lambda store, tree: store.search(ANN, "thing1"),
        lambda store, tree: store.set_leaf(ANN, tree.id, tree.ids["a1"]),
        lambda store, tree: store.add_user(tree.id, tree.ids["a1"], "text"),
        lambda store, tree: store.delete_message(ANN, tree.id, tree.ids["a1"]),
        lambda store, tree: store.set_feedback(ANN, tree.id, tree.ids["a1"], 1),
        lambda store, tree: store.share(ANN, tree.id),
        lambda store, tree: store.shares(ANN),
        lambda store, tree: store.shared(store.share(ANN, tree.id)),
        lambda store, tree: store.delete(ANN, tree.id),
        lambda store, tree: store.recover(),
        lambda store, tree: store.purge(0),
        lambda store, tree: store.wipe("nobody"),
    ],
    ids=lambda action: action.__code__.co_names[0],
)
def test_nothing_goes_through_everything(full, action):
    steps = plans(full, action)
    assert steps
    for step in steps:
        assert not step.startswith("SCAN") or "VIRTUAL TABLE INDEX" in step, steps
        assert "TEMP B-TREE" not in step, steps


def test_the_list_comes_in_the_order_of_its_index(full):
    steps = plans(full, lambda store, _: store.chats(ANN))
    assert steps == ["SEARCH chats USING INDEX chats_by_owner (owner=?)"]


def test_the_list_and_a_search_are_right_among_ten_thousand(full):
    store, _ = full
    assert len(store.chats(ANN, limit=CHATS)) >= CHATS / 2
    found = store.search(ANN, "thing1234")
    assert [(f.chat.id, f.message) for f in found] == [("c1234", None), ("c1234", "m1234")]
    assert store.search(ANN, "thing1235") == ()
    assert len(store.search(ANN, "thing", limit=50)) == 50
    assert {f.chat.owner for f in store.search(BOB, "about", limit=3 * CHATS)} == {BOB}
