"""What the pool's policy is asked and what it answers: the words, frozen and without behaviour.

Knows nothing of how a decision is found (``policy``) or carried out (``pool``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from parley.pool.room import Resources

Key = tuple[str, int]
"""A model's id and the version of its entry: an edited entry is another model to load."""

State = Literal["pending", "loading", "ready", "draining", "unloading"]
Reason = Literal[
    "idle", "evicted", "requested", "outdated", "abandoned", "oom", "failed", "shutdown"
]


@dataclass(frozen=True, slots=True)
class Resident:
    """A model in memory, on its way in or out. ``pending`` has been promised room that is not all
    free yet; it has no process. ``lanes`` is how many leases it can have, ``released`` when the
    last one ended. ``last_call``: nobody new is let in, and it drains once those it was promised
    to have been served. ``share`` is how much of its load is done, ``abandoned`` since when nobody
    waits for that load."""

    number: int
    key: Key
    takes: Resources
    state: State = "ready"
    leases: int = 0
    lanes: int = 1
    released: float = 0.0
    pinned: bool = False
    last_call: bool = False
    ttl: float = 0.0
    reload_seconds: float = 0.0
    share: float = 0.0
    abandoned: float | None = None

    @property
    def going(self) -> bool:
        return self.state in ("draining", "unloading")


@dataclass(frozen=True, slots=True)
class Want:
    """A request that has no lease yet: one model, or a set to be used together (a model may be in
    it twice). ``kept`` is what it has been promised: the numbers of residents in memory or on their
    way, one for each of its models. A promise holds as a whole: where one of them has gone, the
    others are kept no longer. ``promise`` numbers promises as they were given. ``since`` is when it
    came, ``queued`` since when nothing has been loading for it."""

    ticket: int
    models: tuple[Key, ...]
    since: float
    queued: float
    kept: tuple[int, ...] = ()
    promise: int = 0


@dataclass(frozen=True, slots=True)
class House:
    """Everything a decision may depend on. ``queue`` is oldest first. ``needs`` are the ways in
    which a model can be placed, the preferred one first; a model without any is not known yet.
    Times are seconds of one clock."""

    now: float
    budget: Resources
    residents: tuple[Resident, ...]
    queue: tuple[Want, ...]
    needs: Mapping[Key, tuple[Resources, ...]]
    fairness_window: float = 10.0
    queue_timeout: float = 300.0
    load_width: int = 2


@dataclass(frozen=True, slots=True)
class Grant:
    """Give the ticket its leases."""

    ticket: int


@dataclass(frozen=True, slots=True)
class Promise:
    """From now on everything the ticket wants is kept for it."""

    ticket: int


@dataclass(frozen=True, slots=True)
class TakeBack:
    """There will not be room for all that the ticket has been promised: it is promised nothing."""

    ticket: int


@dataclass(frozen=True, slots=True)
class Admit:
    """Keep room for a model; it is loaded as soon as the room is really free."""

    key: Key
    takes: Resources


@dataclass(frozen=True, slots=True)
class Begin:
    """Start the load of a pending resident."""

    number: int


@dataclass(frozen=True, slots=True)
class LastCall:
    """Let nobody new in; the reason is why it will go."""

    number: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Drain:
    """No lease any more; it goes when the last one has ended."""

    number: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Unload:
    """End its process now, or drop it where it has none."""

    number: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """Tell the ticket that it cannot be served. ``need`` and ``has`` are bytes; ``pinned`` are the
    models that could make the room but are to stay."""

    ticket: int
    code: Literal["too_large", "queue_timeout"]
    key: Key
    need: int = 0
    has: int = 0
    pinned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Split:
    """A set that cannot be in memory together: one after the other, then."""

    ticket: int


Decision = Grant | Promise | TakeBack | Admit | Begin | LastCall | Drain | Unload | Refuse | Split
