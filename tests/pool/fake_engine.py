"""An engine whose every moment is in the test's hand: loads end when told to."""

from __future__ import annotations

from parley.catalog.spec import ModelSpec
from parley.engines.base import Ready
from parley.errors import LoadError
from parley.events import Loading


class FakeEngine:
    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.closed = False
        self._gone = lambda: None

    def load(self, on_progress, on_ready, on_failed):
        self.progress, self._ready, self._failed = on_progress, on_ready, on_failed

    def becomes_ready(self, footprint: int = 0):
        self._ready(Ready("float32", "cpu", None, footprint, 512, True, 1.5))

    def fails(self):
        self._failed(LoadError("corrupt_weights", "The weights are damaged.", "Download again."))

    def dies(self):
        self._gone()

    def moves(self, done: int, total: int):
        self.progress(Loading("weights", done, total, 0.1))

    def generate(self, request, sink):
        raise NotImplementedError("a pool never generates")

    def on_exit(self, callback):
        self._gone = callback

    @property
    def alive(self):
        return not self.closed

    def close(self):
        self.closed = True
