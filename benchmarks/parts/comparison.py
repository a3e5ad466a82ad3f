"""Figures of several servers side by side: collected over rounds, printed as one table.

Knows nothing of what was measured or how.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence

from benchmarks.parts.memory import megabytes

Form = Callable[[list], tuple[float, str]]
"""Turns the values of all rounds into one to compare and a text."""
Row = tuple[str, str, Form]
"""The name a value was noted under, what it is, and its form."""


class Results:
    """Figures by row and column, over all rounds."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], list] = defaultdict(list)

    def add(self, row: str, column: str, value: object) -> None:
        self._kept[row, column].append(value)

    def get(self, row: str, column: str) -> list:
        return self._kept[row, column]


def seconds(values: list) -> tuple[float, str]:
    value = statistics.median(values)
    low, high = min(values), max(values)
    return value, f"{value:.2f} s ({low:.2f} to {high:.2f})"


def speeds(values: list) -> tuple[float, str]:
    value = statistics.median(values)
    return 1 / value, f"{value:.1f} tokens/s"


def memory(values: list) -> tuple[float, str]:
    pss = statistics.median(u.pss for u in values)
    return pss, f"{megabytes(pss)} (RSS {megabytes(statistics.median(u.rss for u in values))})"


def counts(values: list) -> tuple[float, str]:
    value = statistics.median(values)
    return value, f"{value:.0f}"


def whole(values: list) -> tuple[float, str]:
    complete = sum(came == wanted and not trouble for came, wanted, _, trouble in values)
    took = statistics.median(v[2] for v in values)
    words = {trouble for *_, trouble in values if trouble}
    return took, f"{complete} of {len(values)} whole, {took:.1f} s" + "".join(
        f"; {w}" for w in words
    )


def table(results: Results, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """One line per row; the last column is the last server's value by the first's."""
    print(f"\n| | {' | '.join(columns)} | ÷ {columns[0]} |")
    print(f"|---|{'---:|' * (len(columns) + 1)}")
    for row, title, form in rows:
        cells, values = [], []
        for column in columns:
            kept = results.get(row, column)
            value, cell = form(kept) if kept else (None, "")
            values.append(value)
            cells.append(cell)
        ratio = "" if form is counts else f"{values[-1] / values[0]:.2f}"
        print(f"| {title} | {' | '.join(cells)} | {ratio} |")
    print(
        f"\nThe last column is {columns[-1]} by {columns[0]}: above 1, {columns[0]} is quicker or "
        "smaller."
    )


def verdict(promise: str, kept: bool) -> bool:
    """Say whether it was kept; gives it back."""
    print(f"{'kept  ' if kept else 'BROKEN'}  {promise}")
    return kept
