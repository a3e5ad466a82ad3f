"""One model in the pool, who waits for it, and what a waiter is given.

State only: the pool's owner is the one who changes it. Knows nothing of decisions.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from parley.catalog.spec import ModelSpec
from parley.engines.base import Engine, Ready
from parley.errors import ParleyError
from parley.events import Loading, Queued
from parley.pool.decisions import Key, Reason, Resident, State
from parley.pool.pace import Pace
from parley.pool.room import Resources

log = logging.getLogger(__name__)

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class OneByOne:
    """The models of a set do not fit together: they come one after the other, in this order."""

    model_ids: tuple[str, ...]


News = "Queued | Loading | Lease | OneByOne | ParleyError"
Listener = Callable[["Queued | Loading | Lease | OneByOne | ParleyError"], None]


@dataclass(eq=False)
class Slot:
    """One instance of a model, from the promise of room to the end of its process.

    ``estimate`` is what was reckoned with, ``measured`` what its process reported at most; it is
    counted with the larger. ``heard`` is when its process last gave a sign of life, None before
    the first: a process may be long in coming. ``moved`` is when its load last did something.
    """

    number: int
    key: Key
    spec: ModelSpec
    takes: Resources
    estimate: int
    lanes: int
    ttl: float
    state: State = "pending"
    engine: Engine | None = None
    leases: int = 0
    last_call: bool = False
    reason: Reason = "evicted"
    released: float = 0.0
    measured: int = 0
    abandoned: float | None = None
    heard: float | None = None
    moved: float = 0.0
    progress: Loading = field(default_factory=lambda: Loading("start"))
    pace: Pace = field(default_factory=lambda: Pace(None))
    ready: Ready | None = None
    second_try: bool = False
    witnessed: bool = False

    @property
    def model_id(self) -> str:
        return self.key[0]

    @property
    def share(self) -> float:
        """How much of the load is done, as far as it can be told."""
        step = self.progress
        return step.done / step.total if step.total else 0.0

    def resident(self, pinned: bool, reload_seconds: float) -> Resident:
        return Resident(
            self.number,
            self.key,
            self.takes,
            self.state,
            self.leases,
            self.lanes,
            self.released,
            pinned,
            self.last_call,
            self.ttl,
            reload_seconds,
            self.share,
            self.abandoned,
        )


class Lease:
    """A loaded engine that stays until ``release``; ``load_seconds`` is what the wait for the load
    cost this holder, 0 if the model was already there."""

    def __init__(
        self, give_back: Callable[[], None], slot: Slot, ready: Ready, load_seconds: float
    ) -> None:
        assert slot.engine is not None
        self._give_back = [give_back]
        self._open_lock = threading.Lock()
        self._open = True
        self.model_id = slot.model_id
        self.engine = slot.engine
        self.ready = ready
        self.load_seconds = load_seconds

    def release(self) -> None:
        """Idempotent; from any thread."""
        with self._open_lock:
            self._open = False
            steps, self._give_back = self._give_back, []
        for step in steps:
            step()

    def then(self, callback: Callable[[], None]) -> None:
        """``callback`` is called once this has been given back, at once where it has been."""
        with self._open_lock:
            if self._open:
                self._give_back.append(callback)
                return
        callback()


class Ticket:
    """One waiter. Its listener hears Queued and Loading, then once its leases or an error; after
    ``cancel`` or ``leave`` it hears nothing more, and a lease that crossed it is given back.
    ``kept`` are the numbers of the slots that it has been promised, one for each model, and
    ``promise`` is the number of that promise."""

    def __init__(
        self,
        specs: tuple[ModelSpec, ...],
        keys: tuple[Key, ...],
        listener: Listener,
        withdraw: Callable[[Ticket, bool], None],
        since: float,
        insist: bool,
    ) -> None:
        self.number = next(_numbers)
        self.specs = specs
        self.keys = keys
        self.since = self.queued = since
        self.insist = insist
        self.kept: tuple[int, ...] = ()
        self.promise = 0
        self.cold: set[Key] = set()
        self.position = 0
        self._listener = listener
        self._withdraw = withdraw
        # Held while the listener is called: after a cancel has returned, it is called no more.
        self._listener_lock = threading.RLock()
        self._closed = False

    def cancel(self) -> None:
        """Not wanted any more: a load that nobody else waits for is ended at once."""
        self._close(explicit=True)

    def leave(self) -> None:
        """Whoever waited has gone away; a load that has come far may still be finished."""
        self._close(explicit=False)

    def tell(self, news: Queued | Loading | Lease | OneByOne | ParleyError) -> None:
        """Never raises: one listener's fault is nobody else's. A lease that it did not take, and
        those that were to follow, are given back."""
        with self._listener_lock:
            try:
                if not self._closed:
                    self._listener(news)
                    return
            except Exception:
                log.exception("a listener of the pool failed")
                self._closed = isinstance(news, Lease)
        if isinstance(news, Lease):
            news.release()

    def _close(self, *, explicit: bool) -> None:
        with self._listener_lock:
            if self._closed:
                return
            self._closed = True
        self._withdraw(self, explicit)
