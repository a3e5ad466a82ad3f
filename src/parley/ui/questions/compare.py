"""What the page asks about comparisons: begin one, change its columns, look across them.

Plain data in and out. Knows Gradio not at all, and nothing of how chats are kept.
"""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Sequence
from typing import Any

from parley.arena.compare import Column, Comparisons, Wish, column_of, columns
from parley.arena.crossing import Reading, reading
from parley.chats.records import Chat
from parley.errors import ParleyError, StoreError
from parley.looks import Looks
from parley.playground import Playground
from parley.ui import blind, views
from parley.ui.questions.asked import Payload, Question, owner, text

LONGEST_DIFF = 20_000
"""Words of one answer that are compared; the rest is shown as it is."""


class CompareQuestions:
    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        self._comparisons = Comparisons(playground.store)
        self._looks = Looks(playground)

    def all(self) -> Sequence[Question]:
        return (
            self.begin_comparison,
            self.open_comparison,
            self.add_column,
            self.remove_column,
            self.restore_column,
            self.change_columns,
            self.take_on,
            self.fit_together,
            self.word_diff,
            self.cross_read,
        )

    # -- columns --

    async def begin_comparison(self, data: Payload) -> Payload:
        """A comparison with the ``columns`` that are wanted; each may begin ``like`` a chat."""
        who, wishes = owner(data), _wishes(data)
        for wish in wishes:
            self._playground.spec(wish.model)
        return await self._shown(await asyncio.to_thread(self._comparisons.begin, who, wishes))

    async def open_comparison(self, data: Payload) -> Payload:
        who, key = owner(data), str(data.get("chat"))
        return await self._shown(await asyncio.to_thread(self._comparisons.get, who, key))

    async def add_column(self, data: Payload) -> Payload:
        who, key = owner(data), str(data.get("chat"))
        wish = _wish(data)
        self._playground.spec(wish.model)
        return await self._shown(await asyncio.to_thread(self._comparisons.add, who, key, wish))

    async def remove_column(self, data: Payload) -> Payload:
        who, key, column = owner(data), str(data.get("chat")), str(data.get("column"))
        chat = await asyncio.to_thread(self._comparisons.remove, who, key, column)
        self._playground.stop_in(who, {column})
        return await self._shown(chat)

    async def restore_column(self, data: Payload) -> Payload:
        who, key, place = owner(data), str(data.get("chat")), data.get("place")
        given = data.get("column")
        column = column_of(given if isinstance(given, dict) else {})
        chat = await asyncio.to_thread(
            self._comparisons.put_back, who, key, column, place if isinstance(place, int) else 0
        )
        return await self._shown(chat)

    async def change_columns(self, data: Payload) -> Payload:
        """Other models, settings, system prompts or another order; nothing is shown anew."""
        who, key = owner(data), str(data.get("chat"))
        await asyncio.to_thread(self._comparisons.change, who, key, _columns(data))
        return {}

    async def take_on(self, data: Payload) -> Payload:
        """One column as a chat of its own; the comparison stays."""
        who, key = owner(data), str(data.get("column"))
        chat = await asyncio.to_thread(self._playground.store.branch_off, who, key)
        return {"chat": views.chat(chat)}

    async def fit_together(self, data: Payload) -> Payload:
        """Whether these ``models`` can be in memory at once; None while nobody knows."""
        ids = data.get("models")
        known = self._playground.shelf.catalogue
        specs = [known.get(str(id)) for id in ids] if isinstance(ids, list) else []
        return {"together": self._playground.pool.fit_together([s for s in specs if s])}

    # -- across the columns --

    async def word_diff(self, data: Payload) -> Payload:
        """Two answers word by word: runs of text and whether both have them."""
        left, right = await self._text(data, "left"), await self._text(data, "right")
        return await asyncio.to_thread(_diff, left, right)

    async def cross_read(self, data: Payload) -> Payload:
        """One cell of the matrix: an answer as one ``model`` reads it."""
        who = owner(data)
        column, message = str(data.get("column")), str(data.get("message"))
        said, scores = await self._looks.read_as(str(data.get("model")), who, column, message)
        return _reading(reading(scores, said))

    async def _text(self, data: Payload, side: str) -> str:
        given = data.get(side)
        place = given if isinstance(given, dict) else {}
        _, messages = await asyncio.to_thread(
            self._playground.store.chat, owner(data), str(place.get("column"))
        )
        found = next((m for m in messages if m.id == place.get("message")), None)
        if found is None:
            raise StoreError("not_found", "That answer is gone.", "Open the comparison again.")
        return found.content

    async def _shown(self, chat: Chat) -> Payload:
        return {"comparison": await comparison(self._playground, chat)}


async def comparison(playground: Playground, chat: Chat) -> Payload:
    """A comparison with the branch that is read in each of its columns."""
    made = columns(chat)
    return views.chat(chat) | {
        "columns": [await _column(playground, chat, one) for one in made],
        "together": _together(playground, made),
    }


async def _column(playground: Playground, chat: Chat, column: Column) -> Payload:
    record, messages = await playground.read_chat(chat.owner, column.chat)
    shown = await asyncio.to_thread(views.conversation, record, messages, playground.under_way)
    if column.side:
        shown["model"] = ""
        shown["messages"] = [blind.masked(m, column.side) for m in shown["messages"]]
    return {
        "chat": column.chat,
        "model": column.model,
        "settings": dict(column.settings),
        "system_prompt": column.system_prompt,
        "hidden": column.hidden,
        "side": column.side,
        "messages": shown["messages"],
        "leaf": shown["leaf"],
    }


def _together(playground: Playground, made: Sequence[Column]) -> bool | None:
    try:
        return playground.pool.fit_together([playground.spec(c.model) for c in made if c.model])
    except ParleyError:  # a model that is no longer configured
        return None


def _wishes(data: Payload) -> list[Wish]:
    given = data.get("columns")
    return [_wish(one) for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _wish(given: Payload) -> Wish:
    column = column_of(given)
    return Wish(column.model, column.settings, column.system_prompt, text(given, "like"))


def _columns(data: Payload) -> list[Column]:
    given = data.get("columns")
    rows = given if isinstance(given, list) else []
    return [column_of(one) for one in rows if isinstance(one, dict)]


def _reading(found: Reading) -> Payload:
    return {
        "tokens": [{"text": s.text, "logprob": s.logprob} for s in found.scores],
        "perplexity": found.perplexity,
        "bits_per_byte": found.bits_per_byte,
    }


def _diff(left: str, right: str) -> dict[str, Any]:
    """By words with the space before each; ``autojunk`` would pass over frequent ones."""
    ours, theirs = (re.findall(r"\s*\S+|\s+", side)[:LONGEST_DIFF] for side in (left, right))
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    runs: dict[str, list[list[Any]]] = {"left": [], "right": []}
    for kind, a, b, c, d in matcher.get_opcodes():
        for name, side, start, end in (("left", ours, a, b), ("right", theirs, c, d)):
            if start < end:
                runs[name].append(["".join(side[start:end]), kind == "equal"])
    shared = sum(m.size for m in matcher.get_matching_blocks())
    longest = max(len(ours), len(theirs), 1)
    return runs | {"same": shared / longest}
