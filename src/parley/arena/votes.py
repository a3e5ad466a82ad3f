"""Every vote, kept: on the disk before anybody hears that it was counted, and never changed.

One object for the whole program, for any number of threads; other processes may use the same
folder. People stand in it under a hash with a salt that stays on this machine, so that an exported
vote leads to nobody. Knows nothing of rounds' rules, of ranking, engines or pages.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from parley.arena.records import HUMAN, Vote, as_plain, from_plain
from parley.arena.schema import STEPS
from parley.chats.database import Database
from parley.chats.records import storable
from parley.errors import StoreError
from parley.secret_file import secret

FILE = "arena.db"
SALT_FILE = "arena.salt"

Pair = frozenset[str]


@dataclass(frozen=True, slots=True)
class Tally:
    """What a board needs of a vote. ``style`` is both sides' ``Side.style``, left first."""

    left: str
    right: str
    outcome: str
    voter: str
    judge: str
    mode: str
    ranked: bool
    category: str
    language: str
    created: float
    imported: bool
    style: tuple[Sequence[int], Sequence[int]]


class VoteBox:
    """Votes in one folder. Every method may raise StoreError and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / FILE, STEPS, durable=True)
        self._salt = _salt(folder / SALT_FILE)

    def close(self) -> None:
        self.database.close()

    def voter(self, owner: str) -> str:
        """Under what this person's votes are kept: the same at every visit, and no way back."""
        return hmac.new(self._salt, owner.encode(), hashlib.sha256).hexdigest()[:32]

    def cast(self, vote: Vote) -> None:
        """Keep a vote; it is on the disk when this returns. Raises StoreError("already_voted")
        where its round has one by this judge."""
        with self.database.write() as db:
            insert(db, vote)

    def bring(self, owner: str, votes: Iterable[Vote]) -> tuple[int, int]:
        """Take over votes that were cast elsewhere, for this person's own boards. Returns how many
        were new, and how many are here already."""
        bringer, new, known = self.voter(owner), 0, 0
        with self.database.write() as db:
            for vote in votes:
                if _is_here(db, vote, bringer):
                    known += 1
                else:
                    insert(db, replace(vote, imported=True), bringer)
                    new += 1
        return new, known

    def tallies(self, owner: str) -> tuple[Tally, ...]:
        """All votes that were cast here, and those that this person has brought, in order."""
        with self.database.read() as db:
            found = db.execute(
                "SELECT left_model, right_model, outcome, voter, judge, mode, ranked, category,"
                " language, created, bringer, style FROM votes WHERE bringer IN ('', ?)"
                " ORDER BY seq",
                (self.voter(owner),),
            ).fetchall()
        return tuple(_tally(row) for row in found)

    def votes(self, owner: str, *, mine: bool = False, after: int = 0) -> Iterator[Vote]:
        """As ``tallies``, whole, one after the other: those of this person alone with ``mine``,
        brought ones included. A vote that is cast meanwhile may come too."""
        who = self.voter(owner)
        while True:
            with self.database.read() as db:
                rows = db.execute(
                    "SELECT seq, record FROM votes WHERE seq > ?"
                    " AND (bringer = ? OR (bringer = '' AND (voter = ? OR NOT ?)))"
                    " ORDER BY seq LIMIT 200",
                    (after, who, who, mine),
                ).fetchall()
            if not rows:
                return
            for row in rows:
                yield from_plain(json.loads(row["record"]))
            after = rows[-1]["seq"]

    def version(self) -> str:
        """Changes whenever a board may."""
        with self.database.read() as db:
            row = db.execute("SELECT count(*), coalesce(max(seq), 0) FROM votes").fetchone()
        return f"{row[0]}.{row[1]}"

    def pair_counts(self) -> Mapping[Pair, int]:
        """How often people have judged each pair of models here, blind."""
        with self.database.read() as db:
            return pair_counts(db)

    def wipe(self, owner: str) -> None:
        """All that this person voted, drew or brought is gone for good and at once, from the files
        too."""
        who = self.voter(owner)
        with self.database.write() as db:
            db.execute("DELETE FROM votes WHERE bringer = ?", (who,))
            db.execute("DELETE FROM votes WHERE bringer = '' AND voter = ?", (who,))
            db.execute("DELETE FROM rounds WHERE owner = ?", (who,))
        self.database.fold()


def insert(db: sqlite3.Connection, vote: Vote, bringer: str = "") -> None:
    """Write a vote inside a transaction. Raises StoreError("already_voted")."""
    values = {
        "id": vote.id,
        "round": vote.round,
        "bringer": bringer,
        "created": vote.created,
        "voter": vote.voter,
        "judge": vote.judge,
        "mode": vote.mode,
        "ranked": vote.ranked,
        "outcome": vote.outcome,
        "category": vote.category,
        "language": vote.language,
        "left_model": vote.left.model,
        "right_model": vote.right.model,
        "style": json.dumps([vote.left.style, vote.right.style]),
        "record": _json(as_plain(vote)),
    }
    marks = ", ".join("?" for _ in values)
    try:
        db.execute(f"INSERT INTO votes ({', '.join(values)}) VALUES ({marks})", (*values.values(),))
    except sqlite3.IntegrityError as error:
        raise already_voted() from error


def pair_counts(db: sqlite3.Connection) -> Mapping[Pair, int]:
    counts: Counter[Pair] = Counter()
    for row in db.execute(
        "SELECT left_model, right_model, count(*) AS n FROM votes"
        " WHERE bringer = '' AND judge = ? AND mode = 'blind' GROUP BY 1, 2",
        (HUMAN,),
    ):
        counts[frozenset((row["left_model"], row["right_model"]))] += row["n"]
    return counts


def already_voted() -> StoreError:
    return StoreError(
        "already_voted",
        "This round has been voted on already.",
        "Begin a new round to vote again.",
    )


def _is_here(db: sqlite3.Connection, vote: Vote, bringer: str) -> bool:
    return (
        db.execute(
            "SELECT 1 FROM votes WHERE id = ? AND bringer IN ('', ?)", (vote.id, bringer)
        ).fetchone()
        is not None
    )


def _tally(row: sqlite3.Row) -> Tally:
    left, right = json.loads(row["style"])
    return Tally(
        left=row["left_model"],
        right=row["right_model"],
        ranked=bool(row["ranked"]),
        imported=bool(row["bringer"]),
        style=(left, right),
        **{
            name: row[name]
            for name in ("outcome", "voter", "judge", "mode", "category", "language", "created")
        },
    )


def _json(value: Mapping[str, Any]) -> str:
    return storable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _salt(file: Path) -> bytes:
    try:
        return secret(file)
    except OSError as error:
        raise StoreError(
            "store_unwritable",
            f"The folder of what Parley keeps, {file.parent}, cannot be written to.",
            "Make it writable, or start Parley with another data folder (PARLEY_DATA_DIR).",
        ) from error
