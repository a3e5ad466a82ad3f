"""What a forward pass over several sequences is: pieces in, logits out, and the call itself.

``ragged.py`` and ``padded.py`` are two ways to do it that give the same logits. Knows nothing of
requests or of who goes next.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import Cache

from parley.engines.embeddings import input_device
from parley.engines.kv import Sequence


@dataclass(frozen=True, slots=True)
class Piece:
    """``tokens`` to be computed behind what ``sequence`` holds; logits are wanted for the last
    ``wanted`` of them."""

    sequence: Sequence
    tokens: SequenceOf[int]
    wanted: int = 1


class Runner(Protocol):
    """A way through the model. ``together`` is whether several pieces may share a pass, ``mixed``
    whether they may be of any length; else each is one token."""

    together: bool
    mixed: bool

    def forward(self, pieces: SequenceOf[Piece]) -> list[torch.Tensor]:
        """``[wanted, vocabulary]`` for each piece. The sequences' buffers hold the new tokens'
        keys and values, but only the caller may append the tokens."""
        ...


class Caller:
    """Calls the model with what its ``forward`` takes."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model
        known = inspect.signature(model.forward).parameters
        # Named past_key_values before transformers 5.24.
        self._cache = "cache" if "cache" in known else "past_key_values"
        self._positions = "position_ids" in known
        self._keeps = "logits_to_keep" in known
        self._device = input_device(model)

    def __call__(
        self,
        ids: torch.Tensor,
        positions: torch.Tensor,
        cache: Cache,
        keep: list[int],
        mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Logits of the columns ``keep`` as ``[rows, len(keep), vocabulary]``."""
        given: dict[str, Any] = {"input_ids": ids, self._cache: cache, "use_cache": True}
        if self._positions:
            given["position_ids"] = positions
        if mask is not None:
            given["attention_mask"] = mask
        # One is always computed: a model may not like to be asked for none.
        columns = torch.tensor(keep or [-1], device=self._device)
        if self._keeps:
            given["logits_to_keep"] = columns
        logits: torch.Tensor = self.model(**given).logits
        return logits if self._keeps else logits[:, columns]
