"""The pool's state, and what can be asked of it: who is in memory, who waits for what.

Changes nothing; that is ``owner``'s. Knows nothing of engines' words or of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from parley.catalog.spec import ModelSpec
from parley.engines.base import Engine
from parley.engines.precision import Kind
from parley.pool import decisions as d
from parley.pool import views
from parley.pool.appraiser import Appraiser
from parley.pool.estimate import estimate, ways
from parley.pool.failures import Failures
from parley.pool.ledger import Ledger, key_of
from parley.pool.limits import GPU_IDLE_TTL, Limits
from parley.pool.memory import Machine
from parley.pool.room import MODELS, Resources
from parley.pool.slots import Slot, Ticket
from parley.pool.view import PoolView


class Register:
    """Read and changed by one thread."""

    def __init__(
        self, appraiser: Appraiser, ledger: Ledger, limits: Limits, clock: Callable[[], float]
    ) -> None:
        self._appraiser = appraiser
        self._ledger = ledger
        self._limits = limits
        self._clock = clock
        self.machine: Machine | None = None
        self._slots: dict[int, Slot] = {}
        self._waiting: dict[int, Ticket] = {}
        self._pinned: dict[str, bool] = {}
        self._failures = Failures(limits.backoff)
        self._closed = False

    def house(self) -> d.House:
        budget = dict(self.machine.budget) if self.machine else {}
        budget[MODELS] = self._limits.max_loaded or 1_000_000
        wanted = {
            key: spec
            for ticket in self._waiting.values()
            for spec, key in zip(ticket.specs, ticket.keys, strict=True)
        }
        return d.House(
            now=self._clock(),
            budget=budget,
            residents=tuple(
                s.resident(self._is_pinned(s.spec), s.ready.seconds if s.ready else 0.0)
                for s in self._slots.values()
            ),
            queue=tuple(
                d.Want(t.number, t.keys, t.since, t.queued, t.kept, t.promise)
                for t in self._waiting.values()
            ),
            needs={key: self.ways(spec) for key, spec in wanted.items()},
            fairness_window=self._limits.fairness_window,
            queue_timeout=self._limits.queue_timeout,
            load_width=self._limits.load_width,
        )

    def ways(self, spec: ModelSpec) -> tuple[Resources, ...]:
        """In which ways the model can be placed; empty while that is not known yet. One whose size
        nobody can tell is taken to fit until it has been loaded."""
        stock = self._appraiser.stock(spec)
        if self.machine is None or stock is None:
            return ()
        seen = self._ledger.footprint(self._history(spec))
        need = estimate(spec, stock, self._kind, self._lanes(spec), seen)
        guess = estimate(spec, stock, self._kind, self._lanes(spec))
        if need is None or guess is None:
            return ways(0, self.machine.budget)
        # One that has been here and outgrew the machine is no more too large than it was then.
        most = max(guess.total, sum(self.machine.budget.values()))
        return ways(min(need.total, most), self.machine.budget)

    def publish(self) -> tuple[PoolView, d.House]:
        house = self.house()
        return views.view(
            house,
            self._slots.values(),
            self._waiting.values(),
            self._queued(),
            self._failures,
            self._pinned,
            closed=self._closed,
        ), house

    def _weights(self, spec: ModelSpec) -> int:
        """Bytes of its weights as they will be loaded, 0 where nobody knows."""
        need = estimate(spec, self._appraiser.stock(spec), self._kind, 1)
        return need.weights if need else 0

    def engines(self) -> list[Engine]:
        return [slot.engine for slot in list(self._slots.values()) if slot.engine is not None]

    def _queued(self) -> list[Ticket]:
        """Those for whom nothing is being loaded, oldest first."""
        loading = {s.number for s in self._slots.values() if s.state == "loading"}
        return [t for t in self._waiting.values() if not loading.intersection(t.kept)]

    def _line(self, ticket: Ticket) -> list[Ticket]:
        """With whom it waits for its turn. Whoever joins a load waits once there are more of them
        than lanes; the first for whom a model is brought in waits for nobody's turn."""
        own = [(slot, self._tickets_for(slot)) for slot in self._slots_for(ticket)]
        if ticket.number not in self._waiting or any(line == [ticket] for _, line in own):
            return []
        queued = self._queued()
        if ticket in queued:
            return queued
        return max((line[slot.lanes :] for slot, line in own), key=len, default=[])

    def _reason(self, ticket: Ticket) -> views.Waits:
        there = {s.key for s in self._slots.values() if s.state == "ready" and not s.last_call}
        return "busy" if there.issuperset(ticket.keys) else "memory"

    def _slots_for(self, ticket: Ticket) -> Iterator[Slot]:
        """What it has been promised."""
        return (self._slots[number] for number in dict.fromkeys(ticket.kept))

    def _open(self, key: d.Key) -> Slot:
        """The instance that a new request gets."""
        return next(
            slot
            for slot in self._slots.values()
            if slot.key == key
            and not slot.last_call
            and slot.state not in ("draining", "unloading")
        )

    def _tickets_for(self, slot: Slot) -> list[Ticket]:
        """To whom it has been promised."""
        return [t for t in self._waiting.values() if slot.number in t.kept]

    def _wanted(self, slot: Slot) -> bool:
        return bool(self._tickets_for(slot)) or (
            not slot.last_call and any(slot.key in t.keys for t in self._waiting.values())
        )

    def _is_pinned(self, spec: ModelSpec) -> bool:
        return self._pinned.get(spec.id, spec.pinned)

    def _history(self, spec: ModelSpec) -> str:
        return key_of(spec, self._kind)

    def _lanes(self, spec: ModelSpec) -> int:
        return spec.concurrency or self._limits.lanes

    @property
    def _kind(self) -> Kind:
        return self.machine.kind if self.machine else "cpu"

    def _ttl(self, spec: ModelSpec) -> float:
        if spec.idle_ttl is not None:
            return spec.idle_ttl
        if self._limits.idle_ttl is not None:
            return self._limits.idle_ttl
        return 0.0 if self._kind == "cpu" else GPU_IDLE_TTL

    def _first_device(self) -> str:
        return next(iter(self.machine.budget)) if self.machine else "cpu"

    def _names(self, model_ids: tuple[str, ...]) -> tuple[str, ...]:
        names = {slot.model_id: slot.spec.name for slot in self._slots.values()}
        return tuple(names.get(model_id, model_id) for model_id in model_ids)
