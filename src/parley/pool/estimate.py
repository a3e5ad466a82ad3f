"""How many bytes a model will take, and in which ways it can be placed on this machine.

Weights as they will be loaded, the KV cache of ordinary conversations, and workspace. Pure
arithmetic on what ``Stock`` and the catalogue say. Knows nothing of what is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from parley.catalog.spec import ModelSpec
from parley.engines import cache_budget
from parley.engines.precision import STORED_BITS, WIDTHS, Kind, dtype_name
from parley.engines.stock import Stock
from parley.pool.room import MODELS, Resources, devices

WORKSPACE = 256 * 2**20
WORKSPACE_SHARE = 0.10
"""Activations, buffers, what an allocator keeps: the larger of the two."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes, by what they are for."""

    weights: int
    kv_cache: int
    workspace: int

    @property
    def total(self) -> int:
        return self.weights + self.kv_cache + self.workspace


def estimate(
    spec: ModelSpec, stock: Stock | None, kind: Kind, lanes: int, seen: int | None = None
) -> Estimate | None:
    """What the model will take on a device of this kind; None when its size is not known.

    ``seen`` is the most that it has taken here before: then workspace is what that leaves above
    the weights and a cache, not a guess.
    """
    stock = stock or Stock()
    parameters = sum(stock.parameters.values()) or spec.parameters or 0
    if not parameters:
        return None
    width = WIDTHS[dtype_name(spec.dtype, kind, parameters)]
    if stock.quantised and stock.parameters:
        bits = sum(count * STORED_BITS.get(name, 16) for name, count in stock.parameters.items())
        weights = bits // 8
    else:
        weights = parameters * width
    windows = [n for n in (spec.context, stock.window) if n]
    kept = cache_budget.tokens(min(windows, default=None), lanes)
    kv = (stock.kv_values or 0) * width * kept
    if seen is not None:
        return Estimate(weights, kv, max(0, seen - weights - kv))
    return Estimate(weights, kv, max(WORKSPACE, int(weights * WORKSPACE_SHARE)))


def ways(need: int, budget: Mapping[str, int]) -> tuple[Resources, ...]:
    """How a model of ``need`` bytes may be placed: on any one device, or, where none is large
    enough, over all of them in proportion."""
    room = devices(budget)
    largest = sorted(room, key=lambda name: -room[name])
    single: list[Resources] = [{name: need, MODELS: 1} for name in largest]
    everything = sum(room.values())
    if len(room) > 1 and need > max(room.values()) and everything:
        spread = {name: -(-need * size // everything) for name, size in room.items()}
        return (*single, {**spread, MODELS: 1})
    return tuple(single)
