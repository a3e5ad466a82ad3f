"""The scriptable side of single tokens: how likely each was, and what could have stood there.

Nothing said here is stored. Knows nothing of the page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any

import gradio as gr

from parley.engines.base import MOST_ALTERNATIVES
from parley.errors import ParleyError, PoolError
from parley.events import Delta, Failed, Finished, TokenScore
from parley.playground import Playground
from parley.turns import Turn

Endpoint = Callable[..., Coroutine[Any, Any, dict[str, Any]]]


def score_endpoint(playground: Playground) -> Endpoint:
    async def score(
        text: str,
        model: str | None = None,
        message: str = "",
        system_prompt: str | None = None,
        alternatives: int = 0,
    ) -> dict[str, Any]:
        """How likely ``model`` finds ``text``, as its answer to ``message`` or, without one, as a
        text that stands alone. Nothing is written: the natural logarithm of each token's
        probability, their sum, and the perplexity per token."""
        turn = Turn("", model or "", message, system_prompt=system_prompt, scored=text)
        return await _read(playground, turn, alternatives)

    score.__annotations__["return"] = dict[str, Any]  # Gradio reads it as it stands
    return score


def tokens_endpoint(playground: Playground) -> Endpoint:
    async def tokens(
        message: str,
        model: str | None = None,
        system_prompt: str | None = None,
        alternatives: int = 5,
        settings: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One answer with every token's probability, and the likeliest in its place, before
        temperature or any other of the ``settings``, which are named as in ``/chat``."""
        turn = Turn("", model or "", message, system_prompt=system_prompt, settings=settings or {})
        return await _read(playground, turn, alternatives)

    tokens.__annotations__["return"] = dict[str, Any]  # Gradio reads it as it stands
    return tokens


async def _read(playground: Playground, turn: Turn, alternatives: int) -> dict[str, Any]:
    text: list[str] = []
    scores: list[TokenScore] = []
    reason = None
    try:
        if not 0 <= alternatives <= MOST_ALTERNATIVES:
            raise PoolError(
                "bad_setting",
                f"alternatives cannot be {alternatives}.",
                f"Use a whole number from 0 to {MOST_ALTERNATIVES}.",
            )
        spec = playground.spec(turn.model or None)
        whole = Turn(
            "",
            spec.id,
            turn.text,
            system_prompt=turn.system_prompt,
            settings=turn.settings,
            logprobs=alternatives,
            scored=turn.scored,
        )
        async with aclosing(playground.complete(whole)) as batches:
            async for batch in batches:
                for event in batch.events:
                    if isinstance(event, Delta):
                        text.append(event.text)
                        scores += event.scores
                    elif isinstance(event, Failed):
                        raise gr.Error(f"{event.sentence} {event.fix}", print_exception=False)
                    elif isinstance(event, Finished):
                        reason = event.reason
    except ParleyError as error:
        raise gr.Error(str(error), print_exception=False) from error
    total = sum(score.logprob for score in scores)
    return {
        "text": "".join(text),
        "reason": reason,
        "tokens": [_token(score) for score in scores],
        "logprob": total,
        "perplexity": math.exp(-total / len(scores)) if scores else None,
    }


def _token(score: TokenScore) -> dict[str, Any]:
    return {
        "token": score.token,
        "text": score.text,
        "logprob": score.logprob,
        "alternatives": [
            {"token": a.token, "text": a.text, "logprob": a.logprob} for a in score.alternatives
        ],
    }
