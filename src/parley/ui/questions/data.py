"""What a person asks about all that is theirs: take it along, bring some in, share, forget.

Plain data in and out. Knows Gradio not at all, and nothing of how chats are kept.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from parley.arena.compare import columns
from parley.arena.votes import VoteBox
from parley.chats import formats
from parley.chats.records import Chat, ChatMessage
from parley.errors import StoreError
from parley.playground import Playground
from parley.ui import markdown, views
from parley.ui.file_names import file_name
from parley.ui.questions.asked import Payload, Question, owner, text
from parley.ui.questions.history import ids

Conversation = tuple[Chat, Sequence[ChatMessage]]

KINDS = {
    "markdown": ("md", "text/markdown"),
    "json": ("json", "application/json"),
    "html": ("html", "text/html"),
}
"""The ending and the type of each format's files."""


class DataQuestions:
    def __init__(
        self,
        playground: Playground,
        box: VoteBox | None = None,
        *,
        sharing: bool = True,
        folder: Path | None = None,
    ) -> None:
        """``folder`` is where the chats are kept, for an instance whose people may know it."""
        self._playground = playground
        self._box = box
        self._store = playground.store
        self._sharing = sharing
        self._folder = folder

    def all(self) -> Sequence[Question]:
        return (
            self.about_data,
            self.export_chats,
            self.import_chats,
            self.wipe,
            self.share_chat,
            self.shares,
            self.unshare,
            self.open_shared,
            self.adopt,
        )

    async def about_data(self, data: Payload) -> Payload:
        who = owner(data)
        chats = await asyncio.to_thread(self._everything, who)
        shares = await asyncio.to_thread(self._store.shares, who)
        return {
            "chats": len(chats),
            "shares": len(shares),
            "sharing": self._sharing,
            "folder": str(self._folder) if self._folder else None,
            "most_bytes": formats.MOST_BYTES,
        }

    def _everything(self, who: str) -> list[Chat]:
        return [chat for chat in self._store.chats(who, sys.maxsize) if chat.title]

    # -- out and in --

    async def export_chats(self, data: Payload) -> Payload:
        """A file's name, type and text: of the chats that are named, or of all."""
        who, format = owner(data), text(data, "format") or ""
        keys = None if data.get("chats") is None else ids(data)
        if format not in KINDS:
            raise StoreError(
                "no_such_format",
                f"There is no export as {format!r:.40}.",
                f"Choose one of: {', '.join(KINDS)}.",
            )
        return await asyncio.to_thread(self._export, who, keys, format)

    def _export(self, who: str, keys: Sequence[str] | None, format: str) -> Payload:
        if keys is None:
            keys = [chat.id for chat in self._everything(who)]
        if not keys:
            raise StoreError("nothing_to_export", "There are no chats yet.", "Say something first.")
        chats = [chat for key in keys for chat in self._conversations(who, key)]
        ending, kind = KINDS[format]
        name = chats[0][0].title if len(chats) == 1 else f"Parley chats {time.strftime('%Y-%m-%d')}"
        return {"name": file_name(name, ending), "type": kind, "text": _written(chats, format)}

    def _conversations(self, who: str, key: str) -> list[Conversation]:
        """A comparison goes out as its columns, each a conversation with one model."""
        chat, messages = self._store.chat(who, key)
        if chat.columns is None:
            return [(chat, messages)]
        if any(column.side for column in columns(chat)):
            raise StoreError(
                "round_open", "A blind round is exported after the vote.", "Vote on it first."
            )
        return [self._store.chat(who, column.chat) for column in columns(chat)]

    async def import_chats(self, data: Payload) -> Payload:
        found = await asyncio.to_thread(
            self._store.import_chats, owner(data), text(data, "text") or ""
        )
        return {"count": len(found)}

    async def wipe(self, data: Payload) -> Payload:
        """All of it, at once and for good. Answers that are being written are stopped."""
        who = owner(data)
        self._playground.stop_in(who, self._playground.answering(who))
        await asyncio.to_thread(self._playground.wipe, who)
        if self._box is not None:
            await asyncio.to_thread(self._box.wipe, who)
        return {}

    # -- shared copies --

    async def share_chat(self, data: Payload) -> Payload:
        who = owner(data)
        self._require_sharing()
        return {"id": await asyncio.to_thread(self._store.share, who, str(data.get("chat")))}

    async def shares(self, data: Payload) -> Payload:
        """Also where sharing was turned off since: what is listed can be taken back."""
        found = await asyncio.to_thread(self._store.shares, owner(data))
        return {"shares": [{"id": s.id, "title": s.title, "created": s.created} for s in found]}

    async def unshare(self, data: Payload) -> Payload:
        await asyncio.to_thread(self._store.unshare, owner(data), str(data.get("id")))
        return {}

    async def open_shared(self, data: Payload) -> Payload:
        self._require_sharing()
        title, messages = await asyncio.to_thread(self._store.shared, str(data.get("id")))
        return await asyncio.to_thread(_shown, title, messages)

    async def adopt(self, data: Payload) -> Payload:
        """What was shared as a chat of one's own."""
        who = owner(data)
        self._require_sharing()
        chat = await asyncio.to_thread(self._store.adopt, who, str(data.get("id")))
        return {"chat": views.chat(chat)}

    def _require_sharing(self) -> None:
        if not self._sharing:
            raise StoreError(
                "sharing_off",
                "Sharing is turned off here.",
                "Export the chat instead, or ask whoever runs this Parley (PARLEY_SHARING).",
            )


def _written(chats: Sequence[Conversation], format: str) -> str:
    if format == "json":
        return formats.to_json(chats)
    if format == "markdown":
        return "\n---\n\n".join(formats.to_markdown(*chat) for chat in chats)
    if len(chats) > 1:
        raise StoreError(
            "one_page", "A page of HTML holds one chat.", "Export them one by one, or as Markdown."
        )
    return formats.to_html(*chats[0], draw=_drawn)


def _drawn(text: str) -> str:
    """Without what needs a script to do anything."""
    return re.sub(r"<button\b[^>]*>[^<]*</button>", "", markdown.render(text))


def _shown(title: str, messages: Sequence[ChatMessage]) -> Payload:
    return {"title": title, "messages": [views.message(m, (m,)) for m in messages]}
