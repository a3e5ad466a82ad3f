"""Conversations that are open to everybody with their link: snapshots that nothing changes.

Functions of a connection inside a transaction, which ``store.py`` opens. The id is the only key to
a snapshot. It outlives its chat; only ``unshare`` and ``wipe`` end it.
"""

from __future__ import annotations

import secrets
import sqlite3
import time

from parley.chats import copies, rows
from parley.chats.formats import chat_json
from parley.chats.records import Chat, ChatMessage, Share
from parley.errors import StoreError

ID_BYTES = 24


def share(db: sqlite3.Connection, owner: str, chat: str) -> str:
    original = rows.require_chat(db, owner, chat)
    shown, branch = copies.public(original, rows.messages_of(db, chat))
    if not branch:
        raise StoreError(
            "nothing_to_share", "This conversation is still empty.", "Say something first."
        )
    snapshot = chat_json.to_json([(shown, branch)])
    # The same again is the same link: else taking one back would leave another open.
    same = db.execute(
        "SELECT id FROM shares WHERE owner = ? AND chat = ? AND snapshot = ?",
        (owner, chat, snapshot),
    ).fetchone()
    if same:
        return str(same["id"])
    id = secrets.token_urlsafe(ID_BYTES)
    db.execute(
        "INSERT INTO shares (id, owner, chat, title, snapshot, created) VALUES (?, ?, ?, ?, ?, ?)",
        (id, owner, chat, original.title, snapshot, time.time()),
    )
    return id


def shared(db: sqlite3.Connection, id: str) -> tuple[Chat, tuple[ChatMessage, ...]]:
    row = db.execute("SELECT snapshot FROM shares WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise StoreError(
            "no_such_share",
            "Nothing is shared under this link, or it has been taken back.",
            "Ask whoever gave it to you for a new one.",
        )
    ((chat, messages),) = chat_json.from_json(row["snapshot"])
    return chat, messages


def listed(db: sqlite3.Connection, owner: str) -> tuple[Share, ...]:
    found = db.execute(
        "SELECT id, chat, title, created FROM shares WHERE owner = ? ORDER BY created DESC",
        (owner,),
    )
    return tuple(Share(**dict(row)) for row in found)


def unshare(db: sqlite3.Connection, owner: str, id: str) -> None:
    db.execute("DELETE FROM shares WHERE id = ? AND owner = ?", (id, owner))


def adopt(db: sqlite3.Connection, owner: str, id: str) -> Chat:
    chat, messages = shared(db, id)
    return copies.insert(db, owner, chat, messages)
