"""What choosing one token costs: Parley's sampler against transformers' warpers.

Both apply the same settings to the same scores and draw with the same noise, on one core. The
scores are like a model's: a few likely tokens over a long tail. Prints a table of microseconds.

    python benchmarks/sampling.py [--rounds 40]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from parley.catalog.spec import Sampling
from parley.engines.sampling import Sampler

CPU = torch.device("cpu")
VOCABULARIES = (32_000, 128_256, 256_000)
SETTINGS = {
    "greedy": {"temperature": 0.0},
    "temperature 0.7": {},
    "top-k 40": {"top_k": 40},
    "top-p 0.9": {"top_p": 0.9},
    "top-k 40, top-p 0.9": {"top_k": 40, "top_p": 0.9},
    "min-p 0.05": {"min_p": 0.05},
    "typical-p 0.9": {"typical_p": 0.9},
    "top-p 0.9, temperature 2": {"top_p": 0.9, "temperature": 2.0},
}


def scores(vocabulary: int, count: int) -> list[torch.Tensor]:
    """Logits in bfloat16, as models give them: a bell, and some tens of likely tokens above it."""
    generator = torch.Generator().manual_seed(1)
    made = []
    for _ in range(count):
        row = torch.randn(vocabulary, generator=generator) * 2
        likely = torch.randint(vocabulary, (60,), generator=generator)
        row[likely] += torch.linspace(6, 16, 60)
        made.append(row.bfloat16())
    return made


def library(sampling: Sampling) -> Callable[[torch.Tensor], int]:
    chain = LogitsProcessorList()
    if sampling.temperature > 0:
        chain.append(TemperatureLogitsWarper(sampling.temperature))
        if sampling.top_k:
            chain.append(TopKLogitsWarper(sampling.top_k))
        if sampling.top_p < 1:
            chain.append(TopPLogitsWarper(sampling.top_p))
        if sampling.min_p:
            chain.append(MinPLogitsWarper(sampling.min_p))
        if sampling.typical_p < 1:
            chain.append(TypicalLogitsWarper(sampling.typical_p))
    generator = torch.Generator().manual_seed(1)

    def choose(row: torch.Tensor) -> int:
        cut = chain(torch.empty(1, 0, dtype=torch.long), row.float()[None])
        if sampling.temperature > 0:
            uniform = torch.rand(cut.shape, generator=generator).clamp_(1e-20, 1 - 1e-7)
            cut = cut - torch.log(-torch.log(uniform))
        return int(cut.argmax())

    return choose


def microseconds(choose: Callable[[torch.Tensor], object], rows: list[torch.Tensor]) -> float:
    times = []
    for row in rows:
        began = time.perf_counter()
        choose(row)
        times.append(time.perf_counter() - began)
    return statistics.median(times[2:]) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    print(f"{'vocabulary':>10}  {'settings':<26}{'Parley µs':>10}{'library µs':>12}{'ratio':>8}")
    for vocabulary in VOCABULARIES:
        rows = scores(vocabulary, rounds + 2)
        for name, settings in SETTINGS.items():
            sampling = Sampling(**settings)
            ours = Sampler(sampling, 1, [], CPU)
            mine = microseconds(lambda row, ours=ours: ours.choose(row, []), rows)
            theirs = microseconds(library(sampling), rows)
            ratio = f"{theirs / mine:.1f}"
            print(f"{vocabulary:>10,}  {name:<26}{mine:>10.0f}{theirs:>12.0f}{ratio:>8}")


if __name__ == "__main__":
    main()
