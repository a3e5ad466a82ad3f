"""What is known of a checkpoint before it is loaded: what is here, what is to come, how large.

Reads headers and listings, never a weight. Knows nothing of memory, of the pool or of this
machine.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from huggingface_hub import constants

from parley.catalog.spec import ModelSpec
from parley.engines.base import Decoding
from parley.engines.checkpoint import CONFIG, count_by_dtype, weight_files
from parley.engines.decoding import decoding
from parley.engines.failures import corrupt, load_error, not_found
from parley.engines.hub_cache import snapshot_here
from parley.engines.hub_failures import COULD_NOT_ASK, not_in_cache
from parley.engines.stock_config import is_quantised, kv_values, window
from parley.engines.stock_hub import Inquiry
from parley.errors import ParleyError

log = logging.getLogger(__name__)

PATIENCE = 10.0  # seconds for all that the Hub is asked about one model


@dataclass(frozen=True, slots=True)
class Stock:
    """A checkpoint as far as it is known.

    ``on_disk``: everything a load needs is on this machine. ``download`` is bytes still to fetch,
    None when nobody could be asked. ``parameters`` counts by safetensors dtype ("F32", "BF16"),
    from the headers; empty when unknown. ``kv_values`` is how many numbers the KV cache holds per
    token, 2 · layers · KV heads · head size (a sum over layers where they differ), None when the
    configuration does not say. ``window`` is the configuration's own maximum in tokens.
    ``quantised``: the weights load in a packed format of their own, so ``parameters`` times a dtype
    is not their size. ``decoding`` is how answers will be computed, "trial" where a load has to
    find out. ``problem`` is why it cannot be had from here, in words for a person.
    """

    on_disk: bool = False
    download: int | None = None
    parameters: Mapping[str, int] = field(default_factory=dict)
    kv_values: int | None = None
    window: int | None = None
    quantised: bool = False
    decoding: Decoding | Literal["trial"] | None = None
    problem: ParleyError | None = None


def take_stock(spec: ModelSpec, *, ask_hub: bool) -> Stock:
    """Look at the disk and, where ``ask_hub`` allows and the disk does not suffice, at the Hub.

    Never raises for what is wrong with a checkpoint; that is ``Stock.problem``. That the Hub could
    not be asked is none. Takes about ten seconds at most; several threads may ask at once.
    """
    if spec.path is not None:
        return _in_folder(spec, spec.path)
    try:
        folder = snapshot_here(spec, surely=False)
    except Exception as error:
        return Stock(problem=_in_words(spec, error))
    if folder is not None:
        return _in_folder(spec, folder)
    if constants.is_offline_mode():
        return Stock(problem=not_in_cache(spec))
    return _at_hub(spec) if ask_hub else Stock()


def _in_folder(spec: ModelSpec, folder: Path) -> Stock:
    stock = Stock()
    try:
        if not folder.is_dir():
            raise not_found(spec, f"there is no folder {folder}")
        if not (folder / CONFIG).exists():
            raise not_found(spec, f"there is no {CONFIG} in {spec.source}")
        stock = _with_config(spec, stock, json.loads((folder / CONFIG).read_text(encoding="utf-8")))
        parameters = count_by_dtype(weight_files(spec, folder))
    except Exception as error:
        return replace(stock, problem=_in_words(spec, error))
    return replace(stock, on_disk=True, download=0, parameters=parameters)


def _at_hub(spec: ModelSpec) -> Stock:
    """Answers come one by one, and each that comes is kept, whatever becomes of the next."""
    stock = Stock()
    try:
        inquiry = Inquiry(spec, monotonic() + PATIENCE)
        stock = replace(stock, download=inquiry.download(), parameters=inquiry.counted)
        stock = _with_config(spec, stock, inquiry.config())
        inquiry.check_weights()
        if not stock.parameters:
            stock = replace(stock, parameters=inquiry.count())
    except Exception as error:
        said = _in_words(spec, error)
        return stock if said.code in COULD_NOT_ASK else replace(stock, problem=said)
    return stock


def _with_config(spec: ModelSpec, stock: Stock, config: Any) -> Stock:
    if not isinstance(config, dict):
        raise corrupt(spec, f"{CONFIG} does not hold a configuration")
    return replace(
        stock,
        kv_values=kv_values(config),
        window=window(config),
        quantised=is_quantised(config),
        decoding=decoding(config) or "trial",
    )


def _in_words(spec: ModelSpec, error: Exception) -> ParleyError:
    said = load_error(spec, error)
    if said.code == "internal":
        log.warning("%s could not be looked at", spec.id, exc_info=error)
    return said
