"""The suites that come with Parley.

Knows nothing of runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from parley.arena.suites.loading import read_text
from parley.arena.suites.spec import Row
from parley.errors import SuiteError

SHIPPED = {
    "general": "general.csv",
    "japanese": "japanese.csv",
    "arithmetic": "arithmetic.jsonl",
}
"""Their files by name."""


def shipped_text(name: str) -> str:
    """Raises SuiteError("no_such_suite")."""
    if name not in SHIPPED:
        raise SuiteError(
            "no_such_suite",
            f"No suite {name!r:.40} comes with Parley.",
            f"Choose one of: {', '.join(SHIPPED)}, or give a file.",
        )
    place = files("parley.arena.suites") / "shipped" / SHIPPED[name]
    return place.read_text(encoding="utf-8")


def shipped(name: str) -> Iterator[Row]:
    return read_text(SHIPPED.get(name, name), shipped_text(name))
