"""What the pool shows of itself: frozen, plain, taken at one moment.

A page, a health check and a metrics scrape read the same view; none of them can change anything
through it. Knows nothing of engines, threads or pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from parley.events import Failed, Loading

ModelState = Literal["cold", "queued", "loading", "ready", "draining", "unloading", "failed"]
"""``cold``: configured, nothing in memory. ``queued``: somebody waits for room. ``draining``: its
last answers end, nobody new is let in. ``unloading``: its process is on its way out. ``failed``:
the last load failed. A ready model with leases is answering."""


@dataclass(frozen=True, slots=True)
class ModelView:
    """One model the pool has something to say about; models that are cold are not listed.

    ``bytes`` is what it is counted with, per device; ``measured`` what its process last reported,
    None before that. ``waiting`` counts requests that have no lease yet, ``position`` is the first
    of them in the queue for memory, from 1. ``idle_seconds`` counts since the last release,
    ``ttl`` is after how many of them it goes by itself, 0 for never. ``retry_seconds`` is how long
    a failed model is left alone.
    """

    model_id: str
    state: ModelState
    leases: int = 0
    waiting: int = 0
    position: int | None = None
    progress: Loading | None = None
    bytes: Mapping[str, int] = field(default_factory=dict)
    measured: int | None = None
    idle_seconds: float | None = None
    ttl: float = 0.0
    pinned: bool = False
    error: Failed | None = None
    retry_seconds: float = 0.0
    dtype: str | None = None
    thinking_switch: bool = False
    load_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class PoolView:
    """The pool at one moment. ``budget`` is bytes per device that models may take together;
    ``queue_oldest`` is how long the first in the queue has waited, in seconds."""

    models: Mapping[str, ModelView] = field(default_factory=dict)
    budget: Mapping[str, int] = field(default_factory=dict)
    queue_depth: int = 0
    queue_oldest: float = 0.0
    closed: bool = False

    @property
    def used(self) -> Mapping[str, int]:
        """Bytes per device that are taken, by models on their way in or out as well."""
        total = dict.fromkeys(self.budget, 0)
        for model in self.models.values():
            for device, size in model.bytes.items():
                total[device] = total.get(device, 0) + size
        return total


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a model can be loaded here. ``unload`` names the models that would have to go, that
    are waited for where ``kind`` is busy, or that are in the way and to stay where it is pinned.
    ``need`` and ``has`` are bytes, ``need`` 0 when unknown."""

    kind: Literal["loaded", "fits", "unload", "busy", "pinned", "too_large", "unknown"]
    need: int = 0
    has: int = 0
    unload: tuple[str, ...] = ()
