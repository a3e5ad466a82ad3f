"""A pool that says whatever a test wants it to say."""

from __future__ import annotations

from dataclasses import dataclass

from parley.events import Loading
from parley.pool.view import ModelView, PoolView


@dataclass
class Watched:
    shown: PoolView
    age: float = 0.2
    queue_timeout: float = 120.0

    def view(self):
        return self.shown

    def owner_age(self):
        return self.age


def busy():
    """Two models in memory, one on its way, one that failed, two requests in the queue."""
    models = [
        ModelView("small", "ready", leases=2, bytes={"cpu": 1000}, measured=900),
        ModelView("wide", "ready", bytes={"cuda:0": 3000, "cuda:1": 4000}),
        ModelView("next", "loading", waiting=1, progress=Loading("weights"), bytes={"cpu": 500}),
        ModelView("torn", "failed", retry_seconds=10.0),
    ]
    return PoolView(
        models={model.model_id: model for model in models},
        budget={"cpu": 10_000, "cuda:0": 20_000, "cuda:1": 20_000},
        queue_depth=2,
        queue_oldest=7.5,
    )
