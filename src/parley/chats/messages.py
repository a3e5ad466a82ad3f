"""The messages of a chat: written, answered, edited, judged, taken out and put back.

Functions of a connection inside a transaction, which ``store.py`` opens. Where a message stands in
its tree is asked of ``tree.py``. Knows nothing of engines.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from parley.chats import conversations, rows, tree
from parley.chats.records import ChatMessage, Removed, storable, title_of
from parley.chats.rows import as_json, no_such_chat, require_chat, require_message
from parley.errors import StoreError
from parley.events import Failed

EndState = Literal["done", "stopped", "failed"]

MOST_REASONS = 20
REASON_LENGTH = 100
NOTE_LENGTH = 4000

# What may still be written to: an answer under way, or one that a second Parley in the same folder
# took for abandoned when it started. Any other end is final: a stopped answer does not grow back.
_UNDER_WAY = "(state = 'streaming' OR finish_reason = 'interrupted')"


@dataclass(frozen=True, slots=True)
class _Place:
    id: str
    parent: str | None


def add_user(db: sqlite3.Connection, chat: str, parent: str | None, text: str) -> ChatMessage:
    message = ChatMessage(rows.new_id(), parent, "user", storable(text), created=time.time())
    _add_leaf(db, chat, message)
    title = title_of(message.content)
    db.execute("UPDATE chats SET title = ? WHERE id = ? AND title = ''", (title, chat))
    conversations.touch_comparison(db, chat, title, message.created)
    return message


def begin_answer(
    db: sqlite3.Connection,
    chat: str,
    parent: str,
    model: str,
    model_name: str,
    meta: Mapping[str, Any] | None,
) -> ChatMessage:
    message = ChatMessage(
        rows.new_id(),
        parent,
        "assistant",
        "",
        model=model,
        model_name=model_name,
        state="streaming",
        meta=dict(meta or {}),
        created=time.time(),
    )
    _add_leaf(db, chat, message)
    db.execute("UPDATE chats SET model = ? WHERE id = ?", (model, chat))
    return message


def flush_answer(db: sqlite3.Connection, id: str, content: str, thinking: str) -> None:
    db.execute(
        "UPDATE messages SET content = ?, thinking = ?, state = 'streaming', finish_reason = NULL"
        f" WHERE id = ? AND {_UNDER_WAY}",
        (storable(content), storable(thinking), id),
    )


def end_answer(
    db: sqlite3.Connection,
    id: str,
    state: EndState,
    content: str,
    thinking: str,
    reason: str | None,
    meta: Mapping[str, Any] | None,
    error: Failed | None,
) -> None:
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
            storable(content),
            storable(thinking),
            reason,
            as_json({**json.loads(row["meta"]), **(meta or {})}),
            *((error.code, error.sentence, error.fix) if error else (None, None, None)),
            id,
        ),
    )
    db.execute("UPDATE chats SET updated = ? WHERE id = ?", (time.time(), row["chat"]))


def reopen_answer(db: sqlite3.Connection, id: str) -> ChatMessage:
    row = db.execute(
        "SELECT messages.* FROM messages JOIN chats ON chats.id = messages.chat"
        " WHERE messages.id = ? AND messages.deleted IS NULL AND chats.deleted IS NULL",
        (id,),
    ).fetchone()
    if row is None:
        raise rows.no_such_message()
    if row["state"] != "done" or row["finish_reason"] != "length":
        raise StoreError(
            "not_cut_short",
            "This answer was not cut off by its length, so there is nothing to continue.",
            "Ask for more in a new message, or for another answer with Retry.",
        )
    db.execute("UPDATE messages SET state = 'streaming', finish_reason = NULL WHERE id = ?", (id,))
    return require_message(db, row["chat"], id)


def recover(db: sqlite3.Connection) -> int:
    return db.execute(
        "UPDATE messages SET state = 'stopped', finish_reason = 'interrupted'"
        " WHERE state = 'streaming'"
    ).rowcount


def edit_answer(
    db: sqlite3.Connection, owner: str, chat: str, message: str, content: str
) -> ChatMessage:
    original = _require_answer(db, owner, chat, message)
    content = storable(content)
    if not content.strip():
        raise StoreError(
            "empty_message", "The answer would be empty.", "Write something, or delete the answer."
        )
    edited = ChatMessage(
        rows.new_id(),
        original.parent,
        "assistant",
        content,
        model=original.model,
        model_name=original.model_name,
        meta={"edited": True, "edited_of": original.id},
        created=time.time(),
    )
    _add_leaf(db, chat, edited)
    return edited


def set_feedback(
    db: sqlite3.Connection,
    owner: str,
    chat: str,
    message: str,
    value: int,
    reasons: Sequence[str],
    note: str,
) -> None:
    if value not in (-1, 0, 1):
        raise StoreError(
            "bad_feedback", f"Feedback cannot be {value!r:.40}.", "Give 1, -1, or 0 for neither."
        )
    _require_answer(db, owner, chat, message)
    feedback = {
        "value": int(value),
        "reasons": [storable(reason)[:REASON_LENGTH] for reason in reasons[:MOST_REASONS]],
        "note": storable(note)[:NOTE_LENGTH],
    }
    said = value or feedback["reasons"] or feedback["note"]
    db.execute(
        "UPDATE messages SET feedback = ? WHERE id = ?",
        (as_json(feedback) if said else None, message),
    )


def delete_message(db: sqlite3.Connection, owner: str, chat: str, message: str) -> Removed:
    before = require_chat(db, owner, chat).leaf
    require_message(db, chat, message)
    places = _places(db, chat)
    gone = tuple(place.id for place in tree.subtree(places, message))
    leaf = tree.leaf_without(places, message) if before in gone else before
    now = time.time()
    db.executemany("UPDATE messages SET deleted = ? WHERE id = ?", [(now, id) for id in gone])
    db.execute("UPDATE chats SET leaf = ? WHERE id = ?", (leaf, chat))
    return Removed(gone, before, leaf)


def restore_messages(db: sqlite3.Connection, owner: str, chat: str, removed: Removed) -> None:
    leaf = require_chat(db, owner, chat).leaf
    found = db.execute("SELECT id, parent FROM messages WHERE chat = ?", (chat,))
    parents: dict[str, str | None] = {row["id"]: row["parent"] for row in found}
    back: set[str] = set()
    for id in removed.messages:
        # With all that stands above it, where that was taken out later: what hangs on nothing
        # could not be reached.
        up: str | None = id
        while up is not None and up in parents and up not in back:
            back.add(up)
            up = parents[up]
    db.executemany("UPDATE messages SET deleted = NULL WHERE id = ?", [(id,) for id in back])
    there = [place.id for place in _places(db, chat)]
    # A reader who has gone elsewhere meanwhile stays there.
    if leaf == removed.leaf and removed.before in there:
        leaf = removed.before
    elif leaf is None and there:
        leaf = there[-1]  # nothing hangs below the newest of all
    db.execute("UPDATE chats SET leaf = ? WHERE id = ?", (leaf, chat))


def _places(db: sqlite3.Connection, chat: str) -> tuple[_Place, ...]:
    found = db.execute(
        "SELECT id, parent FROM messages WHERE chat = ? AND deleted IS NULL ORDER BY seq", (chat,)
    )
    return tuple(_Place(row["id"], row["parent"]) for row in found)


def _add_leaf(db: sqlite3.Connection, chat: str, message: ChatMessage) -> None:
    if message.parent is not None:
        require_message(db, chat, message.parent)
    changed = db.execute(
        "UPDATE chats SET leaf = ?, updated = ? WHERE id = ? AND deleted IS NULL",
        (message.id, message.created, chat),
    ).rowcount
    if not changed:
        raise no_such_chat()
    rows.insert_message(db, chat, message)


def _require_answer(db: sqlite3.Connection, owner: str, chat: str, id: str) -> ChatMessage:
    require_chat(db, owner, chat)
    message = require_message(db, chat, id)
    if message.role != "assistant":
        raise StoreError(
            "not_an_answer", "This message is not an answer.", "Choose an answer of a model."
        )
    return message
