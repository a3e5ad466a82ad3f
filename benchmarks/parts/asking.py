"""What is asked of an engine, what its reader heard of the answer, and Parley's engine asked so.

Times are ``time.perf_counter`` of the process that read them; only differences mean anything.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle, pairwise

from parley.catalog.spec import ModelSpec, Sampling
from parley.engines.base import Generation, Message, Ready, Request, Role
from parley.engines.local import LocalEngine
from parley.engines.nursery import Nursery
from parley.errors import ParleyError
from parley.events import Delta, EngineEvent, Failed, Finished, Started, Stats

PATIENCE = 600
ROLES: tuple[Role, ...] = ("user", "assistant")


class Broken(Exception):
    """An engine did not do what it was asked."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A greedy answer of exactly ``tokens`` to ``turns``, the person's first, begun ``after``
    seconds."""

    turns: tuple[str, ...]
    tokens: int
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Seconds when it was asked, and at its first and last piece. ``opening`` is how many tokens
    came in the first piece; ``gap`` the longest wait between two; ``cached`` how much of the prompt
    was still known, where that is told."""

    asked: float
    first: float
    last: float
    tokens: int
    opening: int
    gap: float
    text: str = ""
    cached: int = 0

    @property
    def ttft(self) -> float:
        return self.first - self.asked

    @property
    def per_token(self) -> float:
        """Seconds a token takes after the first piece."""
        return (self.last - self.first) / (self.tokens - self.opening)


def answer_of(
    asked: float, pieces: Sequence[tuple[float, int]], text: str = "", cached: int = 0
) -> Answer:
    """``pieces`` are when each came and how many tokens it held."""
    times = [when for when, _ in pieces]
    return Answer(
        asked=asked,
        first=times[0],
        last=times[-1],
        tokens=sum(n for _, n in pieces),
        opening=pieces[0][1],
        gap=max((b - a for a, b in pairwise(times)), default=0.0),
        text=text,
        cached=cached,
    )


def rate(answers: Sequence[Answer]) -> float:
    """Tokens per second of all of them together, from the first question to the last word."""
    took = max(a.last for a in answers) - min(a.asked for a in answers)
    return sum(a.tokens for a in answers) / took


def median_ttft(answers: Sequence[Answer]) -> float:
    return statistics.median(a.ttft for a in answers)


@dataclass(slots=True)
class Hearing:
    """One answer of Parley's engine as it comes; what ``generate`` is given as its sink."""

    ask: Ask
    asked: float = field(default_factory=time.perf_counter)
    pieces: list[tuple[float, int]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    cached: int = 0
    ended: float = 0.0
    last: Finished | Failed | None = None
    generation: Generation | None = None
    _heard: threading.Condition = field(default_factory=threading.Condition)
    _started: bool = False

    def __call__(self, event: EngineEvent) -> None:
        now = time.perf_counter()
        with self._heard:
            match event:
                case Started():
                    self._started, self.cached = True, event.cached_tokens
                case Delta() if event.tokens:
                    self.pieces.append((now, event.tokens))
                    self.texts.append(event.text)
                case Finished() | Failed():
                    self.last, self.ended = event, now
            self._heard.notify_all()

    def until_started(self) -> None:
        self._until(lambda: self._started)

    def until_tokens(self, count: int) -> None:
        self._until(lambda: sum(n for _, n in self.pieces) >= count)

    def until_ended(self) -> Finished:
        self._until(lambda: self.last is not None)
        assert isinstance(self.last, Finished)
        return self.last

    def _until(self, done: Callable[[], bool]) -> None:
        with self._heard:
            if not self._heard.wait_for(lambda: done() or self.last is not None, PATIENCE):
                raise Broken(f"Parley's engine was silent for {PATIENCE} s")
        if isinstance(self.last, Failed):
            raise Broken(self.last.sentence)

    def cancel(self) -> float:
        """Ask it to end; when that was."""
        assert self.generation is not None
        now = time.perf_counter()
        self.generation.cancel()
        return now

    def answer(self) -> Answer:
        """The whole answer, which must be as long as it was asked to be."""
        self.until_ended()
        came = sum(n for _, n in self.pieces)
        if came != self.ask.tokens:
            raise Broken(f"an answer of Parley had {came} of {self.ask.tokens} tokens")
        return answer_of(self.asked, self.pieces, "".join(self.texts), self.cached)

    @property
    def stats(self) -> Stats:
        return self.until_ended().stats


class Ours:
    """Parley's engine with one model, ready to be asked."""

    name = "Parley"

    def __init__(self, spec: ModelSpec, nursery: Nursery) -> None:
        self.engine = LocalEngine(spec, nursery)
        told = threading.Event()
        outcome: list[Ready | ParleyError] = []

        def tell(item: Ready | ParleyError) -> None:
            outcome.append(item)
            told.set()

        self.engine.load(lambda _: None, tell, tell)
        if not told.wait(PATIENCE) or not isinstance(outcome[0], Ready):
            raise Broken(f"{spec.source} did not load: {outcome}")
        self.ready = outcome[0]

    def say(self, ask: Ask) -> Hearing:
        """Begin one answer at once."""
        turns = zip(cycle(ROLES), ask.turns, strict=False)
        messages = tuple(Message(role, text) for role, text in turns)
        hearing = Hearing(ask)
        request = Request(messages, Sampling(temperature=0, max_new_tokens=ask.tokens))
        hearing.generation = self.engine.generate(request, hearing)
        return hearing

    def run(self, asks: Sequence[Ask]) -> list[Answer]:
        """All of them, each begun at its time."""
        began = time.perf_counter()
        hearings = []
        for ask in sorted(asks, key=lambda a: a.after):
            time.sleep(max(0.0, began + ask.after - time.perf_counter()))
            hearings.append(self.say(ask))
        return [hearing.answer() for hearing in hearings]

    def close(self) -> None:
        self.engine.close()
        self.engine.wait_gone(30)
