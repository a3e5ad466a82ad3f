"""A suite: prompts, what their answers are held to, and the limits of both.

Frozen, plain values, with their form as one line of JSON. Knows nothing of files, models or runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

CheckKind = Literal["contains", "regex", "json_schema", "number"]
KINDS: tuple[str, ...] = get_args(CheckKind)

MOST_BYTES = 20_000_000
"""Of one suite's file."""
MOST_ROWS = 10_000
MOST_TURNS = 8
MOST_TEXT = 32_000
"""Characters of a prompt, a system prompt or an expected answer."""
MOST_PATTERN = 2_000
"""Characters of a regular expression."""
MOST_NAME = 80
"""Characters of a category, an id, or the name of a suite."""


@dataclass(frozen=True, slots=True)
class Check:
    """What an answer is held to. ``expected`` is what it has to contain, the pattern, the schema as
    JSON text, or a number; ``tolerance`` is how far off a number may be, as a share of ``expected``
    where it is ``relative``."""

    kind: CheckKind
    expected: str
    tolerance: float = 0.0
    relative: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt. ``number`` counts from 0; ``id`` is the file's own name for the row, or its
    number from 1. ``turns`` are what the person says, one after the other. ``system`` None leaves
    each model its own system prompt. ``expected`` is a reference for the reader; what is checked is
    ``check``, and that is the last answer alone."""

    number: int
    id: str
    turns: tuple[str, ...]
    category: str = ""
    expected: str = ""
    system: str | None = None
    check: Check | None = None


def to_line(row: Row) -> str:
    """The row as one line of JSON, without its end."""
    found: dict[str, Any] = {"id": row.id, "turns": list(row.turns)}
    if row.category:
        found["category"] = row.category
    if row.expected:
        found["expected"] = row.expected
    if row.system is not None:
        found["system"] = row.system
    if row.check:
        check = row.check
        found["check"] = check.kind
        found["against"] = check.expected
        if check.tolerance:
            found["tolerance"] = check.tolerance
            found["relative"] = check.relative
    return json.dumps(found, ensure_ascii=False)


def from_line(number: int, line: str) -> Row:
    """What ``to_line`` wrote; nothing else is read here."""
    found: Mapping[str, Any] = json.loads(line)
    check = None
    if "check" in found:
        check = Check(
            found["check"],
            found["against"],
            found.get("tolerance", 0.0),
            found.get("relative", False),
        )
    return Row(
        number,
        found["id"],
        tuple(found["turns"]),
        found.get("category", ""),
        found.get("expected", ""),
        found.get("system"),
        check,
    )
