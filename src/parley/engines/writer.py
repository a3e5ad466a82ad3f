"""Tokens of one answer turned into what its reader sees: text, thinking, scores, figures.

Knows nothing of where tokens come from.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace

from parley.engines.detokenize import Detokenizer
from parley.engines.fitting import Task
from parley.engines.job import Job
from parley.engines.loading import Loaded
from parley.engines.stops import StopStrings
from parley.engines.thinking import Piece, ThinkingSplitter, left_open
from parley.events import Delta, EngineEvent, Finished, FinishReason, Stats, TokenScore

Emit = Callable[[EngineEvent], None]


class Writer:
    """One answer's. ``stopped`` is whether the model has ended it itself. ``formed`` are those
    tokens of the opening that a JSON schema or regex has a say in: all but thoughts."""

    def __init__(self, loaded: Loaded, job: Job, task: Task, emit: Emit) -> None:
        prompt = task.prompt
        self._job = job
        self._emit = emit
        self._reads = task.given is not None
        self._eos = loaded.eos
        self._context_tokens = len(task.context)
        self.cached_tokens = 0
        self._text = Detokenizer(loaded.tokenizer, prompt.ids, loaded.bricks)
        self._thinking = ThinkingSplitter(left_open(prompt.tail), loaded.bricks.values())
        # What is only read does not end before its end.
        stops = () if self._reads else (*job.request.sampling.stop, *prompt.stops)
        self._stops = StopStrings(stops)
        self.stopped = False
        self._ids: list[int] = []  # of the answer, its opening included
        self._reach: list[int] = []  # characters that the answer has with each of them
        self._withheld = 0  # characters that are, or may be, a stop string
        self._told = 0  # characters held back that the reader knows from the opening
        self._tokens = 0
        self._untold = 0  # tokens that no Delta has accounted for yet
        self._scores: list[TokenScore] = []
        self._first: float | None = None
        self._last = 0.0
        self._thinking_began: float | None = None
        self._thought = 0.0
        self._unsaid = ("", "")  # of the opening: text, thinking
        self.formed = self._open(task.opening)

    @property
    def thinking(self) -> bool:
        """Whether what comes next would be a thought."""
        return self._thinking.thinking

    def put(self, token: int, score: TokenScore | None = None) -> None:
        """The next token. None may follow once ``stopped``."""
        self._last = time.perf_counter()
        self._first = self._first or self._last
        self._tokens += 1
        self._untold += 1
        if score is not None:
            self._scores.append(score)
        was_thinking = self._thinking.thinking
        if (new := self._take(token)) is not None:
            self._clock_thinking(was_thinking)
            self._tell(*new)

    def close(self) -> Finished:
        """Show what was held back, and sum up."""
        text = thinking = ""
        if not self._stops.hit:
            was_thinking = self._thinking.thinking
            text, thinking = self._sifted(self._thinking.flush(), was_thinking)
            text += self._news(self._stops.flush())
        self._tell(text, thinking, last=True)
        if self._thinking_began is not None:
            self._thought += time.perf_counter() - self._thinking_began
        reason: FinishReason = "length"
        if self.stopped:
            reason = "stop"
        elif self._job.cancelled:
            reason = "cancelled"
        first = self._first
        between = self._last - first if first else 0.0
        figures = Stats(
            prompt_tokens=self._context_tokens,
            completion_tokens=self._tokens,
            cached_tokens=self.cached_tokens,
            ttft_seconds=first - self._job.arrived if first else None,
            tokens_per_second=(self._tokens - 1) / between if between > 0 else None,
            thinking_seconds=self._thought,
        )
        return replace(self._job.ended(reason, figures), token_ids=self._shown_ids())

    def _open(self, opening: Sequence[int]) -> list[int]:
        """Take in what the answer begins with, as if it had been written and, where its reader
        does not ask for it, told."""
        formed = []
        heard: list[tuple[str, str]] = []
        for token in opening:
            if not self._thinking.thinking:
                formed.append(token)
            if (new := self._take(token)) is not None:
                heard.append(new)
            if self.stopped:
                break
        if self._job.request.tell_opening:
            self._unsaid = "".join(t for t, _ in heard), "".join(t for _, t in heard)
            return formed
        self._thinking.tell()
        self._told = self._withheld
        return formed

    def _take(self, token: int) -> tuple[str, str] | None:
        """New text and thoughts; None where the token is only there to end the answer."""
        if token in self._eos and not self._reads:
            self.stopped = True
            return None
        was_thinking = self._thinking.thinking
        text = self._text.push(token)
        self._ids.append(token)
        self._reach.append(len(text) + (self._reach[-1] if self._reach else 0))
        new = self._sifted(self._thinking.push(text), was_thinking)
        self.stopped = self._stops.hit
        return new

    def _sifted(self, piece: Piece, was_thinking: bool) -> tuple[str, str]:
        """Less stop strings, and less what the reader has seen."""
        if not was_thinking:
            self._told += piece.told
        self._withheld += len(piece.text)
        text = self._news(self._stops.push(piece.text))
        return text, piece.thinking[piece.told if was_thinking else 0 :]

    def _news(self, text: str) -> str:
        self._withheld -= len(text)
        told = min(self._told, len(text))
        self._told -= told
        return text[told:]

    def _shown_ids(self) -> tuple[int, ...]:
        """Without those that only a stop string was made of."""
        if not self._stops.hit:
            return tuple(self._ids)
        end = self._reach[-1] - self._thinking.held - self._withheld
        return tuple(self._ids[: bisect_left(self._reach, end) + 1] if end > 0 else ())

    def _tell(self, text: str, thinking: str, *, last: bool = False) -> None:
        text, thinking = self._unsaid[0] + text, self._unsaid[1] + thinking
        self._unsaid = ("", "")
        if text or thinking or self._scores or (last and self._untold):
            self._emit(Delta(text, thinking, self._untold, tuple(self._scores)))
            self._untold = 0
            self._scores.clear()

    def _clock_thinking(self, was: bool) -> None:
        now_thinking = self._thinking.thinking
        if (was or now_thinking) and self._thinking_began is None:
            self._thinking_began = self._last if not was else self._job.arrived
        if not now_thinking and self._thinking_began is not None:
            self._thought += self._last - self._thinking_began
            self._thinking_began = None
