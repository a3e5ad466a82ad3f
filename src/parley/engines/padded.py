"""Sequences one below the other, padded on the left, as the library's own ``generate`` has them.

For models whose attention cannot be replaced. Knows nothing of requests.
"""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import Cache, CacheLayerMixin

from parley.engines.embeddings import input_device
from parley.engines.passes import Caller, Piece


class Padded:
    """Sequences one below the other, padded on the left, as ``generate`` does it for a batch.

    Each pass puts the keys of all sequences together anew, as the library's own cache does.
    """

    mixed = False

    def __init__(self, model: PreTrainedModel, *, together: bool = True) -> None:
        self.together = together
        self._call = Caller(model)
        self._device = input_device(model)
        self._pieces: SequenceOf[Piece] = ()
        layers = model.config.get_text_config().num_hidden_layers
        self._cache = Cache(layers=[_Gathered(self, i) for i in range(layers)])

    @property
    def pieces(self) -> SequenceOf[Piece]:
        """What the pass under way is for."""
        return self._pieces

    @torch.inference_mode()
    def forward(self, pieces: SequenceOf[Piece]) -> list[torch.Tensor]:
        self._pieces = pieces
        device = self._device
        starts = [len(piece.sequence.tokens) for piece in pieces]
        if len(pieces) == 1:
            tokens = list(pieces[0].tokens)
            positions = torch.arange(starts[0], starts[0] + len(tokens), device=device)[None]
            wanted = pieces[0].wanted
            keep = list(range(len(tokens) - wanted, len(tokens)))
            mask = torch.ones((1, starts[0] + len(tokens)), dtype=torch.long, device=device)
            logits = self._call(
                torch.tensor([tokens], device=device), positions, self._cache, keep, mask
            )
            return [logits[0, :wanted]]
        longest = max(starts)
        columns = torch.arange(longest + 1, device=device)[None]
        mask = (columns >= longest - torch.tensor(starts, device=device)[:, None]).long()
        logits = self._call(
            torch.tensor([[piece.tokens[0]] for piece in pieces], device=device),
            torch.tensor(starts, device=device)[:, None],
            self._cache,
            [0],
            mask,
        )
        return [row[: piece.wanted] for row, piece in zip(logits, pieces, strict=True)]


class _Gathered(CacheLayerMixin):  # type: ignore[no-untyped-call] # as its base is written
    """One layer of all sequences of a pass."""

    is_sliding = False

    def __init__(self, owner: Padded, layer: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._owner = owner
        self._layer = layer

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None: ...

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        pieces = self._owner.pieces
        if len(pieces) == 1:
            sequence = pieces[0].sequence
            return sequence.write(self._layer, len(sequence.tokens), key_states, value_states)
        length = self.get_seq_length() + 1
        shape = (len(pieces), key_states.shape[1], length)
        keys = key_states.new_zeros((*shape, key_states.shape[3]))
        values = value_states.new_zeros((*shape, value_states.shape[3]))
        for i, piece in enumerate(pieces):
            own = piece.sequence.write(
                self._layer,
                len(piece.sequence.tokens),
                key_states[i : i + 1],
                value_states[i : i + 1],
            )
            keys[i, :, length - own[0].shape[2] :] = own[0][0]
            values[i, :, length - own[1].shape[2] :] = own[1][0]
        return keys, values

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.get_seq_length() + query_length, 0

    def get_seq_length(self) -> int:
        return max((len(piece.sequence.tokens) for piece in self._owner.pieces), default=0)

    def get_max_length(self) -> int:
        return -1
