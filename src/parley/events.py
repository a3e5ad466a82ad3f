"""The closed vocabulary that flows from an engine up to whoever reads an answer.

A chat turn, a command-line print and an API response are readers of the same stream:

    Queued* Loading* (Started Delta* | Rendered) (Finished | Failed)

``Failed`` may also come at any earlier point. Knows nothing of transports, threads or pages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

FinishReason = Literal["stop", "length", "cancelled"]
LoadPhase = Literal["start", "download", "weights", "warmup"]


@dataclass(frozen=True, slots=True)
class Queued:
    """Waiting for a place; ``position`` counts from 1, the next to go. ``reason`` is what it waits
    for: memory that other models hold, or a model that already answers as many as it can."""

    position: int
    reason: Literal["memory", "busy"] = "memory"


@dataclass(frozen=True, slots=True)
class Loading:
    """A model on its way into memory.

    ``done`` and ``total`` are bytes while downloading and tensors in phase ``weights``; ``total``
    is 0 while the end is unknown. ``seconds`` counts since the load began. ``remaining`` is how
    many more it will take, judged by what loads took on this machine; None where there is nothing
    to judge by.
    """

    phase: LoadPhase
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    remaining: float | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The engine has the prompt. ``notes`` are sentences the person should see about how it was
    rendered (a fallback format, a folded system prompt)."""

    prompt_tokens: int
    cached_tokens: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """The prompt as the model would get it, to be looked at: nothing is generated.

    ``ids`` end with the answer's opening, where there is one. ``pieces`` are what each of them
    reads, control tokens too; a token that holds no whole characters shows its bytes, as in
    ``<0xE2>``. ``cached`` is how many of them the KV cache would spare the model now. ``window`` is
    the model's context in tokens and ``room`` how many of it are left for the answer; both are None
    where no window is known. ``notes`` are as in ``Started``.
    """

    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    cached: int
    window: int | None
    room: int | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token that could have stood in a place, and the natural logarithm of its probability.
    ``text`` is as in ``TokenScore``."""

    token: int
    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class TokenScore:
    """A token as the model saw it before temperature or any other setting: the natural logarithm
    of its probability, and the likeliest tokens in its place, the likeliest first. ``text`` is
    fit to be shown: with the space it begins with, control tokens by name, bytes that are no
    character as ``<0xE2>``."""

    token: int
    text: str
    logprob: float
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True)
class Delta:
    """New text, whole characters only; ``tokens`` is how many tokens it stands for. ``scores`` are
    those tokens' where the request asked for them."""

    text: str = ""
    thinking: str = ""
    tokens: int = 0
    scores: tuple[TokenScore, ...] = ()


@dataclass(frozen=True, slots=True)
class Stats:
    """What an answer cost.

    ``prompt_tokens`` is all that the model was given, an opening included; ``completion_tokens``
    is what it wrote itself.
    ``ttft_seconds``: from the request's arrival at a loaded model to its first token.
    ``tokens_per_second``: (n - 1) / (last token - first token); None for fewer than two tokens.
    ``load_seconds`` stands apart and is 0 for a model that was already loaded.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    load_seconds: float = 0.0
    ttft_seconds: float | None = None
    tokens_per_second: float | None = None
    total_seconds: float = 0.0
    thinking_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is complete: the model stopped, the token limit was met, or somebody stopped it.
    ``seed`` is the seed that was used, drawn by the engine where the request gave none.

    ``token_ids`` are those of the whole answer, its opening included: given as the opening of
    another request, the answer goes on, or is scored, exactly as it was written. So they hold what
    is shown and what is thought, and neither the token that ended the answer, which is shown
    nowhere, nor those of a stop string. Empty where nothing was begun.
    """

    reason: FinishReason
    stats: Stats = field(default_factory=Stats)
    seed: int | None = None
    token_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer ended badly: a code for programs, one sentence and one fix for the person."""

    code: str
    sentence: str
    fix: str


Event = Queued | Loading | Started | Rendered | Delta | Finished | Failed
EngineEvent = Started | Rendered | Delta | Finished | Failed
