"""Which engines are alive: load on demand, keep what fits, lend, make room.

Over 300 lines because every change of state stands beside the one lock that guards it.

One owner: every decision is made in ``_settle`` while ``_slots_lock`` is held, from the snapshot of
that moment. Engines and waiters are called only after the lock is given back. Knows nothing of
prompts, chats or pages.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from parley.catalog.spec import ModelSpec
from parley.engines.base import Engine, Ready
from parley.errors import LoadError, ParleyError, PoolError
from parley.events import Loading, Queued
from parley.pool.policy import Load, Resident, TooLarge, Wait, plan

SlotState = Literal["loading", "ready"]
Listener = Callable[["Queued | Loading | Lease | ParleyError"], None]


@dataclass(frozen=True, slots=True)
class SlotView:
    """What a page may show of one model in memory; plain data."""

    model_id: str
    state: SlotState
    leases: int
    bytes: int
    progress: Loading | None


@dataclass(eq=False)
class _Slot:
    spec: ModelSpec
    engine: Engine
    bytes: int
    started: float
    state: SlotState = "loading"
    leases: int = 0
    released: int = 0
    progress: Loading = field(default_factory=lambda: Loading("start"))
    ready: Ready | None = None

    def is_outdated_by(self, spec: ModelSpec) -> bool:
        """The catalogue changed this entry since, and nobody is using the old engine."""
        return self.spec != spec and self.state == "ready" and not self.leases


class Lease:
    """A loaded engine that will not be evicted until ``release``; ``load_seconds`` is what the
    wait for the load cost this holder, 0 if the model was already there."""

    def __init__(self, pool: Pool, slot: _Slot, ready: Ready, load_seconds: float) -> None:
        self._pool = pool
        self._slot = slot
        self._open = True
        self.engine = slot.engine
        self.ready = ready
        self.load_seconds = load_seconds

    def release(self) -> None:
        """Idempotent; from any thread."""
        if self._open:
            self._open = False
            self._pool._release(self._slot)


class Ticket:
    """One waiter for one model. The listener hears Queued and Loading, then once a Lease or an
    error; after ``cancel`` it hears nothing more, and a lease that crossed it is given back."""

    def __init__(self, pool: Pool, spec: ModelSpec, listener: Listener) -> None:
        self._pool = pool
        self.spec = spec
        self.listener = listener
        self.cold = False

    def cancel(self) -> None:
        self._pool._withdraw(self)


class Pool:
    """Lends engines. ``make_engine`` builds an engine that has not begun to load."""

    def __init__(
        self,
        make_engine: Callable[[ModelSpec], Engine],
        estimate: Callable[[ModelSpec], int],
        budget: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make_engine = make_engine
        self._estimate = estimate
        self._budget = budget
        self._clock = clock
        self._slots_lock = threading.Lock()
        self._slots: dict[str, _Slot] = {}
        self._waiting: list[Ticket] = []
        self._releases = itertools.count(1)
        self._closed = False

    def request(self, spec: ModelSpec, listener: Listener) -> Ticket:
        """Ask for a model; returns at once, ``listener`` hears the rest from other threads or,
        where the answer is known already, from this one."""
        ticket = Ticket(self, spec, listener)
        with self._slots_lock:
            if self._closed:
                todo: list[Callable[[], None]] = [lambda: listener(_shutting_down())]
            else:
                self._waiting.append(ticket)
                todo = self._settle()
        _run(todo)
        return ticket

    def snapshot(self) -> tuple[SlotView, ...]:
        with self._slots_lock:
            return tuple(
                SlotView(
                    s.spec.id,
                    s.state,
                    s.leases,
                    s.bytes,
                    s.progress if s.state == "loading" else None,
                )
                for s in self._slots.values()
            )

    @property
    def budget(self) -> int:
        return self._budget

    def close(self) -> None:
        """End every engine; waiters are told. Idempotent."""
        with self._slots_lock:
            self._closed = True
            waiting, self._waiting = self._waiting, []
            slots, self._slots = list(self._slots.values()), {}
        for ticket in waiting:
            ticket.listener(_shutting_down())
        for slot in slots:
            slot.engine.close()

    # -- everything below runs with _slots_lock held unless it says otherwise --

    def _settle(self) -> list[Callable[[], None]]:
        """Serve the waiting, oldest first; returns what to call once the lock is free."""
        todo: list[Callable[[], None]] = []
        queue, self._waiting = self._waiting, []
        for ticket in queue:
            slot = self._slots.get(ticket.spec.id)
            if slot is not None and slot.is_outdated_by(ticket.spec):
                todo.append(self._evict(slot))
                slot = None
            if slot is None:
                slot = self._begin(ticket, todo)
            if slot is None:
                continue
            if slot.state == "ready" and slot.ready is not None:
                slot.leases += 1
                waited = slot.ready.seconds if ticket.cold else 0.0
                lease = Lease(self, slot, slot.ready, waited)
                todo.append(_tell(ticket, lease))
            else:
                ticket.cold = True
                self._waiting.append(ticket)
                todo.append(_tell(ticket, slot.progress))
        for position, ticket in enumerate(
            (t for t in self._waiting if t.spec.id not in self._slots), start=1
        ):
            todo.append(_tell(ticket, Queued(position)))
        return todo

    def _begin(self, ticket: Ticket, todo: list[Callable[[], None]]) -> _Slot | None:
        """Start loading the ticket's model if there is room or room can be made."""
        need = self._estimate(ticket.spec)
        residents = [
            Resident(s.spec.id, s.bytes, s.leases + (s.state == "loading"), s.released)
            for s in self._slots.values()
        ]
        match plan(need, residents, self._budget):
            case TooLarge():
                todo.append(_tell(ticket, _too_large(ticket.spec, need, self._budget)))
                return None
            case Wait():
                self._waiting.append(ticket)
                return None
            case Load(evict):
                todo.extend(self._evict(self._slots[victim]) for victim in evict)
        slot = _Slot(ticket.spec, self._make_engine(ticket.spec), need, self._clock())
        self._slots[ticket.spec.id] = slot
        todo.append(lambda: self._start(slot))
        return slot

    def _evict(self, slot: _Slot) -> Callable[[], None]:
        self._slots.pop(slot.spec.id, None)
        return slot.engine.close

    def _forget(self, slot: _Slot) -> bool:
        """Drop the slot if it is still the one that stands for its model."""
        if self._slots.get(slot.spec.id) is not slot:
            return False
        del self._slots[slot.spec.id]
        return True

    # -- called by engines, leases and tickets, without the lock --

    def _start(self, slot: _Slot) -> None:
        slot.engine.on_exit(lambda: self._exited(slot))
        slot.engine.load(
            lambda progress: self._progressed(slot, progress),
            lambda ready: self._loaded(slot, ready),
            lambda error: self._failed(slot, error),
        )

    def _progressed(self, slot: _Slot, progress: Loading) -> None:
        with self._slots_lock:
            slot.progress = progress
            todo = [_tell(t, progress) for t in self._waiting if self._waits_for(t, slot)]
        _run(todo)

    def _loaded(self, slot: _Slot, ready: Ready) -> None:
        with self._slots_lock:
            if self._slots.get(slot.spec.id) is not slot:
                return
            slot.state, slot.ready = "ready", ready
            slot.released = next(self._releases)
            slot.bytes = max(slot.bytes, ready.footprint)
            todo = self._settle()
        _run(todo)

    def _failed(self, slot: _Slot, error: ParleyError) -> None:
        """The load's error reaches everybody who waits for it; the next request tries afresh."""
        with self._slots_lock:
            if not self._forget(slot):
                return
            hit = [t for t in self._waiting if t.spec.id == slot.spec.id]
            self._waiting = [t for t in self._waiting if t not in hit]
            todo = [_tell(t, error) for t in hit]
            todo.append(slot.engine.close)
            todo += self._settle()
        _run(todo)

    def _exited(self, slot: _Slot) -> None:
        """The engine is gone by itself; a load that it took along fails."""
        if slot.state == "loading":
            name = slot.spec.name
            error = LoadError(
                "engine_died",
                f"The engine of {name} ended while loading.",
                "Press Retry; if it happens again, the model is probably too large here.",
            )
            self._failed(slot, error)
            return
        with self._slots_lock:
            todo = self._settle() if self._forget(slot) else []
        _run(todo)

    def _release(self, slot: _Slot) -> None:
        with self._slots_lock:
            slot.leases -= 1
            slot.released = next(self._releases)
            todo = self._settle()
        _run(todo)

    def _withdraw(self, ticket: Ticket) -> None:
        """A waiter leaves. A load that nobody else waits for is ended at once."""
        with self._slots_lock:
            ticket.listener = _give_back
            if ticket not in self._waiting:
                return
            self._waiting.remove(ticket)
            slot = self._slots.get(ticket.spec.id)
            todo: list[Callable[[], None]] = []
            wanted = slot and any(self._waits_for(t, slot) for t in self._waiting)
            if slot is not None and slot.state == "loading" and not wanted:
                todo.append(self._evict(slot))
            todo += self._settle()
        _run(todo)

    def _waits_for(self, ticket: Ticket, slot: _Slot) -> bool:
        return ticket.spec.id == slot.spec.id and self._slots.get(slot.spec.id) is slot


def _tell(ticket: Ticket, news: Queued | Loading | Lease | ParleyError) -> Callable[[], None]:
    # The listener is looked up when called: a ticket cancelled in between gives its lease back.
    return lambda: ticket.listener(news)


def _give_back(news: Queued | Loading | Lease | ParleyError) -> None:
    if isinstance(news, Lease):
        news.release()


def _run(todo: list[Callable[[], None]]) -> None:
    for step in todo:
        step()


def _too_large(spec: ModelSpec, need: int, budget: int) -> PoolError:
    return PoolError(
        "too_large",
        f"{spec.name} needs about {need / 1e9:.1f} GB of memory; "
        f"{budget / 1e9:.1f} GB can be used here.",
        "Choose a smaller model, or set dtype: bfloat16 in its entry.",
    )


def _shutting_down() -> PoolError:
    return PoolError("shutting_down", "Parley is shutting down.", "Start it again and retry.")
