"""Chats and messages as rows of the database: how they are written and how they are read back.

For the modules of this room that work inside a transaction which ``store.py`` has opened. Knows
nothing of why a row is written, but that what has been deleted is not there.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from parley.chats.records import Chat, ChatMessage, storable
from parley.errors import StoreError
from parley.events import Failed

CHAT_COLUMNS = (
    *("id", "owner", "title", "created", "updated", "model", "leaf", "pinned", "comparison"),
    "columns",
)
CHAT = ", ".join(f"chats.{name}" for name in CHAT_COLUMNS)
"""A chat in a SELECT, for ``chat_of``."""

_MESSAGE_COLUMNS = (
    *("id", "chat", "parent", "role", "content", "thinking", "model", "model_name", "state"),
    *("finish_reason", "error_code", "error_sentence", "error_fix", "meta", "feedback", "created"),
)


def new_id() -> str:
    return uuid.uuid4().hex


def as_json(value: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    return storable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def insert_chat(db: sqlite3.Connection, chat: Chat) -> None:
    db.execute(
        f"INSERT INTO chats ({', '.join(CHAT_COLUMNS)}) VALUES ({_marks(CHAT_COLUMNS)})",
        (
            *(getattr(chat, name) for name in CHAT_COLUMNS[:-1]),
            None if chat.columns is None else as_json(chat.columns),
        ),
    )


def insert_message(db: sqlite3.Connection, chat: str, message: ChatMessage) -> None:
    """The message and nothing else: neither the chat's leaf nor its time is touched."""
    error = message.error
    values = {
        **{name: getattr(message, name, None) for name in _MESSAGE_COLUMNS},
        "chat": chat,
        "error_code": error and error.code,
        "error_sentence": error and error.sentence,
        "error_fix": error and error.fix,
        "meta": as_json(message.meta),
        "feedback": None if message.feedback is None else as_json(message.feedback),
    }
    db.execute(
        f"INSERT INTO messages ({', '.join(_MESSAGE_COLUMNS)}) VALUES ({_marks(_MESSAGE_COLUMNS)})",
        tuple(values[name] for name in _MESSAGE_COLUMNS),
    )


def chat_of(row: sqlite3.Row) -> Chat:
    values = {name: row[name] for name in CHAT_COLUMNS}
    columns = None if row["columns"] is None else tuple(json.loads(row["columns"]))
    return Chat(**values | {"pinned": bool(row["pinned"]), "columns": columns})


def message_of(row: sqlite3.Row) -> ChatMessage:
    values = {name: row[name] for name in _MESSAGE_COLUMNS if name != "chat"}
    code, sentence, fix = (values.pop(f"error_{part}") for part in ("code", "sentence", "fix"))
    values["meta"] = json.loads(values["meta"])
    values["feedback"] = values["feedback"] and json.loads(values["feedback"])
    return ChatMessage(**values, error=Failed(code, sentence, fix) if code else None)


def require_chat(db: sqlite3.Connection, owner: str, id: str) -> Chat:
    """This person's chat. Raises StoreError("no_such_chat")."""
    row = db.execute(
        f"SELECT {CHAT} FROM chats WHERE id = ? AND owner = ? AND deleted IS NULL", (id, owner)
    ).fetchone()
    if row is None:
        raise no_such_chat()
    return chat_of(row)


def require_message(db: sqlite3.Connection, chat: str, id: str) -> ChatMessage:
    """A message of this chat. Raises StoreError("no_such_message")."""
    row = db.execute(
        "SELECT * FROM messages WHERE id = ? AND chat = ? AND deleted IS NULL", (id, chat)
    ).fetchone()
    if row is None:
        raise no_such_message()
    return message_of(row)


def messages_of(db: sqlite3.Connection, chat: str) -> tuple[ChatMessage, ...]:
    """The chat's whole tree in the order of writing."""
    rows = db.execute(
        "SELECT * FROM messages WHERE chat = ? AND deleted IS NULL ORDER BY seq", (chat,)
    )
    return tuple(message_of(row) for row in rows)


def no_such_chat() -> StoreError:
    return StoreError(
        "no_such_chat",
        "This conversation is no longer there.",
        "Begin a new one, or open another from the list.",
    )


def no_such_message() -> StoreError:
    return StoreError(
        "no_such_message",
        "The message this belongs to is no longer there.",
        "Open the conversation again and repeat it.",
    )


def _marks(columns: tuple[str, ...]) -> str:
    return ", ".join("?" * len(columns))
