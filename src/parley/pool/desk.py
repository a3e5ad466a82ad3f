"""The pool while decisions are made: a working copy of the snapshot, and what it can be asked.

Pure. Knows who is where, who may go and what room there would be; not in which order requests are
served, which is ``policy``'s.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from parley.pool.decisions import House, Key, Resident, State, Want
from parley.pool.room import Resources, Seat, choose, devices, minus, placings, plus, total

ABANDONED_SECONDS = 5.0
"""A load that nobody waits for any more may be ended for somebody else's sake after this long..."""
ABANDONED_SHARE = 0.5
"""...unless it has come further than this."""

PLACINGS = 64
"""So many ways to place the models of a set are compared, where several devices offer many."""


@dataclass(eq=False)
class Place:
    """A resident while decisions are made. ``firm`` are the tickets it has been promised to,
    ``soft`` those that wait for one of its lanes."""

    seat: Resident
    state: State
    leases: int
    last_call: bool
    firm: set[int] = field(default_factory=set)
    soft: set[int] = field(default_factory=set)
    held: int = 0

    @property
    def going(self) -> bool:
        return self.state in ("draining", "unloading")

    @property
    def new(self) -> bool:
        """Made just now: nothing can be decided on it before the pool has given it a number."""
        return self.seat.number < 0

    @property
    def open(self) -> bool:
        return not self.going and not self.last_call

    @property
    def in_use(self) -> bool:
        return bool(self.leases or self.firm or self.soft)


class Desk:
    """``walked`` are the tickets that have been dealt with, all older than the one in hand."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.walked: set[int] = set()
        self.places = [Place(r, r.state, r.leases, r.last_call) for r in house.residents]
        self._staying = {p.seat.number: p for p in self.places if not p.going}
        for want in house.queue:
            for place in self.kept(want):
                place.firm.add(want.ticket)

    def kept(self, want: Want) -> list[Place]:
        """What it has been promised, for each of its models; nothing where one of them has gone."""
        found = [self._staying[n] for n in want.kept if n in self._staying]
        return found if len(found) == len(want.models) else []

    def find(self, key: Key) -> Place | None:
        """The instance that a new request for ``key`` gets."""
        return next((p for p in self.places if p.seat.key == key and p.open), None)

    def there(self, want: Want) -> list[Place]:
        """What there is of what it wants; shorter than that where something is missing. Only who
        has its promise still gets into a model that lets nobody new in."""
        found = (self.find(key) for key in want.models)
        return self.kept(want) or [place for place in found if place is not None]

    def overdue(self, want: Want) -> bool:
        return self.house.now - want.since >= self.house.fairness_window

    def pinned(self) -> tuple[str, ...]:
        """Models that are to stay."""
        return tuple(p.seat.key[0] for p in self.places if p.seat.pinned and not p.going)

    def going(self) -> list[str]:
        """Models that leave as soon as their answers have ended."""
        return [p.seat.key[0] for p in self.places if p.going or p.last_call]

    def room(self) -> Resources:
        """What is left once all that goes has gone and all that is promised has come."""
        return minus(self.house.budget, total(p.seat.takes for p in self.places if p.open))

    def room_for(
        self, missing: Sequence[Key], victims: Sequence[Place]
    ) -> tuple[Sequence[Resources], list[Place]] | None:
        """Where the missing models would go and who has to go for them; None: not enough."""
        ids = {key[0] for key in missing}
        older = [p for p in self.places if p.open and p.seat.key[0] in ids]  # go in any case
        left = plus(self.room(), total(p.seat.takes for p in older))
        seats = [self.seat(place) for place in victims if place not in older]
        everything = plus(left, total(seat.takes for seat in seats))
        ways = placings([self.house.needs[key] for key in missing], everything)
        some = list(itertools.islice(ways, PLACINGS))
        found = choose([total(way) for way in some], left, seats)
        if found is None:
            return None
        return some[found[0]], [p for p in victims if p.seat.number in found[1]]

    def seat(self, place: Place) -> Seat:
        """What its going would cost. One that somebody waits for is as good as just used."""
        coming = place.in_use and place.state != "ready"
        own = place.seat
        released = self.house.now if coming else own.released
        return Seat(own.number, own.takes, released, own.reload_seconds, place.in_use)

    def possible(self, keys: Sequence[Key]) -> bool:
        """Whether these would fit together if everything went that is not to stay."""
        ids = {key[0] for key in keys}
        if len(ids) < len(set(keys)):
            return False  # two versions of one model
        left = minus(
            self.house.budget,
            total(
                p.seat.takes
                for p in self.places
                if p.open and (p.seat.key in keys or (p.seat.pinned and p.seat.key[0] not in ids))
            ),
        )
        missing = (key for key in dict.fromkeys(keys) if self.find(key) is None)
        known = [ways for key in missing if (ways := self.house.needs.get(key))]
        return any(True for _ in placings(known, left))

    def idle(self, own: Iterable[Place]) -> list[Place]:
        """Who can go at once."""
        return [place for place in self._others(own) if self._is_idle(place)]

    def in_the_way(self, own: Iterable[Place]) -> list[Place]:
        """Who is in use, or on the way in. Those with a promise still get into it; an older request
        that has none would lose its turn, so what that waits for is spared."""
        return [
            place
            for place in self._others(own)
            if not self._is_idle(place) and not (place.soft - place.firm) & self.walked
        ]

    def _others(self, own: Iterable[Place]) -> Iterator[Place]:
        return (
            p for p in self.places if p.open and not p.new and not p.seat.pinned and p not in own
        )

    def _is_idle(self, place: Place) -> bool:
        return not place.in_use and (place.state == "ready" or self._is_abandoned(place))

    def _is_abandoned(self, place: Place) -> bool:
        since = place.seat.abandoned
        return (
            place.state == "loading"
            and since is not None
            and self.house.now - since >= ABANDONED_SECONDS
            and place.seat.share <= ABANDONED_SHARE
        )

    def numbers(self, key: Key) -> tuple[int, int]:
        """Bytes the model needs and bytes there are for models, on the devices of the way that
        comes closest; 0 needed while it is not known."""
        budget = self.house.budget

        def sums(way: Resources) -> tuple[int, int]:
            need = devices(way)
            return sum(need.values()), sum(budget.get(name, 0) for name in need)

        ways = self.house.needs.get(key) or ()
        everything = sum(devices(budget).values())
        return min(map(sums, ways), key=lambda pair: pair[0] - pair[1], default=(0, everything))
