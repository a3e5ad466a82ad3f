"""Mistakes in a catalogue file, told so that a person can put them right.

Knows nothing of YAML or of which keys there are: whoever reads the file says what is wrong.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from yaml.nodes import Node

LONG = 160
"""An allowed list longer than this would bury the suggestion behind it."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to correct. ``line`` counts from 1 and is 0 where the file as a whole is meant;
    ``key`` is dotted (``sampling.top_p``) and empty outside of a model."""

    file: str
    line: int
    key: str
    found: str
    allowed: str = ""
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        allowed = "" if self.hint and len(self.allowed) > LONG else self.allowed
        parts = [self.found, f"allowed: {allowed}" if allowed else "", self.hint]
        return ": ".join(p for p in (place, self.key, "; ".join(p for p in parts if p)) if p)


@dataclass
class Sheet:
    """One file while it is read: where it is, what to call it, and its mistakes so far."""

    label: str
    folder: Path
    mistakes: list[Mistake] = field(default_factory=list)

    def wrong(
        self, at: Node | int, key: str, found: str, allowed: str = "", hint: str = ""
    ) -> None:
        """Note a mistake at a node or a line; what is read twice through an alias is noted once."""
        line = at if isinstance(at, int) else at.start_mark.line + 1
        mistake = Mistake(self.label, line, key, found, allowed, hint)
        if mistake not in self.mistakes:
            self.mistakes.append(mistake)


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word a person most likely meant, if any is near enough."""
    plain = {_plain(k): k for k in known}
    near = difflib.get_close_matches(_plain(word), plain, n=1, cutoff=0.6)
    return plain[near[0]] if near else None


def did_you_mean(word: str | None) -> str:
    return f"did you mean {word}?" if word else ""


def _plain(word: str) -> str:
    return re.sub(r"[\W_]", "", word.casefold())
