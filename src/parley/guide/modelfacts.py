"""Questions about one open model, alone or as a follow-up ("and when was it released?").

The facts and the frames are data (`facts/`). Knows nothing of the other subjects.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import yaml

from .intents import Line
from .noise import roughen
from .phrases import Groups, expand
from .turns import Turn

DATA = Path(__file__).with_name("facts")
ATTRIBUTES = (
    *("about", "about", "maker", "date", "size", "licence"),
    *("open", "use", "data", "base", "context"),
)


@dataclass(frozen=True)
class ModelFacts:
    id: str
    names: tuple[str, ...]
    answers: dict[str, str]


class ModelQuestions:
    """Draws questions about the models from the frames that belong to its half of the data."""

    def __init__(self, voice: str, groups: Groups, *, holdout: int, dev: bool) -> None:
        self.voice, self.groups = voice, groups
        self.models = [_facts(raw) for raw in yaml.safe_load((DATA / "models.yaml").read_text())]
        frames = yaml.safe_load((DATA / "frames.yaml").read_text())
        self.again: list[str] = frames.pop("again")
        self.ask: dict[str, list[str]] = {}
        self.follow: dict[str, list[str]] = {}
        for attribute, lists in frames.items():
            for name, target in (("ask", self.ask), ("follow", self.follow)):
                chosen = [text for text in lists[name] if Line(name, text).held_out(holdout) == dev]
                target[attribute] = chosen or lists[name]

    def answer(self, model: ModelFacts, attribute: str) -> str:
        text = model.answers[attribute]
        return _first_sentence(text) if self.voice == "terse" else text

    def turn(self, rng: random.Random) -> Turn:
        return self._turn(rng, rng.choice(self.models), rng.choice(ATTRIBUTES))

    def _turn(self, rng: random.Random, model: ModelFacts, attribute: str) -> Turn:
        name = rng.choice(model.names)
        frame = expand(rng.choice(self.ask[attribute]), self.groups, rng)
        return self._made(roughen(frame.replace("%", name), rng), model, attribute)

    def chain(self, rng: random.Random) -> list[Turn]:
        """A question about a model, then one to three more that lean on the turn before."""
        model, attribute = rng.choice(self.models), rng.choice(ATTRIBUTES)
        turns = [self._turn(rng, model, attribute)]
        for _ in range(rng.choice((1, 1, 2, 3))):
            if rng.random() < 0.25:
                model = rng.choice(self.models)
                text = rng.choice(self.again).replace("%", rng.choice(model.names))
            else:
                attribute = rng.choice([name for name in ATTRIBUTES if name != attribute])
                text = expand(rng.choice(self.follow[attribute]), self.groups, rng)
            turns.append(self._made(roughen(text, rng), model, attribute))
        return turns

    def _made(self, user: str, model: ModelFacts, attribute: str) -> Turn:
        intent = f"{model.id}.{attribute}"
        return Turn(user, self.answer(model, attribute), "model_facts", intent)


def _facts(raw: dict[str, object]) -> ModelFacts:
    names = raw["names"]
    assert isinstance(names, list)
    answers = {key: str(raw[key]) for key in raw if key not in ("id", "names")}
    answers.setdefault(
        "context", f"I don't know the context length of {names[0]}: its page on the Hub tells it."
    )
    return ModelFacts(str(raw["id"]), tuple(str(name) for name in names), answers)


def _first_sentence(text: str) -> str:
    end = text.find(". ")
    return text if end < 0 else text[: end + 1]
