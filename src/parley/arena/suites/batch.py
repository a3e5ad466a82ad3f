"""A suite from the command line: run it, show how far it is, write the results.

The folder of the results is the run: the same command in the same folder goes on where it ended.
Knows nothing of how arguments are read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import TextIO

from parley.arena.suites import plan as plans
from parley.arena.suites.comparator import to_comparator
from parley.arena.suites.formats import WRITERS
from parley.arena.suites.index import Index
from parley.arena.suites.judge import counts
from parley.arena.suites.loading import read_file
from parley.arena.suites.plan import Plan
from parley.arena.suites.results import Result, results
from parley.arena.suites.run import Run, sampling
from parley.arena.suites.shelf import SHIPPED, shipped
from parley.arena.suites.spec import Row
from parley.errors import SuiteError
from parley.events import Loading, Queued
from parley.playground import Playground

FILES = {"csv": "results.csv", "jsonl": "results.jsonl", "markdown": "results.md"}
TICK = 0.2
"""Seconds between two looks at how far it is."""
WIDTH = 28
"""Characters of the bar."""


def batch(playground: Playground, suite: str, plan: Plan, out: Path, said: TextIO) -> bool:
    """Whether every cell has its answer. ``suite`` is a file or the name of one that comes with
    Parley; ``said`` hears how far it is. Raises ParleyError before anything is run."""
    for model in (*plan.models, *([plan.judge] if plan.judge else ())):
        sampling(plan, playground.spec(model).sampling)
    _prepare(out, plan, suite)
    run = Run(playground, out, lanes=playground.pool.limits.lanes)
    run.index.catch_up()
    if run.index.settled:
        done = run.index.settled - run.index.failed
        print(f"Goes on: {done} of {run.index.total} answers are there.", file=said)
    asyncio.run(_watched(run, said))
    for model, why in run.unloaded.items():
        print(f"{model}: {why.sentence} {why.fix}", file=said)
    index = Index(out, run.plan)
    index.catch_up()
    for file in write(index, out):
        print(file, file=said)
    for line in summary(results(index)):
        print(line)
    if run.plan.judge:
        found = counts(out)
        print(f"Judge {run.plan.judge}: {found['pairs']} pairs, {found['flips']} abstained")
    return index.failed == 0 and index.settled == index.total and not run.unloaded


def write(index: Index, out: Path) -> Iterator[Path]:
    """Every format into the folder, LLM Comparator's for each two models."""
    for name, file in FILES.items():
        yield _written(out / file, WRITERS[name](index))
    for a, b in combinations(index.columns, 2):
        yield _written(
            out / f"comparator-{a}-{b}.json".replace("/", "_"), to_comparator(index, a, b)
        )


def summary(found: Sequence[Result]) -> Iterator[str]:
    """A line for each model, below a heading."""
    width = max([5, *(len(r.model) for r in found)])
    yield f"{'model':<{width}}  answers  passed  95 % interval  tokens/s  tokens"
    for r in found:
        rate = "" if r.rate is None else f"{r.rate:.0%}"
        interval = "" if r.low is None or r.high is None else f"{r.low:.0%}-{r.high:.0%}"
        speed = "" if r.speed is None else f"{r.speed:.1f}"
        tokens = "" if r.tokens is None else f"{r.tokens:.0f}"
        yield (
            f"{r.model:<{width}}  {r.done:>7}  {rate:>6}  {interval:>13}  {speed:>8}  {tokens:>6}"
        )


def _prepare(out: Path, plan: Plan, suite: str) -> None:
    """The folder of a run of this plan, a new one or one that has begun."""
    try:
        there = plans.opened(out)
    except SuiteError:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise SuiteError(
                "folder_in_use", f"{out} holds something else.", "Give a new folder with --out."
            ) from None
        plans.new(out, plan, _rows(suite))
        return
    # By a second folder, thrown away: the same checks, and the same digest.
    twin = out.parent / f".{out.name}-twin"
    plans.remove(twin)
    try:
        if not plans.new(twin, plan, _rows(suite)).asks_the_same(there):
            raise SuiteError(
                "another_run",
                f"{out} holds a run of another suite, other models or other settings.",
                "Give a new folder with --out, or the same suite, models and settings as before.",
            )
    finally:
        plans.remove(twin)


def _rows(suite: str) -> Iterator[Row]:
    if suite in SHIPPED and not Path(suite).exists():
        return shipped(suite)
    return read_file(Path(suite))


async def _watched(run: Run, said: TextIO) -> None:
    working = asyncio.create_task(run.run())
    live, began, before = said.isatty(), time.monotonic(), run.index.settled
    told = ""
    try:
        while not working.done():
            await asyncio.wait([working], timeout=TICK)
            line = _line(run, time.monotonic() - began, before)
            if live:
                print(f"\r\x1b[K{line}", end="", file=said, flush=True)
            elif (step := _step(run)) != told:
                told = step
                print(line, file=said, flush=True)
        await working
    finally:
        if live:
            print(file=said)
        if not working.done():
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


def _step(run: Run) -> str:
    """What is worth a line in a log: another model, another tenth."""
    return f"{run.at} {10 * run.index.settled // max(1, run.index.total)}"


def _line(run: Run, seconds: float, before: int) -> str:
    done, total = run.index.settled, run.index.total
    bar = "█" * (WIDTH * done // max(1, total))
    text = f"{bar:░<{WIDTH}} {done}/{total}"
    if run.at:
        text += f"  {run.at}"
    if isinstance(run.waiting, Queued):
        return f"{text}: waits for memory"
    if isinstance(run.waiting, Loading):
        return f"{text}: loads"
    rate = (done - before) / seconds if seconds else 0.0
    if rate and done < total:
        text += f"  {rate * 60:.0f} answers a minute, {_time((total - done) / rate)} left"
    return text


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _written(file: Path, parts: Iterator[str]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        for part in parts:
            stream.write(part)
    return file
