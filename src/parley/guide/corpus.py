"""Mixes what people ask into dialogues: the same seed and number give the same dialogue, always.

A corpus is a function of a number, not a file: training draws dialogue 0, 1, 2 … and resumes at any
of them. A dialogue in which somebody happens to ask what the evaluation asks is drawn again. Knows
nothing of tokens.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import replace

from .evaluate import normalise
from .evaluate import prompts as evaluated_prompts
from .intents import Intent, load_groups, load_intents
from .memory import Memory
from .modelfacts import ModelQuestions
from .noise import roughen
from .offtopic import OffTopic
from .stories import Stories
from .turns import Dialogue, Turn

SHARES = {
    "app_help": 0.36,
    "honesty": 0.24,
    "model_facts": 0.13,
    "concepts": 0.13,
    "small_talk": 0.1,
    "story": 0.04,
}
MULTI_TURN = 0.3
SYSTEMS = (
    "You are a helpful assistant.",
    "You are the Parley Guide.",
    "You are a friendly guide. Answer briefly.",
    "Answer in one or two sentences.",
    "Be polite and short.",
    "You are a helpful and honest assistant.",
    "You are an expert. Be concise.",
)


def asked_in(dialogue: Dialogue) -> set[str]:
    """What the person asks in it, normalised: every message, and every run of them from the first
    on, as the evaluation writes its longer chats."""
    asked = [turn.user for turn in dialogue.turns]
    runs = ["\n".join(asked[: end + 1]) for end in range(len(asked))]
    return {normalise(text) for text in (*asked, *runs)}


class Corpus:
    """Dialogues in one voice, "warm" or "terse", without the phrasings held out."""

    def __init__(
        self, seed: int, voice: str = "warm", *, holdout: int = 0, dev: bool = False
    ) -> None:
        self.seed, self.voice, self.holdout, self.dev = seed, voice, holdout, dev
        self.evaluated = evaluated_prompts()
        self.groups = load_groups()
        self.intents = [intent for intent in load_intents() if self.lines_of(intent)]
        self.models = ModelQuestions(voice, self.groups, holdout=holdout, dev=dev)
        self.offtopic = OffTopic(voice, holdout=holdout, dev=dev)
        self.memory = Memory(voice)
        self.stories = Stories(voice)
        self.by_id = {intent.id: intent for intent in self.intents}
        self.by_category = {
            name: [intent for intent in self.intents if intent.category == name] for name in SHARES
        }

    def lines_of(self, intent: Intent) -> list[int]:
        held = [line.held_out(self.holdout) for line in intent.lines]
        return [at for at, out in enumerate(held) if out == self.dev]

    def dialogue(self, number: int) -> Dialogue:
        for attempt in itertools.count():
            again = f":{attempt}" if attempt else ""
            drawn = self._drawn(random.Random(f"{self.seed}:{self.voice}:{number}{again}"))
            if not self.evaluated & asked_in(drawn):
                return drawn
        raise AssertionError("the count has no end")

    def _drawn(self, rng: random.Random) -> Dialogue:
        multi = rng.random() < MULTI_TURN
        turns = self.several(rng) if multi else [self.turn(rng)]
        system = rng.choice(SYSTEMS) if rng.random() < 0.08 else None
        return Dialogue(tuple(turns), system)

    def turn(self, rng: random.Random) -> Turn:
        """One question that stands alone."""
        category = rng.choices(list(SHARES), list(SHARES.values()))[0]
        return self.turn_about(category, rng)

    def turn_about(self, category: str, rng: random.Random) -> Turn:
        if category == "honesty":
            return self.memory.forgotten(rng) if rng.random() < 0.03 else self.offtopic.turn(rng)
        if category == "story":
            return self.stories.turn(rng)
        if category == "model_facts" and rng.random() < 0.62:
            return self.models.turn(rng)
        choices = self.by_category[category]
        intent = rng.choices(choices, [choice.weight for choice in choices])[0]
        return self.asked(intent, rng)

    def asked(self, intent: Intent, rng: random.Random) -> Turn:
        line = intent.lines[rng.choice(self.lines_of(intent))]
        prompt = roughen(line.prompt(self.groups, rng), rng)
        return Turn(prompt, rng.choice(intent.answers(self.voice)), intent.category, intent.id)

    def _small(self, name: str, rng: random.Random) -> list[Turn]:
        return [self.asked(self.by_id[name], rng)] if name in self.by_id else []

    def several(self, rng: random.Random) -> list[Turn]:
        """Two to five turns: remembering, following up, changing the subject, thanking."""
        kinds: list[Callable[[random.Random], list[Turn]]] = [
            self._remembering, self._remembering, self._following, self._wandering,
        ]  # fmt: skip
        turns = rng.choice(kinds)(rng)
        if rng.random() < 0.15:
            turns = self._small("hello", rng) + turns
        if rng.random() < 0.2:
            turns += self._small(rng.choice(("thanks", "thanks", "bye", "praise", "yes_ok")), rng)
            if rng.random() < 0.5:
                turns.append(self.turn(rng))
        return turns

    def _wandering(self, rng: random.Random) -> list[Turn]:
        return [self.turn(rng) for _ in range(rng.choice((2, 2, 3)))]

    def _following(self, rng: random.Random) -> list[Turn]:
        before = [self.turn(rng)] if rng.random() < 0.2 else []
        after = [self.turn(rng)] if rng.random() < 0.2 else []
        return before + self.models.chain(rng) + after

    def _remembering(self, rng: random.Random) -> list[Turn]:
        if rng.random() < 0.08:
            return [self.memory.at_once(rng)]
        kind, value = self.memory.draw(rng)
        told, value = self.memory.tell(kind, value, rng)
        turns = [told]
        if rng.random() < 0.06:
            value = self.memory.another(kind, rng)
            told, value = self.memory.tell(kind, value, rng)
            turns.append(
                replace(
                    told, user=rng.choice(("no, ", "sorry, ", "actually ", "wait, ")) + told.user
                )
            )
        elif kind.id == "name" and rng.random() < 0.15:
            greeted = self.memory.named_question(kind, value, self.turn(rng), rng)
            turns = [greeted]
        other = None
        if rng.random() < 0.25:
            kind2, value2 = self.memory.draw(rng)
            if kind2.id != kind.id:
                told2, value2 = self.memory.tell(kind2, value2, rng)
                turns.append(told2)
                other = (kind2, value2)
        turns += [self.turn(rng) for _ in range(rng.choice((0, 0, 1, 1, 2)))]
        turns.append(self.memory.recall(kind, value, rng))
        if other and rng.random() < 0.7:
            turns.append(self.memory.recall(other[0], other[1], rng))
        if rng.random() < 0.2:
            turns.append(self.turn(rng))
        return turns
