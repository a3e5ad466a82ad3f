"""Who may stay in memory: a pure decision from a snapshot.

No clock, no I/O, no locks: the pool applies what this decides. A model with a lease is never
evicted; among the idle, the least recently released goes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resident:
    """A model in memory or on its way there. ``released`` orders releases: lower is longer ago.
    A resident that is loading counts as leased."""

    model_id: str
    bytes: int
    leases: int
    released: int


@dataclass(frozen=True, slots=True)
class Load:
    """Load the model after these have been evicted, in this order."""

    evict: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """Models in use hold the memory; ask again when one is released."""


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The model does not fit into the budget even alone."""


Plan = Load | Wait | TooLarge


def plan(need: int, residents: Sequence[Resident], budget: int) -> Plan:
    """How to make room for ``need`` bytes under ``budget`` bytes.

    Evicts no more than necessary: after the least recently released have been marked until the
    model fits, those marked early that turn out not to be needed are spared again.
    """
    if need > budget:
        return TooLarge()
    free = budget - sum(r.bytes for r in residents)
    idle = sorted((r for r in residents if r.leases == 0), key=lambda r: r.released)
    victims: list[Resident] = []
    for resident in idle:
        if free >= need:
            break
        victims.append(resident)
        free += resident.bytes
    if free < need:
        return Wait()
    kept: list[Resident] = []
    for victim in reversed(victims):
        if free - victim.bytes >= need:
            free -= victim.bytes
            kept.append(victim)
    return Load(tuple(v.model_id for v in victims if v not in kept))
