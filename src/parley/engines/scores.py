"""How likely the model found a token, and what it would rather have written.

Of the raw logits, before any setting of the request. Knows nothing of how tokens are chosen.
"""

from __future__ import annotations

import torch

from parley.engines.base import MOST_ALTERNATIVES
from parley.engines.pieces import Pieces
from parley.events import Alternative, TokenScore


class Scorer:
    """For one answer, with that many alternatives to each token."""

    def __init__(self, pieces: Pieces, alternatives: int) -> None:
        self._text = pieces
        self._most = max(0, min(alternatives, MOST_ALTERNATIVES))

    def __call__(self, logits: torch.Tensor, token: int) -> TokenScore:
        """``logits`` are [vocabulary], where ``token`` was chosen."""
        scores = torch.log_softmax(logits.float(), dim=-1)
        alternatives: tuple[Alternative, ...] = ()
        if self._most:
            best = scores.topk(min(self._most, len(scores)))
            alternatives = tuple(
                Alternative(other, self._text(other), score)
                for other, score in zip(best.indices.tolist(), best.values.tolist(), strict=True)
            )
        return TokenScore(token, self._text(token), float(scores[token]), alternatives)
