"""An engine whose every moment is in the test's hand: loads end when told to, processes go when
told to. Shaped after LocalEngine: every callback comes at most once where that does so."""

from __future__ import annotations

from parley.catalog.spec import ModelSpec
from parley.engines.base import Ready, Vitals
from parley.errors import LoadError
from parley.events import Loading


class FakeEngine:
    def __init__(self, spec: ModelSpec, devices: tuple[str, ...] = ()) -> None:
        self.spec = spec
        self.devices = devices
        self.loads = 0
        self.settled = False
        self.closed = False
        self.why = None
        self.gone = False
        self._on_exit = []
        self._on_vitals = lambda vitals: None

    # -- what the pool calls --

    def load(self, on_progress, on_ready, on_failed):
        self.loads += 1
        self._progress, self._ready, self._failed = on_progress, on_ready, on_failed

    def generate(self, request, sink):
        raise NotImplementedError("a pool never generates")

    def on_exit(self, callback):
        self._on_exit.append(callback)

    def on_vitals(self, callback):
        self._on_vitals = callback

    @property
    def alive(self):
        return not self.closed and not self.gone

    def close(self, why=None):
        if not self.closed:
            self.closed, self.why = True, why

    def wait_gone(self, timeout):
        if self.closed:
            self.goes()
        return self.gone

    # -- what happens to it --

    def becomes_ready(self, footprint: int = 0, seconds: float = 1.5):
        self.settled = True
        self._ready(Ready("float32", "cpu", None, footprint, 512, True, seconds))

    def fails(self, code: str = "corrupt_weights"):
        self.settled = True
        self._failed(LoadError(code, "The weights are damaged.", "Download again."))

    def moves(self, done: int, total: int, phase="weights", seconds: float = 0.1):
        self._progress(Loading(phase, done, total, seconds))

    def beats(self, memory: int = 0, still: float = 0.0):
        self._on_vitals(Vitals(memory, still))

    def goes(self):
        """The process is gone, whether asked to go or by itself."""
        if self.gone:
            return
        self.gone = True
        if not self.settled:
            self.fails("load_cancelled" if self.closed else "engine_died")
        for callback in self._on_exit:
            callback()
