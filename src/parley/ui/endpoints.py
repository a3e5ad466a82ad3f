"""The scriptable side: named, typed Gradio endpoints, usable from ``gradio_client``.

Nothing said here is stored. Knows nothing of the page.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import gradio as gr

from parley.errors import ParleyError
from parley.events import Delta, Failed
from parley.playground import Playground
from parley.turns import Turn

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def models_endpoint(playground: Playground) -> Callable[[], list[dict[str, Any]]]:
    def models() -> list[dict[str, Any]]:
        """The configured models, the default first."""
        live = playground.pool.view().models
        return [
            {
                "id": spec.id,
                "name": spec.name,
                "source": spec.repo or "local",
                "revision": spec.revision,
                "parameters": spec.parameters,
                "context": spec.context,
                "license": spec.license,
                "state": live[spec.id].state if spec.id in live else "cold",
            }
            for spec in playground.shelf.catalogue.models
        ]

    return _returns(models, list[dict[str, Any]])


def chat_endpoint(playground: Playground) -> Callable[..., AsyncGenerator[str]]:
    async def chat(
        message: str,
        model: str | None = None,
        system_prompt: str | None = None,
        temperature: float | None = None,
        max_new_tokens: int | None = None,
        seed: int | None = None,
        top_p: float | None = None,
        top_k: int | None = None,
        min_p: float | None = None,
        typical_p: float | None = None,
        repetition_penalty: float | None = None,
        frequency_penalty: float | None = None,
        presence_penalty: float | None = None,
        stop: list[str] | None = None,
        logit_bias: dict[str, float] | None = None,
        json_schema: str | None = None,
        regex: str | None = None,
    ) -> AsyncGenerator[str]:
        """Stream one answer as growing text. ``model`` is an id from ``/models``; ``logit_bias``
        maps token ids to what is added to their scores; ``json_schema`` is a schema as JSON text.
        """
        settings = {
            "temperature": temperature,
            "max_new_tokens": max_new_tokens,
            "seed": seed,
            "top_p": top_p,
            "top_k": top_k,
            "min_p": min_p,
            "typical_p": typical_p,
            "repetition_penalty": repetition_penalty,
            "frequency_penalty": frequency_penalty,
            "presence_penalty": presence_penalty,
            "stop": stop,
            "logit_bias": logit_bias,
            "json_schema": json_schema,
            "regex": regex,
        }
        text = ""
        try:
            spec = playground.spec(model or None)
            turn = Turn("", spec.id, message, system_prompt=system_prompt, settings=settings)
            async with aclosing(playground.complete(turn)) as batches:
                async for batch in batches:
                    for event in batch.events:
                        if isinstance(event, Delta):
                            text += event.text
                        elif isinstance(event, Failed):
                            raise gr.Error(f"{event.sentence} {event.fix}", print_exception=False)
                    # Also without news: a client that has left is noticed at a yield.
                    yield text
        except ParleyError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return _returns(chat, str)


def _returns(endpoint: Endpoint, kind: object) -> Endpoint:
    # Gradio reads this very annotation, unresolved, and describes what one yield gives.
    endpoint.__annotations__["return"] = kind
    return endpoint
