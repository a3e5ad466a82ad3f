"""What an engine is to the rest of the house: load, generate, close.

Callbacks come from the engine's own thread; they must be quick and must not call back into it.
Knows nothing of pools, chats or pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from parley.catalog.spec import Sampling
from parley.errors import ParleyError
from parley.events import EngineEvent, Loading

Role = Literal["system", "user", "assistant"]

MOST_ALTERNATIVES = 20
"""Alternatives to a token that can be asked for."""

Decoding = Literal["ragged", "padded", "single", "generate"]
"""How a model's answers are computed, see docs/engine.md: together in one pass of any lengths;
together, padded to one length; one pass each; one after the other by the library's own loop."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn as the prompt needs it."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Request:
    """One answer to be written: the conversation so far, oldest first, and how to sample.

    ``logprobs`` asks for the score of every token with that many alternatives, at most
    ``MOST_ALTERNATIVES``; None asks for nothing and costs nothing. ``scored`` is an answer, as text
    or as exactly these token ids, that is read instead of written: its tokens come back as they
    are, with their scores; without messages it stands alone.

    ``opening`` is what the answer begins with, as text or as exactly these token ids; the model
    goes on from there. It belongs to the answer for whatever looks at one (penalties, stop strings,
    thinking, a JSON schema or regex), but is said again, with what comes next, only where
    ``tell_opening`` asks for it; ``max_new_tokens`` and ``Stats.completion_tokens`` do not count
    it. Ids mean something to the model that wrote them only.

    ``thinking`` turns the chat template's switch on or off; None leaves it as the template has it,
    and a template without one is not told. ``only_prompt`` asks for the prompt and for no answer:
    ``Rendered`` comes instead, at once, whoever else is being answered.
    """

    messages: tuple[Message, ...]
    sampling: Sampling
    logprobs: int | None = None
    scored: str | tuple[int, ...] | None = None
    opening: str | tuple[int, ...] = ""
    tell_opening: bool = False
    thinking: bool | None = None
    only_prompt: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """A model in memory, as it turned out: ``footprint`` is bytes of weights. ``thinking_switch``
    is whether ``Request.thinking`` makes a difference to its prompt."""

    dtype: str
    device: str
    revision: str | None
    footprint: int
    context: int | None
    has_template: bool
    seconds: float
    decoding: Decoding = "generate"
    thinking_switch: bool = False


@dataclass(frozen=True, slots=True)
class Vitals:
    """A sign of life. ``memory`` is the most bytes the model has taken so far, its weights at
    least; ``still`` is for how many seconds the answer that moved longest ago has not, 0 where none
    is being written."""

    memory: int
    still: float


class Generation(Protocol):
    """One answer under way."""

    def cancel(self) -> None:
        """Ask it to end; idempotent, returns at once. ``Finished("cancelled")`` still follows."""
        ...


class Engine(Protocol):
    """One model, in whatever hosts it."""

    def load(
        self,
        on_progress: Callable[[Loading], None],
        on_ready: Callable[[Ready], None],
        on_failed: Callable[[ParleyError], None],
    ) -> None:
        """Begin loading; returns at once. Exactly one of ``on_ready`` and ``on_failed`` follows."""
        ...

    def generate(self, request: Request, sink: Callable[[EngineEvent], None]) -> Generation:
        """Begin an answer; returns at once. ``sink`` gets Started, Delta* (or Rendered, where only
        the prompt was asked for), then exactly one of Finished and Failed, also when the engine
        dies."""
        ...

    def on_exit(self, callback: Callable[[], None]) -> None:
        """``callback`` is called once when the engine is gone, by whatever cause, and its memory
        with it."""
        ...

    def on_vitals(self, callback: Callable[[Vitals], None]) -> None:
        """``callback`` is called every second or so while the engine lives and computes."""
        ...

    @property
    def alive(self) -> bool: ...

    def close(self, why: ParleyError | None = None) -> None:
        """End it and give back its memory, also in the middle of a load; idempotent, returns at
        once. Answers under way end with ``Failed``, for the reason given."""
        ...

    def wait_gone(self, timeout: float) -> bool:
        """Whether it was gone, and its memory with it, within ``timeout`` seconds."""
        ...
