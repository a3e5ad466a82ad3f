"""What the page asks about one message: how it came to be, what its reader thinks of it, that it be
written anew, taken away, brought back.

Plain data in and out. Knows Gradio not at all, and nothing of how messages are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

from parley.chats import tree
from parley.chats.records import Chat, ChatMessage, Removed
from parley.chats.store import Store
from parley.errors import StoreError
from parley.playground import Playground
from parley.speech import Said
from parley.ui import marks, stats
from parley.ui.questions.asked import Payload, Question, owner, text
from parley.ui.questions.chats import ChatQuestions


class MessageQuestions:
    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        self._chats = ChatQuestions(playground)

    def all(self) -> Sequence[Question]:
        return (
            self.marks,
            self.facts,
            self.feedback,
            self.edit_answer,
            self.delete_message,
            self.restore_messages,
        )

    async def marks(self, data: Payload) -> Payload:
        """What stands around the messages of the branch that is read, by their ids."""
        record, messages = await self._read(data)
        return {"marks": marks.marks(messages, record.leaf)}

    async def facts(self, data: Payload) -> Payload:
        """Everything that is known of how an answer came to be, for its table."""
        _, messages = await self._read(data)
        message = _found(messages, data)
        spec = self._playground.shelf.catalogue.get(message.model or "")
        notes = [("note", Said(note)) for note in message.meta.get("notes") or ()]
        return {"facts": [*stats.facts(message, spec), *notes]}

    async def feedback(self, data: Payload) -> Payload:
        """``value`` 1 or -1 with ``reasons`` and a ``note``; 0 takes back what was said."""
        value, reasons = data.get("value"), data.get("reasons")
        await asyncio.to_thread(
            self._store(data).set_feedback,
            *self._place(data),
            value if isinstance(value, int) else 0,
            [r for r in reasons if isinstance(r, str)] if isinstance(reasons, list) else [],
            text(data, "note") or "",
        )
        return {}

    async def edit_answer(self, data: Payload) -> Payload:
        """The answer in the person's words, beside the model's; the conversation with it."""
        store = self._store(data)
        written = text(data, "text") or ""
        await asyncio.to_thread(store.edit_answer, *self._place(data), written)
        return await self._chats.open_chat(data)

    async def delete_message(self, data: Payload) -> Payload:
        """The conversation without a message and all below it, and under ``removed`` what
        ``restore_messages`` needs to bring them back."""
        _, messages = await self._read(data)
        message = _found(messages, data)
        # An answer that is being written below would go on for nobody.
        for below in tree.subtree(messages, message.id):
            self._playground.stop(below.id)
        store = self._store(data)
        removed = await asyncio.to_thread(store.delete_message, *self._place(data))
        return await self._chats.open_chat(data) | {"removed": asdict(removed)}

    async def restore_messages(self, data: Payload) -> Payload:
        given = data.get("removed")
        removed = _removed(given if isinstance(given, dict) else {})
        who, chat, _ = self._place(data)
        await asyncio.to_thread(self._store(data).restore_messages, who, chat, removed)
        return await self._chats.open_chat(data)

    def _store(self, data: Payload) -> Store:
        return self._playground.store_of(str(data.get("chat")))

    def _place(self, data: Payload) -> tuple[str, str, str]:
        return owner(data), str(data.get("chat")), str(data.get("message"))

    async def _read(self, data: Payload) -> tuple[Chat, Sequence[ChatMessage]]:
        who, chat, _ = self._place(data)
        return await self._playground.read_chat(who, chat)


def _found(messages: Sequence[ChatMessage], data: Payload) -> ChatMessage:
    wanted = data.get("message")
    message = next((m for m in messages if m.id == wanted), None)
    if message is None:
        raise StoreError("not_found", "That message is gone.", "Open the conversation again.")
    return message


def _removed(given: Payload) -> Removed:
    """As ``delete_message`` has sent it, back from a browser."""
    ids = given.get("messages")
    return Removed(
        tuple(one for one in ids if isinstance(one, str)) if isinstance(ids, list | tuple) else (),
        text(given, "before"),
        text(given, "leaf"),
    )
