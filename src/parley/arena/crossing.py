"""Cross-reading: how likely each model finds the answers of the others.

Every answer of one round is scored under every model that took part, given the same conversation.
Perplexity is per token and each model counts its own tokens; bits per byte can be compared between
models whose tokenizers differ (Gao et al., The Pile, 2020, section 3.1). Knows nothing of pages.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from parley.events import TokenScore


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer as one model reads it. ``perplexity`` is exp of the mean negative log-likelihood
    of its tokens, ``bits_per_byte`` the whole of it over the answer's UTF-8 length; both are None
    where there was nothing to read."""

    tokens: int
    perplexity: float | None
    bits_per_byte: float | None
    scores: tuple[TokenScore, ...]


def reading(scores: Sequence[TokenScore], text: str) -> Reading:
    """``scores`` are those of the tokens of ``text``, in order."""
    nats = -sum(score.logprob for score in scores)
    size = len(text.encode("utf-8", "replace"))
    return Reading(
        len(scores),
        math.exp(min(nats / len(scores), 700.0)) if scores else None,
        nats / math.log(2) / size if scores and size else None,
        tuple(scores),
    )
