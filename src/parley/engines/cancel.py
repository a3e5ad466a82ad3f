"""Ends a forward pass between two of its layers, in decode and in prefill.

Knows nothing of why.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from transformers import PreTrainedModel

from parley.engines.job import Job


class Interrupted(BaseException):
    """Thrown through a pass to end it. Not an Exception: nothing on the way may catch it."""


class CancelWatch:
    """``moved`` is when a pass last got one layer further."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.moved = time.perf_counter()
        self._over: Callable[[], bool] | None = None
        for layer in decoder_layers(model):
            layer.register_forward_pre_hook(self._check)

    def until(self, over: Callable[[], bool] | None) -> None:
        """What is computed from now on ends as soon as ``over`` says so; None for never."""
        self._over = over
        self.moved = time.perf_counter()

    def computes(self, job: Job | None) -> None:
        """What is computed from now on is for ``job`` alone."""
        self.until(None if job is None else lambda: job.cancelled)

    def _check(self, module: torch.nn.Module, inputs: object) -> None:
        self.moved = time.perf_counter()
        if self._over is not None and self._over():
            raise Interrupted


def decoder_layers(model: PreTrainedModel) -> list[torch.nn.Module]:
    """The model's repeated blocks, or the whole of it where none can be told."""
    lists = [m for m in model.modules() if isinstance(m, torch.nn.ModuleList)]
    wanted = getattr(model.config.get_text_config(), "num_hidden_layers", None)
    return next((list(m) for m in lists if len(m) == wanted), [model])
