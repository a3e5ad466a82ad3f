"""What the page asks about conversations: open one, turn to another branch.

Plain data in and out. Knows Gradio not at all, and nothing of how chats are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from parley.chats import tree
from parley.errors import StoreError
from parley.playground import Playground
from parley.ui import views
from parley.ui.questions.asked import Payload, Question, owner
from parley.ui.questions.compare import comparison


class ChatQuestions:
    def __init__(self, playground: Playground) -> None:
        self._playground = playground

    def all(self) -> Sequence[Question]:
        return (self.open_chat, self.branch)

    async def open_chat(self, data: Payload) -> Payload:
        who, key = owner(data), str(data.get("chat"))
        record, messages = await self._playground.read_chat(who, key)
        if record.columns is not None:
            return {"comparison": await comparison(self._playground, record)}
        return await asyncio.to_thread(
            views.conversation, record, messages, self._playground.under_way
        )

    async def branch(self, data: Payload) -> Payload:
        """Turn to the answer before or after this one."""
        who, key = owner(data), str(data.get("chat"))
        store = self._playground.store_of(key)
        _, messages = await asyncio.to_thread(store.chat, who, key)
        family = [m.id for m in tree.siblings(messages, str(data.get("message")))]
        if str(data.get("message")) not in family:
            raise StoreError("not_found", "That answer is gone.", "Reload the page.")
        at = family.index(str(data.get("message"))) + (1 if data.get("step") == 1 else -1)
        to = family[min(max(at, 0), len(family) - 1)]
        await asyncio.to_thread(store.set_leaf, who, key, tree.leaf_below(messages, to))
        return await self.open_chat(data)
