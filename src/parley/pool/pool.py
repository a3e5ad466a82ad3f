"""Which engines are alive: load on demand, lend, make room, notice what has died.

One owner: everything that happens is a message to one thread, which changes the state, asks
``policy`` what follows and carries it out. Nothing else reads that state; a page reads the view
that the owner publishes after each step. Engines and listeners must return at once.

Knows nothing of prompts, chats or pages.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from functools import partial

from parley.catalog.spec import ModelSpec
from parley.engines.base import Engine
from parley.meters import Meters
from parley.pool import policy, words
from parley.pool.appraiser import Appraiser
from parley.pool.decisions import House, Key
from parley.pool.ledger import Ledger
from parley.pool.limits import Limits
from parley.pool.memory import Machine
from parley.pool.owner import Owner
from parley.pool.slots import Listener, Ticket
from parley.pool.view import Fit, PoolView

log = logging.getLogger(__name__)

TICK = 0.25
"""Seconds between two looks at the clock, for time-outs and engines that have gone silent."""

MakeEngine = Callable[[ModelSpec, tuple[str, ...]], Engine]
Message = Callable[[], None]


class Pool:
    """Lends engines. ``make_engine`` builds one for these devices that has not begun to load.

    Until ``start`` nothing happens by itself; a test calls ``pump`` in its place. Before the
    machine is known (``set_machine``) requests wait.
    """

    def __init__(
        self,
        make_engine: MakeEngine,
        appraiser: Appraiser,
        machine: Machine | None = None,
        *,
        limits: Limits | None = None,
        ledger: Ledger | None = None,
        meters: Meters | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits or Limits()
        self.meters = meters or Meters()
        self.appraiser = appraiser
        self._ledger = ledger or Ledger()
        self._clock = clock
        self._inbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._owner = Owner(
            make_engine,
            appraiser,
            self._ledger,
            self.meters,
            self.limits,
            clock,
            self._post,
        )
        self._owner.machine = machine
        self._beat = time.monotonic()
        self._thread: threading.Thread | None = None
        self._closing_lock = threading.Lock()  # guards the next
        self._closed = False
        self._published: tuple[PoolView, House] = self._owner.publish()

    # -- what anybody may call, from any thread --

    def request(self, spec: ModelSpec, listener: Listener, *, insist: bool = False) -> Ticket:
        """Ask for a model; returns at once, ``listener`` hears the rest from the owner's thread.
        ``insist`` tries again also where a failed load is left alone for a while."""
        return self.request_together([spec], listener, insist=insist)

    def request_together(
        self, specs: Sequence[ModelSpec], listener: Listener, *, insist: bool = False
    ) -> Ticket:
        """Ask for several models to be used at the same time: all leases come at once, in this
        order, or OneByOne where they do not fit together (see ``together``). The same model may be
        asked for twice."""
        keys = tuple(key_of(spec) for spec in specs)
        ticket = Ticket(tuple(specs), keys, listener, self._withdraw, self._clock(), insist)
        self._post(partial(self._owner.asked, ticket))
        return ticket

    def unload(self, model_id: str) -> None:
        """Take a model out of memory once its answers have ended; call off its load."""
        self._post(partial(self._owner.unload_asked, model_id))

    def pin(self, model_id: str, pinned: bool) -> None:
        """A pinned model stays until somebody unloads it."""
        self._post(partial(self._owner.pin_asked, model_id, pinned))

    def set_machine(self, machine: Machine) -> None:
        self._post(partial(self._owner.machine_known, machine))

    @property
    def machine(self) -> Machine | None:
        return self._owner.machine

    def view(self) -> PoolView:
        """How things are; never waits for anybody."""
        return self._published[0]

    def fit(self, spec: ModelSpec) -> Fit:
        """Whether the model could be loaded now, and at whose cost."""
        house, key = self._published[1], key_of(spec)
        needs = {key: self._owner.ways(spec)}
        if not house.budget or not needs[key]:
            return Fit("unknown")
        return policy.fit(
            key,
            House(house.now, house.budget, house.residents, house.queue, {**house.needs, **needs}),
        )

    def fit_together(self, specs: Sequence[ModelSpec]) -> bool | None:
        """Whether these could be in memory at once; None while that cannot be known."""
        house = self._published[1]
        needs = {key_of(spec): self._owner.ways(spec) for spec in specs}
        if not house.budget or not all(needs.values()):
            return None
        return policy.fit_together(
            list(needs),
            House(house.now, house.budget, house.residents, house.queue, {**house.needs, **needs}),
        )

    def owner_age(self) -> float:
        """Seconds since the owner last did something; it does every quarter of a second."""
        return time.monotonic() - self._beat if self._thread else 0.0

    @property
    def queue_timeout(self) -> float:
        return self.limits.queue_timeout

    # -- life --

    def start(self) -> None:
        """Begin to serve."""
        self._thread = threading.Thread(target=self._run, name="parley-pool", daemon=True)
        self._thread.start()

    def pump(self) -> None:
        """Do what there is to do now, in this thread."""
        while True:
            try:
                message = self._inbox.get_nowait()
            except queue.Empty:
                break
            self._do(message)
        self._do(self._owner.tick)

    def close(self, timeout: float = 10.0) -> None:
        """Tell the waiting, end every engine and see them gone, within ``timeout`` seconds.
        Idempotent."""
        with self._closing_lock:
            if self._closed:
                return
            self._closed = True
        end = time.monotonic() + timeout
        over = threading.Event()
        self._post(partial(self._owner.close, over.set))
        if self._thread is None:
            self.pump()
        elif not over.wait(timeout / 2):
            log.error("the pool's owner is stuck; its engines are ended without it")
        for engine in self._owner.engines():
            engine.close(words.shutting_down())
        for engine in self._owner.engines():
            engine.wait_gone(max(0.0, end - time.monotonic()))
        self._post(None)
        if self._thread is not None:
            self._thread.join(max(0.1, end - time.monotonic()))
        else:
            self.pump()
        self.appraiser.close()
        self._ledger.close()

    def _withdraw(self, ticket: Ticket, explicit: bool) -> None:
        self._post(partial(self._owner.withdrawn, ticket, explicit))

    def _post(self, message: Message | None) -> None:
        self._inbox.put(message)

    def _run(self) -> None:
        while True:
            try:
                message: Message | None = self._inbox.get(timeout=TICK)
            except queue.Empty:
                message = self._owner.tick
            if message is None:
                return
            self._do(message)
            if self._inbox.empty() or self._owner.tick_is_due():
                self._do(self._owner.tick)

    def _do(self, message: Message | None) -> None:
        if message is None:
            return
        try:
            message()
            self._published = self._owner.publish()
        except Exception:
            # One request's fault must not take the others' pool.
            log.exception("the pool could not carry out a step")
        self._beat = time.monotonic()


def key_of(spec: ModelSpec) -> Key:
    """What makes two entries the same model to load: not its description or its logo."""
    matters = (
        *(spec.source, spec.revision, spec.dtype, spec.prompt_format, spec.name),
        *(spec.context, spec.concurrency),
    )
    return spec.id, zlib.crc32(repr(matters).encode())
