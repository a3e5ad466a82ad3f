"""Looking closely at an answer: the exact prompt it was given, how likely each of its tokens was.

Nothing is written and nothing stored; the model reads. Knows nothing of pages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

from parley import begin, turns
from parley.catalog.spec import ModelSpec
from parley.chats import tree
from parley.chats.records import ChatMessage
from parley.engines.base import Message, Request
from parley.errors import GenerationError, StoreError
from parley.events import Delta, Event, Failed, Rendered, TokenScore
from parley.playground import Playground
from parley.turns import Turn

ALTERNATIVES = 5
"""Tokens told for each place."""


class Looks:
    def __init__(self, playground: Playground) -> None:
        self._playground = playground

    async def draft(self, turn: Turn) -> Rendered | None:
        """The prompt that ``turn`` would make, with room left for its answer; None while its model
        is not in memory: it is not loaded for that."""
        playground = self._playground
        spec = playground.spec(turn.model)
        known = playground.pool.view().models.get(spec.id)
        if known is None or known.state != "ready":
            return None
        history: list[ChatMessage] = []
        if turn.chat is not None:
            store = playground.store_of(turn.chat)
            chat, messages = await asyncio.to_thread(store.chat, turn.owner, turn.chat)
            history = list(tree.path(messages, chat.leaf))
        if turn.text:
            history.append(ChatMessage("", None, "user", turn.text))
        if not history:
            return None
        return await self._rendered(spec, begin.request(spec, turn, history))

    async def prompt(self, owner: str, chat: str, answer_id: str) -> Rendered:
        """The prompt of an answer, as its model would be given it now."""
        spec, given, answer = await self.asked(owner, chat, answer_id)
        thinking = answer.meta.get("thinking")
        return await self._rendered(spec, Request(tuple(given), spec.sampling, thinking=thinking))

    async def tokens(self, owner: str, chat: str, answer_id: str) -> Sequence[TokenScore]:
        """Every token of an answer with its probability and the likeliest in its place, by the
        model that wrote it."""
        spec, given, answer = await self.asked(owner, chat, answer_id)
        return await self._scores(spec, given, answer)

    async def read_as(
        self, reader: str, owner: str, chat: str, answer_id: str
    ) -> tuple[str, Sequence[TokenScore]]:
        """The text of an answer, and how likely each of its tokens would have been to another
        model, ``reader``, which is given the same conversation in its own format."""
        _, given, answer = await self.asked(owner, chat, answer_id)
        return answer.content, await self._scores(self._playground.spec(reader), given, answer)

    async def _scores(
        self, reader: ModelSpec, given: Sequence[Message], answer: ChatMessage
    ) -> Sequence[TokenScore]:
        # Its very tokens, to the model that wrote them: the same text may be cut into others.
        own = reader.id == answer.model
        ids = answer.meta.get("token_ids") if own and not answer.meta.get("edited") else None
        scored = tuple(ids) if ids else answer.content
        if not scored:
            raise StoreError("nothing_to_inspect", "This answer has no text.", "Retry it first.")
        thinking = answer.meta.get("thinking") if own else False
        request = Request(tuple(given), reader.sampling, ALTERNATIVES, scored, thinking=thinking)
        events = await self._read(reader, request)
        return [s for e in events if isinstance(e, Delta) for s in e.scores]

    async def asked(
        self, owner: str, chat: str, answer_id: str
    ) -> tuple[ModelSpec, Sequence[Message], ChatMessage]:
        """The answer, its model, and the conversation that model was given: the system prompt of
        that time is in the answer's meta."""
        store = self._playground.store_of(chat)
        _, messages = await asyncio.to_thread(store.chat, owner, chat)
        answer = next((m for m in messages if m.id == answer_id and m.role == "assistant"), None)
        if answer is None:
            raise StoreError("not_found", "That answer is gone.", "Open the conversation again.")
        spec = self._playground.spec(answer.model or "")
        system = answer.meta.get("system_prompt")
        given = turns.prompt(
            spec.system_prompt if system is None else system, tree.path(messages, answer.parent)
        )
        return spec, given, answer

    async def _rendered(self, spec: ModelSpec, request: Request) -> Rendered:
        # An answer with a chosen seed is computed anew for the most part; what the cache holds of
        # its prompt is asked here, not what that answer would take of it.
        sampling = replace(request.sampling, seed=None)
        events = await self._read(spec, replace(request, sampling=sampling, only_prompt=True))
        return next(event for event in events if isinstance(event, Rendered))

    async def _read(self, spec: ModelSpec, request: Request) -> list[Event]:
        """All events of a request that nobody keeps. Raises ParleyError where it failed."""
        heard: list[Event] = []
        async with aclosing(self._playground.read(spec, request)) as batches:
            async for batch in batches:
                heard += batch.events
        if isinstance(last := heard[-1], Failed):
            raise GenerationError(last.code, last.sentence, last.fix)
        return heard
