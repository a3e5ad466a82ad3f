"""Which matrix kernels a step of so many rows runs on: a processor has several, and which one is
the fastest depends on its make, on the number format and on how many rows are multiplied at once.

oneDNN multiplies many bfloat16 rows several times faster than torch's own kernels; a single row,
as one stream has it at each token, takes it up to twice as long as them on some processors, and on
others it does not. So it is tried out, once per load, on the model's own weights. Which of them
runs moves the last bits of a result, no more. Knows nothing of requests or of how rows come about.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import nn
from transformers import PreTrainedModel

ROWS = (1, 2, 3, 4, 8)
"""What is tried, until oneDNN is the faster one."""
READ = 48 * 2**20
"""Bytes of weights per try: more than a processor's caches keep, or the trial would be of those."""
TRIES = 3
GAIN = 1.1
"""How many times faster a kernel must be to be chosen over the usual one."""
SWITCHED = (torch.bfloat16, torch.float16)
"""What oneDNN multiplies where torch has a kernel of its own; the others it leaves alone."""


@dataclass(frozen=True, slots=True)
class Kernels:
    """Up to ``alone`` rows are computed faster by torch alone, without oneDNN.

    ``steady`` is whether a single row gives the same bits on any number of threads.
    """

    alone: int = 0
    steady: bool = False

    def step(self, rows: int) -> AbstractContextManager[None]:
        """What a decode step of that many rows is to be run under. The switch is the process's:
        nobody else may compute meanwhile."""
        return _without_onednn() if rows <= self.alone else nullcontext()


def probe(model: PreTrainedModel) -> Kernels:
    """The kernels for ``model``, tried out where there is a choice, in some hundredths of a
    second."""
    weights = list(_sample(model))
    choice = [w for w in weights if w.dtype in SWITCHED]
    alone = 0
    with torch.inference_mode():
        if choice and torch._C._has_mkldnn:
            for rows in ROWS:
                if _gain(choice, rows) < GAIN:
                    break  # torch's own kernels take each row by itself: more rows only get worse
                alone = rows
        return Kernels(alone, _steady(weights, Kernels(alone)))


def _steady(weights: Sequence[torch.Tensor], kernels: Kernels) -> bool:
    if not weights:
        return False
    most = torch.get_num_threads()

    def products(threads: int) -> list[torch.Tensor]:
        torch.set_num_threads(threads)
        with kernels.step(1):
            return [nn.functional.linear(_row(weight), weight) for weight in weights]

    counts = {max(1, most >> halved) for halved in range(most.bit_length())}
    try:
        first, *others = (products(threads) for threads in sorted(counts, reverse=True))
    finally:
        torch.set_num_threads(most)
    return all(torch.equal(a, b) for other in others for a, b in zip(first, other, strict=True))


def _row(weight: torch.Tensor) -> torch.Tensor:
    """Something whose sum depends on the order of its parts."""
    return torch.linspace(-1, 3, weight.shape[1]).to(weight.dtype)[None, None]


def _sample(model: PreTrainedModel) -> Iterator[torch.Tensor]:
    """Weights of the layers on the processor, as many as it takes."""
    read = 0
    for module in model.modules():
        weight = module.weight if isinstance(module, nn.Linear) else None
        if weight is None or not weight.is_floating_point() or weight.device.type != "cpu":
            continue
        yield weight
        read += weight.numel() * weight.element_size()
        if read >= READ:
            return


def _gain(weights: Sequence[torch.Tensor], rows: int) -> float:
    """How many times faster these rows are without oneDNN than with it. The two take turns, so
    that a moment in which the machine is busy does not decide."""
    inputs = {w.shape[1]: torch.ones(1, rows, w.shape[1], dtype=w.dtype) for w in weights}

    def took() -> float:
        began = time.perf_counter()
        for weight in weights:
            nn.functional.linear(inputs[weight.shape[1]], weight)
        return time.perf_counter() - began

    took()  # pages come in, kernels are made
    best = {True: float("inf"), False: float("inf")}
    for _ in range(TRIES):
        best[True] = min(best[True], took())
        with _without_onednn():
            best[False] = min(best[False], took())
    return best[True] / best[False]


@contextmanager
def _without_onednn() -> Iterator[None]:
    # Not torch.backends.mkldnn.flags: it sets three more switches, and warns about one of them.
    before = torch._C._get_mkldnn_enabled()
    torch._C._set_mkldnn_enabled(False)
    try:
        yield
    finally:
        torch._C._set_mkldnn_enabled(before)
