"""The stream of an answer, as one Gradio generator, and the word that stops it.

Every payload comes from a browser and is checked here; what goes out is the whole live value at
every tick. Knows Gradio only as the thing that calls it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import gradio as gr

from parley.answer import Batch
from parley.arena.records import SEATS
from parley.arena.rounds import Rounds
from parley.chats.records import ChatMessage
from parley.errors import ParleyError
from parley.playground import Opened, Playground
from parley.turns import Branch, Turn
from parley.ui import blind, views
from parley.ui.live import LiveAnswer, merged
from parley.ui.questions.asked import Payload, in_words, owner, text, unexpected, wishes

TICK = 0.05
"""Seconds between two updates of a page. 20 a second read as continuous and cost a browser less
than half of what one update per token does; see docs/transcript.md."""


class _Running:
    """A turn that a page has begun; its answer's id is known a moment later."""

    def __init__(self) -> None:
        self.answer: str | None = None
        self.stopped = False


class Stream:
    """The page's turns, bound to one playground."""

    def __init__(self, playground: Playground, rounds: Rounds | None = None) -> None:
        self._playground = playground
        self._rounds = rounds
        # Touched by the server's event loop only. The key's second half is drawn at random by the
        # page: who does not know it cannot stop the turn.
        self._running: dict[tuple[str, str], _Running] = {}

    async def send(self, event: gr.EventData) -> AsyncGenerator[Payload]:
        """One turn: the whole live value at every tick, until ``done`` or ``refused``."""
        data: Payload = event._data if isinstance(event._data, dict) else {}
        turn_id = str(data.get("turn", ""))
        side = text(data, "side")
        try:
            async for value in self._stream(owner(data), turn_id, data):
                if side:
                    value["answer"] = blind.masked(value["answer"], side)
                yield in_words(data, {"turn": turn_id, **value})
        except ParleyError as error:
            refused = blind.REFUSAL if side else views.refusal(error)
            yield in_words(data, {"turn": turn_id, "refused": refused})
        except Exception:
            yield in_words(data, {"turn": turn_id, "refused": views.refusal(unexpected())})

    async def _stream(self, who: str, turn_id: str, data: Payload) -> AsyncGenerator[Payload]:
        running = self._running[who, turn_id] = _Running()
        head: Payload = {}
        live: LiveAnswer | None = None
        sent, beat = 0.0, 0
        try:
            if (model := await self._seated(who, data)) is not None:
                data = data | {"model": model, "settings": {}, "system_prompt": None}
            async with aclosing(self._begin(who, data)) as stream:
                async for news in stream:
                    if isinstance(news, Opened):
                        running.answer = news.answer.id
                        if running.stopped:
                            self._playground.stop(running.answer)
                        live = LiveAnswer(news.answer, news.turn, news.turns, news.thought)
                        question = news.question.id if news.question else None
                        head = {
                            "chat": views.chat(news.chat),
                            "question": question,
                            "follows": news.question.parent if news.question else None,
                        }
                    # What has a text already is shown with it from the first update on.
                    if live is None or (isinstance(news, Opened) and _has_text(news.answer)):
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
            self._running.pop((who, turn_id), None)

    async def stop(self, data: Payload) -> Payload:
        running = self._running.get((owner(data), str(data.get("turn"))))
        if running is not None:
            running.stopped = True
            if running.answer:
                self._playground.stop(running.answer)
        return {"found": running is not None}

    async def _seated(self, who: str, data: Payload) -> str | None:
        """The model that answers on this side of a blind round."""
        seat = next((s for s in SEATS if s == data.get("side")), None)
        if self._rounds is None or seat is None or text(data, "follow"):
            return None
        return await asyncio.to_thread(self._rounds.model, who, str(data.get("round")), seat)

    def _begin(self, who: str, data: Payload) -> AsyncGenerator[Opened | Batch]:
        """A new turn, or an answer that is being written already."""
        if follow := text(data, "follow"):
            return self._playground.follow(who, str(data.get("chat")), follow)
        settings, thinking = wishes(data)
        turn = Turn(
            owner=who,
            model=str(data.get("model")),
            text=str(data.get("text") or ""),
            chat=text(data, "chat"),
            retry_of=text(data, "retry_of"),
            edit_of=text(data, "edit_of"),
            continue_of=text(data, "continue_of"),
            branch=_branch(data),
            system_prompt=text(data, "system_prompt"),
            thinking=thinking,
            settings=settings,
            temporary=data.get("temporary") is True,
        )
        return self._playground.ask(turn)


def _has_text(answer: ChatMessage) -> bool:
    return bool(answer.content or answer.thinking)


def _branch(data: Payload) -> Branch | None:
    given = data.get("branch")
    if not isinstance(given, dict):
        return None
    ids = given.get("opening")
    opening = tuple(i for i in ids if isinstance(i, int)) if isinstance(ids, list) else ()
    return Branch(str(given.get("of")), opening)
