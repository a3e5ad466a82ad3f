"""Who may stay in memory and who comes next: pure decisions from a snapshot.

No clock, no I/O, no locks: the pool applies what this decides and asks again when something has
changed. The rules, in the order in which they bind:

1. A model with a lease, or one that is kept for somebody, is never unloaded.
2. What has been told to go never comes back; whoever wants that model gets its next instance.
3. Promises are kept in the order in which they were given, so that none waits for a later one. Then
   the queue is walked, oldest first: a request for a model in memory is served at once, and one
   that fits without touching a promise may pass those who wait for memory.
4. A request that has waited longer than the fairness window is passed no more: it is promised what
   it wants, and models in use that stand in its way let nobody new in.
5. A set of models is promised as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from parley.pool.decisions import (
    Admit,
    Begin,
    Decision,
    Drain,
    Grant,
    House,
    Key,
    LastCall,
    Promise,
    Reason,
    Refuse,
    Resident,
    Split,
    TakeBack,
    Unload,
    Want,
)
from parley.pool.desk import Desk, Place
from parley.pool.room import Resources, choose, fits, minus, most, plus, total
from parley.pool.view import Fit


def settle(house: House) -> tuple[Decision, ...]:
    """What is to be done now, in this order. What is newly admitted begins in the next call, so
    ask again until nothing is left to do."""
    walk = _Walk(Desk(house))
    others = (want for want in house.queue if want not in walk.promised)
    for want in (*walk.promised, *others):
        walk.serve(want)
        walk.desk.walked.add(want.ticket)
    walk.relieve()
    walk.take_back()
    walk.let_go()
    walk.begin()
    return tuple(walk.out)


def fit_together(keys: Sequence[Key], house: House) -> bool:
    """Whether all of these could be in memory at once, if everything went that is not to stay."""
    return Desk(house).possible(keys)


def fit(key: Key, house: House) -> Fit:
    """Whether a model could be loaded now, and at whose cost."""
    desk = Desk(house)
    need, has = desk.numbers(key)
    if desk.find(key) is not None:
        return Fit("loaded", need, has)
    if not need:
        return Fit("unknown", 0, has)
    if not desk.possible([key]):
        pinned = desk.pinned() if need <= has else ()
        return Fit("pinned" if pinned else "too_large", need, has, pinned)
    if (now := desk.room_for([key], desk.idle(()))) is not None:
        (takes,), victims = now
        held = total(p.seat.takes for p in desk.places if p not in victims and p.state != "pending")
        waits = () if fits(takes, minus(house.budget, held)) else tuple(desk.going())
        ids = tuple(place.seat.key[0] for place in victims)
        return Fit("busy" if waits else "unload" if ids else "fits", need, has, waits or ids)
    everybody = desk.idle(()) + desk.in_the_way(())
    later = desk.room_for([key], everybody)
    ids = tuple(p.seat.key[0] for p in (later[1] if later else everybody))
    return Fit("busy", need, has, ids)


class _Walk:
    """Along the queue, with the desk's working copy kept up to date."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        promised = (want for want in desk.house.queue if desk.kept(want))
        self.promised = sorted(promised, key=lambda want: want.promise)
        self.new: list[tuple[Want, list[Place]]] = []  # what is promised now
        self.out: list[Decision] = []

    # -- one request --

    def serve(self, want: Want) -> None:
        there = self.desk.there(want)
        if len(there) < len(want.models):
            self._admit(want, there)
        elif not self._grant(want, there) and not self._expire(want, there):
            coming = any(place.state != "ready" for place in there)
            if not self.desk.kept(want) and (coming or self.desk.overdue(want)):
                self._promise(want, there)
            self._wait(want, there)

    def _grant(self, want: Want, there: Sequence[Place]) -> bool:
        for place in there:
            asked = sum(other is place for other in there)
            lanes = max(place.seat.lanes, asked)
            if place.state != "ready" or place.leases + place.held + asked > lanes:
                return False
        for place in there:
            place.leases += 1
            place.firm.discard(want.ticket)
        self.out.append(Grant(want.ticket))
        return True

    def _promise(self, want: Want, there: Iterable[Place]) -> None:
        self.out.append(Promise(want.ticket))
        self.new.append((want, list(there)))
        for place in there:
            place.firm.add(want.ticket)

    def _wait(self, want: Want, there: Iterable[Place]) -> None:
        for place in there:
            place.soft.add(want.ticket)
            # The younger do not take the lane it waits for; a set in its first seconds lets them,
            # since it may be another model's lane that it lacks.
            if want.ticket in place.firm or len(set(want.models)) == 1 or self.desk.overdue(want):
                place.held += 1

    def _admit(self, want: Want, there: Sequence[Place]) -> None:
        missing = [k for k in dict.fromkeys(want.models) if self.desk.find(k) is None]
        if not all(self.desk.house.needs.get(key) for key in missing):
            self._expire(want, there)
            return
        if not self.desk.possible(want.models):
            self._impossible(want)
            return
        ids = {key[0] for key in missing}
        if any(place.new and place.seat.key[0] in ids for place in self.desk.places):
            return  # another version of the model has just been admitted for somebody older
        found = self.desk.room_for(missing, self.desk.idle(there))
        if found is None and self.desk.overdue(want):
            found = self.desk.room_for(missing, self.desk.idle(there) + self.desk.in_the_way(there))
        if found is None:
            if not self._expire(want, there):
                self._wait(want, there)
            return
        takes, victims = found
        for victim in victims:
            self._send_away(victim, "evicted")
        coming = [self._make(key, need) for key, need in zip(missing, takes, strict=True)]
        self._promise(want, [*there, *coming])
        self._wait(want, there)

    def _make(self, key: Key, takes: Resources) -> Place:
        for place in self.desk.places:
            if place.seat.key[0] == key[0]:
                self._send_away(place, "outdated")
        self.out.append(Admit(key, takes))
        made = Place(Resident(-len(self.out), key, takes, "pending"), "pending", 0, False)
        self.desk.places.append(made)
        return made

    def _impossible(self, want: Want) -> None:
        alone = [key for key in want.models if not self.desk.possible([key])]
        if not alone:
            self.out.append(Split(want.ticket))
            return
        need, has = self.desk.numbers(alone[0])
        pinned = self.desk.pinned() if need <= has else ()
        self.out.append(Refuse(want.ticket, "too_large", alone[0], need, has, pinned))

    def _expire(self, want: Want, there: Iterable[Place]) -> bool:
        waited = self.desk.house.now - want.queued
        if waited < self.desk.house.queue_timeout or any(p.state == "loading" for p in there):
            return False
        self.out.append(Refuse(want.ticket, "queue_timeout", want.models[0]))
        for place in self.desk.places:
            place.firm.discard(want.ticket)
        return True

    def _send_away(self, place: Place, reason: Reason) -> None:
        if not place.open:
            return
        if place.firm:
            place.last_call = True
            self.out.append(LastCall(place.seat.number, reason))
        else:
            self._drain(place, reason)

    def _drain(self, place: Place, reason: Reason) -> None:
        place.state = "draining"
        self.out.append(Drain(place.seat.number, reason))

    # -- what needs no request --

    def relieve(self) -> None:
        """Where models have grown beyond what they were counted with, or there is less memory than
        there was, idle ones go, even where that is not enough."""
        idle = self.desk.idle(())
        seats = [self.desk.seat(place) for place in idle]
        over = {name: -left for name, left in self.desk.room().items() if left < 0}
        if not over:
            return
        enough = choose([over], {}, seats)
        for place in idle:
            helps = any(place.seat.takes.get(name) for name in over)
            if helps if enough is None else place.seat.number in enough[1]:
                self._send_away(place, "evicted")

    def take_back(self) -> None:
        """Promises for which there will not be room after all, though everything goes that goes
        before: their own models, and what stays or is kept for later promises, are too much."""
        done: set[int] = set()
        for want, own in [*((want, self.desk.kept(want)) for want in self.promised), *self.new]:
            coming = [p for p in own if p.state == "pending" and want.ticket in p.firm]
            others = [
                place
                for place in self.desk.places
                if place not in coming
                and (
                    place.open and place.firm & done
                    if place.state == "pending"
                    else place.open or (not place.going and place.firm - done)
                )
            ]
            done.add(want.ticket)
            left = minus(self.desk.house.budget, total(p.seat.takes for p in others))
            if fits(total(p.seat.takes for p in dict.fromkeys(coming)), left):
                continue
            self.out.append(TakeBack(want.ticket))
            for place in own:
                place.firm.discard(want.ticket)

    def let_go(self) -> None:
        for place in self.desk.places:
            if place.last_call and not place.going and not place.firm:
                self._drain(place, "evicted")
            elif place.state == "ready" and not place.in_use and not place.seat.pinned:
                idle = self.desk.house.now - place.seat.released
                if 0 < place.seat.ttl <= idle:
                    self._drain(place, "idle")
            elif place.state == "pending" and not place.firm:
                self._drain(place, "abandoned")
            if place.state == "draining" and not place.leases:
                place.state = "unloading"
                self.out.append(Unload(place.seat.number))

    def begin(self) -> None:
        """Start loads whose room is really free, in the order of the promises. A later one may
        start first where what is sure to become free still serves the earlier ones."""
        turns = {want.ticket: turn for turn, want in enumerate(self.promised)}
        there = [p for p in self.desk.places if p.state != "pending"]
        free = minus(self.desk.house.budget, total(p.seat.takes for p in there))
        sure = total(p.seat.takes for p in there if p.going)
        loading = sum(p.state == "loading" for p in there)
        present = {p.seat.key[0] for p in there}
        earlier: dict[str, Resources] = {}  # by model: its instances follow one another
        pending = [p for p in self.desk.places if p.state == "pending" and p.firm and not p.new]
        for place in sorted(pending, key=lambda p: min(turns.get(t, len(turns)) for t in p.firm)):
            takes = place.seat.takes
            model_id = place.seat.key[0]
            claimed = total(earlier.values())
            backed = fits(takes, minus(plus(free, sure), claimed))
            alone = model_id not in present
            if alone and backed and fits(takes, free) and loading < self.desk.house.load_width:
                self.out.append(Begin(place.seat.number))
                place.state = "loading"
                free = minus(free, takes)
                loading += 1
            else:
                earlier[model_id] = most(earlier.get(model_id, {}), takes)
            present.add(model_id)
