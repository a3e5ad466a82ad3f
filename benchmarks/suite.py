"""Does a long suite stay flat: time and memory for each of a thousand rows?

    python benchmarks/suite.py [--quick] [--rows 1000] [--tokens 16]

The smaller embedded guide answers every row. After each quarter: seconds and bytes of this
process's memory (without the engine's) for each row of it, the size of the run on the disk, and
what one page of the table costs to read. A run that remembers its answers would grow by their size.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

import psutil  # noqa: E402 - after the path

from parley.arena.suites import plan as plans  # noqa: E402
from parley.arena.suites.index import Index  # noqa: E402
from parley.arena.suites.loading import read_text  # noqa: E402
from parley.arena.suites.plan import Plan  # noqa: E402
from parley.arena.suites.run import Run  # noqa: E402
from parley.chats.store import Store  # noqa: E402
from parley.engines.nursery import Nursery  # noqa: E402
from parley.settings import read_settings  # noqa: E402
from parley.ui.app import make_playground  # noqa: E402

MODEL = "parley-guide-mini"
PAGE = 50


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--tokens", type=int, default=16)
    given = parser.parse_args()
    rows = 100 if given.quick else given.rows
    with tempfile.TemporaryDirectory() as home:
        measure(Path(home), rows, given.tokens)


def measure(home: Path, rows: int, tokens: int) -> None:
    settings = read_settings(os.environ | {"PARLEY_DATA_DIR": str(home / "data")})
    nursery = Nursery()
    playground = make_playground(settings, nursery, store=Store.temporary())
    suite = "prompt,expected,check\n" + "".join(
        f"What is a model? Say it in way {n}.,model,contains\n" for n in range(rows)
    )
    plans.new(
        home / "run", Plan("long", (MODEL,), max_new_tokens=tokens), read_text("long.csv", suite)
    )
    try:
        asyncio.run(watched(Run(playground, home / "run", lanes=8), home / "run", rows))
    finally:
        playground.close()
        nursery.close()


async def watched(run: Run, folder: Path, rows: int) -> None:
    memory = psutil.Process().memory_info
    working = asyncio.create_task(run.run())
    print(f"{'rows':>9}  {'ms/row':>7}  {'memory MB':>9}  {'disk kB/row':>11}  {'page ms':>7}")
    began, before = time.perf_counter(), 0
    for quarter in range(1, 5):
        until = rows * quarter // 4
        while run.index.settled < until and not working.done():
            await asyncio.wait([working], timeout=0.05)
        done, seconds = run.index.settled, time.perf_counter() - began
        size = (folder / plans.CELLS).stat().st_size
        print(
            f"{before:>4}-{done:>4}  {1000 * seconds / max(1, done - before):>7.1f}  "
            f"{memory().rss / 1e6:>9.1f}  {size / done / 1e3:>11.2f}  {page(folder, done):>7.1f}"
        )
        began, before = time.perf_counter(), done
    await working


def page(folder: Path, done: int) -> float:
    """Milliseconds to read the last page of the table, the index being there."""
    index = Index(folder, plans.opened(folder))
    index.catch_up()
    began = time.perf_counter()
    list(index.read(iter(range(max(0, done - PAGE), done))))
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    main()
