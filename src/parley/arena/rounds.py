"""Blind rounds: which two models meet, on which side each sits, and what may be voted when.

A round is drawn, its two chats are told as they come to be, and it ends with one vote or is given
up. Until then nothing here says a model's name to anybody but those who must ask it. Knows nothing
of engines or pages.
"""

from __future__ import annotations

import random
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from parley.arena.casting import Said, bad_vote, category_of, made
from parley.arena.records import Category, Seat, Side, Vote
from parley.arena.votes import Pair, VoteBox, already_voted, insert, pair_counts
from parley.errors import StoreError

FRESH = 24 * 3600.0
"""Seconds for which an open round counts as one that will be voted on, when pairs are drawn."""

State = Literal["open", "voted", "void"]


@dataclass(frozen=True, slots=True)
class Round:
    """Two models and their chats, None until there is one. ``opened`` is seconds since the epoch.
    A "void" round was given up, or its names were seen: it can no longer be voted on."""

    id: str
    left: str
    right: str
    left_chat: str | None
    right_chat: str | None
    category: Category
    opened: float
    state: State

    @property
    def revealed(self) -> bool:
        """Whether its person may know who wrote what."""
        return self.state != "open"


def draw(
    candidates: Iterable[str], counts: Mapping[Pair, int], rng: random.Random
) -> tuple[str, str]:
    """The left and the right model of a new round: of the pairs that have met least any, on sides
    drawn as well. Unequal sampling would bias the board (Singh et al., "The Leaderboard Illusion",
    arXiv 2504.20879). Raises StoreError("too_few_models")."""
    pairs = list(combinations(sorted(set(candidates)), 2))
    if not pairs:
        raise StoreError(
            "too_few_models",
            "A blind round takes two models that can answer here, and there are fewer.",
            "Add a model to models.yaml, or make room for a second one.",
        )
    fewest = min(counts.get(frozenset(pair), 0) for pair in pairs)
    pair = rng.choice([pair for pair in pairs if counts.get(frozenset(pair), 0) == fewest])
    left, right = rng.sample(pair, 2)
    return left, right


class Rounds:
    """The rounds of everybody. Methods raise StoreError; to all but its owner a round does not
    exist."""

    def __init__(self, box: VoteBox, rng: random.Random | None = None) -> None:
        self._box = box
        self._database = box.database
        self._rng = rng or random.SystemRandom()

    def open(
        self, owner: str, candidates: Iterable[str], category: str | None = "general"
    ) -> Round:
        """Draw two of the models. Raises StoreError("too_few_models")."""
        with self._database.write() as db:
            left, right = draw(candidates, _sampled(db), self._rng)
            new = Round(
                uuid.uuid4().hex,
                left,
                right,
                None,
                None,
                category_of(category),
                time.time(),
                "open",
            )
            db.execute(
                "INSERT INTO rounds (id, owner, left_model, right_model, category, opened)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (new.id, self._box.voter(owner), left, right, new.category, new.opened),
            )
        return new

    def round(self, owner: str, id: str) -> Round:
        """Raises StoreError("no_such_round")."""
        with self._database.read() as db:
            return self._require(db, owner, id)

    def round_of(self, owner: str, chat: str) -> Round | None:
        """The round that one of this person's chats belongs to."""
        with self._database.read() as db:
            row = db.execute(
                "SELECT * FROM rounds WHERE owner = ? AND ? IN (left_chat, right_chat)",
                (self._box.voter(owner), chat),
            ).fetchone()
        return None if row is None else _round(row)

    def model(self, owner: str, id: str, seat: Seat) -> str:
        """Who sits there: for whoever asks the model, not for the page."""
        found = self.round(owner, id)
        return found.left if seat == "left" else found.right

    def attach(self, owner: str, id: str, seat: Seat, chat: str) -> Round:
        """Say in which chat a side answers. Raises StoreError("round_over")."""
        with self._database.write() as db:
            self._require_open(db, owner, id)
            column = "left_chat" if seat == "left" else "right_chat"
            db.execute(f"UPDATE rounds SET {column} = ? WHERE id = ?", (chat, id))
            return self._require(db, owner, id)

    def void(self, owner: str, id: str) -> Round:
        """Give a round up, or let its names be seen, without a vote. One that has ended stays as
        it is."""
        with self._database.write() as db:
            self._require(db, owner, id)
            db.execute("UPDATE rounds SET state = 'void' WHERE id = ? AND state = 'open'", (id,))
            return self._require(db, owner, id)

    def vote(
        self,
        owner: str,
        id: str,
        outcome: str,
        left: Side,
        right: Side,
        *,
        prompt: Sequence[Mapping[str, str]] = (),
        turn: int = 1,
        said: Said | None = None,
        names: Iterable[str] = (),
    ) -> Vote:
        """Vote on a round, once. ``names`` are what the models here are called, beside those that
        ``leaks`` knows: a vote after an answer that introduced itself is kept and does not rank.

        It is on the disk when this returns. Raises StoreError("already_voted", "round_over",
        "side_failed", "no_text_yet", "bad_vote" or "no_such_round")."""
        with self._database.write() as db:
            found = self._require_open(db, owner, id)
            if (left.model, right.model) != (found.left, found.right):
                raise bad_vote("The answers are not those of this round.")
            voted = replace(
                made(outcome, left, right, prompt, turn, said, names, found.category),
                round=id,
                voter=self._box.voter(owner),
            )
            insert(db, voted)
            db.execute("UPDATE rounds SET state = 'voted' WHERE id = ?", (id,))
        return voted

    def vote_open(
        self,
        owner: str,
        id: str,
        outcome: str,
        left: Side,
        right: Side,
        *,
        prompt: Sequence[Mapping[str, str]] = (),
        turn: int = 1,
        said: Said | None = None,
    ) -> Vote:
        """Vote on two answers whose models are known; it is kept apart and does not rank. ``id``
        names the two answers, so that they are voted on once. Raises as ``vote``."""
        if left.model == right.model:
            raise bad_vote("Both answers are by the same model.")
        voted = replace(
            made(outcome, left, right, prompt, turn, said),
            round=id,
            voter=self._box.voter(owner),
            mode="open",
            ranked=False,
        )
        self._box.cast(voted)
        return voted

    def _require(self, db: sqlite3.Connection, owner: str, id: str) -> Round:
        row = db.execute(
            "SELECT * FROM rounds WHERE id = ? AND owner = ?", (id, self._box.voter(owner))
        ).fetchone()
        if row is None:
            raise StoreError(
                "no_such_round", "This round is not there, or is not yours.", "Begin a new round."
            )
        return _round(row)

    def _require_open(self, db: sqlite3.Connection, owner: str, id: str) -> Round:
        found = self._require(db, owner, id)
        if found.state == "voted":
            raise already_voted()
        if found.state == "void":
            raise StoreError("round_over", "This round has ended.", "Begin a new round.")
        return found


def _sampled(db: sqlite3.Connection) -> Mapping[Pair, int]:
    """How often each pair has met: votes, and rounds that may still get one."""
    counts = Counter(pair_counts(db))
    for row in db.execute(
        "SELECT left_model, right_model FROM rounds WHERE state = 'open' AND opened > ?",
        (time.time() - FRESH,),
    ):
        counts[frozenset((row["left_model"], row["right_model"]))] += 1
    return counts


def _round(row: sqlite3.Row) -> Round:
    return Round(
        row["id"],
        row["left_model"],
        row["right_model"],
        row["left_chat"],
        row["right_chat"],
        row["category"],
        row["opened"],
        row["state"],
    )
