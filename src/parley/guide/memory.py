"""Things a person tells about themselves, and asks for later in the same chat.

Half of the names are real, half are made of random syllables, so that the guide learns to copy
what it was told rather than a list. Knows nothing of other subjects.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from .noise import roughen
from .turns import Turn

DATA = Path(__file__).with_name("facts") / "memory.yaml"
HERE = "§"
_CATEGORY = "memory"


@dataclass(frozen=True)
class Kind:
    """One sort of thing to remember: how it is told, acknowledged, asked for and recalled."""

    id: str
    tell: tuple[str, ...]
    ask: tuple[str, ...]
    noted: str
    recall: str
    unknown: str


class Memory:
    """Draws things to remember, and turns about them, in one voice."""

    def __init__(self, voice: str) -> None:
        self.data: dict[str, Any] = yaml.safe_load(DATA.read_text())
        self.voice = voice

    def _kind(self, name: str, animal: str = "") -> Kind:
        raw, at = self.data[name], 0 if self.voice == "warm" else 1
        ask = [*raw["ask"], *(self.data["of_a_pet"] if animal in self.data["pets"] else [])]
        return Kind(
            id=name,
            tell=tuple(text.replace("@", animal) for text in raw["tell"]),
            ask=tuple(text.replace("@", animal) for text in ask),
            noted=raw["noted"][at].replace("@", animal),
            recall=raw["recall"][at].replace("@", animal),
            unknown=raw["unknown"][at].replace("@", animal),
        )

    def invented(self, rng: random.Random) -> str:
        """A name nobody has."""
        data = self.data
        count = rng.choice((1, 2, 2, 3))
        parts = [rng.choice(data["starts"]) + rng.choice(data["vowels"]) for _ in range(count)]
        end: str = rng.choice(data["ends"])
        return ("".join(parts) + end).capitalize()

    def _pick(self, name: str, known: float, rng: random.Random) -> str:
        return str(rng.choice(self.data[name])) if rng.random() < known else self.invented(rng)

    def draw(self, rng: random.Random) -> tuple[Kind, str]:
        roll = rng.random()
        if roll < 0.55:
            value = self._pick("names", 0.4, rng)
            if rng.random() < 0.08:
                value += " " + self._pick("names", 0.5, rng)
            return self._kind("name"), value
        if roll < 0.72:
            return self._kind("colour"), self._pick("colours", 1, rng)
        if roll < 0.83:
            return self._kind("pet", rng.choice(self.data["pets"])), self._pick(
                "pet_names", 0.5, rng
            )
        if roll < 0.88:
            return self._kind("pet", rng.choice(self.data["relatives"])), self._pick(
                "names", 0.5, rng
            )
        if roll < 0.91:
            return self._kind("number"), str(rng.randrange(2, 200))
        if roll < 0.96:
            return self._kind("town"), self._pick("towns", 0.5, rng)
        return self._kind("food"), self._pick("foods", 1, rng)

    def another(self, kind: Kind, rng: random.Random) -> str:
        """A second value of the same sort, for somebody who corrects themselves."""
        while True:
            drawn, value = self.draw(rng)
            if drawn.id == kind.id:
                return value

    def tell(self, kind: Kind, value: str, rng: random.Random) -> tuple[Turn, str]:
        """The person tells; also returns the value as typed, which is what is copied later."""
        text = roughen(rng.choice(kind.tell), rng, strength=0.5)
        while HERE not in text:
            text = roughen(rng.choice(kind.tell), rng, strength=0.0)
        if text == text.lower() and rng.random() < 0.6:
            value = value.lower()
        reply = kind.noted.replace(HERE, value)
        user = text.replace(HERE, value)
        return Turn(user, reply[:1].upper() + reply[1:], _CATEGORY, f"tell.{kind.id}"), value

    def recall(self, kind: Kind, value: str, rng: random.Random) -> Turn:
        user = roughen(rng.choice(kind.ask), rng)
        return Turn(user, kind.recall.replace(HERE, value), _CATEGORY, f"recall.{kind.id}")

    def at_once(self, rng: random.Random) -> Turn:
        """Told and asked in one message, sometimes with something else told beside it."""
        kind, value = self.draw(rng)
        parts = [rng.choice(kind.tell).replace(HERE, value)]
        other, beside = self.draw(rng)
        if other.id != kind.id and rng.random() < 0.4:
            parts.insert(rng.randrange(2), rng.choice(other.tell).replace(HERE, beside))
        told = rng.choice((" and ", ". ", ", and ")).join(parts)
        between = rng.choice((". ", "! ", ", ", ". Now, ", ". So ", "; "))
        text = between.join((told, rng.choice(kind.ask)))
        return Turn(text, kind.recall.replace(HERE, value), _CATEGORY, f"recall.{kind.id}")

    def named_question(self, kind: Kind, value: str, turn: Turn, rng: random.Random) -> Turn:
        """A name in front of a question; the question is what is answered."""
        opening = rng.choice(kind.tell).rstrip(".").replace(HERE, value)
        text = opening + rng.choice((". ", "! ", ", ", " and ", ". ")) + turn.user
        hello = f"Nice to meet you, {value}! " if self.voice == "warm" else ""
        return replace(turn, user=text, assistant=hello + turn.assistant)

    def forgotten(self, rng: random.Random) -> Turn:
        """Asked for something that was never told."""
        kind, _ = self.draw(rng)
        asks = [text for text in kind.ask if "pet" not in text and text != "who am I?"]
        return Turn(roughen(rng.choice(asks), rng), kind.unknown, _CATEGORY, f"unknown.{kind.id}")
