"""Which number format and which matrix kernels are the fastest on this processor?

    python benchmarks/number_formats.py [--models 0.1B 0.5B] [--tokens 12] [--rounds 3]

First one linear layer's weights, over and over: how many of their bytes are read per second while
so many rows are multiplied, with oneDNN and without. Then whole models of random weights, a plain
forward loop over the library's own cache, no engine: milliseconds per token of one stream with the
usual kernels and with those that ``engines/kernels.py`` picks, against the floor, the bytes that
one token reads by what this machine's memory gives; how much of it is not matrix products; and a
prompt of 64 tokens. Formats and kernels take turns; the best round counts, as others may be at
work on the machine. It says at the end what Parley would choose, and ends with status 1 if
another format is more than a quarter faster.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "CUDA_VISIBLE_DEVICES": ""}

from parley.engines.nursery import ENVIRONMENT  # noqa: E402 - after the path

os.environ |= ENVIRONMENT  # as engines have it

import torch  # noqa: E402 - after what it reads once
from transformers import AutoModelForCausalLM, DynamicCache, PreTrainedModel  # noqa: E402
from transformers.utils import logging as transformers_logging  # noqa: E402

from benchmarks.parts import plain_models  # noqa: E402
from benchmarks.parts.comparison import verdict  # noqa: E402
from parley.engines.hardware import usable_cores  # noqa: E402
from parley.engines.kernels import Kernels, probe  # noqa: E402
from parley.engines.precision import dtype_name, multiplies_bfloat16  # noqa: E402

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
ROWS = (1, 2, 3, 4, 8, 64)
LAYER = (4096, 1024)
READ = 128 * 2**20
"""Bytes of weights per pass: many times what the caches keep."""
SPAN = 512 * 2**20
"""The same where the memory itself is measured."""
PROMPT = 64
MARGIN = 1.25


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def bandwidth() -> float:
    """Bytes per second, by whichever of two ways of reading a lot of memory is the faster now."""
    numbers = torch.ones(SPAN // 4)
    layers = torch.ones(SPAN // 2, dtype=torch.bfloat16).view(-1, *LAYER)
    row = torch.ones(1, LAYER[1], dtype=torch.bfloat16)
    with Kernels(alone=1).step(1):
        products = min(
            seconds(lambda: [torch.nn.functional.linear(row, w) for w in layers]) for _ in range(3)
        )
    return SPAN / min(products, *(seconds(numbers.sum) for _ in range(3)))


def layers_table(rounds: int) -> None:
    print(f"| rows | {' | '.join(f'{name(d)} | without oneDNN' for d in DTYPES)} |")
    print(f"|---|{'---:|' * 2 * len(DTYPES)}")
    size = LAYER[0] * LAYER[1]
    weights = {d: [torch.randn(LAYER).to(d) for _ in range(READ // (size * d.itemsize))]
               for d in DTYPES}  # fmt: skip
    for rows in ROWS:
        cells = []
        for dtype in DTYPES:
            x = torch.ones(1, rows, LAYER[1], dtype=dtype)
            best = [float("inf")] * 2
            for _ in range(rounds):
                for i, kernels in enumerate((Kernels(), Kernels(alone=rows))):
                    with kernels.step(rows):
                        took = seconds(
                            lambda x=x, d=dtype: [
                                torch.nn.functional.linear(x, w) for w in weights[d]
                            ]
                        )
                    best[i] = min(best[i], took)
            cells += [f"{READ / took / 1e9:.1f} GB/s" for took in best]
        print(f"| {rows} | {' | '.join(cells)} |", flush=True)


@dataclass(slots=True)
class Runs:
    """One model in one format, and what it took in all rounds, in seconds."""

    model: PreTrainedModel
    kernels: Kernels
    bytes: int
    prompt: list[float] = field(default_factory=list)
    tokens: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def prepared(folder: Path, dtype: torch.dtype) -> Runs:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    read = sum(
        p.numel() * p.element_size() for n, p in model.named_parameters() if "embed" not in n
    )
    return Runs(model, probe(model), read)


@torch.inference_mode()
def one_round(runs: Runs, tokens: int) -> None:
    ids = torch.arange(PROMPT)[None] + 10
    cache = DynamicCache(config=runs.model.config)
    began = time.perf_counter()
    logits = runs.model(input_ids=ids, past_key_values=cache).logits
    runs.prompt.append(time.perf_counter() - began)
    token = logits[:, -1:].argmax(-1)
    ways: dict[str, Callable[[], AbstractContextManager[None]]] = {
        "usual": nullcontext,
        "picked": lambda: runs.kernels.step(1),
        "rest": _without_products,
    }
    for way, context in ways.items():
        with context():
            for _ in range(tokens):
                took = seconds(lambda: runs.model(input_ids=token, past_key_values=cache))
                runs.tokens[way].append(took)


@contextmanager
def _without_products() -> Iterator[None]:
    """Linear layers that hand back the same zeros each time: what is left is everything else."""
    kept = torch.nn.Linear.forward
    zeros: dict[tuple[int, ...], torch.Tensor] = {}

    def forward(layer: torch.nn.Linear, x: torch.Tensor) -> torch.Tensor:
        shape = (*x.shape[:-1], layer.out_features)
        if shape not in zeros:
            zeros[shape] = torch.zeros(shape, dtype=x.dtype)
        return zeros[shape]

    torch.nn.Linear.forward = forward
    try:
        yield
    finally:
        torch.nn.Linear.forward = kept


def models_table(folder: Path, model: str, tokens: int, rounds: int) -> bool:
    made = plain_models.built(folder, model, "float32")
    formats = {dtype: prepared(made, dtype) for dtype in DTYPES}
    speed = 0.0
    for _ in range(rounds):
        for runs in formats.values():
            speed = max(speed, bandwidth())
            one_round(runs, tokens)
    print(f"\n{model}, memory {speed / 1e9:.1f} GB/s\n")
    print(
        "| format | kernels picked | floor | usual | picked | median | picked ÷ floor | "
        f"not products | prompt of {PROMPT} |"
    )
    print(f"|---|---|{'---:|' * 7}")
    best: dict[str, float] = {}
    for dtype, runs in formats.items():
        floor = runs.bytes / speed
        usual, picked, rest = (min(runs.tokens[way]) for way in ("usual", "picked", "rest"))
        best[name(dtype)] = picked
        alone = runs.kernels.alone
        print(
            f"| {name(dtype)} | {f'up to {alone} rows without oneDNN' if alone else 'usual'} | "
            f"{floor * 1e3:.1f} ms | {usual * 1e3:.1f} ms | {picked * 1e3:.1f} ms | "
            f"{statistics.median(runs.tokens['picked']) * 1e3:.1f} ms | {picked / floor:.2f} | "
            f"{rest * 1e3:.1f} ms | {min(runs.prompt) * 1e3:.0f} ms |",
            flush=True,
        )
    numbers = sum(p.numel() for p in formats[torch.float32].model.parameters())
    chosen = dtype_name("auto", "cpu", numbers)
    print()
    return verdict(
        f"{model}: Parley chooses {chosen}; no other is more than a quarter faster per token",
        best[chosen] <= MARGIN * min(best.values()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="+", default=["0.1B", "0.5B"])
    parser.add_argument("--tokens", type=int, default=12, help="per way and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keeps the models for another run")
    given = parser.parse_args()
    # A parameter's name that all releases we allow understand, and the newer ones warn about.
    warnings.simplefilter("ignore", FutureWarning)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    torch.set_num_threads(min(torch.get_num_threads(), usable_cores()))
    print(
        f"{torch.backends.cpu.get_cpu_capability()}, {usable_cores()} cores, bfloat16 in hardware: "
        f"{'yes' if multiplies_bfloat16() else 'no'}\n"
    )
    layers_table(given.rounds)
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        outcomes = [models_table(folder, m, given.tokens, given.rounds) for m in given.models]
    if not all(outcomes):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
