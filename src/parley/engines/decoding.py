"""Which way of decoding is right for a model, by what its config.json says.

Data, and a rule to read it; the tests prove every family of the table against the library, token
for token. Imports no torch. Knows nothing of weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parley.engines.base import Decoding
from parley.engines.stock_config import STATE_ALONE, text_part

PROVEN: dict[str, Decoding] = {
    **dict.fromkeys(
        [
            *("gemma", "gemma2", "gemma3_text", "granite", "llama", "mistral", "mixtral"),
            *("olmo", "olmo2", "olmo3", "phi3", "qwen2", "qwen3", "qwen3_moe"),
            *("smollm3", "starcoder2"),
        ],
        "ragged",
    ),
    # Their attention is not the library's common one.
    **dict.fromkeys(("falcon", "mpt", "bloom"), "padded"),
}
"""By model type. What is not here is tried out when it is loaded; see ``proof.py``."""

PLAIN_LAYERS = frozenset({"full_attention", "sliding_attention"})
LENGTH_DEPENDENT = frozenset({"dynamic", "longrope"})
"""Rotary embeddings that turn differently once any text of a pass is long."""


def decoding(config: Mapping[str, Any]) -> Decoding | None:
    """The way for a model of this configuration; None where it has to be tried out."""
    text = text_part(config)
    if text.get("model_type") in STATE_ALONE:
        return "generate"
    if not set(text.get("layer_types") or ()) <= PLAIN_LAYERS:
        return "generate"
    way = PROVEN.get(str(text.get("model_type")))
    return "single" if way and _length_dependent(text) else way


def _length_dependent(text: Mapping[str, Any]) -> bool:
    kinds = []
    for name in ("rope_scaling", "rope_parameters"):
        found = text.get(name)
        for part in (found, *(found.values() if isinstance(found, Mapping) else ())):
            if isinstance(part, Mapping):
                kinds += [part.get("rope_type"), part.get("type")]
    return not LENGTH_DEPENDENT.isdisjoint(kinds)
