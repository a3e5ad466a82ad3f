"""What a run came to, by model: how many passed, how sure that is, how fast and how long.

Pure, from an index. Knows nothing of pages and formats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from parley.arena.suites.index import MISSED, PASSED, Index

Z = 1.959963984540054
"""Standard deviations on either side that hold 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Result:
    """One model's. ``rate`` is the share of the checked answers that passed and ``low`` to
    ``high`` its 95 % interval; all three None where nothing was checked. ``speed`` is tokens per
    second of a single answer while others were written beside it, ``wait`` seconds to the first
    token, ``tokens``, ``characters`` and ``seconds`` are of one row; means, None where nothing was
    measured. ``good`` and ``bad`` count what the reader rated so."""

    model: str
    done: int
    failed: int
    checked: int
    passed: int
    rate: float | None
    low: float | None
    high: float | None
    speed: float | None
    wait: float | None
    tokens: float | None
    characters: float | None
    seconds: float | None
    good: int
    bad: int


def results(index: Index) -> list[Result]:
    found = []
    for model, column in index.columns.items():
        t = column.tally
        checked = t.passed + t.missed
        low, high = wilson(t.passed, checked) if checked else (None, None)
        found.append(
            Result(
                model,
                t.done,
                t.failed,
                checked,
                t.passed,
                t.passed / checked if checked else None,
                low,
                high,
                t.speeds / t.timed if t.timed else None,
                t.waits / t.waited if t.waited else None,
                t.tokens / t.done if t.done else None,
                t.characters / t.done if t.done else None,
                t.seconds / t.done if t.done else None,
                column.ratings.count(1),
                column.ratings.count(2),
            )
        )
    return found


def by_category(index: Index) -> dict[str, dict[str, tuple[int, int]]]:
    """How many passed, of how many that were checked: by category, then by model. Categories in
    which nothing was checked are left out."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for number, name in enumerate(index.categories):
        rows = [row for row, of in enumerate(index.row_categories) if of == number]
        counts = {}
        for model, column in index.columns.items():
            marks = [column.marks[row] for row in rows]
            passed = marks.count(PASSED)
            counts[model] = (passed, passed + marks.count(MISSED))
        if any(checked for _, checked in counts.values()):
            found[name] = counts
    return found


def wilson(passed: int, of: int, z: float = Z) -> tuple[float, float]:
    """The interval in which a share lies that was observed as ``passed`` of ``of`` (at least 1), by
    Wilson's score (E. B. Wilson, 1927): never outside 0 to 1, and sound for few or for all."""
    share = passed / of
    centre = share + z * z / (2 * of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)
