"""The pool's knobs, with their defaults.

Seconds and counts. Knows nothing of where they are set; ``settings`` reads the environment.
"""

from __future__ import annotations

from dataclasses import dataclass

from parley.engines.cache_budget import AT_ONCE


@dataclass(frozen=True, slots=True)
class Limits:
    """``idle_ttl``: an unused model leaves memory after this long, 0 for never; None means never
    on a CPU, 300 on a GPU, where memory is dear. ``max_loaded``: models in memory at once, 0 for as
    many as fit. ``queue_max`` and ``queue_timeout`` bound the requests that wait, and how long one
    waits without anything loading for it. ``stall``: a load without progress for this long has
    failed. ``hang``: an engine without a sign of life for this long is replaced, ``stuck`` the same
    for one that lives but whose answers do not move. ``backoff`` doubles from the first to the
    last, for failures that may pass."""

    idle_ttl: float | None = None
    max_loaded: int = 0
    queue_max: int = 32
    queue_timeout: float = 300.0
    fairness_window: float = 10.0
    load_width: int = 2
    lanes: int = AT_ONCE
    stall: float = 120.0
    hang: float = 30.0
    stuck: float = 300.0
    backoff: tuple[float, float] = (10.0, 300.0)


GPU_IDLE_TTL = 300.0
