"""All new tokens of a pass in one row; attention sequence by sequence, each over its own keys.

Nothing is padded, nothing is copied, and prompts share a pass with next tokens: all that is not
attention sees only a row of tokens. For models that let their attention be replaced. Knows nothing
of requests.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence as SequenceOf
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel
from transformers.cache_utils import Cache, CacheLayerMixin

from parley.engines.embeddings import input_device
from parley.engines.passes import Caller, Piece

_names = itertools.count(1)


class Ragged:
    """All new tokens in one row, attention sequence by sequence."""

    together = True
    mixed = True

    def __init__(self, model: PreTrainedModel) -> None:
        self._call = Caller(model)
        self._pieces: SequenceOf[Piece] = ()
        layers = model.config.get_text_config().num_hidden_layers
        self._cache = Cache(layers=[_PassedOn() for _ in range(layers)])  # type: ignore[no-untyped-call]
        self._device = input_device(model)
        name = f"parley_{next(_names)}"
        AttentionInterface.register(name, self._attend)
        # A name for which the library knows no mask: it makes none.
        model.set_attn_implementation(name)
        self._masks: dict[tuple[int, int, int | None], torch.Tensor] = {}

    @torch.inference_mode()
    def forward(self, pieces: SequenceOf[Piece]) -> list[torch.Tensor]:
        self._pieces = pieces
        self._masks.clear()
        ids: list[int] = []
        positions: list[int] = []
        keep: list[int] = []
        for piece in pieces:
            start = len(piece.sequence.tokens)
            ids += piece.tokens
            positions += range(start, start + len(piece.tokens))
            keep += range(len(ids) - piece.wanted, len(ids))
        device = self._device
        logits = self._call(
            torch.tensor([ids], device=device),
            torch.tensor([positions], device=device),
            self._cache,
            keep,
        )[0]
        counts = [piece.wanted for piece in pieces]
        return list(torch.split(logits[: sum(counts)], counts))

    def _attend(
        self,
        module: torch.nn.Module,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: torch.Tensor | None,
        scaling: float | None = None,
        sliding_window: int | None = None,
        softcap: float | None = None,
        **rest: Any,
    ) -> tuple[torch.Tensor, None]:
        """``query`` is [1, heads, tokens, width], ``key`` and ``value`` have the heads that are
        cached; returns [1, tokens, heads, value width], as the library's interface wants it."""
        if rest.get("position_bias") is not None or rest.get("s_aux") is not None:
            raise NotImplementedError("attention with a bias or a sink of its own")
        layer: Any = module.layer_idx
        out = query.new_empty((1, query.shape[2], query.shape[1], value.shape[3]))
        at = 0
        for piece in self._pieces:
            end = at + len(piece.tokens)
            start = len(piece.sequence.tokens)
            keys, values = piece.sequence.write(
                layer, start, key[:, :, at:end], value[:, :, at:end]
            )
            if sliding_window is not None:
                first = max(0, start - sliding_window + 1)
                keys, values = keys[:, :, first:], values[:, :, first:]
            part = query[:, :, at:end]
            mask = self._mask(part.shape[2], keys.shape[2], sliding_window)
            if softcap is not None:
                done = _capped(part, keys, values, mask, scaling, softcap)
            else:
                done = _attention(part, keys, values, mask, scaling)
            out[:, at:end] = done.transpose(1, 2)
            at = end
        return out, None

    def _mask(self, new: int, held: int, window: int | None) -> torch.Tensor | None:
        """Which of the ``held`` keys each of the last ``new`` of them may see; None for all."""
        if new == 1:
            return None
        if (found := self._masks.get((new, held, window))) is None:
            rows = torch.arange(held - new, held, device=self._device)[:, None]
            columns = torch.arange(held, device=self._device)[None]
            found = columns <= rows
            if window is not None:
                found &= columns > rows - window
            self._masks[new, held, window] = found  # the same for every layer of a pass
        return found


def _attention(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float | None,
) -> torch.Tensor:
    """Attention of one sequence; ``keys`` may have fewer heads than ``query``."""
    heads, new, width = query.shape[1:]
    groups = heads // keys.shape[1]
    if new > 1:
        return scaled_dot_product_attention(
            query, keys, values, attn_mask=mask, scale=scaling, enable_gqa=groups > 1
        )
    # The heads that share a key are rows of one query: nothing has to be repeated.
    packed = query.reshape(1, keys.shape[1], groups, width)
    alone = groups == 1 and query.dtype == torch.bfloat16 and query.device.type == "cpu"
    if alone:
        # This kernel takes three times as long for one row of bfloat16 as for two
        # (benchmarks/attention.py).
        packed = packed.expand(-1, -1, 2, -1)
    done = scaled_dot_product_attention(packed, keys, values, scale=scaling)
    return done[:, :, :1] if alone else done.reshape(1, heads, 1, values.shape[3])


def _capped(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float | None,
    cap: float,
) -> torch.Tensor:
    """Attention whose scores are bent below ``cap``, which no kernel does on a CPU."""
    heads, new, width = query.shape[1:]
    groups = heads // keys.shape[1]
    packed = query.reshape(1, keys.shape[1], groups * new, width)
    scores = packed @ keys.transpose(2, 3) * (width**-0.5 if scaling is None else scaling)
    scores = torch.tanh(scores / cap) * cap
    if mask is not None:
        scores = scores.masked_fill(~mask.repeat(groups, 1), float("-inf"))
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    return (weights @ values).reshape(1, heads, new, values.shape[3])


class _PassedOn(CacheLayerMixin):  # type: ignore[no-untyped-call] # as its base is written
    """A layer that holds nothing: the attention of a ragged pass does."""

    is_sliding = False

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None: ...

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return key_states, value_states

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return query_length, 0

    def get_seq_length(self) -> int:
        return 0

    def get_max_length(self) -> int:
        return -1
