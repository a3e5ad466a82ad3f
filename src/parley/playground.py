"""The façade: what the page, the Gradio endpoints and the command line ask of Parley.

Turns "this person says this to that model" into a stored turn and a stream of events. Knows
nothing of HTML, Gradio or torch; the rooms it joins do not know each other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from parley import turns
from parley.answer import Answer, NoRecord, Record
from parley.catalog.spec import ModelSpec
from parley.catalog.watch import Shelf
from parley.chats import tree
from parley.chats.records import Chat, ChatMessage, title_of
from parley.chats.store import EndState, Store
from parley.engines.base import Request
from parley.engines.stock import Stock
from parley.errors import ParleyError, PoolError, StoreError
from parley.events import Event, Failed, Finished, Loading, Queued
from parley.meters import Meters
from parley.pool.pool import Pool
from parley.pool.slots import Lease, OneByOne
from parley.pool.view import Fit
from parley.turns import Turn

log = logging.getLogger(__name__)

HEARTBEAT = 0.2
"""Seconds between signs of life: a reader that has left is noticed at the next one."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The turn is in the store: the person's message (None for a retry), the answer that begins,
    and the answers that already stand beside it."""

    chat: Chat
    question: ChatMessage | None
    answer: ChatMessage
    siblings: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Events since the last one; none is a sign of life. ``meta`` comes with the last event."""

    events: Sequence[Event] = ()
    meta: Mapping[str, Any] | None = None

    @property
    def last(self) -> bool:
        return any(isinstance(event, Finished | Failed) for event in self.events)


class Playground:
    """Catalogue, pool and store as one. ``close`` ends every engine."""

    def __init__(self, shelf: Shelf, pool: Pool, store: Store) -> None:
        self.shelf = shelf
        self.pool = pool
        self.store = store
        # One writer: the order of a turn's writes is the order of its events, and an engine's
        # thread never waits for the disk.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="parley-store")
        self._answers: dict[str, Answer] = {}

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

        Closing the iterator stops the answer. Raises ParleyError before Opened, with nothing
        stored, when the turn cannot be begun.
        """
        spec = self.spec(turn.model)
        opened, request = await asyncio.to_thread(self._open, turn, spec)
        key = opened.answer.id
        record = _StoredAnswer(self, key)
        answer = Answer(
            self.pool,
            spec,
            request,
            record,
            lambda: self._forget(key),
            insist=turn.retry_of is not None,
        )
        self._answers[key] = answer
        if answer.ended:  # a refusal comes before there is an entry to forget
            self._forget(key)
        try:
            yield opened
            async for batch in _batches(answer):
                yield batch
        finally:
            answer.leave()

    async def complete(self, turn: Turn) -> AsyncGenerator[Batch]:
        """The same for a single message, with nothing stored."""
        spec = self.spec(turn.model)
        history = []
        if turn.text or turn.scored is None:  # a text that is only read may stand alone
            history = [ChatMessage(id="", parent=None, role="user", content=_said(turn))]
        request = self._request(spec, turn, history)
        answer = Answer(self.pool, spec, request, NoRecord(), lambda: None)
        try:
            async for batch in _batches(answer):
                yield batch
        finally:
            answer.leave()

    def _forget(self, answer_id: str) -> None:
        self._answers.pop(answer_id, None)

    def stop(self, answer_id: str) -> None:
        """Stop an answer under way; nothing happens when there is none."""
        if answer := self._answers.get(answer_id):
            answer.cancel()

    async def settled(self, messages: Sequence[ChatMessage], patience: float = 1.0) -> bool:
        """Wait until none of these messages is still being written here, at most ``patience``
        seconds. False when there was nothing to wait for."""
        # By what was read, not by what runs now: an answer that has ended since then is still on
        # its way to the disk.
        running = [m.id for m in messages if m.state == "streaming"]
        for _ in range(int(patience / 0.02)):
            if not any(key in self._answers for key in running):
                break
            await asyncio.sleep(0.02)
        if running:
            # The end of the answer is at the latest in the writer's queue by now.
            await asyncio.wrap_future(self._writer.submit(lambda: None))
        return bool(running)

    def _open(self, turn: Turn, spec: ModelSpec) -> tuple[Opened, Request]:
        messages: Sequence[ChatMessage] = ()
        question: ChatMessage | None = None
        # Checked before anything is stored: a refused turn leaves no trace.
        turns.sampling(spec.sampling, turn.settings)
        if turn.retry_of is None:
            _said(turn)
        if turn.chat is None:
            chat = self.store.create_chat(turn.owner, spec.id)
        else:
            chat, messages = self.store.chat(turn.owner, turn.chat)
        if turn.retry_of is None:
            # Below what the chat ends with now, not what a page may still be showing: a second
            # tab's turn must not vanish onto a branch that nobody asked for.
            question = self.store.add_user(chat.id, chat.leaf, turn.text)
            messages = [*messages, question]
            parent = question.id
        else:
            parent = _question_of(messages, turn.retry_of)
        request = self._request(spec, turn, tree.path(messages, parent))
        siblings = sum(m.parent == parent for m in messages)
        answer = self.store.begin_answer(chat.id, parent, spec.id, spec.name, {})
        # As the store now has it; reading it back would read the whole conversation again.
        title = chat.title or (title_of(question.content) if question else "")
        chat = replace(chat, title=title, updated=answer.created, model=spec.id, leaf=answer.id)
        return Opened(chat, question, answer, siblings), request

    def _request(self, spec: ModelSpec, turn: Turn, history: Sequence[ChatMessage]) -> Request:
        system = spec.system_prompt if turn.system_prompt is None else turn.system_prompt
        return Request(
            turns.prompt(system, history) if history else (),
            turns.sampling(spec.sampling, turn.settings),
            turn.logprobs,
            turn.scored,
        )

    def write(self, job: Callable[[], None]) -> None:
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


class _StoredAnswer(Record):
    def __init__(self, playground: Playground, key: str) -> None:
        self._playground = playground
        self._key = key

    def flush(self, text: str, thinking: str) -> None:
        store = self._playground.store
        self._playground.write(lambda: store.flush_answer(self._key, text, thinking))

    def end(
        self, event: Finished | Failed, text: str, thinking: str, meta: Mapping[str, Any]
    ) -> None:
        store = self._playground.store
        failure = event if isinstance(event, Failed) else None
        reason = event.reason if isinstance(event, Finished) else None
        state: EndState = "failed" if failure else "stopped" if reason == "cancelled" else "done"
        kept = dict(meta)
        self._playground.write(
            lambda: store.end_answer(
                self._key,
                state=state,
                content=text,
                thinking=thinking,
                reason=reason,
                meta=kept,
                error=failure,
            )
        )


async def _batches(answer: Answer) -> AsyncGenerator[Batch]:
    while True:
        batch = Batch(await answer.mailbox.take(HEARTBEAT))
        if batch.last:
            yield Batch(batch.events, dict(answer.meta))
            return
        yield batch


def _said(turn: Turn) -> str:
    if not turn.text.strip():
        raise PoolError("empty_message", "The message is empty.", "Write something first.")
    return turn.text


def _question_of(messages: Sequence[ChatMessage], answer_id: str) -> str:
    answer = next((m for m in messages if m.id == answer_id and m.role == "assistant"), None)
    if answer is None or answer.parent is None:
        raise StoreError(
            "not_found", "The answer to retry is gone.", "Reload the page, then ask again."
        )
    return answer.parent
