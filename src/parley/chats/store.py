"""Every conversation, kept: written before a word of it is shown, and at every step after that.

One object for the whole program, for any number of threads; other processes may use the same
folder. Each person's chats are kept under an owner (see ``owner_of``), and to everybody else they
do not exist: whoever writes into a chat has first read it as its owner. No SQL leaves this room.
Knows nothing of engines or pages.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from parley.chats.database import Database
from parley.chats.records import Chat, ChatMessage, title_of
from parley.errors import StoreError
from parley.events import Failed

FILE = "chats.db"
RENAME_LENGTH = 200

EndState = Literal["done", "stopped", "failed"]

# What may still be written to: an answer under way, or one that a second Parley in the same folder
# took for abandoned when it started. Any other end is final: a stopped answer does not grow back.
_UNDER_WAY = "(state = 'streaming' OR finish_reason = 'interrupted')"


class Store:
    """Chats and messages in one folder. Every method may raise StoreError and nothing else."""

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder / FILE)

    def close(self) -> None:
        self._database.close()

    # Chats

    def create_chat(self, owner: str, model: str | None) -> Chat:
        """An empty chat without a title; the first message gives it one."""
        now = time.time()
        chat = Chat(_new_id(), owner, "", now, now, model, None)
        with self._database.write() as db:
            db.execute(
                "INSERT INTO chats (id, owner, created, updated, model) VALUES (?, ?, ?, ?, ?)",
                (chat.id, owner, now, now, model),
            )
        return chat

    def chats(self, owner: str, limit: int = 200) -> tuple[Chat, ...]:
        """This person's chats without their messages, the last one written to first."""
        with self._database.read() as db:
            rows = db.execute(
                "SELECT * FROM chats WHERE owner = ? ORDER BY updated DESC, seq DESC LIMIT ?",
                (owner, limit),
            ).fetchall()
        return tuple(_chat(row) for row in rows)

    def chat(self, owner: str, id: str) -> tuple[Chat, tuple[ChatMessage, ...]]:
        """A chat and its whole tree in the order of writing. Raises StoreError("no_such_chat")
        where this person has none of that id."""
        with self._database.read() as db:
            row = db.execute(
                "SELECT * FROM chats WHERE id = ? AND owner = ?", (id, owner)
            ).fetchone()
            if row is None:
                raise _no_such_chat()
            messages = db.execute(
                "SELECT * FROM messages WHERE chat = ? ORDER BY seq", (id,)
            ).fetchall()
        return _chat(row), tuple(_message(message) for message in messages)

    def rename(self, owner: str, id: str, title: str) -> None:
        """A blank title is no wish for a nameless chat: the old one stays."""
        title = " ".join(_storable(title).split())[:RENAME_LENGTH]
        with self._database.write() as db:
            changed = db.execute(
                "UPDATE chats SET title = coalesce(nullif(?, ''), title)"
                " WHERE id = ? AND owner = ?",
                (title, id, owner),
            ).rowcount
            if not changed:
                raise _no_such_chat()

    def set_leaf(self, owner: str, id: str, message: str) -> None:
        """What the reader looks at the bottom of; turning pages does not reorder the list."""
        with self._database.write() as db:
            _require_message(db, id, message)
            changed = db.execute(
                "UPDATE chats SET leaf = ? WHERE id = ? AND owner = ?", (message, id, owner)
            ).rowcount
            if not changed:
                raise _no_such_chat()

    def delete(self, owner: str, id: str) -> None:
        """The chat and all its messages. One that is not there is already deleted."""
        with self._database.write() as db:
            db.execute("DELETE FROM chats WHERE id = ? AND owner = ?", (id, owner))

    # Messages

    def add_user(self, chat: str, parent: str | None, text: str) -> ChatMessage:
        """What the person wrote, below ``parent``; it becomes the chat's leaf."""
        message = ChatMessage(_new_id(), parent, "user", _storable(text), created=time.time())
        with self._database.write() as db:
            _insert(db, chat, message)
            db.execute(
                "UPDATE chats SET title = ? WHERE id = ? AND title = ''",
                (title_of(message.content), chat),
            )
        return message

    def begin_answer(
        self,
        chat: str,
        parent: str,
        model: str,
        model_name: str,
        meta: Mapping[str, Any] | None = None,
    ) -> ChatMessage:
        """An empty answer in state "streaming"; it becomes the chat's leaf, its model the chat's
        model. Its id is the handle for ``flush_answer`` and ``end_answer``."""
        message = ChatMessage(
            _new_id(),
            parent,
            "assistant",
            "",
            model=model,
            model_name=model_name,
            state="streaming",
            meta=dict(meta or {}),
            created=time.time(),
        )
        with self._database.write() as db:
            _insert(db, chat, message)
            db.execute("UPDATE chats SET model = ? WHERE id = ?", (model, chat))
        return message

    def flush_answer(self, id: str, content: str, thinking: str = "") -> None:
        """The text so far. Without effect once the answer has ended or its chat is deleted."""
        with self._database.write() as db:
            db.execute(
                "UPDATE messages SET content = ?, thinking = ?, state = 'streaming',"
                f" finish_reason = NULL WHERE id = ? AND {_UNDER_WAY}",
                (_storable(content), _storable(thinking), id),
            )

    def end_answer(
        self,
        id: str,
        state: EndState,
        content: str,
        thinking: str = "",
        reason: str | None = None,
        meta: Mapping[str, Any] | None = None,
        error: Failed | None = None,
    ) -> None:
        """The whole text and how it ended; ``meta`` is added to what ``begin_answer`` was given.
        The first end stands: a later one, or one whose chat is deleted, is without effect."""
        with self._database.write() as db:
            row = db.execute(
                f"SELECT chat, meta FROM messages WHERE id = ? AND {_UNDER_WAY}", (id,)
            ).fetchone()
            if row is None:
                return
            db.execute(
                "UPDATE messages SET state = ?, content = ?, thinking = ?, finish_reason = ?,"
                " meta = ?, error_code = ?, error_sentence = ?, error_fix = ? WHERE id = ?",
                (
                    state,
                    _storable(content),
                    _storable(thinking),
                    reason,
                    _json({**json.loads(row["meta"]), **(meta or {})}),
                    *((error.code, error.sentence, error.fix) if error else (None, None, None)),
                    id,
                ),
            )
            db.execute("UPDATE chats SET updated = ? WHERE id = ?", (time.time(), row["chat"]))

    def recover(self) -> int:
        """To be called when the program starts: answers that the last run left unfinished become
        stopped, with reason "interrupted". Returns how many."""
        with self._database.write() as db:
            return db.execute(
                "UPDATE messages SET state = 'stopped', finish_reason = 'interrupted'"
                " WHERE state = 'streaming'"
            ).rowcount


def _insert(db: sqlite3.Connection, chat: str, message: ChatMessage) -> None:
    """Add a message as the leaf of its chat."""
    if message.parent is not None:
        _require_message(db, chat, message.parent)
    changed = db.execute(
        "UPDATE chats SET leaf = ?, updated = ? WHERE id = ?", (message.id, message.created, chat)
    ).rowcount
    if not changed:
        raise _no_such_chat()
    db.execute(
        "INSERT INTO messages (id, chat, parent, role, content, model, model_name, state, meta,"
        " created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            message.id,
            chat,
            message.parent,
            message.role,
            message.content,
            message.model,
            message.model_name,
            message.state,
            _json(message.meta),
            message.created,
        ),
    )


def _require_message(db: sqlite3.Connection, chat: str, id: str) -> None:
    if not db.execute("SELECT 1 FROM messages WHERE id = ? AND chat = ?", (id, chat)).fetchone():
        raise StoreError(
            "no_such_message",
            "The message this belongs to is no longer there.",
            "Open the conversation again and repeat it.",
        )


def _no_such_chat() -> StoreError:
    return StoreError(
        "no_such_chat",
        "This conversation is no longer there.",
        "Begin a new one, or open another from the list.",
    )


def _chat(row: sqlite3.Row) -> Chat:
    values = dict(row)
    del values["seq"]
    return Chat(**values)


def _message(row: sqlite3.Row) -> ChatMessage:
    values = dict(row)
    del values["seq"], values["chat"]
    code, sentence, fix = (values.pop(f"error_{part}") for part in ("code", "sentence", "fix"))
    values["meta"] = json.loads(values["meta"])
    return ChatMessage(**values, error=Failed(code, sentence, fix) if code else None)


def _new_id() -> str:
    return uuid.uuid4().hex


def _storable(text: str) -> str:
    """Half a surrogate pair, which a browser may send, has no place in UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _json(meta: Mapping[str, Any]) -> str:
    return json.dumps(meta, separators=(",", ":"))
