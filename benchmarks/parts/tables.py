"""Markdown tables with goals beside the figures. Knows nothing of what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """At least, or at most, a figure."""

    limit: float
    at_most: bool = False
    unit: str = ""

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.limit:g}{self.unit}"

    def judged(self, value: float) -> str:
        kept = value <= self.limit if self.at_most else value >= self.limit
        return f"{self}: {'kept' if kept else 'missed'}"


def least(limit: float, unit: str = "") -> Goal:
    return Goal(limit, unit=unit)


def most(limit: float, unit: str = "") -> Goal:
    return Goal(limit, at_most=True, unit=unit)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """The first column is words, the others figures."""
    print(f"\n| {' | '.join(head)} |")
    print(f"|---|{'---:|' * (len(head) - 1)}")
    for row in rows:
        print(f"| {' | '.join(str(cell) for cell in row)} |", flush=True)


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """The median over rounds of one figure by another of the same round."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def spread(values: Sequence[float], digits: int = 1, scale: float = 1.0) -> str:
    """The median, and in brackets the lowest and the highest where there are several."""
    value = statistics.median(values) * scale
    if len(values) < 2:
        return f"{value:.{digits}f}"
    low, high = min(values) * scale, max(values) * scale
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
