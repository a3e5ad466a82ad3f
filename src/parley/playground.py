"""The façade: what the page, the Gradio endpoints and the command line ask of Parley.

Turns "this person says this to that model" into a stored turn and a stream of events. Knows
nothing of HTML, Gradio or torch; the rooms it joins do not know each other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass

from parley import begin
from parley.answer import Answer, Batch
from parley.begin import Begun
from parley.catalog.spec import ModelSpec
from parley.catalog.watch import Shelf
from parley.chats import tree
from parley.chats.records import Chat, ChatMessage
from parley.chats.store import Store
from parley.engines.base import Request
from parley.engines.stock import Stock
from parley.errors import ParleyError, PoolError, StoreError
from parley.events import Loading, Queued
from parley.meters import Meters
from parley.pool.pool import Pool
from parley.pool.slots import Lease, OneByOne
from parley.pool.view import Fit
from parley.record import NoRecord, StoredAnswer
from parley.turns import Turn

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """The turn is in the store; the fields are as in ``begin.Begun``. Of an answer that is taken up
    again, ``thought`` is how many seconds it has thought by now."""

    chat: Chat
    question: ChatMessage | None
    answer: ChatMessage
    turn: int = 1
    turns: int = 1
    thought: float = 0.0


@dataclass(frozen=True, slots=True)
class _UnderWay:
    owner: str
    chat: Chat
    answer: Answer


class Playground:
    """Catalogue, pool and store as one. ``close`` ends every engine."""

    def __init__(self, shelf: Shelf, pool: Pool, store: Store) -> None:
        self.shelf = shelf
        self.pool = pool
        self.store = store
        self._passing = Store.temporary()
        self._passing_chats: set[str] = set()
        # One writer: the order of a turn's writes is the order of its events, and an engine's
        # thread never waits for the disk.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="parley-store")
        self._under_way: dict[str, _UnderWay] = {}  # by the answer's id

    def store_of(self, chat: str | None) -> Store:
        """Where this chat is kept: temporary ones in memory alone."""
        return self._passing if chat in self._passing_chats else self.store

    # -- models --

    def spec(self, model: str | None) -> ModelSpec:
        """The configured model, or the default for None. Raises PoolError("unknown_model")."""
        catalogue = self.shelf.catalogue
        found = catalogue.default if model is None else catalogue.get(model)
        if found is None:
            known = ", ".join(m.id for m in catalogue.models)
            raise PoolError(
                "unknown_model",
                f"No model is configured under the id {model!r}.",
                f"Choose one of: {known}.",
            )
        return found

    @property
    def meters(self) -> Meters:
        return self.pool.meters

    def load_now(self, model: str) -> None:
        """Bring a model into memory without asking it anything; returns at once."""

        def arrived(news: Queued | Loading | Lease | OneByOne | ParleyError) -> None:
            if isinstance(news, Lease):
                news.release()
            elif isinstance(news, ParleyError):
                log.warning("%s was not loaded: %s", model, news)

        self.pool.request(self.spec(model), arrived, insist=True)

    def unload(self, model: str) -> None:
        """Take a model out of memory once its answers have ended; call off its load."""
        self.pool.unload(model)

    def pin(self, model: str, pinned: bool) -> None:
        """Keep a model in memory until it is unloaded by hand, or no longer."""
        self.pool.pin(self.spec(model).id, pinned)

    def fit(self, model: str) -> Fit:
        """Whether it could be loaded now, and at whose cost."""
        return self.pool.fit(self.spec(model))

    def stock(self, model: str) -> Stock | None:
        """What is known of its files; None before anybody has looked."""
        return self.pool.appraiser.stock(self.spec(model))

    def survey(self) -> None:
        """Look, in the background, at the models that nobody has looked at yet."""
        self.pool.appraiser.survey(self.shelf.catalogue.models)

    # -- answers --

    async def ask(self, turn: Turn) -> AsyncGenerator[Opened | Batch]:
        """Store the turn, then stream its answer: Opened, then batches at least every 0.2 s.

        The answer goes on when the iterator is closed; ``stop`` stops it. Raises ParleyError before
        Opened, with nothing stored, when the turn cannot be begun.
        """
        spec = self.spec(turn.model)
        passing = turn.temporary and turn.chat is None
        store = self._passing if passing else self.store_of(turn.chat)
        begun = await asyncio.to_thread(begin.begin, store, spec, turn)
        if passing:
            self._passing_chats.add(begun.chat.id)
        answer = self._answer(store, spec, turn, begun)
        yield Opened(begun.chat, begun.question, begun.answer, begun.turn, begun.turns)
        async with aclosing(answer.batches()) as batches:
            async for batch in batches:
                yield batch

    def _answer(self, store: Store, spec: ModelSpec, turn: Turn, begun: Begun) -> Answer:
        key = begun.answer.id
        answer = Answer(
            self.pool,
            spec,
            begun.request,
            StoredAnswer(store, key, self.write),
            lambda: self._forget(key),
            insist=turn.retry_of is not None,
            begins=begun.answer,
            earlier=begun.earlier,
        )
        self._under_way[key] = _UnderWay(turn.owner, begun.chat, answer)
        if answer.ended:  # a refusal comes before there is an entry to forget
            self._forget(key)
        return answer

    async def follow(self, owner: str, chat: str, answer_id: str) -> AsyncGenerator[Opened | Batch]:
        """The stream of an answer that is being written, from its beginning. Raises
        StoreError("not_under_way") for one that is not, "no_such_chat" for somebody else's."""
        record, messages = await asyncio.to_thread(self.store_of(chat).chat, owner, chat)
        under_way = self._under_way.get(answer_id)
        kept = next((m for m in messages if m.id == answer_id), None)
        if under_way is None or kept is None:
            raise StoreError(
                "not_under_way", "This answer has ended.", "Open the conversation again."
            )
        family = [m.id for m in tree.siblings(messages, answer_id)]
        thought = under_way.answer.thought
        yield Opened(record, None, kept, family.index(answer_id) + 1, len(family), thought)
        async with aclosing(under_way.answer.batches()) as batches:
            async for batch in batches:
                yield batch

    async def complete(self, turn: Turn) -> AsyncGenerator[Batch]:
        """The same for a single message, with nothing stored."""
        spec = self.spec(turn.model)
        history = []
        if turn.text or turn.scored is None:  # a text that is only read may stand alone
            history = [ChatMessage(id="", parent=None, role="user", content=begin.said(turn))]
        async with aclosing(self.read(spec, begin.request(spec, turn, history))) as batches:
            async for batch in batches:
                yield batch

    async def read(self, spec: ModelSpec, request: Request) -> AsyncGenerator[Batch]:
        """Any request, with nothing stored; it ends with its reader."""
        counted = request.scored is None and not request.only_prompt
        answer = Answer(self.pool, spec, request, NoRecord(), lambda: None, counted=counted)
        try:
            async with aclosing(answer.batches()) as batches:
                async for batch in batches:
                    yield batch
        finally:
            answer.leave()

    def _forget(self, answer_id: str) -> None:
        self._under_way.pop(answer_id, None)

    def answering(self, owner: str) -> set[str]:
        """The chats of this person in which an answer is being written, and the comparisons that
        those are columns of."""
        return {
            key
            for one in list(self._under_way.values())
            for key in (one.chat.id, one.chat.comparison)
            if one.owner == owner and key
        }

    def stop(self, answer_id: str) -> None:
        """Stop an answer under way; nothing happens when there is none."""
        if one := self._under_way.get(answer_id):
            one.answer.cancel()

    def stop_in(self, owner: str, chats: Collection[str]) -> None:
        """Stop what is being written in these chats and comparisons of this person's."""
        for one in list(self._under_way.values()):
            if one.owner == owner and (one.chat.id in chats or one.chat.comparison in chats):
                one.answer.cancel()

    def under_way(self, answer_id: str) -> bool:
        """Whether it is being written now, and nobody has stopped it."""
        one = self._under_way.get(answer_id)
        return one is not None and not one.answer.stopping

    async def read_chat(self, owner: str, chat: str) -> tuple[Chat, Sequence[ChatMessage]]:
        """A chat and its messages; answers that were stopped or have ended meanwhile are read with
        their ends. Raises StoreError("no_such_chat")."""
        store = self.store_of(chat)
        record, messages = await asyncio.to_thread(store.chat, owner, chat)
        if await self.settled(messages):
            record, messages = await asyncio.to_thread(store.chat, owner, chat)
        return record, messages

    async def settled(self, messages: Sequence[ChatMessage], patience: float = 1.0) -> bool:
        """Wait until those of these messages that were stopped, or have ended meanwhile, are in
        the store, at most ``patience`` seconds. False when there was nothing to wait for."""
        # By what was read, not by what runs now: an answer that has ended since then is still on
        # its way to the disk.
        ending = [m.id for m in messages if m.state == "streaming" and not self.under_way(m.id)]
        for _ in range(int(patience / 0.02)):
            if not any(key in self._under_way for key in ending):
                break
            await asyncio.sleep(0.02)
        if ending:
            # The end of the answer is at the latest in the writer's queue by now.
            await asyncio.wrap_future(self._writer.submit(lambda: None))
        return bool(ending)

    def wipe(self, owner: str) -> None:
        """All that is this person's, for good: what is kept and what is not."""
        for store in (self.store, self._passing):
            store.wipe(owner)

    def write(self, job: Callable[[], object]) -> None:
        """Queue a write; a failure is logged, and the answer goes on."""

        def guarded() -> None:
            try:
                job()
            except ParleyError as error:
                log.error("An answer could not be stored: %s", error)

        try:
            self._writer.submit(guarded)
        except RuntimeError:
            # Shutting down: an engine's last word after the writer has closed.
            guarded()

    def close(self) -> None:
        """End every engine, then finish the writes they left."""
        self.pool.close()
        self._writer.shutdown(wait=True)
        self.store.close()
        self._passing.close()
