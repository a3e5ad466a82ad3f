"""Finds the fastest way of decoding that is right for a loaded model.

What ``decoding.py`` does not know is tried out: a few tokens each way, in slices and in company,
against the model's plain forward pass. Knows nothing of requests.
"""

from __future__ import annotations

import logging
from typing import Any

import torch
from transformers import PreTrainedModel

from parley.engines.base import Decoding
from parley.engines.decoding import decoding
from parley.engines.embeddings import vocabulary
from parley.engines.kv import Sequence
from parley.engines.padded import Padded
from parley.engines.passes import Piece, Runner
from parley.engines.ragged import Ragged

log = logging.getLogger(__name__)

TOLERANCE = {torch.float32: 0.01}
HALF_TOLERANCE = 0.25
"""Of the logits' standard deviation. Numbers of 16 bits are that far apart between two kernels; a
wrong mask or position is further."""


def choose(model: PreTrainedModel) -> tuple[Decoding, Runner | None]:
    """The way and what runs it; no runner where only the library's own loop will do."""
    known = decoding(model.config.to_dict())
    if known == "generate" or getattr(model, "_is_stateful", False):
        return "generate", None
    if known == "ragged":
        return known, Ragged(model)
    if known is not None:
        return known, Padded(model, together=known == "padded")
    if getattr(model, "_supports_attention_backend", False) and not _has_windows(model):
        before = model.config._attn_implementation
        ragged = Ragged(model)
        if _is_right(model, ragged, before):
            return "ragged", ragged
        model.set_attn_implementation(before)
    padded = Padded(model)
    return ("padded", padded) if _is_right(model, padded) else ("generate", None)


def _has_windows(model: PreTrainedModel) -> bool:
    """Windows are longer than a trial can be; only the library's own masks are trusted there."""
    return bool(getattr(model.config.get_text_config(), "sliding_window", None))


@torch.inference_mode()
def _is_right(model: PreTrainedModel, runner: Runner, reference: str | None = None) -> bool:
    try:
        return _agrees(model, runner, reference)
    except Exception as error:
        log.info("%s does not run %s: %r", type(model).__name__, type(runner).__name__, error)
        return False


def _agrees(model: PreTrainedModel, runner: Runner, reference: str | None) -> bool:
    size = vocabulary(model)
    # Any tokens do; these are spread over the vocabulary.
    texts = [[(7 + 31 * i * (n + 1)) % size for i in range(n)] for n in (7, 12)]
    ours = [Sequence(), Sequence()]
    first, second = texts
    rows: dict[tuple[int, int], torch.Tensor] = {}

    def compute(*parts: tuple[int, int]) -> None:
        """``parts`` are texts and numbers of their next tokens."""
        pieces = []
        for text, count in parts:
            held = len(ours[text].tokens)
            pieces.append(Piece(ours[text], texts[text][held : held + count]))
        for (text, _), piece, logits in zip(parts, pieces, runner.forward(pieces), strict=True):
            ours[text].tokens += piece.tokens
            rows[text, len(ours[text].tokens) - 1] = logits[-1].float()

    if runner.mixed:
        compute((0, 3), (1, 9))
        compute((0, 2), (1, 1))
    else:
        compute((0, 3))
        compute((0, 2))
        compute((1, 9))
        compute((1, 1))
    compute((0, 1), (1, 1))
    compute((1, 1), (0, 1))
    if reference is not None:
        trial = model.config._attn_implementation
        model.set_attn_implementation(reference)
    try:
        plain: Any = model
        expected = [
            plain(input_ids=torch.tensor([t], device=model.device), use_cache=False)
            .logits[0]
            .float()
            for t in (first, second)
        ]
    finally:
        if reference is not None:
            model.set_attn_implementation(trial)
    allowed = TOLERANCE.get(model.dtype, HALF_TOLERANCE)
    return all(
        bool((got - expected[text][at]).abs().max() <= allowed * expected[text].std())
        for (text, at), got in rows.items()
    )
