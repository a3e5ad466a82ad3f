"""A request on its way through a model's process.

Knows nothing of how it is answered.
"""

from __future__ import annotations

import time
from dataclasses import replace

from parley.engines.base import Request
from parley.engines.sampling import draw_seed
from parley.events import Finished, FinishReason, Stats


class Job:
    """``received`` and ``arrived`` are times of ``perf_counter``: of the request, and of when a
    loaded model could first have taken it up."""

    def __init__(self, number: int, request: Request, received: float) -> None:
        self.number = number
        self.request = request
        self.received = received
        self.arrived = received
        self.cancelled = False
        sampling = request.sampling
        self.seed = draw_seed() if sampling.seed is None else sampling.seed

    def ended(self, reason: FinishReason, figures: Stats) -> Finished:
        """The last event; ``figures`` are what the answer itself knows."""
        stats = replace(
            figures,
            load_seconds=self.arrived - self.received,
            total_seconds=time.perf_counter() - self.arrived,
        )
        return Finished(reason, stats, self.seed)
