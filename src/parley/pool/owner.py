"""The pool's owner: the only one who changes what is in memory and who waits for it.

Over 300 lines because every change of state stands here, and nowhere else.

Each method is one thing that happened; it changes the state and lets ``policy`` decide what
follows, until nothing does. All run in one thread. Knows nothing of threads and queues of messages.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from functools import partial

from parley.catalog.spec import ModelSpec
from parley.engines import notices
from parley.engines.base import Engine, Ready, Vitals
from parley.errors import ParleyError
from parley.events import Loading, Queued
from parley.meters import Meters
from parley.pool import decisions as d
from parley.pool import policy, words
from parley.pool.appraiser import Appraiser
from parley.pool.ledger import Ledger
from parley.pool.limits import Limits
from parley.pool.memory import Machine
from parley.pool.pace import Pace
from parley.pool.register import Register
from parley.pool.room import MODELS, Resources, devices
from parley.pool.slots import Lease, OneByOne, Slot, Ticket

log = logging.getLogger(__name__)

ROUNDS = 50
"""More rounds than that without an end would be a fault in the policy."""

ASLEEP = 5.0
"""A pause of this many seconds between two looks at the clock means that this process stood still:
what it did not hear meanwhile says nothing about the engines."""


class Owner(Register):
    """The register, and everything that may happen to it."""

    def __init__(
        self,
        make_engine: Callable[[ModelSpec, tuple[str, ...]], Engine],
        appraiser: Appraiser,
        ledger: Ledger,
        meters: Meters,
        limits: Limits,
        clock: Callable[[], float],
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        super().__init__(appraiser, ledger, limits, clock)
        self._make_engine = make_engine
        self._meters = meters
        self._post = post
        self._numbers = itertools.count(1)
        self._promises = itertools.count(1)
        self._ticked = clock()

    # -- requests --

    def asked(self, ticket: Ticket) -> None:
        if self._closed:
            ticket.tell(words.shutting_down())
            return
        for spec in ticket.specs:
            if ticket.insist:
                self._failures.forget(spec.id)
            elif (refused := self._failures.still(spec.id, self._clock())) is not None:
                self._meters.refused(refused.code)
                ticket.tell(refused)
                return
            if self._appraiser.stock(spec) is None:
                self._appraiser.look(spec, lambda: self._post(self._settle))
        self._waiting[ticket.number] = ticket
        self._settle()
        line = self._line(ticket)
        if len(line) > self._limits.queue_max:
            self._refuse(ticket, words.queue_full(len(line)))
            self._settle()

    def withdrawn(self, ticket: Ticket, explicit: bool) -> None:
        if self._waiting.pop(ticket.number, None) is None:
            return
        for slot in list(self._slots.values()) if explicit else ():
            if slot.key in ticket.keys and slot.state == "loading" and not self._wanted(slot):
                self._call_off(slot, "abandoned")
        self._settle()

    def released(self, slot: Slot) -> None:
        slot.leases -= 1
        slot.released = self._clock()
        self._settle()

    def unload_asked(self, model_id: str) -> None:
        self._pinned[model_id] = False
        self._failures.forget(model_id)
        for slot in list(self._slots.values()):
            if slot.model_id != model_id or slot.state in ("draining", "unloading"):
                continue
            if slot.state in ("pending", "loading"):
                for ticket in self._tickets_for(slot):
                    self._refuse(ticket, notices.load_cancelled(slot.spec.name))
                self._call_off(slot, "requested")
            elif self._tickets_for(slot):
                slot.last_call, slot.reason = True, "requested"
            else:
                slot.state, slot.reason = "draining", "requested"
        self._settle()

    def pin_asked(self, model_id: str, pinned: bool) -> None:
        self._pinned[model_id] = pinned
        self._settle()

    def machine_known(self, machine: Machine) -> None:
        self.machine = machine
        self._settle()

    def close(self, over: Callable[[], None]) -> None:
        self._closed = True
        waiting, self._waiting = list(self._waiting.values()), {}
        for ticket in waiting:
            ticket.tell(words.shutting_down())
        for slot in list(self._slots.values()):
            self._remember(slot)
            self._end(slot, "shutdown", words.shutting_down())
        over()

    # -- what engines say --

    def progressed(self, slot: Slot, step: Loading) -> None:
        if slot.state != "loading":
            return
        slot.moved = slot.heard = self._clock()
        slot.progress = slot.pace.take(step)
        for ticket in self._tickets_for(slot):
            ticket.tell(slot.progress)

    def loaded(self, slot: Slot, ready: Ready) -> None:
        if slot.state != "loading":
            return
        now = self._clock()
        slot.state, slot.ready, slot.released, slot.heard = "ready", ready, now, now
        self._count(slot, ready.footprint)
        self._failures.succeeded(slot.model_id)
        slot.pace.take(Loading("warmup", seconds=ready.seconds))
        self._meters.loaded(slot.model_id, ready.seconds, slot.pace.phases)
        self._ledger.loaded(self._history(slot.spec), slot.pace.from_disk, ready.footprint)
        self._appraiser.look(slot.spec)  # it is on the disk now
        for ticket in self._tickets_for(slot):
            ticket.queued = now
        self._settle()

    def failed(self, slot: Slot, error: ParleyError) -> None:
        if slot.state != "loading":
            return
        self._meters.load_failed(slot.model_id, error.code)
        # A process that ends during a download has hardly run out of memory.
        ran_out = error.code == "oom_load" or (
            error.code == "engine_died" and slot.progress.phase in ("weights", "warmup")
        )
        if ran_out and not slot.second_try and self._make_way(slot):
            self._settle()
            return
        self._failures.add(slot.model_id, error, self._clock())
        self._end(slot, "failed")
        for ticket in list(self._waiting.values()):
            if slot.key in ticket.keys:
                self._refuse(ticket, error)
        self._appraiser.look(slot.spec)
        self._settle()

    def exited(self, slot: Slot) -> None:
        """Its process is gone, and its memory with it."""
        if slot.state == "loading":
            self.failed(slot, notices.died_while_loading(slot.spec.name))
        if slot.state == "ready" or slot.state == "draining":
            self._meters.unloaded(slot.model_id, "failed")
        self._remember(slot)
        self._drop(slot)
        self._settle()

    def vitals(self, slot: Slot, vitals: Vitals) -> None:
        slot.heard = self._clock()
        if slot.state == "ready" or slot.state == "draining":
            slot.witnessed = True
            self._count(slot, vitals.memory)
            if vitals.still >= self._limits.stuck:
                self._replace(slot, vitals.still)

    # -- time --

    def tick(self) -> None:
        now = self._clock()
        if now - self._ticked >= ASLEEP:
            for slot in self._slots.values():
                slot.moved = now
                slot.heard = slot.heard and now
        self._ticked = now
        for slot in list(self._slots.values()):
            if slot.state == "loading" and now - slot.moved >= self._limits.stall:
                self.failed(slot, words.load_stalled(slot.spec.name, now - slot.moved))
            elif (
                slot.state in ("loading", "ready", "draining")
                and slot.heard is not None
                and now - slot.heard >= self._limits.hang
            ):
                self._replace(slot, now - slot.heard)
        self._settle()

    def tick_is_due(self) -> bool:
        return self._clock() - self._ticked >= 1.0

    # -- what follows --

    def _settle(self) -> None:
        if self._closed:
            return
        for slot in self._slots.values():
            if self._wanted(slot):
                slot.abandoned = None
            elif slot.abandoned is None:
                slot.abandoned = self._clock()
        for _ in range(ROUNDS):
            found = policy.settle(self.house())
            for decision in found:
                self._carry_out(decision)
            if not found:
                break
        else:
            log.error("the pool's policy does not come to rest")
        queued = self._queued()
        for ticket in self._waiting.values():
            position = queued.index(ticket) + 1 if ticket in queued else 0
            if position and position != ticket.position:
                ticket.tell(Queued(position, self._reason(ticket)))
            ticket.position = position

    def _carry_out(self, decision: d.Decision) -> None:
        match decision:
            case d.Grant(number):
                self._grant(self._waiting.pop(number))
            case d.Promise(number):
                ticket = self._waiting[number]
                ticket.kept = tuple(self._open(key).number for key in ticket.keys)
                ticket.promise = next(self._promises)
                for slot in self._slots_for(ticket):
                    if slot.state in ("pending", "loading"):
                        ticket.cold.add(slot.key)
                    if slot.state == "loading":
                        self._meters.coalesced(slot.model_id)
                        ticket.tell(slot.progress)
            case d.TakeBack(number):
                self._take_back(self._waiting[number])
            case d.Admit(key, takes):
                self._admit(key, takes)
            case d.Begin(number):
                self._begin(self._slots[number])
            case d.LastCall(number, reason):
                self._slots[number].last_call, self._slots[number].reason = True, reason
            case d.Drain(number, reason):
                slot = self._slots[number]
                if slot.state == "loading":
                    self._meters.load_failed(slot.model_id, "load_cancelled")
                if slot.state == "pending":
                    self._drop(slot)
                else:
                    slot.state = "draining"
                    slot.reason = slot.reason if slot.last_call else reason
            case d.Unload(number):
                if number in self._slots:
                    self._end(self._slots[number], self._slots[number].reason)
            case d.Refuse(number, code, key, need, has, pinned):
                ticket = self._waiting[number]
                name = next(
                    s.name for s, k in zip(ticket.specs, ticket.keys, strict=True) if k == key
                )
                self._refuse(
                    ticket,
                    words.too_large(name, need, has, self._names(pinned))
                    if code == "too_large"
                    else words.queue_timeout(name, self._limits.queue_timeout),
                )
            case d.Split(number):
                ticket = self._waiting.pop(number)
                ticket.tell(OneByOne(tuple(spec.id for spec in ticket.specs)))

    def _grant(self, ticket: Ticket) -> None:
        self._meters.waited(self._clock() - ticket.since)
        leases = []
        for key in ticket.keys:
            slot = next(s for s in self._slots.values() if s.key == key and s.state == "ready")
            assert slot.ready is not None
            slot.leases += 1
            waited = slot.ready.seconds if key in ticket.cold else 0.0
            give_back = partial(self._post, partial(self.released, slot))
            leases.append(Lease(give_back, slot, slot.ready, waited))
        for lease in leases:
            ticket.tell(lease)

    def _admit(self, key: d.Key, takes: Resources) -> None:
        spec = next(
            spec
            for ticket in self._waiting.values()
            for spec, own in zip(ticket.specs, ticket.keys, strict=True)
            if own == key
        )
        self._slots_add(spec, key, takes)

    def _slots_add(self, spec: ModelSpec, key: d.Key, takes: Resources) -> Slot:
        number = next(self._numbers)
        need = sum(devices(takes).values())
        slot = Slot(number, key, spec, takes, need, self._lanes(spec), self._ttl(spec))
        slot.pace = Pace(self._ledger.seconds(self._history(spec), self._weights(spec)))
        self._slots[number] = slot
        return slot

    def _begin(self, slot: Slot) -> None:
        slot.state = "loading"
        slot.moved = self._clock()
        try:
            slot.engine = self._make_engine(slot.spec, tuple(devices(slot.takes)))
            tell = self._post
            slot.engine.on_exit(lambda: tell(partial(self.exited, slot)))
            slot.engine.on_vitals(lambda vitals: tell(partial(self.vitals, slot, vitals)))
            slot.engine.load(
                lambda step: tell(partial(self.progressed, slot, step)),
                lambda ready: tell(partial(self.loaded, slot, ready)),
                lambda error: tell(partial(self.failed, slot, error)),
            )
        except Exception:
            log.exception("no engine could be started for %s", slot.model_id)
            self._post(partial(self.failed, slot, words.internal(slot.spec.name)))
        for ticket in self._tickets_for(slot):
            ticket.tell(slot.progress)

    def _make_way(self, slot: Slot) -> bool:
        """After a load has run out of memory: let every idle model go, and try once more. Whoever
        waits keeps waiting. False where nobody could go."""
        idle = [
            other
            for other in self._slots.values()
            if other.state == "ready"
            and not other.leases
            and not self._is_pinned(other.spec)
            and not self._wanted(other)
        ]
        if not idle or not self._wanted(slot):
            return False
        for other in idle:
            other.state, other.reason = "draining", "oom"
        again = self._slots_add(slot.spec, slot.key, slot.takes)
        again.second_try, again.last_call = True, slot.last_call
        # It takes the other's number, by which it has been promised.
        slot.number, again.number = again.number, slot.number
        self._slots |= {slot.number: slot, again.number: again}
        self._end(slot, "oom")
        return True

    def _replace(self, slot: Slot, seconds: float) -> None:
        """An engine that lives and does not move. What it was writing fails, and the next request
        gets a new one."""
        log.warning("%s has not moved for %.0f s; its engine is ended", slot.model_id, seconds)
        error = notices.hung(slot.spec.name, seconds)
        if slot.state == "loading":
            self.failed(slot, error)
            return
        self._end(slot, "failed", error)
        self._settle()

    def _call_off(self, slot: Slot, reason: d.Reason) -> None:
        if slot.state == "loading":
            self._meters.load_failed(slot.model_id, "load_cancelled")
        self._end(slot, reason)

    def _end(self, slot: Slot, reason: d.Reason, why: ParleyError | None = None) -> None:
        if slot.ready is not None and slot.state != "unloading":
            self._meters.unloaded(slot.model_id, reason)
        slot.state, slot.reason = "unloading", reason
        if slot.engine is None:
            self._drop(slot)
        else:
            self._break_promises(slot)
            slot.engine.close(why)

    def _drop(self, slot: Slot) -> None:
        self._break_promises(slot)
        self._slots.pop(slot.number, None)

    def _break_promises(self, slot: Slot) -> None:
        """It has gone, so those who were to have it, and others with it, are promised nothing."""
        for ticket in self._tickets_for(slot):
            self._take_back(ticket)

    def _take_back(self, ticket: Ticket) -> None:
        if any(own.state == "loading" for own in self._slots_for(ticket)):
            ticket.queued = self._clock()
        ticket.kept = ()

    def _remember(self, slot: Slot) -> None:
        """What a process said of itself while it was used corrects the next estimate; the bare
        weights of one that was not would be too little."""
        if slot.witnessed:
            self._ledger.seen(self._history(slot.spec), slot.measured)

    def _refuse(self, ticket: Ticket, error: ParleyError) -> None:
        self._waiting.pop(ticket.number, None)
        self._meters.refused(error.code)
        ticket.tell(error)

    def _count(self, slot: Slot, measured: int) -> None:
        """A model is counted with what it takes, once that is more than was reckoned with."""
        if measured <= slot.measured:
            return
        slot.measured = measured
        self._meters.estimated(slot.model_id, slot.estimate, measured)
        counted = devices(slot.takes)
        taken = sum(counted.values())
        if measured > taken:
            grown = {
                name: size * measured // taken if taken else measured
                for name, size in counted.items()
            } or {self._first_device(): measured}
            slot.takes = {**grown, MODELS: 1}
            self._settle()
