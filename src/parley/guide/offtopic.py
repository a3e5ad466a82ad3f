"""Everything else in the world, so that the guide learns to say that it does not know.

Forms and topics are data (`facts/offtopic.yaml`); made-up words are among the topics. Knows nothing
of what the guide does know.
"""

from __future__ import annotations

import random
from pathlib import Path

import yaml

from .intents import Line
from .noise import roughen
from .phrases import expand, with_labels
from .turns import Turn

DATA = Path(__file__).with_name("facts") / "offtopic.yaml"
_KINDS = ("general",) * 9 + ("near",) * 5 + ("sums",) * 3


class OffTopic:
    """Draws prompts from the topics and forms that belong to its half of the data."""

    def __init__(self, voice: str, *, holdout: int, dev: bool) -> None:
        data = yaml.safe_load(DATA.read_text())
        self.answers: dict[str, list[str]] = data[voice]
        self.groups: dict[str, list[str]] = {}
        for name, items in data["groups"].items():
            chosen = [item for item in items if Line(name, item).held_out(holdout) == dev]
            self.groups[name] = chosen or items
        self.forms: dict[str, list[str]] = {}
        for kind, forms in data["forms"].items():
            chosen = [form for form in forms if Line(kind, form).held_out(holdout) == dev]
            self.forms[kind] = chosen if chosen and not dev else forms

    def turn(self, rng: random.Random) -> Turn:
        kind = rng.choice(_KINDS)
        text = expand(rng.choice(self.forms[kind]), self.groups, rng)
        answers = self.answers.get(kind) or self.answers["general"]
        answer = with_labels(rng.choice(answers))
        return Turn(roughen(text, rng), answer, "honesty", f"offtopic.{kind}")
