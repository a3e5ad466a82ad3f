"""A chat and its messages as they are read back from the store: frozen, plain values.

Knows nothing of the database, nor of who is allowed to see them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from parley.events import Failed

MessageRole = Literal["user", "assistant"]
MessageState = Literal["streaming", "done", "stopped", "failed"]

TITLE_LENGTH = 60


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message. ``parent`` None is a first message; ``created`` is seconds since the epoch.

    ``finish_reason`` is the engine's own, or "interrupted" where Parley itself ended mid-answer.
    ``error`` is set in state "failed". ``meta`` is what produced the answer and what it cost:
    stats, sampling, seed, revision, dtype, device, notes.
    """

    id: str
    parent: str | None
    role: MessageRole
    content: str
    thinking: str = ""
    model: str | None = None
    model_name: str | None = None
    state: MessageState = "done"
    finish_reason: str | None = None
    error: Failed | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    created: float = 0.0


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation, without its messages. ``model`` wrote its last answer, or will write the
    first; ``leaf`` is the message that its reader sees at the bottom. ``title`` is empty until
    there is a message to take it from."""

    id: str
    owner: str
    title: str
    created: float
    updated: float
    model: str | None
    leaf: str | None


def owner_of(browser_id: str) -> str:
    """The name an anonymous browser's chats are kept under. A hash: whoever reads a copy of the
    database must not be able to come back as one of its people."""
    return hashlib.sha256(browser_id.encode("utf-8", "replace")).hexdigest()


def title_of(text: str) -> str:
    """The start of a first message as a chat's title: one line, whole words."""
    line = " ".join(text.split())
    if len(line) <= TITLE_LENGTH:
        return line
    cut = line[:TITLE_LENGTH]
    whole_words = cut.rpartition(" ")[0]
    return (whole_words or cut[:-1]) + "…"
