"""What does the attention of one new token cost, by how it is put to torch?

    python benchmarks/attention.py [--quick]

One token of one conversation over the keys it has: with a head of keys for each head of the query
("heads 32 of 32") or with heads that share keys (grouped-query attention, "32 of 8"). A processor's
kernel for one row of bfloat16 is not the one for more rows, so the same row is also put twice, and
heads that share keys are put as rows of one query. Medians of many calls, in microseconds; the last
column is how many times faster than the plain call Parley's way is.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

import torch  # noqa: E402 - after the path
from torch.nn.functional import scaled_dot_product_attention as attention  # noqa: E402

from benchmarks.parts.machine import cores, processor  # noqa: E402
from benchmarks.parts.tables import table  # noqa: E402
from parley.engines.ragged import _attention as ours  # noqa: E402

HEADS = ((32, 32), (32, 8))
WIDTH = 64
LENGTHS = (64, 512, 4096)
DTYPES = (torch.float32, torch.bfloat16)


def microseconds(call: Callable[[], torch.Tensor], tries: int) -> float:
    times = []
    for _ in range(tries):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return 1e6 * statistics.median(times)


def row(dtype: torch.dtype, heads: int, held: int, length: int, tries: int) -> list[str]:
    query = torch.randn(1, heads, 1, WIDTH).to(dtype)
    keys, values = (torch.randn(1, held, length, WIDTH).to(dtype) for _ in "kv")
    grouped = heads > held
    packed = query.reshape(1, held, heads // held, WIDTH)
    doubled = query.expand(-1, -1, 2, -1)

    def by_products() -> torch.Tensor:
        weights = torch.softmax(packed @ keys.transpose(2, 3) * WIDTH**-0.5, -1)
        return weights @ values

    plain = microseconds(lambda: attention(query, keys, values, enable_gqa=grouped), tries)
    mine = microseconds(lambda: ours(query, keys, values, None, None), tries)
    twice = microseconds(lambda: attention(doubled, keys, values, enable_gqa=grouped), tries)
    products = microseconds(by_products, tries)
    kind = str(dtype).removeprefix("torch.")
    figures = [f"{value:.0f}" for value in (plain, twice, products, mine)]
    return [f"{kind}, heads {heads} of {held}", str(length), *figures, f"{plain / mine:.1f}"]


def main() -> None:
    made = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    made.add_argument("--quick", action="store_true", help="a try")
    quick = made.parse_args().quick
    print(f"{processor()}, {cores()} cores; torch {torch.__version__}")
    with torch.inference_mode():
        table(
            ("", "tokens", "plain", "row put twice", "two products", "Parley", "×"),
            (
                row(dtype, heads, held, length, 20 if quick else 300)
                for dtype in DTYPES
                for heads, held in HEADS
                for length in LENGTHS[: 2 if quick else 3]
            ),
        )


if __name__ == "__main__":
    main()
