"""What every benchmark of the engine takes, and what it holds while it runs."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.parts.asking import Broken, Ours
from benchmarks.parts.library import Library
from benchmarks.parts.machine import Machine
from benchmarks.parts.plain_models import built
from parley.catalog.spec import ModelSpec
from parley.engines.nursery import Nursery

QUIET = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
ON_THE_PROCESSOR = {"CUDA_VISIBLE_DEVICES": ""}


def parser(doc: str | None) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    made.add_argument("--quick", action="store_true", help="small sizes, half a minute: a try")
    made.add_argument("--rounds", type=int, help="how often everything is measured, in turn")
    made.add_argument(
        "--patient",
        action="store_true",
        help="the library's threads wait no longer than Parley's: for busy machines",
    )
    made.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()) / "parley-benchmarks",
        help="where the checkpoints are built and kept for the next run",
    )
    return made


class Bench:
    """Hands out engines, and ends them all at its own end."""

    def __init__(self, folder: Path, patient: bool, stack: ExitStack) -> None:
        self._folder = folder
        self._patient = patient
        self._stack = stack
        self._nursery = Nursery()
        stack.callback(self._nursery.close)
        self._nursery.warm()
        self.machine = Machine(patient)
        stack.callback(self.machine.close)

    def checkpoint(self, name: str, dtype: str) -> Path:
        return built(self._folder, name, dtype)

    def ours(self, name: str, dtype: str, at_once: int = 8) -> Ours:
        spec = ModelSpec(
            id=name,
            name=name,
            path=self.checkpoint(name, dtype),
            dtype=dtype,  # type: ignore[arg-type]
            concurrency=at_once,
        )
        made = Ours(spec, self._nursery)
        self._stack.callback(made.close)
        return made

    def library(self, name: str, dtype: str, patient: bool | None = None) -> Library:
        """``patient`` where the person has no choice."""
        patience = self._patient if patient is None else patient
        made = Library(self.checkpoint(name, dtype), dtype, patient=patience)
        self._stack.callback(made.close)
        return made


@contextmanager
def bench(given: argparse.Namespace, *, gpu: bool = False) -> Iterator[Bench]:
    """By the options above. Ends with a sentence and status 1 when something is broken."""
    os.environ.update(QUIET if gpu else QUIET | ON_THE_PROCESSOR)
    # So that the engines are ended as well when somebody ends this script.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with ExitStack() as stack:
        try:
            yield Bench(given.folder, given.patient, stack)
        except Broken as broken:
            raise SystemExit(f"BROKEN  {broken}") from broken


def say(*words: object) -> None:
    """Progress, beside the tables."""
    print(*words, file=sys.stderr, flush=True)
