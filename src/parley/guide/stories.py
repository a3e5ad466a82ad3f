"""Short stories, jokes and poems from a grammar, so that they differ from seed to seed.

The hero of a story is the subject that was asked for. The words are data (`facts/stories.yaml`).
Knows nothing of other subjects.
"""

from __future__ import annotations

import random
from pathlib import Path

import yaml

from .noise import roughen
from .turns import Turn

DATA = Path(__file__).with_name("facts") / "stories.yaml"
HERE = "§"


def _a(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


class Stories:
    def __init__(self, voice: str) -> None:
        self.short = voice == "terse"
        self.data: dict[str, list[str]] = yaml.safe_load(DATA.read_text())

    def turn(self, rng: random.Random) -> Turn:
        """A request for a story, a joke or a poem, and one."""
        hero, adjective = self._one("heroes", rng), self._one("adjectives", rng)
        roll = rng.random()
        if roll < 0.25:
            return self._turn("joke", "ask_joke", "", self._one("jokes", rng), rng)
        if roll < 0.35:
            return self._turn("haiku", "ask_haiku", _named(hero), self._one("haiku", rng), rng)
        about = "_about" if rng.random() < 0.65 else ""
        asked = _a(f"{adjective} {hero}") if rng.random() < 0.35 else _named(hero)
        if roll < 0.5:
            poem = self._one("poems", rng).format(hero=hero, adj=adjective)
            return self._turn("poem", f"ask_poem{about}", asked, poem, rng)
        return self._turn(
            "story", f"ask_story{about}", asked, self.story(hero, adjective, rng), rng
        )

    def _one(self, name: str, rng: random.Random) -> str:
        return rng.choice(self.data[name])

    def _turn(self, intent: str, ask: str, subject: str, answer: str, rng: random.Random) -> Turn:
        text = self._one(ask, rng).replace(HERE, subject)
        return Turn(roughen(text, rng), answer, "story", intent)

    def story(self, hero: str, adjective: str, rng: random.Random) -> str:
        start = f"Once there was {_a(f'{adjective} {hero}')} who lived {self._one('places', rng)}."
        wish = f"More than anything, the {hero} wanted {self._one('wishes', rng)}."
        end = self._one("ends", rng).format(hero=hero)
        if self.short:
            return f"{start} {wish} {end}"
        helper, gift = self._one("helpers", rng), self._one("gifts", rng)
        help_ = f"There {helper} gave the {hero} {gift} and showed the way."
        turn = [self._one("turns", rng)] if rng.random() < 0.7 else []
        return " ".join([start, wish, *turn, help_, end])


def _named(hero: str) -> str:
    return "the moon" if hero == "moon" else _a(hero)
