"""Finding a place for one model: which of several ways, and who would have to go.

Pure arithmetic on bytes per device. Knows nothing of queues, states or time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Resources = Mapping[str, int]
"""Amounts by name: bytes by device, and under MODELS how many models where their number is
limited. A name that is missing counts 0."""

MODELS = "models"

COMBINATIONS = 4096
"""Up to so many combinations of who could go are all looked at, for all ways together; where there
are more, the least recently used go first."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody who could go. ``busy``: not at once, only when an answer has ended."""

    number: int
    takes: Resources
    released: float
    reload_seconds: float
    busy: bool = False


def devices(amounts: Resources) -> Resources:
    """The bytes alone."""
    return {name: amount for name, amount in amounts.items() if name != MODELS}


def plus(one: Resources, other: Resources) -> Resources:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {*one, *other}}


def minus(one: Resources, other: Resources) -> Resources:
    return {name: one.get(name, 0) - other.get(name, 0) for name in {*one, *other}}


def most(one: Resources, other: Resources) -> Resources:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {*one, *other}}


def total(several: Iterable[Resources]) -> Resources:
    result: Resources = {}
    for one in several:
        result = plus(result, one)
    return result


def fits(need: Resources, left: Resources) -> bool:
    return all(amount <= left.get(name, 0) for name, amount in need.items() if amount > 0)


def placings(
    models: Sequence[Sequence[Resources]], left: Resources
) -> Iterator[tuple[Resources, ...]]:
    """In which ways models can be placed side by side, one way for each, the preferred first."""
    if not models:
        yield ()
        return
    for way in models[0]:
        if fits(way, left):
            for rest in placings(models[1:], minus(left, way)):
                yield (way, *rest)


def choose(
    ways: Sequence[Resources], left: Resources, seats: Sequence[Seat]
) -> tuple[int, tuple[int, ...]] | None:
    """Which of the ways to place a model costs the others least, and the seats that have to go.

    Fewest busy ones first, then fewest at all, then the least recently released, then those that
    load again quickest; between equals the way named first. None where no way is possible.
    """
    best: tuple[tuple[object, ...], int, tuple[int, ...]] | None = None
    for order, way in enumerate(ways):
        gone = _victims(way, left, seats, COMBINATIONS // len(ways))
        if gone is None:
            continue
        if not gone:
            return order, ()
        rank = (*_cost(gone), order)
        if best is None or rank < best[0]:
            best = (rank, order, tuple(seat.number for seat in gone))
    return best and (best[1], best[2])


def _victims(
    need: Resources, left: Resources, seats: Sequence[Seat], most: int
) -> Sequence[Seat] | None:
    if fits(need, left):
        return ()
    short = [name for name, amount in need.items() if amount > max(0, left.get(name, 0))]
    seats = [seat for seat in seats if any(seat.takes.get(name, 0) > 0 for name in short)]
    if not fits(need, plus(left, total(seat.takes for seat in seats))):
        return None
    if 2 ** len(seats) > most:
        return _oldest_first(need, left, seats)
    busy = [seat for seat in seats if seat.busy]
    idle = [seat for seat in seats if not seat.busy]
    for counts in itertools.product(range(len(busy) + 1), range(len(idle) + 1)):
        some = map(itertools.combinations, (busy, idle), counts)
        enough = [
            (*first, *second)
            for first, second in itertools.product(*some)
            if fits(need, plus(left, total(seat.takes for seat in (*first, *second))))
        ]
        if enough:
            return min(enough, key=_cost)
    return None


def _oldest_first(need: Resources, left: Resources, seats: Sequence[Seat]) -> Sequence[Seat]:
    """Marks one after the other until it is enough, then spares those that were not needed."""
    gone: list[Seat] = []
    for seat in sorted(seats, key=lambda s: (s.busy, s.released)):
        if fits(need, plus(left, total(s.takes for s in gone))):
            break
        gone.append(seat)
    for seat in reversed(list(gone)):
        fewer = [s for s in gone if s is not seat]
        if fits(need, plus(left, total(s.takes for s in fewer))):
            gone = fewer
    return gone


def _cost(gone: Sequence[Seat]) -> tuple[int, int, tuple[float, ...], float]:
    recent = tuple(sorted((seat.released for seat in gone), reverse=True))
    busy = sum(seat.busy for seat in gone)
    return busy, len(gone), recent, sum(seat.reload_seconds for seat in gone)
