"""Which tokens may be drawn: top-k, top-p, min-p and typical-p.

The sets are those of transformers' warpers, found without sorting the vocabulary where it can be
helped: the tokens that stay are nearly always few, so a few hundred of the best are looked at
first, then some thousands, and all of them only when the cut lies further down. Of tokens with the
very same score at the cut of top-p, which ones stay is left to the sort, as it is there. Knows
nothing of penalties, noise or text.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from parley.catalog.spec import Sampling

# Up to some hundreds, choosing the best costs one look at each token; a whole sort costs forty.
_FIRST_LOOKS = (256, 4096)


def kept(scores: torch.Tensor, sampling: Sampling) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The scores and ids of the tokens that may be drawn; no ids when that is every token.

    ``scores`` is [vocabulary], float32, with the temperature applied.
    """
    top_k = sampling.top_k if sampling.top_k < scores.numel() else 0
    ids: torch.Tensor | None = None
    if top_k or sampling.top_p < 1 or sampling.min_p > 0:
        scores, ids = _head(scores, top_k, sampling)
    if sampling.typical_p < 1:
        typical = _typical(scores, sampling.typical_p)
        scores, ids = scores[typical], typical if ids is None else ids[typical]
    return scores, ids


def _head(
    scores: torch.Tensor, top_k: int, sampling: Sampling
) -> tuple[torch.Tensor, torch.Tensor]:
    """What top-k, top-p and min-p keep: with the best token first, each keeps a head of the row."""
    total = None if top_k else scores.logsumexp(0)
    best = ids = scores
    for best, ids, complete in _best_first(scores, top_k):
        count = best.numel()
        if sampling.top_p < 1:
            shares = (best - (best.logsumexp(0) if total is None else total)).exp()
            before = shares.cumsum(0) - shares
            count = max(1, int((before < sampling.top_p).sum()))
        if sampling.min_p > 0:
            count = min(count, int(((best - best[0]).exp() >= sampling.min_p).sum()))
        if complete or count < best.numel():
            return best[:count], ids[:count]
    return best, ids


def _best_first(
    scores: torch.Tensor, top_k: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor, bool]]:
    """More and more of the best tokens, best first, and whether these are all there are to
    consider. Under top-k, tokens as good as the k-th stay with it."""
    for best, ids in _looks(scores, top_k, largest=True):
        whole = best.numel() == scores.numel()
        if not top_k:
            yield best, ids, whole
            continue
        count = int(((best >= best[top_k - 1]) & (best > -torch.inf)).sum())
        if whole or count < best.numel():
            yield best[:count], ids[:count], True
            return


def _typical(scores: torch.Tensor, share: float) -> torch.Tensor:
    """The places of the tokens that are about as surprising as a token is on average, up to
    ``share`` of probability; tokens as far from the average as the last of them stay with it."""
    logs = scores - scores.logsumexp(0)
    shares = logs.exp()
    distance = (logs - (logs * shares).nansum()).abs()
    last = distance
    for near, places in _looks(distance, 0, largest=False):
        index = int((shares[places].cumsum(0) < share).sum())
        last = near[min(index, near.numel() - 1)]
        if index < near.numel():
            break
    return (distance <= last).nonzero()[:, 0]


def _looks(
    row: torch.Tensor, more_than: int, *, largest: bool
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """The first few of the sorted row, then more, then all of it."""
    for count in _FIRST_LOOKS:
        if more_than < count < row.numel():
            values, places = row.topk(count, largest=largest)
            yield values, places
    values, places = row.sort(descending=largest)
    yield values, places
