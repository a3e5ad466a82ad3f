"""What every decision of the policy must respect, checked decision by decision.

Plays what was decided forward on a copy of the snapshot. Used on made-up snapshots and, around the
policy that the pool itself asks, on every one that comes up.
"""

from __future__ import annotations

import itertools
import math
import os
from dataclasses import replace

from parley.pool import decisions as d
from parley.pool.room import fits, minus, total

EXAMPLES = int(os.environ.get("PARLEY_HYPOTHESIS_EXAMPLES", "0"))
"""How long to search; without it CI takes the same few examples every time."""


def check(house: d.House, found: tuple[d.Decision, ...]) -> None:
    there = {r.number: r for r in house.residents}
    waiting = {w.ticket: w for w in house.queue}
    made, promised = 0, set()
    for step in found:
        match step:
            case d.Grant(ticket):
                _granted(house, there, waiting, waiting.pop(ticket))
            case d.Promise(ticket):
                assert ticket in waiting, "a promise to nobody"
                promised.add(ticket)
            case d.TakeBack(ticket):
                assert ticket in promised or whole(house, waiting[ticket]), "there was no promise"
                waiting[ticket] = replace(waiting[ticket], kept=())
            case d.Admit(key, takes):
                assert takes in house.needs[key], "not one of the ways in which it can be placed"
                assert any(key in w.models for w in waiting.values()), "a load for nobody"
                made -= 1
                there[made] = d.Resident(made, key, takes, "pending")
            case d.Begin(number):
                _begun(house, there, number)
                there[number] = replace(there[number], state="loading")
            case d.LastCall(number):
                place = there[number]
                assert not place.going, "told twice to go"
                assert not place.pinned or _outdated(waiting, place), "a pinned model is to go"
                there[number] = replace(place, last_call=True)
            case d.Drain(number, reason):
                _drained(house, there, waiting, there[number], reason)
                there[number] = replace(there[number], state="draining")
            case d.Unload(number):
                assert there[number].state == "draining", "unloaded without notice"
                assert not there[number].leases, "unloaded under a running answer"
                there[number] = replace(there[number], state="unloading")
            case d.Refuse(ticket, code, key):
                want = waiting.pop(ticket)
                assert key in want.models
                if code == "queue_timeout":
                    assert house.now - want.queued >= house.queue_timeout
            case d.Split(ticket):
                assert len(set(waiting.pop(ticket).models)) > 1, "one model cannot be split"
    for place in there.values():
        assert place.leases >= 0


def at_rest(house: d.House) -> None:
    """What must be so where the policy has nothing left to decide."""
    for place in house.residents:
        if place.state == "draining":
            assert place.leases, "what has to go stays although nobody uses it"
    kept = {number for want in house.queue if whole(house, want) for number in want.kept}
    for place in house.residents:
        if place.state == "pending":
            assert place.number in kept, "room is kept for nobody"
    for want in house.queue:
        overdue = house.now - want.since >= house.fairness_window
        if overdue and all(house.needs.get(key) for key in want.models):
            assert whole(house, want), "it has waited too long and nothing is promised to it"


def whole(house: d.House, want: d.Want) -> bool:
    """Whether all that the request has been promised is still there or to come."""
    there = {r.number for r in house.residents if not r.going}
    return bool(want.kept) and there.issuperset(want.kept)


def _granted(house, there, waiting, want):
    asked = {key: want.models.count(key) for key in want.models}
    for key, count in asked.items():
        place = next(r for r in there.values() if r.key == key and r.state == "ready")
        late = whole(house, want) and place.number in want.kept
        assert late or not place.last_call, "somebody new is let in after the last call"
        older = [
            w.models.count(key)
            for w in waiting.values()
            if _turn(house, w) < _turn(house, want)
            and key in w.models
            and want.since - w.since > house.fairness_window
            and (place.number in w.kept if place.last_call else True)
            and all(house.needs.get(k) for k in w.models)
        ]
        assert place.leases + count + sum(older) <= max(place.lanes, count), (
            f"more answers than lanes, or {want.ticket} passes one who came long before: {house}"
        )
        there[place.number] = replace(place, leases=place.leases + count)


def _turn(house, want):
    """Promises in their order, then the others by age. That one who has waited too long does have
    a promise is checked in ``at_rest``."""
    return want.promise if whole(house, want) else math.inf, want.ticket


def _begun(house, there, number):
    place = there[number]
    others = [r for r in there.values() if r.state != "pending"]
    assert place.state == "pending"
    assert all(r.key[0] != place.key[0] for r in others), "two instances of one model"
    left = minus(house.budget, total(r.takes for r in others))
    assert fits(place.takes, left), "a load begins without room"
    assert sum(r.state == "loading" for r in others) < house.load_width, "too many loads at once"


def _drained(house, there, waiting, place, reason):
    assert not place.going, "told twice to go"
    kept = [w for w in waiting.values() if whole(house, w) and place.number in w.kept]
    if place.state != "pending":
        assert not kept, "what is kept for somebody is taken away"
    if reason == "outdated":
        assert _outdated(waiting, place)
        return
    if place.last_call or place.state == "pending":
        return
    assert not place.pinned, "a pinned model is to go"
    if reason == "idle":
        assert place.state == "ready"
        assert not place.leases
        assert 0 < place.ttl <= house.now - place.released
    elif reason == "evicted":
        short = minus(house.budget, total(r.takes for r in there.values() if not _leaving(r)))
        hungry = any(r.state == "pending" for r in there.values()) or any(
            not whole(house, w) for w in waiting.values()
        )
        assert hungry or any(left < 0 for left in short.values()), "evicted for nobody"


def _leaving(place):
    return place.going or place.last_call


def _outdated(waiting, place):
    """Whether somebody wants another version of it."""
    wanted = {key for want in waiting.values() for key in want.models}
    return any(key[0] == place.key[0] and key != place.key for key in wanted)


def played(house: d.House, found: tuple[d.Decision, ...]) -> d.House:
    """The snapshot after these decisions, as the pool would see it."""
    there = {r.number: r for r in house.residents}
    waiting = {w.ticket: w for w in house.queue}
    numbers = itertools.count(max([0, *there]) + 1)
    promises = itertools.count(max([0, *(w.promise for w in house.queue)]) + 1)
    for step in found:
        match step:
            case d.Grant(ticket):
                for key in waiting.pop(ticket).models:
                    place = next(r for r in there.values() if r.key == key and r.state == "ready")
                    there[place.number] = replace(place, leases=place.leases + 1)
            case d.Promise(ticket):
                want = waiting[ticket]
                fresh = {r.key: r.number for r in there.values() if not _leaving(r)}
                kept = tuple(fresh[key] for key in want.models)
                waiting[ticket] = replace(want, kept=kept, promise=next(promises))
            case d.TakeBack(ticket):
                waiting[ticket] = replace(waiting[ticket], kept=())
            case d.Admit(key, takes):
                number = next(numbers)
                there[number] = d.Resident(number, key, takes, "pending")
            case d.Begin(number):
                there[number] = replace(there[number], state="loading")
            case d.LastCall(number):
                there[number] = replace(there[number], last_call=True)
            case d.Drain(number):
                if there[number].state == "pending":
                    del there[number]
                else:
                    there[number] = replace(there[number], state="draining")
            case d.Unload(number) if number in there:
                there[number] = replace(there[number], state="unloading")
            case d.Refuse(ticket) | d.Split(ticket):
                del waiting[ticket]
    return replace(house, residents=tuple(there.values()), queue=tuple(waiting.values()))
