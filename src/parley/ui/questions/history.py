"""What the sidebar asks: further chats, a search, another name, pin, delete and its way back.

Plain data in and out. Knows Gradio not at all, and nothing of how chats are kept.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from parley.chats import tree
from parley.chats.records import Chat, Found
from parley.errors import StoreError
from parley.playground import Playground
from parley.ui import views
from parley.ui.questions.asked import Payload, Question, owner, text
from parley.ui.questions.chats import ChatQuestions

PAGE = 200
"""Chats that are sent at once: more than a screen shows, less than a phone feels."""

RESULTS = 50


class HistoryQuestions:
    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        self._chats = ChatQuestions(playground)

    def all(self) -> Sequence[Question]:
        return (
            self.more_chats,
            self.find_chats,
            self.show_message,
            self.rename_chat,
            self.pin_chat,
            self.delete_chats,
            self.restore_chats,
        )

    async def more_chats(self, data: Payload) -> Payload:
        """The next page of the list, below the chat ``before``; without one, the first."""
        before = data.get("before")
        return await asyncio.to_thread(
            self._page, owner(data), before if isinstance(before, dict) else None
        )

    def _page(self, who: str, before: Payload | None) -> Payload:
        limit = PAGE + 1
        while True:
            found = self._playground.store.chats(who, limit)
            page = _below(found, before) if before else found
            if len(page) > PAGE or len(found) < limit:
                break
            # The list is read from its top: chats move up while a person scrolls, and a place
            # counted from there would pass over some.
            limit *= 2
        return {
            "chats": [views.chat(c) for c in page[:PAGE] if c.title],
            "more": len(page) > PAGE,
        }

    async def find_chats(self, data: Payload) -> Payload:
        """Where the words of ``text`` stand: the title and the text around them, in pieces."""
        found = await asyncio.to_thread(
            self._playground.store.search, owner(data), text(data, "text") or "", RESULTS
        )
        # What was asked of every column of a comparison is one place.
        results: dict[str, Payload] = {}
        for result in map(_result, found):
            shown = {key: result[key] for key in ("chat", "title", "snippet")}
            results.setdefault(json.dumps(shown), result)
        return {"results": list(results.values())}

    async def show_message(self, data: Payload) -> Payload:
        """Turn to the branch that this message is on, if it is not the one last read."""
        who, key, wanted = owner(data), str(data.get("chat")), str(data.get("message"))
        store = self._playground.store
        chat, messages = await asyncio.to_thread(store.chat, who, key)
        if wanted not in {m.id for m in messages}:
            raise StoreError("not_found", "That message is gone.", "Search again.")
        if wanted not in {m.id for m in tree.path(messages, chat.leaf)}:
            await asyncio.to_thread(store.set_leaf, who, key, tree.leaf_below(messages, wanted))
        return await self._chats.open_chat(data)

    async def rename_chat(self, data: Payload) -> Payload:
        who, key = owner(data), str(data.get("chat"))
        title = text(data, "title") or ""
        await asyncio.to_thread(self._playground.store.rename, who, key, title)
        return await self._one(who, key)

    async def pin_chat(self, data: Payload) -> Payload:
        who, key = owner(data), str(data.get("chat"))
        pinned = data.get("pinned") is True
        await asyncio.to_thread(self._playground.store.pin, who, key, pinned)
        return await self._one(who, key)

    async def delete_chats(self, data: Payload) -> Payload:
        """Until ``restore_chats``. Answers that are being written in them are stopped."""
        who, keys = owner(data), ids(data)
        self._playground.stop_in(who, keys)
        await asyncio.to_thread(self._playground.store.delete, who, *keys)
        return {}

    async def restore_chats(self, data: Payload) -> Payload:
        who, keys = owner(data), ids(data)
        await asyncio.to_thread(self._playground.store.restore, who, *keys)
        return {"chats": [(await self._one(who, key))["chat"] for key in keys]}

    async def _one(self, who: str, key: str) -> Payload:
        chat, _ = await asyncio.to_thread(self._playground.store.chat, who, key)
        return {"chat": views.chat(chat)}


def ids(data: Payload) -> list[str]:
    """The chats that are meant. Raises StoreError("no_such_chat") for no list of them."""
    keys = data.get("chats")
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise StoreError("no_such_chat", "It is not clear which chats are meant.", "Try again.")
    return list(dict.fromkeys(keys))


def _below(chats: Sequence[Chat], before: Payload) -> Sequence[Chat]:
    """What follows this one in the list; by its place in the order where it is gone."""
    for index, chat in enumerate(chats):
        if chat.id == before.get("id"):
            return chats[index + 1 :]
    updated = before.get("updated")
    place = before.get("pinned") is True, updated if isinstance(updated, int | float) else 0.0
    return [chat for chat in chats if (chat.pinned, chat.updated) <= place]


def _result(place: Found) -> Payload:
    snippet = [[part, hit] for part, hit in place.snippet]
    in_title = place.message is None
    return {
        "chat": place.chat.comparison or place.chat.id,
        "column": place.chat.id if place.chat.comparison else None,
        "message": place.message,
        "title": snippet if in_title else [[place.chat.title, False]],
        "snippet": [] if in_title else snippet,
    }
