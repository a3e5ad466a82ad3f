"""What the page asks to look closely at an answer: its prompt, its tokens, code that repeats it.

Plain data in and out. Knows Gradio not at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from parley import snippet
from parley.events import Rendered, TokenScore
from parley.looks import Looks
from parley.playground import Playground
from parley.speech import Said
from parley.turns import Turn
from parley.ui.questions.asked import Payload, Question, owner, text, wishes


class LookQuestions:
    """``local`` is whether the page's people may know paths of this machine."""

    def __init__(self, playground: Playground, *, local: bool = False) -> None:
        self._playground = playground
        self._looks = Looks(playground)
        self._local = local

    def all(self) -> Sequence[Question]:
        return (self.meter, self.exact_prompt, self.tokens, self.code)

    async def meter(self, data: Payload) -> Payload:
        """How much of the window a draft would take: ``used``, ``room`` for the answer and
        ``window``, in tokens; ``known`` False while the model is not in memory."""
        settings, thinking = wishes(data)
        turn = Turn(
            owner(data),
            str(data.get("model")),
            text(data, "text") or "",
            chat=text(data, "chat"),
            system_prompt=text(data, "system_prompt"),
            settings=settings,
            thinking=thinking,
        )
        found = await self._looks.draft(turn)
        if found is None:
            return {"known": False}
        return {
            "known": True,
            "used": len(found.ids),
            "room": found.room,
            "window": found.window,
            "notes": [Said(note) for note in found.notes],
        }

    async def exact_prompt(self, data: Payload) -> Payload:
        """What the model was given: every token with its id and text, and which the cache holds."""
        found = await self._looks.prompt(*_place(data))
        return _prompt(found)

    async def tokens(self, data: Payload) -> Payload:
        """Every token of an answer: its probability, and what could have stood there."""
        found = await self._looks.tokens(*_place(data))
        total = sum(score.logprob for score in found)
        return {
            "tokens": [_token(score) for score in found],
            "perplexity": math.exp(-total / len(found)) if found else None,
        }

    async def code(self, data: Payload) -> Payload:
        """Scripts that write this answer again, by name."""
        spec, said, answer = await self._looks.asked(*_place(data))
        return {
            "transformers": snippet.with_transformers(spec, answer, said, local=self._local),
            "openai": snippet.with_openai(spec, answer, said),
        }


def _place(data: Payload) -> tuple[str, str, str]:
    return owner(data), str(data.get("chat")), str(data.get("message"))


def _prompt(found: Rendered) -> dict[str, Any]:
    return asdict(found) | {
        "ids": list(found.ids),
        "pieces": list(found.pieces),
        "notes": [Said(note) for note in found.notes],
    }


def _token(score: TokenScore) -> dict[str, Any]:
    return {
        "id": score.token,
        "text": score.text,
        "p": math.exp(score.logprob),
        "others": [
            {"id": other.token, "text": other.text, "p": math.exp(other.logprob)}
            for other in score.alternatives
        ],
    }
