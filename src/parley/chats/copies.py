"""Whole conversations put into the store, or a branch taken out of one, under other ids.

What an import and a shared snapshot have in common. Knows nothing of files or formats.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from parley.chats import rows, tree
from parley.chats.records import RENAME_LENGTH, Chat, ChatMessage, title_of


def insert(db: sqlite3.Connection, owner: str, chat: Chat, messages: Sequence[ChatMessage]) -> Chat:
    """The conversation as one of this person's, with new ids. Parents stand before what is below
    them; a time of 0 is not known and becomes now, and a blank title is taken from the text."""
    now = time.time()
    names = {message.id: rows.new_id() for message in messages}
    first = next((message.content for message in messages if message.role == "user"), "")
    made = replace(
        chat,
        id=rows.new_id(),
        owner=owner,
        title=" ".join(chat.title.split())[:RENAME_LENGTH] or title_of(first),
        created=chat.created or now,
        updated=chat.updated or now,
        leaf=None if chat.leaf is None else names[chat.leaf],
    )
    rows.insert_chat(db, made)
    for message in renamed(messages, names):
        rows.insert_message(db, made.id, replace(message, created=message.created or now))
    return made


def branch(db: sqlite3.Connection, owner: str, id: str, comparison: str | None) -> Chat:
    """The branch of this person's chat that is read now, as a chat beside it."""
    chat = rows.require_chat(db, owner, id)
    read = [
        replace(message, state="stopped") if message.state == "streaming" else message
        for message in tree.path(rows.messages_of(db, id), chat.leaf)
    ]
    fresh = replace(
        chat, pinned=False, comparison=comparison, columns=None, created=0.0, updated=0.0
    )
    return insert(db, owner, fresh, read)


def renamed(messages: Sequence[ChatMessage], names: Mapping[str, str]) -> tuple[ChatMessage, ...]:
    """The messages under the ids that ``names`` gives them, wherever they speak of each other."""
    return tuple(
        replace(
            message,
            id=names[message.id],
            parent=None if message.parent is None else names[message.parent],
            meta=_meta(message, names),
        )
        for message in messages
    )


def public(chat: Chat, messages: Sequence[ChatMessage]) -> tuple[Chat, tuple[ChatMessage, ...]]:
    """The branch that is read now, without what was said to nobody but the model or Parley: the
    system prompt and feedback go, and ids become numbers. What was being written has stopped."""
    branch = tree.path(messages, chat.leaf)
    names = {message.id: str(number) for number, message in enumerate(branch, 1)}
    shown = tuple(
        replace(
            message,
            meta={k: v for k, v in message.meta.items() if k != "system_prompt"},
            feedback=None,
            state="stopped" if message.state == "streaming" else message.state,
        )
        for message in renamed(branch, names)
    )
    leaf = shown[-1].id if shown else None
    bare = replace(chat, id="", owner="", leaf=leaf, pinned=False, comparison=None)
    return bare, shown


def _meta(message: ChatMessage, names: Mapping[str, str]) -> dict[str, object]:
    meta = dict(message.meta)
    original = meta.pop("edited_of", None)
    if isinstance(original, str) and original in names:
        meta["edited_of"] = names[original]
    return meta
