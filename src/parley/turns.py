"""What a person asks of a model, and how it becomes a request.

Pure: settings are checked, history becomes messages. Knows nothing of pools, stores or pages.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from parley.catalog.spec import BIAS_LIMITS, MOST_BIASES, MOST_FORM, SAMPLING_LIMITS, Sampling
from parley.chats.records import ChatMessage
from parley.engines.base import Message
from parley.errors import PoolError
from parley.grammar import fault

WHOLE = frozenset({"top_k", "max_new_tokens", "seed"})


@dataclass(frozen=True, slots=True)
class Branch:
    """Another way on from the middle of answer ``of``: a new answer beside it that begins with
    ``opening``, token ids of the model that wrote it: those before the place, then the token that
    shall stand there instead."""

    of: str
    opening: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said to one model.

    ``chat`` None begins a new chat; otherwise the message follows the one the chat ends with, or
    takes the place that one of these names, of which at most one is set: ``retry_of``, an answer to
    be written again beside the old one; ``edit_of``, a message of the person's that ``text``
    replaces, in a new branch beside it; ``continue_of``, an answer cut by its length that the same
    model goes on writing, in place; ``branch``. But for ``edit_of``, ``text`` is ignored then.

    ``system_prompt`` None and settings that are not given mean the model's own. ``thinking`` turns
    the model's thinking on or off where its template has a switch; None leaves it to the template.
    ``logprobs`` and ``scored`` are as in ``engines.base.Request``. A new chat that is ``temporary``
    is kept in memory alone.
    """

    owner: str
    model: str
    text: str = ""
    chat: str | None = None
    retry_of: str | None = None
    system_prompt: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    logprobs: int | None = None
    scored: str | tuple[int, ...] | None = None
    edit_of: str | None = None
    continue_of: str | None = None
    branch: Branch | None = None
    thinking: bool | None = None
    temporary: bool = False


def sampling(defaults: Sampling, settings: Mapping[str, Any]) -> Sampling:
    """The model's defaults with a person's settings over them; None leaves the default.

    Raises PoolError("bad_setting"), which names the setting and its range.
    """
    changes: dict[str, Any] = {}
    for name, value in settings.items():
        if value is None:
            continue
        if name in SAMPLING_LIMITS:
            changes[name] = _number(name, value)
        elif name in _OTHERS:
            changes[name] = _OTHERS[name](name, value)
        else:
            known = ", ".join((*SAMPLING_LIMITS, *_OTHERS))
            raise _bad(f"There is no setting {name!r}.", f"Known are: {known}.")
    made = dataclasses.replace(defaults, **changes)
    if made.json_schema is not None and made.regex is not None:
        raise _bad(
            "An answer cannot follow a JSON schema and a regex at the same time.",
            "Leave one of them out.",
        )
    if (made.json_schema is not None or made.regex is not None) and (wrong := fault(made)):
        raise _bad(*wrong)
    return made


def _bad(sentence: str, fix: str) -> PoolError:
    return PoolError("bad_setting", sentence, fix)


def _stop(_: str, value: object) -> tuple[str, ...]:
    lines = [value] if isinstance(value, str) else value
    if not isinstance(lines, Sequence) or not all(isinstance(s, str) for s in lines):
        raise _bad("Stop strings must be text.", "Give one per line.")
    return tuple(s for s in lines if s)[:16]


def _biases(_: str, value: object) -> tuple[tuple[int, float], ...]:
    """From a mapping or from pairs; the last word on a token holds."""
    low, high = BIAS_LIMITS
    biases: dict[int, float] = {}
    try:
        pairs: Any = value.items() if isinstance(value, Mapping) else value
        for token, bias in pairs:
            biases[int(str(token))] = float(str(bias))
    except (TypeError, ValueError):
        raise _bad(
            "logit_bias must pair token ids with numbers.", "Write it like {1234: -5}."
        ) from None
    for token, bias in biases.items():
        if not 0 <= token < 2**31:
            raise _bad(f"logit_bias names {token}, which is no token id.", "Use 0 or more.")
        if not low <= bias <= high:
            raise _bad(
                f"logit_bias cannot be {bias:g} for token {token}.",
                f"Use a number from {low:g} to {high:g}.",
            )
    if len(biases) > MOST_BIASES:
        raise _bad(f"logit_bias has {len(biases)} entries.", f"Use at most {MOST_BIASES}.")
    return tuple(biases.items())


def _form(name: str, value: object) -> str | None:
    """A JSON schema or regex; blank text asks for nothing."""
    if not isinstance(value, str):
        raise _bad(f"{name} must be text.", "Write it between quotes.")
    if len(value) > MOST_FORM:
        raise _bad(
            f"{name} is {len(value):,} characters long.", f"Use at most {MOST_FORM:,} characters."
        )
    return value if value.strip() else None


_OTHERS: dict[str, Callable[[str, Any], Any]] = {
    "stop": _stop,
    "logit_bias": _biases,
    "json_schema": _form,
    "regex": _form,
}
"""What reads a setting that is not a number."""


def _number(name: str, value: object) -> float | int:
    low, high = SAMPLING_LIMITS[name]
    number: float | int | None = None
    with contextlib.suppress(ValueError):
        number = int(str(value)) if name in WHOLE else float(str(value))
    if number is None or not low <= number <= high:
        kind = "whole number" if name in WHOLE else "number"
        raise _bad(f"{name} cannot be {value!r}.", f"Use a {kind} from {low} to {high}.")
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
