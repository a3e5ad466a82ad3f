"""Databases move forward only, whole steps at a time, and one process at a time."""

from __future__ import annotations

import hashlib
import sqlite3

import pytest

from parley.chats.migrations import MIGRATIONS, migrate
from parley.chats.store import FILE, Store
from parley.errors import StoreError

TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"

# One for each step, added when the step is; an old one never changes.
RELEASED = [
    "630fcd11c2efd0b1",
    "1770bfe45fd53c51",
    "631f8bc180cb2c8f",
    "1d85021a6c00fa61",
    "2e7935365b4c1968",
]


@pytest.fixture
def connection(tmp_path):
    connection = sqlite3.connect(tmp_path / "some.db", isolation_level=None)
    yield connection
    connection.close()


def version(connection):
    return connection.execute("PRAGMA user_version").fetchone()[0]


def test_a_new_database_gets_every_step(connection):
    migrate(connection)
    assert version(connection) == len(MIGRATIONS)
    tables = {name for (name,) in connection.execute(TABLES)}
    assert {"chats", "messages", "chat_words", "message_words", "shares"} <= tables


def test_a_second_time_changes_nothing(connection):
    migrate(connection)
    before = connection.total_changes
    migrate(connection)
    assert connection.total_changes == before


def test_only_the_missing_steps_run(connection):
    one = ("CREATE TABLE a (x)",)
    two = ("CREATE TABLE b (x)", "INSERT INTO b VALUES (1)")
    migrate(connection, (one,))
    migrate(connection, (one, two))
    assert version(connection) == 2
    assert connection.execute("SELECT * FROM b").fetchall() == [(1,)]


def test_a_step_that_fails_leaves_the_database_as_it_was(connection):
    one = ("CREATE TABLE a (x)",)
    broken = ("CREATE TABLE b (x)", "INSERT INTO nowhere VALUES (1)")
    migrate(connection, (one,))
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, (one, broken))
    assert version(connection) == 1
    assert [name for (name,) in connection.execute(TABLES)] == ["a"]


def test_chats_of_the_first_version_are_kept_and_found(tmp_path):
    first = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    migrate(first, MIGRATIONS[:1])
    first.execute("BEGIN")
    for n in range(1500):
        first.execute(
            "INSERT INTO chats (id, owner, title, created, updated, leaf)"
            " VALUES (?, 'ann', ?, 1, ?, ?)",
            (f"c{n}", f"Chat number{n}", n, f"m{n}"),
        )
        first.execute(
            "INSERT INTO messages (id, chat, parent, role, content, state, created)"
            " VALUES (?, ?, NULL, 'user', ?, 'done', 1)",
            (f"m{n}", f"c{n}", f"Ünique{n} text of the first version"),
        )
    first.execute(
        "INSERT INTO messages (id, chat, parent, role, content, state, created)"
        " VALUES ('half', 'c7', 'm7', 'assistant', 'unfinished', 'streaming', 1)"
    )
    first.execute("COMMIT")
    first.close()

    store = Store(tmp_path)
    assert [c.id for c in store.chats("ann", limit=2)] == ["c1499", "c1498"]
    chat, messages = store.chat("ann", "c7")
    assert (chat.title, chat.leaf, chat.pinned) == ("Chat number7", "m7", False)
    assert [(m.content, m.feedback) for m in messages] == [
        ("Ünique7 text of the first version", None),
        ("unfinished", None),
    ]
    assert [(f.chat.id, f.message) for f in store.search("ann", "unique7 text")] == [("c7", "m7")]
    first_hit = store.search("ann", "number7")[0]
    assert (first_hit.chat.id, first_hit.message) == ("c7", None)
    assert store.search("ann", "unfinished") == ()
    store.recover()
    assert [f.message for f in store.search("ann", "unfinished")] == ["half"]
    store.close()


def test_a_released_step_is_never_edited():
    """Somebody's chats have been through it: a change is one more step."""
    assert [digest(step) for step in MIGRATIONS] == RELEASED


def digest(step):
    words = " ".join(" ".join(step).split())
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def test_a_database_of_a_newer_parley_is_left_alone(tmp_path):
    Store(tmp_path).close()
    newer = sqlite3.connect(tmp_path / FILE)
    newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    with pytest.raises(StoreError) as caught:
        Store(tmp_path)
    assert caught.value.code == "store_newer"
