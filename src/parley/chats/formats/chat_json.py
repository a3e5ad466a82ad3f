"""Parley's own format, which loses nothing: docs/chat-json.md describes it.

A chat is a list of messages that name their parents, so that neither a long conversation nor one
with many branches is nested deep. Knows nothing of what else can be imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, cast, get_args

from parley.chats.formats import values
from parley.chats.records import Chat, ChatMessage, MessageRole, MessageState, storable
from parley.events import Failed

FORMAT = "parley.chats"
VERSION = 1

Conversation = tuple[Chat, Sequence[ChatMessage]]

_CHAT = ("title", "created", "updated", "model", "pinned", "leaf")
_MESSAGE = (
    *("id", "parent", "role", "content", "thinking", "model", "model_name", "state"),
    *("finish_reason", "error", "meta", "feedback", "created"),
)


def to_json(chats: Iterable[Conversation]) -> str:
    """Any number of chats, each with its whole tree. Their owner and their ids stay out of it."""
    value = {"format": FORMAT, "version": VERSION, "chats": [_chat(c, m) for c, m in chats]}
    return storable(json.dumps(value, ensure_ascii=False, indent=1))


def from_json(text: str) -> tuple[tuple[Chat, tuple[ChatMessage, ...]], ...]:
    """What ``to_json`` wrote. Raises StoreError("bad_import")."""
    return from_value(json.loads(text))


def from_value(value: dict[str, Any]) -> tuple[tuple[Chat, tuple[ChatMessage, ...]], ...]:
    """The chats of a file that has been read as JSON: checked throughout, without id and owner, 0
    for a time that is not given. An answer that was being written has been interrupted. Raises
    StoreError("bad_import") that names the place."""
    if value.get("format") != FORMAT:
        raise values.wrong("format", value.get("format"), f"'{FORMAT}'")
    version = value.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version > VERSION:
        raise values.bad(
            f"The file has version {version:.6g}, which is newer than this Parley.",
            "Update Parley.",
        )
    if version != VERSION or isinstance(version, bool):
        raise values.wrong("version", version, str(VERSION))
    chats = values.a_list(value.get("chats"), "chats")
    return tuple(_read_chat(chat, f"chats[{n}]") for n, chat in enumerate(chats))


def _chat(chat: Chat, messages: Sequence[ChatMessage]) -> dict[str, Any]:
    return {name: getattr(chat, name) for name in _CHAT} | {
        "messages": [_message(message) for message in messages]
    }


def _message(message: ChatMessage) -> dict[str, Any]:
    kept = {name: getattr(message, name) for name in _MESSAGE}
    return kept | {"error": asdict(message.error) if message.error else None}


def _read_chat(value: object, where: str) -> tuple[Chat, tuple[ChatMessage, ...]]:
    found = values.an_object(value, where)
    messages: list[ChatMessage] = []
    known: set[str] = set()
    for n, item in enumerate(values.a_list(found.get("messages"), f"{where}.messages")):
        message = _read_message(item, f"{where}.messages[{n}]", known)
        known.add(message.id)
        messages.append(message)
    leaf = values.text_or_none(found.get("leaf"), f"{where}.leaf")
    if leaf is not None and leaf not in known:
        raise values.wrong(f"{where}.leaf", leaf, "the id of one of its messages")
    if leaf is None and messages:
        leaf = messages[-1].id
    chat = Chat(
        id="",
        owner="",
        title=values.text_or_none(found.get("title"), f"{where}.title") or "",
        created=values.seconds(found.get("created"), f"{where}.created"),
        updated=values.seconds(found.get("updated"), f"{where}.updated"),
        model=values.text_or_none(found.get("model"), f"{where}.model"),
        leaf=leaf,
        pinned=found.get("pinned") is True,
    )
    return chat, tuple(messages)


def _read_message(value: object, where: str, known: set[str]) -> ChatMessage:
    found = values.an_object(value, where)

    def text(name: str) -> str | None:
        return values.text_or_none(found.get(name), f"{where}.{name}")

    id = values.text(found.get("id"), f"{where}.id")
    if id in known:
        raise values.wrong(f"{where}.id", id, "an id of its own")
    parent = text("parent")
    if parent is not None and parent not in known:
        raise values.wrong(f"{where}.parent", parent, "the id of a message that stands before it")
    state = values.one_of(text("state") or "done", f"{where}.state", get_args(MessageState))
    reason = text("finish_reason")
    if state == "streaming":
        state, reason = "stopped", "interrupted"
    return ChatMessage(
        id=id,
        parent=parent,
        role=cast(
            MessageRole, values.one_of(found.get("role"), f"{where}.role", get_args(MessageRole))
        ),
        content=values.text(found.get("content"), f"{where}.content"),
        thinking=text("thinking") or "",
        model=text("model"),
        model_name=text("model_name"),
        state=cast(MessageState, state),
        finish_reason=reason,
        error=_read_error(found.get("error"), f"{where}.error"),
        meta=values.anything(found.get("meta"), f"{where}.meta"),
        created=values.seconds(found.get("created"), f"{where}.created"),
        feedback=_read_feedback(found.get("feedback"), f"{where}.feedback"),
    )


def _read_error(value: object, where: str) -> Failed | None:
    if value is None:
        return None
    found = values.an_object(value, where)
    code, sentence, fix = (
        values.text(found.get(name), f"{where}.{name}") for name in ("code", "sentence", "fix")
    )
    return Failed(code, sentence, fix)


def _read_feedback(value: object, where: str) -> dict[str, Any] | None:
    if value is None:
        return None
    found = values.an_object(value, where)
    liked = found.get("value", 0)
    if liked not in (-1, 0, 1):
        raise values.wrong(f"{where}.value", liked, "1, -1 or 0")
    reasons = values.a_list(found.get("reasons", []), f"{where}.reasons")
    return {
        "value": int(liked),
        "reasons": [values.text(r, f"{where}.reasons[{n}]") for n, r in enumerate(reasons)],
        "note": values.text(found.get("note", ""), f"{where}.note"),
    }
