"""What a person asks of a model, and how it becomes a request.

Pure: settings are checked, history becomes messages. Knows nothing of pools, stores or pages.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from parley.catalog.spec import SAMPLING_LIMITS, Sampling
from parley.chats.records import ChatMessage
from parley.engines.base import Message
from parley.errors import PoolError

WHOLE = frozenset({"top_k", "max_new_tokens", "seed"})


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said to one model.

    ``chat`` None begins a new chat; otherwise the message follows the one the chat ends with.
    ``retry_of`` names an answer to be written again beside the old one, ``text`` is ignored then.
    ``system_prompt`` None and settings that are not given mean the model's own.
    """

    owner: str
    model: str
    text: str = ""
    chat: str | None = None
    retry_of: str | None = None
    system_prompt: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def sampling(defaults: Sampling, settings: Mapping[str, Any]) -> Sampling:
    """The model's defaults with a person's settings over them; None leaves the default.

    Raises PoolError("bad_setting"), which names the setting and its range.
    """
    changes: dict[str, Any] = {}
    for name, value in settings.items():
        if value is None:
            continue
        if name == "stop":
            lines = [value] if isinstance(value, str) else value
            if not isinstance(lines, Sequence) or not all(isinstance(s, str) for s in lines):
                raise PoolError("bad_setting", "Stop strings must be text.", "Give one per line.")
            changes[name] = tuple(s for s in lines if s)[:16]
            continue
        if name not in SAMPLING_LIMITS:
            raise PoolError(
                "bad_setting",
                f"There is no setting {name!r}.",
                f"Known are: {', '.join(SAMPLING_LIMITS)}, stop.",
            )
        changes[name] = _number(name, value)
    return dataclasses.replace(defaults, **changes)


def _number(name: str, value: object) -> float | int:
    low, high = SAMPLING_LIMITS[name]
    number: float | int | None = None
    with contextlib.suppress(ValueError):
        number = int(str(value)) if name in WHOLE else float(str(value))
    if number is None or not low <= number <= high:
        kind = "whole number" if name in WHOLE else "number"
        raise PoolError(
            "bad_setting",
            f"{name} cannot be {value!r}.",
            f"Use a {kind} from {low} to {high}.",
        )
    return number


def prompt(system: str, history: Sequence[ChatMessage]) -> tuple[Message, ...]:
    """The conversation as the model sees it, oldest first.

    An answer that ended before its first word is left out, and the two questions around it become
    one, since templates want the roles to alternate. A stopped answer stays as the person saw it.
    """
    messages = [Message("system", system)] if system.strip() else []
    for message in history:
        if message.role == "assistant":
            if message.content.strip():
                messages.append(Message("assistant", message.content))
        elif messages and messages[-1].role == "user":
            messages[-1] = Message("user", f"{messages[-1].content}\n\n{message.content}")
        else:
            messages.append(Message("user", message.content))
    return tuple(messages)
