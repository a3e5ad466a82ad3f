"""How much memory a model takes, as its own process sees it.

What the process holds right after a load says little: weights are mapped from their files and come
in as they are used. So the figure is the most that was held so far above what an empty engine
holds, and never less than the weights. Knows nothing of budgets.
"""

from __future__ import annotations

import psutil
import torch

from parley.engines.loading import Loaded


class Footprint:
    """To be made before the load begins."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._empty = self._process.memory_info().rss
        self._most = 0

    def bytes(self, loaded: Loaded) -> int:
        """The most bytes so far. On a GPU what its allocator has reserved on all devices."""
        if loaded.model.device.type == "cuda":
            held = sum(torch.cuda.max_memory_reserved(i) for i in range(torch.cuda.device_count()))
        else:
            held = self._process.memory_info().rss - self._empty
        self._most = max(self._most, held, loaded.ready.footprint)
        return self._most
