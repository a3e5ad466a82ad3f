"""What the page asks about blind rounds: draw one, vote, show the names.

Plain data in and out. Knows Gradio not at all, and nothing of how votes are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from parley import turns
from parley.arena.casting import Said
from parley.arena.compare import Comparisons, columns
from parley.arena.records import SEATS, Side, Vote
from parley.arena.rounds import Round, Rounds
from parley.arena.sides import side_of
from parley.catalog.spec import ModelSpec
from parley.chats import tree
from parley.chats.records import Chat, ChatMessage
from parley.errors import ParleyError, StoreError
from parley.playground import Playground
from parley.ui import views
from parley.ui.questions.asked import Payload, Question, owner, text
from parley.ui.questions.compare import comparison


class RoundQuestions:
    def __init__(self, playground: Playground, rounds: Rounds) -> None:
        self._playground = playground
        self._rounds = rounds
        self._comparisons = Comparisons(playground.store)

    def all(self) -> Sequence[Question]:
        return (self.begin_round, self.round_of, self.vote_round, self.vote_open, self.give_up)

    async def begin_round(self, data: Payload) -> Payload:
        """A new round between two of the ``models``, or of all that can answer here."""
        who = owner(data)
        candidates = self._candidates(data.get("models"))
        found = await asyncio.to_thread(
            self._rounds.open, who, candidates, text(data, "category") or "general"
        )
        chat = await asyncio.to_thread(self._comparisons.blind, who, SEATS)
        for seat, column in zip(SEATS, columns(chat), strict=True):
            await asyncio.to_thread(self._rounds.attach, who, found.id, seat, column.chat)
        return {"round": found.id, "comparison": await comparison(self._playground, chat)}

    async def round_of(self, data: Payload) -> Payload:
        """The round that a comparison is, None where it is none."""
        who, chat = owner(data), await self._chat(data)
        found = await self._of(who, chat)
        return {"round": found and found.id, "state": found and found.state}

    async def vote_round(self, data: Payload) -> Payload:
        """The vote, then who wrote what. From now on the comparison is an open one."""
        who, chat = owner(data), await self._chat(data)
        found = await self._require(who, chat)
        (left, said_before), (right, _) = await self._sides(chat)
        vote = await asyncio.to_thread(
            lambda: self._rounds.vote(
                who,
                found.id,
                text(data, "outcome") or "",
                left,
                right,
                prompt=said_before,
                turn=_turn(said_before),
                said=_said(data),
                names=self._names(found),
            )
        )
        return {"vote": _vote(vote), **await self._revealed(who, chat, found)}

    async def vote_open(self, data: Payload) -> Payload:
        """A vote on two columns whose models are known: kept, and never ranked."""
        who, chat = owner(data), await self._chat(data)
        (left, said_before), (right, _) = await self._sides(chat)
        id = f"{chat.id}-{_turn(said_before)}"
        vote = await asyncio.to_thread(
            lambda: self._rounds.vote_open(
                who,
                id,
                text(data, "outcome") or "",
                left,
                right,
                prompt=said_before,
                said=_said(data),
            )
        )
        return {"vote": _vote(vote)}

    async def give_up(self, data: Payload) -> Payload:
        """Show the names without a vote: the round is over."""
        who, chat = owner(data), await self._chat(data)
        found = await self._require(who, chat)
        await asyncio.to_thread(self._rounds.void, who, found.id)
        return await self._revealed(who, chat, found)

    async def _revealed(self, who: str, chat: Chat, found: Round) -> Payload:
        models = {"left": found.left, "right": found.right}
        shown = await asyncio.to_thread(self._comparisons.reveal, who, chat.id, models)
        return {
            "cards": {
                seat: views.card(spec) if (spec := self._spec(model)) else {"name": model}
                for seat, model in models.items()
            },
            "comparison": await comparison(self._playground, shown),
        }

    async def _sides(self, chat: Chat) -> list[tuple[Side, list[dict[str, str]]]]:
        """The last answer of each of the first two columns, and what it was asked."""
        made = [column for column in columns(chat) if not column.hidden][:2]
        if len(made) < 2:
            raise StoreError("bad_vote", "A vote takes two answers.", "Show a second column.")
        return [await self._side(chat.owner, column.chat) for column in made]

    async def _side(self, who: str, key: str) -> tuple[Side, list[dict[str, str]]]:
        record, messages = await self._playground.read_chat(who, key)
        branch = tree.path(messages, record.leaf)
        answer = branch[-1] if branch and branch[-1].role == "assistant" else None
        if answer is None:
            raise StoreError(
                "no_text_yet", "There is no answer to vote on.", "Ask something first."
            )
        return side_of(answer), _prompt(answer, branch[:-1])

    def _candidates(self, wanted: object) -> Iterable[str]:
        """Of the models that are wanted, or of all, those that could answer now: a round is no
        reason to download one."""
        known = self._playground.shelf.catalogue
        specs = (
            [spec for id in wanted if (spec := known.get(str(id)))]
            if isinstance(wanted, list) and wanted
            else known.models
        )
        return [spec.id for spec in specs if self._runs(spec)]

    def _runs(self, spec: ModelSpec) -> bool:
        try:
            fit = self._playground.fit(spec.id)
            stock = self._playground.stock(spec.id)
        except ParleyError:
            return False
        return fit.kind == "loaded" or (
            fit.kind not in ("too_large", "pinned") and stock is not None and stock.on_disk
        )

    def _names(self, found: Round) -> list[str]:
        specs = [self._spec(model) for model in (found.left, found.right)]
        return [n for s in specs if s for n in (s.name, s.family, s.developer) if n]

    def _spec(self, model: str) -> ModelSpec | None:
        return self._playground.shelf.catalogue.get(model)

    async def _chat(self, data: Payload) -> Chat:
        key = str(data.get("chat"))
        return await asyncio.to_thread(self._comparisons.get, owner(data), key)

    async def _of(self, who: str, chat: Chat) -> Round | None:
        made = columns(chat)
        return await asyncio.to_thread(self._rounds.round_of, who, made[0].chat) if made else None

    async def _require(self, who: str, chat: Chat) -> Round:
        found = await self._of(who, chat)
        if found is None:
            raise StoreError(
                "no_such_round", "This comparison is no blind round.", "Begin a new round."
            )
        return found


def _prompt(answer: ChatMessage, before: Sequence[ChatMessage]) -> list[dict[str, str]]:
    asked = turns.prompt(str(answer.meta.get("system_prompt") or ""), before)
    return [{"role": message.role, "content": message.content} for message in asked]


def _turn(prompt: Sequence[dict[str, str]]) -> int:
    return sum(message["role"] == "user" for message in prompt)


def _said(data: Payload) -> Said:
    tags, seconds = data.get("tags"), data.get("seconds")
    return Said(
        [str(tag) for tag in tags] if isinstance(tags, list) else [],
        text(data, "comment") or "",
        text(data, "category"),
        float(seconds) if isinstance(seconds, int | float) else None,
    )


def _vote(vote: Vote) -> Payload:
    kept = asdict(vote)
    return {name: kept[name] for name in ("id", "outcome", "ranked", "identity_leak", "mode")}
