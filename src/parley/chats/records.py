"""A chat and its messages as they are read back from the store: frozen, plain values.

Knows nothing of the database, nor of who is allowed to see them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from parley.events import Failed

MessageRole = Literal["user", "assistant"]
MessageState = Literal["streaming", "done", "stopped", "failed"]

TITLE_LENGTH = 60
_FILE = re.compile(r'<(file(?:-\d+)?) name="([^"\n]*)">\n.*?\n</\1>(?:\n\n|\Z)', re.S)
_FILES = re.compile(rf"\A(?:{_FILE.pattern})+", re.S)
RENAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message. ``parent`` None is a first message; ``created`` is seconds since the epoch.

    ``finish_reason`` is the engine's own, or "interrupted" where Parley itself ended mid-answer.
    ``error`` is set in state "failed". ``meta`` is what produced the answer and what it cost:
    stats, sampling, seed, revision, dtype, device, notes; of one that a person has edited, "edited"
    and "edited_of", the id of the original. ``feedback`` is what its reader thought of it: "value"
    (-1 or 1, 0 for neither), "reasons" (a list of texts) and "note"; None where nothing was said.
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
    feedback: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation, without its messages. ``model`` wrote its last answer, or will write the
    first; ``leaf`` is the message that its reader sees at the bottom. ``title`` is empty until
    there is a message to take it from. ``pinned`` keeps it at the top of the list. Times are
    seconds since the epoch.

    A comparison is a chat with ``columns`` and no messages of its own: each of them names a chat in
    which one model answers, and which in turn names the ``comparison`` that it belongs to."""

    id: str
    owner: str
    title: str
    created: float
    updated: float
    model: str | None
    leaf: str | None
    pinned: bool = False
    comparison: str | None = None
    columns: tuple[Mapping[str, Any], ...] | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """Messages that were taken out of a chat, and what it takes to put them back. ``before`` was
    the chat's leaf, ``leaf`` is the one it has now; None is an empty chat."""

    messages: tuple[str, ...]
    before: str | None
    leaf: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """One place that was searched for: in a chat's title where ``message`` is None. ``snippet`` is
    the text around it on one line, cut into (text, whether this is what was searched for)."""

    chat: Chat
    message: str | None
    snippet: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A read-only copy of a conversation, open to everybody who knows its ``id``. ``chat`` is the
    id of the chat it was made of, which may be gone; ``created`` is seconds since the epoch."""

    id: str
    chat: str
    title: str
    created: float


def storable(text: str) -> str:
    """Half a surrogate pair, which a browser may send, has no place in UTF-8."""
    return text.encode("utf-8", "replace").decode()


def owner_of(browser_id: str) -> str:
    """The name an anonymous browser's chats are kept under. A hash: whoever reads a copy of the
    database must not be able to come back as one of its people."""
    return hashlib.sha256(browser_id.encode("utf-8", "replace")).hexdigest()


def title_of(text: str) -> str:
    """The start of a first message as a chat's title: one line, whole words. Files that it begins
    with (see ``ui/assets/attach.js``) are named only where nothing else was said."""
    said = _FILES.sub("", text)
    names = [found[2] for found in _FILE.finditer(text[: len(text) - len(said)])]
    line = " ".join((said if said.strip() or not names else ", ".join(names)).split())
    if len(line) <= TITLE_LENGTH:
        return line
    cut = line[:TITLE_LENGTH]
    whole_words = cut.rpartition(" ")[0]
    return (whole_words or cut[:-1]) + "…"
