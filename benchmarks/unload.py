"""Whether a model's memory comes back: after every unload, and after a load that was cancelled.

    python benchmarks/unload.py [--cycles 20] [--millions 550] [--stored bfloat16]

A random-weight Llama-style checkpoint of more than 1 GB is loaded, asked a short question and
unloaded, again and again, by the engine and the nursery that Parley itself uses; this script stands
in for the page's process. Stored as bfloat16 the weights are computed with as float32, twice the
size and in memory of the process's own; stored as float32 they stay pages of their file. Then a
load is cancelled at ten points, and after each cancel the model is loaded and asked once more.
Exit status 1 if one of the promises printed last is broken.

What counts is the memory that cannot belong to anybody else, over all processes (see
``parts/memory.py``), not what the system calls available: that moves with everybody's work, and
with the page cache, which keeps the checkpoint's file as long as nobody wants the memory.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "CUDA_VISIBLE_DEVICES": ""}

from benchmarks.parts import large_checkpoint  # noqa: E402 - after the path
from benchmarks.parts.comparison import verdict  # noqa: E402
from benchmarks.parts.loads import Broken, Load  # noqa: E402
from benchmarks.parts.memory import Use, megabytes, require_linux, use, watch  # noqa: E402
from parley.catalog.spec import ModelSpec  # noqa: E402
from parley.engines.base import Ready  # noqa: E402
from parley.engines.nursery import Nursery  # noqa: E402
from parley.events import Loading  # noqa: E402

TOLERANCE = 0.02
PROMISED = 1.0
"""Seconds from a cancel until the processes are gone and the memory is back."""
WATCHED = 1.5
"""Seconds that are looked at after an unload or a cancel."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """Looks at this process and everything below it."""

    weights: Path

    def now(self) -> Use:
        return use(os.getpid(), self.weights)

    def settled(self) -> Use:
        """Once nothing moves any more: what an engine left behind ends by itself."""
        time.sleep(1)
        return self.now()

    def until_back(self, rest: Use) -> float:
        """Seconds until the tree was as at ``rest`` and stayed so; infinite if it never was."""
        since = float("inf")
        for age, seen in watch(os.getpid(), self.weights, WATCHED):
            if not same(seen.own, rest.own) or seen.processes != rest.processes:
                since = float("inf")
            else:
                since = min(since, age)
        return since


def same(size: int, first: int) -> bool:
    return abs(size - first) <= first * TOLERANCE


def cycles(count: int, spec: ModelSpec, nursery: Nursery, gauge: Gauge) -> tuple[list[Use], dict]:
    """``count`` times in and out; what was left after each, and how long a load's parts take."""
    print("| | load | loaded | unloaded | against 1 | back after | processes | threads | files |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    row("before", "", "", gauge.now())
    left: list[Use] = []
    spent: dict[str, list[float]] = {"before weights": [], "weights": [], "warm-up": []}
    free: list[int] = []
    for number in range(1, count + 1):
        load = Load(spec, nursery)
        took = load.answered()
        full = gauge.now()
        load.engine.close()
        if left:
            back = gauge.until_back(left[0])
            left.append(gauge.now())
        else:
            left.append(gauge.settled())
            back = None
        at = load.at
        spent["before weights"].append(at["weights"] - at["start"])
        spent["weights"].append(at["warmup"] - at["weights"])
        spent["warm-up"].append(took - at["warmup"])
        free.append(psutil.virtual_memory().available)
        row(str(number), f"{took:.2f} s", megabytes(full.own), left[-1], left[0], back)
    print(
        f"\nAvailable, as the system counts it, after each unload: {megabytes(min(free))} to "
        f"{megabytes(max(free))}; not judged, others' work is in it."
    )
    return left, {part: statistics.median(values) for part, values in spent.items()}


def row(
    name: str, took: str, full: str, left: Use, first: Use | None = None, back: float | None = None
) -> None:
    against = f"{left.own / first.own - 1:+.2%}" if first else ""
    after = "" if back is None else f"{back:.2f} s" if back < WATCHED else "not"
    print(
        f"| {name} | {took} | {full} | {megabytes(left.own)} | {against} | {after} | "
        f"{left.processes} | {left.threads} | {left.files} |",
        flush=True,
    )


def points(spent: dict) -> list[tuple[str, Callable[[Loading], bool] | None, float]]:
    """Where loads are cancelled: at which news (None: at once), and how long after it."""

    def weights(share: float) -> Callable[[Loading], bool]:
        return lambda n: n.phase == "weights" and n.total > 0 and n.done >= share * n.total

    return [
        ("before there is a process", None, 0),
        ("first sign of life", lambda n: n.phase == "start", 0),
        ("reading the tokenizer", lambda n: n.phase == "start", spent["before weights"] / 2),
        *((f"weights {share:.0%}", weights(share), 0) for share in (0, 0.25, 0.5, 0.75, 0.95)),
        ("warm-up begins", lambda n: n.phase == "warmup", 0),
        ("in the warm-up", lambda n: n.phase == "warmup", spent["warm-up"] / 3),
    ]


def cancelled(
    spec: ModelSpec, nursery: Nursery, at: Callable[[Loading], bool] | None, later: float
) -> Load:
    """A load that has just been cancelled; where it was quicker than the cancel, another try."""
    for patience in (later, later / 2, 0):
        load = Load(spec, nursery)
        if at is not None and not isinstance(load.until(at), Loading):
            raise Broken("a load ended before the point where it was to be cancelled")
        time.sleep(patience)
        age = load.age
        load.engine.close()
        if not any(isinstance(item, Ready) for item in list(load.news.queue)):
            load.at["cancelled"] = age
            return load
        load.engine.wait_gone(60)
    raise Broken("a load could not be cancelled in time")


def cancels(
    spent: dict, rest: Use, spec: ModelSpec, nursery: Nursery, gauge: Gauge
) -> list[tuple[float, bool]]:
    """Per point the seconds until everything was back, and whether the cancel was told, once."""
    print("\n| cancelled | after | back after | unloaded | against 1 | next load |")
    print("|---|---:|---:|---:|---:|---:|")
    outcomes = []
    for name, at, later in points(spent):
        load = cancelled(spec, nursery, at, later)
        back = gauge.until_back(rest)
        left = gauge.now()
        told = load.said_once()
        again = Load(spec, nursery)
        took = again.answered()
        again.engine.close()
        gauge.until_back(rest)
        print(
            f"| {name} | {load.at['cancelled']:.2f} s | "
            f"{f'{back * 1000:.0f} ms' if back < WATCHED else 'not'} | {megabytes(left.own)} | "
            f"{left.own / rest.own - 1:+.2%} | {took:.2f} s |",
            flush=True,
        )
        outcomes.append((back, told))
    return outcomes


def judge(left: Sequence[Use], outcomes: Sequence[tuple[float, bool]], size: int) -> bool:
    worst = max(abs(seen.own / left[0].own - 1) for seen in left)
    slowest = max(back for back, _ in outcomes)
    others = [(u.processes, u.threads, u.files) for u in left]
    print()
    return all(
        [
            verdict(f"the checkpoint is 1 GB or more: {megabytes(size)}", size >= 1e9),
            verdict(
                f"{len(left)} unloads, memory after each within {TOLERANCE:.0%} of the first: "
                f"at most {worst:.2%} away",
                worst <= TOLERANCE,
            ),
            verdict(
                "no process, thread or open file more after the last unload than after the first",
                all(last <= first for first, last in zip(others[0], others[-1], strict=True)),
            ),
            verdict(
                f"{len(outcomes)} cancels, memory and processes back within {PROMISED:.0f} s: "
                f"at most {slowest:.2f} s",
                slowest <= PROMISED,
            ),
            verdict("each cancel was told, once", all(told for _, told in outcomes)),
            verdict("the load right after each cancel answered", True),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--millions", type=int, default=550, help="parameters of the checkpoint")
    parser.add_argument("--stored", choices=("bfloat16", "float32"), default="bfloat16")
    given = parser.parse_args()
    require_linux()
    # So that the engines are ended as well when somebody ends this script.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as scratch:
        folder = large_checkpoint.build(Path(scratch) / "model", given.millions, given.stored)
        size = large_checkpoint.size(folder)
        spec = ModelSpec(id="bench", name="Bench", path=folder)
        gauge = Gauge(folder)
        nursery = Nursery()
        try:
            nursery.warm()
            small = large_checkpoint.build(Path(scratch) / "small", 1)
            first = Load(ModelSpec(id="small", name="Small", path=small), nursery)
            first.answered()  # the fork server has imported everything by now
            first.engine.close()
            gauge.settled()
            print(
                f"{megabytes(size)} of {given.stored} weights on disk, {psutil.cpu_count()} cores\n"
            )
            left, spent = cycles(given.cycles, spec, nursery, gauge)
            outcomes = cancels(spent, left[0], spec, nursery, gauge)
        except Broken as broken:
            raise SystemExit(f"BROKEN  {broken}") from broken
        finally:
            for process in psutil.Process().children(recursive=True):
                process.terminate()
            nursery.close()
        if not judge(left, outcomes, size):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
