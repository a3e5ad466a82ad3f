"""Tokens of one answer turned into what its reader sees: text, thinking, scores, figures.

Knows nothing of where tokens come from.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from parley.engines.detokenize import Detokenizer
from parley.engines.job import Job
from parley.engines.loading import Loaded
from parley.engines.stops import StopStrings
from parley.engines.thinking import ThinkingSplitter, left_open
from parley.events import Delta, EngineEvent, Finished, FinishReason, Stats, TokenScore
from parley.prompts.render import Prompt

Emit = Callable[[EngineEvent], None]


class Writer:
    """One answer's. ``stopped`` is whether the model has ended it itself."""

    def __init__(
        self, loaded: Loaded, job: Job, prompt: Prompt, emit: Emit, cached_tokens: int = 0
    ) -> None:
        self._job = job
        self._emit = emit
        self._eos = loaded.eos
        self._prompt_tokens = len(prompt.ids)
        self._cached_tokens = cached_tokens
        self._text = Detokenizer(loaded.tokenizer, prompt.ids, loaded.bricks)
        self._thinking = ThinkingSplitter(left_open(prompt.tail), loaded.bricks.values())
        self._stops = StopStrings((*job.request.sampling.stop, *prompt.stops))
        self.stopped = False
        self._tokens = 0
        self._untold = 0  # tokens that no Delta has accounted for yet
        self._scores: list[TokenScore] = []
        self._first: float | None = None
        self._last = 0.0
        self._thinking_began: float | None = None
        self._thought = 0.0

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
        if token in self._eos:
            self.stopped = True
            return
        was_thinking = self._thinking.thinking
        piece = self._thinking.push(self._text.push(token))
        self._clock_thinking(was_thinking)
        self._tell(self._stops.push(piece.text), piece.thinking)
        self.stopped = self._stops.hit

    def close(self) -> Finished:
        """Show what was held back, and sum up."""
        if not self._stops.hit:
            rest = self._thinking.flush()
            text = self._stops.push(rest.text) + self._stops.flush()
            self._tell(text, rest.thinking, last=True)
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
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._tokens,
            cached_tokens=self._cached_tokens,
            ttft_seconds=first - self._job.arrived if first else None,
            tokens_per_second=(self._tokens - 1) / between if between > 0 else None,
            thinking_seconds=self._thought,
        )
        return self._job.ended(reason, figures)

    def _tell(self, text: str, thinking: str, *, last: bool = False) -> None:
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
