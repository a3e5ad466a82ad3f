"""What a config.json says about memory: the KV cache per token, the window, packed weights.

Reads the file as it was written, under the names that model families have used; transformers knows
them all, but it would bring torch into the page's process. Knows nothing of where the file is from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Config = Mapping[str, Any]

LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads")
KV_HEADS = ("num_key_value_heads", "num_kv_heads", "kv_n_heads", "n_head_kv")
HIDDEN = ("hidden_size", "n_embd", "d_model")
HEAD_SIZE = ("head_dim", "kv_channels")
WINDOW = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx")
# Lists with one word per layer.
KINDS = ("layer_types", "layers_block_type")
# Layers of these kinds keep a state of fixed size, or nothing. Sliding windows are not among them:
# they stop growing, but a conversation has to be long for that.
WITHOUT_CACHE = frozenset(
    {"linear_attention", "conv", "mamba", "mamba2", "recurrent", "rwkv", "mlp", "moe"}
)
STATE_ALONE = frozenset({"mamba", "mamba2", "falcon_mamba", "rwkv"})


def text_part(config: Config) -> Config:
    """The language model's own part of a configuration that has several."""
    nested = config.get("text_config")
    return nested if isinstance(nested, Mapping) else config


def is_quantised(config: Config) -> bool:
    parts = (config, text_part(config))
    return any(p.get(n) for p in parts for n in ("quantization_config", "compression_config"))


def window(config: Config) -> int | None:
    """The longest conversation the model has been made for, in tokens."""
    return _number(text_part(config), WINDOW)


def kv_values(config: Config) -> int | None:
    """Numbers that the KV cache holds per token, in all layers together."""
    text = text_part(config)
    if text.get("model_type") in STATE_ALONE:
        return 0
    layers, heads = _layers(text), _number(text, HEADS)
    if layers is None or heads is None:
        return None
    if latent := _number(text, ("kv_lora_rank",)):  # DeepSeek keeps keys and values in one, packed
        return layers * (latent + (_number(text, ("qk_rope_head_dim",)) or 0))
    hidden, size = _number(text, HIDDEN), _number(text, HEAD_SIZE)
    if size is None and hidden is not None:
        size = hidden // heads
    return None if size is None else 2 * layers * _kv_heads(text, heads) * size


def _layers(text: Config) -> int | None:
    """Layers that keep keys and values of their own."""
    for name in KINDS:
        if isinstance(kinds := text.get(name), list):
            counted = sum(kind not in WITHOUT_CACHE for kind in kinds)
            # The last layers of Gemma 3n read what earlier ones have kept.
            return counted - (_number(text, ("num_kv_shared_layers",)) or 0)
    if isinstance(attending := text.get("full_attn_idxs"), list):  # early LFM2
        return len(attending)
    layers = _number(text, LAYERS)
    period, offset = text.get("attn_layer_period"), text.get("attn_layer_offset")
    if layers and isinstance(period, int) and isinstance(offset, int):  # Jamba
        return len(range(offset, layers, period))
    return layers


def _kv_heads(text: Config, heads: int) -> int:
    if text.get("new_decoder_architecture"):  # the larger Falcons have few, and keep copies for all
        return heads
    if text.get("multi_query"):  # the small ones write another number beside this flag
        return 1
    nested = text.get("attn_config")  # MPT
    found = _number(text, KV_HEADS)
    if found is None and isinstance(nested, Mapping):
        found = _number(nested, KV_HEADS)
    return found or heads


def _number(config: Config, names: tuple[str, ...]) -> int | None:
    for name in names:
        found = config.get(name)
        if isinstance(found, int) and not isinstance(found, bool) and found > 0:
            return found
    return None
