"""What the leaderboard asks: the board of some of the votes, votes to take away, votes brought.

Plain data in and out. Knows Gradio not at all, and nothing of how votes are kept or ranked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from parley.arena import exchange
from parley.arena.board import board, filters_of
from parley.arena.votes import VoteBox
from parley.errors import StoreError
from parley.ui.questions.asked import Payload, Question, owner, text

KINDS = {
    "jsonl": ("application/x-ndjson", exchange.to_jsonl),
    "csv": ("text/csv", exchange.to_csv),
}
"""The type of each format's files, and who writes them."""


class BoardQuestions:
    """``local`` is whether only people of this machine come here, who may take along what anybody
    voted; elsewhere everybody has their own votes alone, since votes hold what was asked."""

    def __init__(self, box: VoteBox, *, local: bool = False) -> None:
        self._box = box
        self._local = local

    def all(self) -> Sequence[Question]:
        return (self.board, self.export_votes, self.import_votes)

    async def board(self, data: Payload) -> Payload:
        """The board as ``arena.board.board`` makes it; ``same`` where nothing has changed since the
        ``version`` that the page ``has``."""
        return await asyncio.to_thread(self._board, owner(data), data)

    def _board(self, who: str, data: Payload) -> Payload:
        version = self._box.version()
        if data.get("has") == version:
            return {"same": True}
        made = board(
            self._box.tallies(who),
            filters_of(data, time.time()),
            self._box.voter(who),
            style=data.get("style") is True,
            drop_ties=data.get("drop_ties") is True,
        )
        return made | {"version": version, "local": self._local}

    async def export_votes(self, data: Payload) -> Payload:
        """A file of votes: everybody's where people may have them, else one's own."""
        who, format = owner(data), str(data.get("format"))
        if format not in KINDS:
            raise StoreError(
                "unknown_format", "Votes are not exported in this format.", "Choose JSONL or CSV."
            )
        kind, write = KINDS[format]

        def written() -> str:
            return "".join(write(self._box.votes(who, mine=not self._local)))

        name = f"Parley votes {time.strftime('%Y-%m-%d')}.{format}"
        return {"name": name, "type": kind, "text": await asyncio.to_thread(written)}

    async def import_votes(self, data: Payload) -> Payload:
        """Votes of a file, for the person's own boards. Bad lines are told and passed over."""
        who, file = owner(data), text(data, "text") or ""

        def brought() -> Payload:
            found = exchange.read(file)
            new, known = self._box.bring(who, found.votes)
            return {
                "new": new,
                "known": known,
                "bad": found.bad,
                "problems": list(found.problems),
            }

        return await asyncio.to_thread(brought)
