"""How long a model takes to come, and what it needs meanwhile, against a script that loads it.

    python benchmarks/load.py [--gigabytes 2] [--rounds 3]

Random-weight Llama-style checkpoints lie in the page cache. The script is a new process that calls
``from_pretrained`` and loads the tokenizer; its imports are told apart. The engine is Parley's own,
in a child of its warm nursery, from the call of ``load`` until Ready: a process, the same weights
and tokenizer, the trial of the kernels and a first step. The two take turns; times are medians.
Memory is what a process does not share and is not a page of a file, at its peak, from runs of
their own. Exit status 1 if one of the promises printed last is broken; where weights are converted,
most of either time is the copying itself, and it is told but not judged.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "CUDA_VISIBLE_DEVICES": ""}

from benchmarks.parts import large_checkpoint  # noqa: E402 - after the path
from benchmarks.parts.comparison import verdict  # noqa: E402
from benchmarks.parts.fresh_load import fresh  # noqa: E402
from benchmarks.parts.loads import Broken, Load  # noqa: E402
from benchmarks.parts.memory import Peak, megabytes, require_linux  # noqa: E402
from parley.catalog.spec import Dtype, ModelSpec  # noqa: E402
from parley.engines.base import Ready  # noqa: E402
from parley.engines.nursery import Nursery  # noqa: E402

WIDTHS = {"float32": 4, "bfloat16": 2}
CASES: tuple[tuple[str, Dtype], ...] = (
    ("float32", "float32"),
    ("bfloat16", "bfloat16"),
    ("float32", "bfloat16"),
)
"""As what the weights are kept on disk, and as what they are loaded."""
QUICKER = 0.5
"""Of the script's time, at most."""
MAPPED = 0.1
"""Private memory by the weights' size, at most, where they stay pages of their file."""
CONVERTED = 1.1
"""The same where they are made into another dtype."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case. ``size`` is the weights' in memory, in bytes; times are medians in seconds."""

    stored: str
    loaded: str
    size: int
    imports: float
    script: float
    script_peak: int
    engine: float
    engine_peak: int

    @property
    def mapped(self) -> bool:
        return self.stored == self.loaded


def ready(spec: ModelSpec, nursery: Nursery, *, look: bool) -> tuple[float, int]:
    """Seconds until the engine was ready, and its peak where asked."""
    load = Load(spec, nursery)
    while look and load.engine.pid is None:
        time.sleep(0.001)
    with Peak(load.engine.pid if look else None) as peak:
        if not isinstance(load.until(), Ready):
            raise Broken("a load failed")
        took = load.age
    load.engine.close()
    load.engine.wait_gone(60)
    return took, peak.bytes


def measure(folder: Path, stored: str, loaded: Dtype, rounds: int, nursery: Nursery) -> Outcome:
    spec = ModelSpec(id="bench", name="Bench", path=folder, dtype=loaded)
    script, engine = [], []
    for _ in range(rounds):
        script.append(fresh(folder, loaded, look=False))
        engine.append(ready(spec, nursery, look=False)[0])
    return Outcome(
        stored,
        loaded,
        large_checkpoint.parameters(folder) * WIDTHS[loaded],
        statistics.median(run.imports for run in script),
        statistics.median(run.load for run in script),
        fresh(folder, loaded, look=True).peak,
        statistics.median(engine),
        ready(spec, nursery, look=True)[1],
    )


def table(outcomes: list[Outcome]) -> None:
    print(
        "| file | loaded as | imports | script | engine | engine ÷ script | "
        "private: script | engine | engine ÷ weights |"
    )
    print(f"|---|---|{'---:|' * 7}")
    for o in outcomes:
        print(
            f"| {o.stored} | {o.loaded}, {megabytes(o.size)} | {o.imports:.2f} s | "
            f"{o.script:.2f} s | {o.engine:.2f} s | {o.engine / o.script:.2f} | "
            f"{megabytes(o.script_peak)} | {megabytes(o.engine_peak)} | "
            f"{o.engine_peak / o.size:.2f} |"
        )


def judge(outcomes: list[Outcome]) -> bool:
    print()
    kept = []
    for o in outcomes:
        most = MAPPED if o.mapped else CONVERTED
        case = f"{o.stored} as {o.loaded}"
        if o.mapped:
            kept.append(
                verdict(
                    f"{case}: ready in at most {QUICKER:.0%} of the script's time: "
                    f"{o.engine / o.script:.0%}",
                    o.engine <= QUICKER * o.script,
                )
            )
        kept.append(
            verdict(
                f"{case}: at most {most:.0%} of the weights' size in private memory: "
                f"{o.engine_peak / o.size:.0%}",
                o.engine_peak <= most * o.size,
            )
        )
    return all(kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=2, help="of each checkpoint's file")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    require_linux()
    nursery = Nursery()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            nursery.warm()
            folders = {
                stored: large_checkpoint.build(
                    Path(scratch) / stored, round(given.gigabytes * 1000 / width), stored
                )
                for stored, width in WIDTHS.items()
            }
            small = large_checkpoint.build(Path(scratch) / "small", 1)
            # Both have read their libraries by then; the checkpoints were written a moment ago.
            fresh(small, "float32", look=False)
            ready(ModelSpec(id="small", name="Small", path=small), nursery, look=False)
            outcomes = [
                measure(folders[stored], stored, loaded, given.rounds, nursery)
                for stored, loaded in CASES
            ]
        except Broken as broken:
            raise SystemExit(f"BROKEN  {broken}") from broken
        finally:
            nursery.close()
    table(outcomes)
    if not judge(outcomes):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
