"""What the page's scripts call: one generator that streams a turn, and plain questions.

Every payload comes from a browser and is checked here; every answer is plain data, and a
``ParleyError`` becomes a sentence and a fix. Knows Gradio only as the thing that calls it.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
import zlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

import gradio as gr
from huggingface_hub import get_token

from parley.catalog.spec import Catalogue
from parley.chats import tree
from parley.chats.records import owner_of
from parley.errors import CatalogueError, ParleyError, StoreError
from parley.playground import Opened, Playground
from parley.pool.view import Fit
from parley.turns import Turn
from parley.ui import machine, views
from parley.ui.live import LiveAnswer, merged

log = logging.getLogger(__name__)

TICK = 0.05
"""Seconds between two updates of a page. 20 a second read as continuous and cost a browser less
than half of what one update per token does; see docs/transcript.md."""

Payload = dict[str, Any]


class _Running:
    """A turn that a page has begun; its answer's id is known a moment later."""

    def __init__(self) -> None:
        self.answer: str | None = None
        self.stopped = False


class Handlers:
    """The page's questions, bound to one playground."""

    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        # Touched by the server's event loop only. The key's second half is drawn at random by the
        # page: who does not know it cannot stop the turn.
        self._running: dict[tuple[str, str], _Running] = {}
        self._catalogue: tuple[object, object] = (None, None)
        self._catalogue_crc = 0

    def questions(self) -> list[Callable[[Payload], Coroutine[Any, Any, Payload]]]:
        """The functions that ``gr.HTML`` offers to the page's scripts, by name."""
        asked = (
            self.hello,
            self.states,
            self.open_chat,
            self.branch,
            self.delete_chat,
            self.machine,
            self.load_now,
            self.unload,
            self.pin,
            self.reload,
            self.stop,
        )
        return [_guarded(method) for method in asked]

    # -- the stream --

    async def send(self, event: gr.EventData) -> AsyncGenerator[Payload]:
        """One turn: the whole live value at every tick, until ``done`` or ``refused``."""
        data: Payload = event._data if isinstance(event._data, dict) else {}
        turn_id = str(data.get("turn", ""))
        try:
            owner = _owner(data)
            async for value in self._stream(owner, turn_id, data):
                yield {"turn": turn_id, **value}
        except ParleyError as error:
            yield {"turn": turn_id, "refused": views.refusal(error)}
        except Exception:
            yield {"turn": turn_id, "refused": views.refusal(_unexpected())}

    async def _stream(self, owner: str, turn_id: str, data: Payload) -> AsyncGenerator[Payload]:
        turn = Turn(
            owner=owner,
            model=str(data.get("model")),
            text=str(data.get("text") or ""),
            chat=_text(data, "chat"),
            retry_of=_text(data, "retry_of"),
            system_prompt=_text(data, "system_prompt"),
            settings=data["settings"] if isinstance(data.get("settings"), dict) else {},
        )
        running = self._running[owner, turn_id] = _Running()
        head: Payload = {}
        live: LiveAnswer | None = None
        sent, beat = 0.0, 0
        try:
            async with aclosing(self._playground.ask(turn)) as stream:
                async for news in stream:
                    if isinstance(news, Opened):
                        running.answer = news.answer.id
                        if running.stopped:
                            self._playground.stop(running.answer)
                        live = LiveAnswer(news.answer, news.siblings + 1)
                        question = news.question.id if news.question else None
                        head = {
                            "chat": views.chat(news.chat),
                            "question": question,
                            "follows": news.question.parent if news.question else None,
                        }
                    if live is None:
                        continue
                    if not isinstance(news, Opened):
                        # A tick's worth of tokens becomes one update; the first and the last go
                        # at once.
                        for one in merged(news.events):
                            live.take(one)
                        early = sent + TICK - time.monotonic()
                        if early > 0 and live.begun and not news.last:
                            await asyncio.sleep(early)
                        beat += not news.events
                    meta = None if isinstance(news, Opened) else news.meta
                    sent = time.monotonic()
                    yield {**head, "answer": live.view(meta), "done": live.ended, "beat": beat}
        finally:
            self._running.pop((owner, turn_id), None)

    async def stop(self, data: Payload) -> Payload:
        running = self._running.get((_owner(data), str(data.get("turn"))))
        if running is not None:
            running.stopped = True
            if running.answer:
                self._playground.stop(running.answer)
        return {"found": running is not None}

    # -- models --

    async def hello(self, data: Payload) -> Payload:
        """Everything the page needs to draw itself."""
        shelf = self._playground.shelf
        catalogue, error = shelf.catalogue, shelf.error
        live = self._live(catalogue, error)
        reply: Payload = live | {
            "models": [views.card(m) | live["models"][m.id] for m in catalogue.models],
            "default": catalogue.default.id,
            "catalogue_error": str(error) if error else None,
        }
        if data.get("chats"):
            owner = _owner(data)
            found = await asyncio.to_thread(self._playground.store.chats, owner)
            reply["chats"] = [views.chat(c) for c in found if c.title]
        return reply

    async def states(self, data: Payload) -> Payload:
        """Every model's live state, and which catalogue the page should be showing."""
        shelf = self._playground.shelf
        return self._live(shelf.catalogue, shelf.error)

    def _live(self, catalogue: Catalogue, error: CatalogueError | None) -> Payload:
        # Asked every second by every open page: nothing in here may wait.
        playground = self._playground
        specs = catalogue.models
        view = playground.pool.view()
        return {
            "models": machine.states(
                specs,
                view,
                {spec.id: self._fit(spec.id) for spec in specs},
                {spec.id: playground.stock(spec.id) for spec in specs},
                token=any(spec.gated for spec in specs) and bool(get_token()),
            ),
            "memory": machine.usage(view),
            "version": self._version(catalogue, error),
        }

    def _fit(self, model_id: str) -> Fit:
        try:
            return self._playground.fit(model_id)
        except ParleyError:
            return Fit("unknown")  # the catalogue changed meanwhile

    def _version(self, catalogue: Catalogue, error: CatalogueError | None) -> int:
        """Differs when a page should draw its models anew."""
        key = (catalogue, error)
        if any(new is not old for new, old in zip(key, self._catalogue, strict=True)):
            self._catalogue, self._catalogue_crc = key, zlib.crc32(repr(key).encode())
        return self._catalogue_crc

    async def machine(self, data: Payload) -> Payload:
        """The Machine panel: memory, what is in it, the queue, counts."""
        playground = self._playground
        specs = playground.shelf.catalogue.models
        return machine.machine(specs, playground.pool.view(), playground.meters.totals())

    async def load_now(self, data: Payload) -> Payload:
        self._playground.load_now(str(data.get("model")))
        return {}

    async def unload(self, data: Payload) -> Payload:
        """Also calls off a load."""
        self._playground.unload(str(data.get("model")))
        return {}

    async def pin(self, data: Payload) -> Payload:
        self._playground.pin(str(data.get("model")), data.get("pinned") is True)
        return {}

    async def reload(self, data: Payload) -> Payload:
        await asyncio.to_thread(self._playground.shelf.reload)
        return {}

    # -- chats --

    async def open_chat(self, data: Payload) -> Payload:
        owner, key = _owner(data), str(data.get("chat"))
        store = self._playground.store
        record, messages = await asyncio.to_thread(store.chat, owner, key)
        if await self._playground.settled(messages):
            record, messages = await asyncio.to_thread(store.chat, owner, key)
        return await asyncio.to_thread(views.conversation, record, messages)

    async def branch(self, data: Payload) -> Payload:
        """Turn to the answer before or after this one."""
        owner, key = _owner(data), str(data.get("chat"))
        store = self._playground.store
        _, messages = await asyncio.to_thread(store.chat, owner, key)
        family = [m.id for m in tree.siblings(messages, str(data.get("message")))]
        if str(data.get("message")) not in family:
            raise StoreError("not_found", "That answer is gone.", "Reload the page.")
        at = family.index(str(data.get("message"))) + (1 if data.get("step") == 1 else -1)
        to = family[min(max(at, 0), len(family) - 1)]
        await asyncio.to_thread(store.set_leaf, owner, key, tree.leaf_below(messages, to))
        return await self.open_chat(data)

    async def delete_chat(self, data: Payload) -> Payload:
        await asyncio.to_thread(self._playground.store.delete, _owner(data), str(data.get("chat")))
        return {}


def _guarded(
    method: Callable[[Payload], Coroutine[Any, Any, Payload]],
) -> Callable[[Payload], Coroutine[Any, Any, Payload]]:
    # A plain function: Gradio marks the functions it offers, which a bound method does not allow.
    async def question(data: Payload) -> Payload:
        try:
            return await method(data if isinstance(data, dict) else {})
        except ParleyError as error:
            return {"error": views.refusal(error)}
        except Exception:
            return {"error": views.refusal(_unexpected())}

    question.__name__ = method.__name__
    return question


def _owner(data: Payload) -> str:
    browser = data.get("owner")
    if not isinstance(browser, str) or not re.fullmatch(r"[0-9a-f]{32}", browser):
        raise StoreError("no_identity", "This page has lost its identity.", "Reload the page.")
    return owner_of(browser)


def _text(data: Payload, key: str) -> str | None:
    value = data.get(key)
    return value if isinstance(value, str) else None


def _unexpected() -> ParleyError:
    """For an exception that nothing foresaw: logged in full under a number that the page shows."""
    number = uuid.uuid4().hex[:8]
    log.exception("Unexpected error %s", number)
    return ParleyError(
        "internal",
        f"Something unexpected went wrong (error {number}).",
        "Try again; the log of Parley says more under that number.",
    )
