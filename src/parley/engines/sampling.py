"""How the next token is chosen: transformers' own warpers, then Gumbel noise of one's own.

The largest of ``score + Gumbel noise`` is a draw from ``softmax(score)``, so a sampled answer is a
greedy decode of noisy scores. With one generator per answer, the same seed and prompt give the
same text whoever else is generating; ``torch.manual_seed`` would be shared by all of them. Knows
nothing of prompts, text or when to stop.
"""

from __future__ import annotations

import secrets

import torch
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from parley.catalog.spec import Sampling


def draw_seed() -> int:
    """A seed for a request that gave none; short enough to read out."""
    return secrets.randbelow(2**31)


def processors(sampling: Sampling, seed: int, device: torch.device) -> LogitsProcessorList:
    """What turns raw scores into scores whose largest entry is the next token."""
    chain = LogitsProcessorList()
    if sampling.repetition_penalty != 1:
        chain.append(RepetitionPenaltyLogitsProcessor(float(sampling.repetition_penalty)))
    if sampling.temperature <= 0:
        return chain
    if sampling.temperature != 1:
        chain.append(TemperatureLogitsWarper(float(sampling.temperature)))
    if sampling.top_k > 0:
        chain.append(TopKLogitsWarper(sampling.top_k))
    if sampling.top_p < 1:
        chain.append(TopPLogitsWarper(float(sampling.top_p)))
    if sampling.min_p > 0:
        chain.append(MinPLogitsWarper(float(sampling.min_p)))
    chain.append(Gumbel(seed, device))
    return chain


class Gumbel(LogitsProcessor):
    """Adds Gumbel noise from a generator that belongs to one answer."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self._generator = torch.Generator(device=device).manual_seed(seed % 2**63)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        uniform = torch.rand(
            scores.shape, generator=self._generator, device=scores.device, dtype=torch.float32
        )
        # Away from 0 and 1, where the logarithms are infinite.
        uniform.clamp_(1e-20, 1 - 1e-7)
        return scores - torch.log(-torch.log(uniform)).to(scores.dtype)
