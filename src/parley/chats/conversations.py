"""Chats as their owner keeps them: listed, named, pinned, deleted and taken back.

Functions of a connection inside a transaction, which ``store.py`` opens. What is deleted stays in
the file, marked with the time, until it is purged. Knows nothing of messages beyond whose they are.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any

from parley.chats import rows
from parley.chats.records import RENAME_LENGTH, Chat, storable
from parley.chats.rows import CHAT, no_such_chat, require_chat, require_message

_MINE = "id = ? AND owner = ? AND deleted IS NULL"


def create(
    db: sqlite3.Connection,
    owner: str,
    model: str | None,
    comparison: str | None = None,
    columns: tuple[Mapping[str, Any], ...] | None = None,
) -> Chat:
    now = time.time()
    id = rows.new_id()
    chat = Chat(id, owner, "", now, now, model, None, comparison=comparison, columns=columns)
    rows.insert_chat(db, chat)
    return chat


def set_columns(
    db: sqlite3.Connection, owner: str, id: str, columns: Sequence[Mapping[str, Any]]
) -> None:
    changed = db.execute(
        f"UPDATE chats SET columns = ? WHERE {_MINE} AND columns IS NOT NULL",
        (rows.as_json(columns), id, owner),
    ).rowcount
    if not changed:
        raise no_such_chat()


def touch_comparison(db: sqlite3.Connection, column: str, title: str, now: float) -> None:
    """The comparison that this chat is a column of was written in; nothing for other chats."""
    db.execute(
        "UPDATE chats SET updated = ?, title = coalesce(nullif(title, ''), ?)"
        " WHERE id = (SELECT comparison FROM chats WHERE id = ?)",
        (now, title, column),
    )


def listed(db: sqlite3.Connection, owner: str, limit: int) -> tuple[Chat, ...]:
    found = db.execute(
        f"SELECT {CHAT} FROM chats WHERE owner = ? AND deleted IS NULL AND comparison IS NULL"
        " ORDER BY pinned DESC, updated DESC, seq DESC LIMIT ?",
        (owner, limit),
    )
    return tuple(rows.chat_of(row) for row in found)


def rename(db: sqlite3.Connection, owner: str, id: str, title: str) -> None:
    title = " ".join(storable(title).split())[:RENAME_LENGTH]
    changed = db.execute(
        f"UPDATE chats SET title = coalesce(nullif(?, ''), title) WHERE {_MINE}",
        (title, id, owner),
    ).rowcount
    if not changed:
        raise no_such_chat()


def set_leaf(db: sqlite3.Connection, owner: str, id: str, message: str) -> None:
    require_chat(db, owner, id)
    require_message(db, id, message)
    db.execute("UPDATE chats SET leaf = ? WHERE id = ?", (message, id))


def pin(db: sqlite3.Connection, owner: str, id: str, pinned: bool) -> None:
    changed = db.execute(
        f"UPDATE chats SET pinned = ? WHERE {_MINE}", (bool(pinned), id, owner)
    ).rowcount
    if not changed:
        raise no_such_chat()


def delete(db: sqlite3.Connection, owner: str, ids: Sequence[str]) -> None:
    """A comparison with its columns."""
    now = time.time()
    db.executemany(
        "UPDATE chats SET deleted = ?"
        " WHERE (id = ? OR comparison = ?) AND owner = ? AND deleted IS NULL",
        [(now, id, id, owner) for id in ids],
    )


def restore(db: sqlite3.Connection, owner: str, ids: Sequence[str]) -> None:
    db.executemany(
        "UPDATE chats SET deleted = NULL WHERE (id = ? OR comparison = ?) AND owner = ?",
        [(id, id, owner) for id in ids],
    )


def purge(db: sqlite3.Connection, older_than_seconds: float) -> int:
    """What was deleted that long ago goes. Returns how many chats and messages."""
    before = time.time() - older_than_seconds
    # Parted from each other first, as in the trigger that does the same for a chat.
    db.execute("UPDATE messages SET parent = NULL WHERE deleted <= ?", (before,))
    gone = db.execute("DELETE FROM messages WHERE deleted <= ?", (before,)).rowcount
    gone += db.execute("DELETE FROM chats WHERE deleted <= ?", (before,)).rowcount
    if gone:
        _forget_words(db)
    return gone


def wipe(db: sqlite3.Connection, owner: str) -> None:
    db.execute("DELETE FROM chats WHERE owner = ?", (owner,))
    db.execute("DELETE FROM shares WHERE owner = ?", (owner,))
    _forget_words(db)


def _forget_words(db: sqlite3.Connection) -> None:
    """The index only notes that a text is gone; its words go when the index is written anew."""
    db.execute("INSERT INTO chat_words (chat_words) VALUES ('optimize')")
    db.execute("INSERT INTO message_words (message_words) VALUES ('optimize')")
