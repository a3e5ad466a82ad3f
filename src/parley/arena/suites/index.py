"""Where each cell of a run stands on the disk, and what is known of it without reading it there.

Some twenty bytes a cell, brought up to date from the ends of the run's files: a table of a thousand
rows is never in memory, a page of it is read. Not for two threads at a time. Knows nothing of who
writes the files.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from parley.arena.suites import plan as plans
from parley.arena.suites.checks import folded
from parley.arena.suites.journal import entries, entry_at
from parley.arena.suites.plan import Plan
from parley.arena.suites.spec import Row, from_line

Filter = Literal["all", "different", "failed", "unrated"]

NONE, DONE, PASSED, MISSED, FAILED = range(5)
"""What has become of a cell: nothing yet; an answer that nobody checked; one that passed; one that
did not; no answer, but a reason."""

UNRATED = 0


@dataclass(slots=True)
class Tally:
    """Sums over one model's finished cells; the counts are of cells."""

    done: int = 0
    failed: int = 0
    passed: int = 0
    missed: int = 0
    tokens: int = 0
    characters: int = 0
    speeds: float = 0.0
    timed: int = 0
    waits: float = 0.0
    waited: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Column:
    """One model's cells, by row."""

    offsets: array[int]
    marks: bytearray
    digests: array[int]
    ratings: bytearray
    tally: Tally = field(default_factory=Tally)


class Index:
    """Call ``catch_up`` to hear of what has been written since; reads nothing else by itself."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan
        self.rows = array("q")
        self.categories: list[str] = []
        self.row_categories = array("H")
        self._read_rows()
        n = len(self.rows)
        self.columns = {
            model: Column(array("q", [-1]) * n, bytearray(n), array("Q", [0]) * n, bytearray(n))
            for model in plan.models
        }
        self._read = {plans.CELLS: 0, plans.RATINGS: 0}

    def _read_rows(self) -> None:
        known: dict[str, int] = {}
        for begin, _, entry in entries(self.folder / plans.ROWS):
            self.rows.append(begin)
            name = str(entry.get("category", ""))
            self.row_categories.append(known.setdefault(name, len(known)))
        self.categories = list(known)

    def catch_up(self) -> None:
        for begin, end, entry in entries(self.folder / plans.CELLS, self._read[plans.CELLS]):
            self._read[plans.CELLS] = end
            place = self._place(entry)
            if place is not None:
                self._take(*place, begin, entry)
        for _, end, entry in entries(self.folder / plans.RATINGS, self._read[plans.RATINGS]):
            self._read[plans.RATINGS] = end
            place = self._place(entry)
            if place is not None and entry.get("value") in (-1, 0, 1):
                column, row = place
                column.ratings[row] = entry["value"] % 3  # 2 stands for -1

    def _place(self, entry: dict[str, Any]) -> tuple[Column, int] | None:
        column, row = self.columns.get(str(entry.get("model"))), entry.get("row")
        if column is None or not isinstance(row, int) or not 0 <= row < len(self.rows):
            return None
        return column, row

    def _take(self, column: Column, row: int, begin: int, entry: dict[str, Any]) -> None:
        before = column.marks[row]
        if before not in (NONE, FAILED):
            return  # finished once is finished
        tally = column.tally
        tally.failed -= before == FAILED
        column.offsets[row] = begin
        if entry.get("error"):
            column.marks[row] = FAILED
            tally.failed += 1
            return
        passed = entry.get("passed")
        column.marks[row] = DONE if passed is None else PASSED if passed else MISSED
        answer = entry["answers"][-1]
        column.digests[row] = _digest(answer)
        tally.done += 1
        tally.passed += passed is True
        tally.missed += passed is False
        tally.characters += len(answer)
        tally.tokens += entry.get("tokens") or 0
        tally.seconds += entry.get("seconds") or 0.0
        if entry.get("speed"):
            tally.speeds += entry["speed"]
            tally.timed += 1
        if entry.get("wait") is not None:
            tally.waits += entry["wait"]
            tally.waited += 1

    # -- what is known without reading --

    def finished(self, model: str, row: int) -> bool:
        """Whether there is an answer. A cell that failed is tried again."""
        return self.columns[model].marks[row] not in (NONE, FAILED)

    @property
    def total(self) -> int:
        return len(self.rows) * len(self.columns)

    @property
    def settled(self) -> int:
        """Cells with an answer, or with a reason why there is none."""
        return sum(c.tally.done + c.tally.failed for c in self.columns.values())

    @property
    def failed(self) -> int:
        return sum(c.tally.failed for c in self.columns.values())

    def rating(self, model: str, row: int) -> int:
        value = self.columns[model].ratings[row]
        return -1 if value == 2 else value

    def chosen(self, which: Filter = "all", category: str | None = None) -> Iterator[int]:
        """The rows that a filter leaves: ``different`` where two models say something else,
        ``failed`` where an answer is missing or did not pass, ``unrated`` where one waits for its
        reader."""
        wanted = None
        if category is not None:
            wanted = self.categories.index(category) if category in self.categories else -1
        columns = list(self.columns.values())
        for row in range(len(self.rows)):
            if wanted is not None and self.row_categories[row] != wanted:
                continue
            if which == "different":
                said = {c.digests[row] for c in columns if c.marks[row] not in (NONE, FAILED)}
                if len(said) < 2:
                    continue
            elif which == "failed":
                if not any(c.marks[row] in (MISSED, FAILED) for c in columns):
                    continue
            elif which == "unrated" and not any(
                c.marks[row] not in (NONE, FAILED) and c.ratings[row] == UNRATED for c in columns
            ):
                continue
            yield row

    # -- what is read --

    def row(self, number: int) -> Row:
        with (self.folder / plans.ROWS).open("rb") as stream:
            return self._row(stream, number)

    def _row(self, stream: IO[bytes], number: int) -> Row:
        stream.seek(self.rows[number])
        return from_line(number, stream.readline().decode())

    def read(self, numbers: Iterator[int]) -> Iterator[tuple[Row, dict[str, dict[str, Any]]]]:
        """Rows with their cells by model; one that is not there yet is missing."""
        with (
            (self.folder / plans.ROWS).open("rb") as suite,
            (self.folder / plans.CELLS).open("ab+") as cells,
        ):
            for number in numbers:
                yield (
                    self._row(suite, number),
                    {
                        model: entry_at(cells, column.offsets[number])
                        for model, column in self.columns.items()
                        if column.offsets[number] >= 0
                    },
                )


def _digest(answer: str) -> int:
    """What two answers share that differ in case and layout only."""
    data = folded(answer).encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())
