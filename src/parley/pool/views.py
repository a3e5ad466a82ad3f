"""From the owner's state to the view that everybody else reads.

Pure. Knows nothing of how the state comes about.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

from parley.pool.decisions import House
from parley.pool.failures import Failures
from parley.pool.room import devices, total
from parley.pool.slots import Slot, Ticket
from parley.pool.view import ModelState, ModelView, PoolView

Waits = Literal["memory", "busy"]

_RANK = {"ready": 0, "loading": 1, "pending": 2, "draining": 3, "unloading": 4}
"""Of two instances of one model, the one that the next request gets stands for it."""


def view(
    house: House,
    slots: Collection[Slot],
    waiting: Collection[Ticket],
    queued: Sequence[Ticket],
    failures: Failures,
    pinned: Mapping[str, bool],
    *,
    closed: bool,
) -> PoolView:
    models: dict[str, ModelView] = {}
    pins = {r.number: r.pinned for r in house.residents}
    for model_id in _ids(slots, waiting, failures, pinned):
        own = sorted((s for s in slots if s.model_id == model_id), key=lambda s: _RANK[s.state])
        slot = own[0] if own else None
        wanted = [t for t in waiting if any(k[0] == model_id for k in t.keys)]
        failure = failures.get(model_id)
        places = [i for i, t in enumerate(queued, 1) if t in wanted]
        taken = devices(total(one.takes for one in own if one.state != "pending"))
        is_idle = slot is not None and slot.state == "ready" and not slot.leases
        models[model_id] = ModelView(
            model_id,
            _state(slot, bool(wanted), failure is not None),
            leases=sum(s.leases for s in own),
            waiting=len(wanted),
            position=places[0] if places else None,
            progress=slot.progress if slot and slot.state == "loading" else None,
            bytes=taken,
            measured=slot.measured or None if slot else None,
            idle_seconds=house.now - slot.released if slot and is_idle else None,
            ttl=slot.ttl if slot else 0.0,
            pinned=pins[slot.number] if slot else pinned.get(model_id, False),
            error=failure.error.as_event() if failure and not slot else None,
            retry_seconds=max(0.0, failure.retry_at - house.now) if failure else 0.0,
            dtype=slot.ready.dtype if slot and slot.ready else None,
            thinking_switch=bool(slot and slot.ready and slot.ready.thinking_switch),
            load_seconds=slot.ready.seconds if slot and slot.ready else None,
        )
    return PoolView(
        models,
        devices(house.budget),
        queue_depth=len(queued),
        queue_oldest=max((house.now - t.queued for t in queued), default=0.0),
        closed=closed,
    )


def _ids(
    slots: Iterable[Slot],
    waiting: Iterable[Ticket],
    failures: Failures,
    pinned: Mapping[str, bool],
) -> list[str]:
    ids = [s.model_id for s in slots]
    ids += [key[0] for t in waiting for key in t.keys]
    return list(dict.fromkeys([*ids, *failures.all(), *(m for m, on in pinned.items() if on)]))


def _state(slot: Slot | None, wanted: bool, failed: bool) -> ModelState:
    if slot is None:
        return "queued" if wanted else "failed" if failed else "cold"
    if slot.state == "pending":
        return "queued"
    if slot.state == "ready" and slot.last_call:
        return "draining"
    return slot.state
