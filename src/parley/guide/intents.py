"""What the guide knows, read from `intents/*.yaml`: who asks what in which words, and the answer.

An intent has free phrasings (`ask`), verb phrases (`do`, put into frames such as "how do I …"),
noun phrases (`thing`, "where is …") and terms (`term`, "what is …"), and a few fixed answers, warm
and terse. Knows nothing of dialogues, noise or tokens.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import yaml

from .phrases import Groups, expand, with_labels

DATA = Path(__file__).with_name("intents")

KINDS = ("ask", "do", "thing", "term")


@cache
def frames() -> dict[str, list[str]]:
    """What a phrasing is put into, by its kind."""
    found: dict[str, list[str]] = yaml.safe_load((DATA / "_frames.yaml").read_text())
    return found


@dataclass(frozen=True)
class Line:
    """One phrasing and the kind of frame it goes into."""

    kind: str
    text: str

    def held_out(self, percent: int) -> bool:
        """Whether this phrasing belongs to the development set: fixed by the text alone."""
        digest = hashlib.sha256(f"{self.kind}:{self.text}".encode()).digest()
        return digest[0] * 100 < percent * 256

    def prompt(self, groups: Groups, rng: random.Random) -> str:
        frame = rng.choice(frames()[self.kind])
        return expand(frame.replace("%", self.text), groups, rng)


@dataclass(frozen=True)
class Intent:
    """One thing people want, the ways they say it, and what the guide replies."""

    id: str
    category: str
    lines: tuple[Line, ...]
    warm: tuple[str, ...]
    terse: tuple[str, ...]
    weight: float

    def answers(self, voice: str) -> tuple[str, ...]:
        return self.warm if voice == "warm" else self.terse


def load_groups() -> dict[str, list[str]]:
    groups: dict[str, list[str]] = yaml.safe_load((DATA / "_groups.yaml").read_text())
    return groups


def _lines(raw: dict[str, object]) -> tuple[Line, ...]:
    found: list[Line] = []
    for kind in KINDS:
        block = raw.get(kind) or ""
        found += [Line(kind, text.strip()) for text in str(block).splitlines() if text.strip()]
    return tuple(dict.fromkeys(found))


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(with_labels(" ".join(str(item).split())) for item in items)


def load_intents() -> list[Intent]:
    """Every intent of every file, in a fixed order; an entry without answers adds phrasings."""
    intents: dict[str, Intent] = {}
    for path in sorted(DATA.glob("[a-z]*.yaml")):
        for raw in yaml.safe_load(path.read_text()):
            lines = _lines(raw)
            if not lines:
                raise ValueError(f"{path.name}: {raw['id']} has no phrasings")
            known = intents.get(raw["id"])
            if "warm" not in raw and known:
                lines = tuple(dict.fromkeys(known.lines + lines))
                intents[known.id] = replace(known, lines=lines)
                continue
            intents[raw["id"]] = Intent(
                id=raw["id"],
                category=raw.get("category", path.stem.split("-")[0]),
                lines=lines,
                warm=_texts(raw["warm"]),
                terse=_texts(raw["terse"]),
                weight=float(raw.get("weight", 1.0)),
            )
    return list(intents.values())
