"""``/health``: whether models can still be had, for whatever watches over a server.

Judges by signs that nobody can fake by merely being alive: when the pool's owner last did
something, and how long the oldest request in its queue has waited. A server that answers while its
queue stands still is failing. Knows nothing of routes, and never waits for the owner.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, Protocol

from parley import __version__
from parley.pool.view import PoolView

OWNER_LIMIT = 5.0
"""Seconds without a sign of life from the pool's owner before it counts as stuck."""


class WatchedPool(Protocol):
    """What a pool must say of itself, at once and whatever state it is in. ``queue_timeout`` is
    how many seconds a request may wait; ``owner_age()`` is seconds since the owner last moved,
    idle or not."""

    @property
    def queue_timeout(self) -> float: ...

    def view(self) -> PoolView: ...

    def owner_age(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Health:
    """``reasons`` are sentences; there is one for everything that is wrong."""

    reasons: tuple[str, ...]
    owner_seconds: float
    view: PoolView

    @property
    def ok(self) -> bool:
        return not self.reasons

    def report(self) -> dict[str, Any]:
        """As plain JSON. Models that are cold are not counted."""
        states = Counter(model.state for model in self.view.models.values())
        return {
            "status": "ok" if self.ok else "failing",
            "reasons": list(self.reasons),
            "queue_depth": self.view.queue_depth,
            "queue_oldest_seconds": _rounded(self.view.queue_oldest),
            "owner_seconds": _rounded(self.owner_seconds),
            "models": dict(sorted(states.items())),
            "version": __version__,
        }


def look(pool: WatchedPool, owner_limit: float = OWNER_LIMIT) -> Health:
    """The pool's health at this moment."""
    age, view = pool.owner_age(), pool.view()
    reasons = []
    if view.closed:
        reasons.append("Parley is shutting down.")
    elif age > owner_limit:
        reasons.append(f"The pool's owner has given no sign of life for {age:.0f} s.")
    # An overdue request is turned away at the owner's next step; it gets as long for that as for
    # any other sign of life, or a busy server would fail at every time-out.
    if view.queue_oldest > pool.queue_timeout + owner_limit:
        reasons.append(
            f"The oldest request in the queue has waited {view.queue_oldest:.0f} s and should have "
            f"been turned away after {pool.queue_timeout:.0f} s."
        )
    return Health(tuple(reasons), age, view)


def _rounded(seconds: float) -> float | None:
    """JSON has no infinity: an owner that never moved has no age."""
    return round(seconds, 3) if math.isfinite(seconds) else None
