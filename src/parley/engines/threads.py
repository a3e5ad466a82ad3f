"""How many threads compute a step: all of them, unless others need the processor too.

Threads that share a matrix product wait for each other. Where another model computes on the same
cores, each waits for one that has no core just now, and both models take several times as long as
on fewer threads each (``benchmarks/side_by_side.py``). No system says so; it shows in how long the
computing thread was off its core. Knows nothing of models or of what a step is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

CROWDED = 0.25
"""Share of the time off its core from which on a thread counts as hindered: under a twentieth
alone, half with a second model."""

EVIDENCE = 0.1
"""Seconds of steps from which that is concluded; clocks of threads tick slowly on some systems."""

CALM = 0.5
"""Seconds of unhindered steps after which more threads are tried again ..."""

PATIENCE = 8.0
"""... and after which at most: each try that fails doubles them."""

IDLE = 1.0
"""After so many seconds without a step, who was there before may be gone."""


class Threads:
    """At most ``most``. Steps are timed by ``clock``, and by ``on_core``, the seconds for which
    this thread has had a core; ``use`` tells the library."""

    def __init__(
        self,
        most: int,
        use: Callable[[int], None] = torch.set_num_threads,
        clock: Callable[[], float] = time.perf_counter,
        on_core: Callable[[], float] = time.thread_time,
    ) -> None:
        self.most = most
        self.now = most
        self._use, self._clock, self._on_core = use, clock, on_core
        self._in_use = most
        self._last = clock()
        self._forget()

    @contextmanager
    def step(self, *, all_of_them: bool = False) -> Iterator[None]:
        """Compute within this. ``all_of_them`` for what must not depend on how busy it is."""
        began, core = self._clock(), self._on_core()
        if began - self._last > IDLE:
            self._forget()
        count = self.most if all_of_them else self.now
        if count != self._in_use:
            self._use(count)
            self._in_use = count
        try:
            yield
        finally:
            self._last = self._clock()
            took = self._last - began
            if count == self.now and self.most > 1:
                self._learn(took, took - (self._on_core() - core))

    def _forget(self) -> None:
        self.now = self.most
        self._wall = self._off = self._calm = 0.0
        self._patience = CALM
        self._trying = False

    def _learn(self, wall: float, off: float) -> None:
        self._wall += wall
        self._off += off
        if self._wall < EVIDENCE:
            return
        crowded = self._off > CROWDED * self._wall
        self._calm = 0.0 if crowded else self._calm + self._wall
        self._wall = self._off = 0.0
        if crowded:
            self.now = max(1, self.now // 2)
            if self._trying:
                self._patience = min(PATIENCE, 2 * self._patience)
        elif self._trying:
            self._patience = CALM
        self._trying = False
        if self.now < self.most and self._calm >= self._patience:
            self.now = min(self.most, 2 * self.now)
            self._calm = 0.0
            self._trying = True
