"""People, answers and votes for the tests of the arena."""

from __future__ import annotations

import random
import uuid
from dataclasses import replace

from parley.arena.casting import made
from parley.arena.records import Side, Vote

ANN, BOB = "a" * 32, "b" * 32


def side(model: str, text: str = "It is **so**.", **more) -> Side:
    values = {
        "repo": f"lab/{model}",
        "revision": "0123abc",
        "engine": "local",
        "dtype": "bfloat16",
        "device": "cpu",
        "prompt_format": "template",
        "sampling": {"temperature": 0.7, "stop": ["</s>"], "seed": None},
        "seed": 7,
        "prompt_tokens": 20,
        "completion_tokens": 5,
        "thinking_tokens": 0,
        "finish_reason": "stop",
        "load_seconds": 0.0,
        "ttft_seconds": 0.25,
        "tokens_per_second": 31.5,
        "thinking_seconds": 0.0,
        "total_seconds": 1.5,
        "bold": 1,
    }
    return Side(model, text, **values | more)


PROMPT = (
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is the capital of France?"},
)


def vote(left: str = "one", right: str = "two", outcome: str = "left", **more) -> Vote:
    """A vote by somebody on a round of its own."""
    fresh = {"round": uuid.uuid4().hex, "voter": uuid.uuid4().hex}
    return replace(made(outcome, side(left), side(right), PROMPT), **fresh | more)


def many(box, strengths: dict[str, float], votes: int, seed: int = 1, **more) -> None:
    """Votes as people of these tastes would cast them: a fifth are ties, a few find both bad."""
    rng = random.Random(seed)
    names = list(strengths)
    for n in range(votes):
        left, right = rng.sample(names, 2)
        chance = 1 / (1 + 10 ** ((strengths[right] - strengths[left]) / 400))
        kind = rng.random()
        wins = "left" if rng.random() < chance else "right"
        outcome = "tie" if kind < 0.2 else "both_bad" if kind < 0.25 else wins
        box.cast(vote(left, right, outcome, voter=f"voter{n % 9}", **more))
