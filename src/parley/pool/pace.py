"""How much longer a load will take, judged by how it goes and by how the last ones went.

One for each load, fed with its progress. Knows nothing of what is loaded.
"""

from __future__ import annotations

import dataclasses
from collections import deque

from parley.events import Loading

LOOK_BACK = 10.0
"""Seconds over which a download's speed is taken: long enough to be calm."""


class Pace:
    """``usual`` is the seconds that a load from disk took before; None when nothing is known."""

    def __init__(self, usual: float | None) -> None:
        self._usual = usual
        self._recent: deque[tuple[float, int]] = deque()
        self._last = 0.0
        self.phases: dict[str, float] = {}

    def take(self, step: Loading) -> Loading:
        """The same step with ``remaining``, where it can be judged."""
        spent = max(0.0, step.seconds - self._last)
        self._last = max(self._last, step.seconds)
        self.phases[step.phase] = self.phases.get(step.phase, 0.0) + spent
        if step.phase == "download":
            return dataclasses.replace(step, remaining=self._download(step))
        return dataclasses.replace(step, remaining=self._load(step))

    @property
    def from_disk(self) -> float:
        """Seconds so far without the download."""
        return sum(s for phase, s in self.phases.items() if phase != "download")

    def _download(self, step: Loading) -> float | None:
        self._recent.append((step.seconds, step.done))
        while step.seconds - self._recent[0][0] > LOOK_BACK:
            self._recent.popleft()
        (then, before), (now, done) = self._recent[0], self._recent[-1]
        if now - then < 1.0 or done <= before or not step.total:
            return None
        fetch = max(0, step.total - done) / ((done - before) / (now - then))
        return fetch + (self._usual or 0.0)

    def _load(self, step: Loading) -> float | None:
        spent = self.from_disk
        if self._usual is not None and spent < self._usual:
            return self._usual - spent
        if step.phase == "weights" and step.total and step.done >= step.total * 0.1:
            share = min(1.0, step.done / step.total)
            return self.phases["weights"] * (1 - share) / share
        return None
