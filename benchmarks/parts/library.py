"""transformers on its own, in a process of its own, asked the same things as Parley's engine.

``how`` says which way: "generate" with a ``TextIteratorStreamer``, one after the other as they
arrive; "static", one padded batch; "continuous", its continuous batching. The process has torch's
own settings, as a script of anybody's would, and as many threads as Parley's. With these settings
threads spin for long while they wait for each other, which makes a busy machine many times slower;
``patient`` has them give their cores away as soon as Parley's. What runs in it is
``library_process.py``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from benchmarks.parts.asking import Answer, Ask, Broken
from parley.engines.nursery import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]
How = Literal["generate", "static", "continuous"]


class Library:
    """One checkpoint in the library's own classes; without a folder it only measures the machine.
    It says nothing and computes nothing until it is asked."""

    def __init__(
        self, folder: Path | None = None, dtype: str = "float32", *, patient: bool = False
    ) -> None:
        # The nursery sets these for its own children; they are not everybody's.
        environment = {k: v for k, v in os.environ.items() if k not in ENVIRONMENT}
        if patient:
            environment |= ENVIRONMENT
        environment["PYTHONPATH"] = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.parts.library_process", str(folder or ""), dtype],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.about: dict[str, Any] = self._heard()

    def run(self, asks: Sequence[Ask], how: How) -> list[Answer]:
        """All of them, each begun at its time."""
        return [Answer(**a) for a in self._asked("run", how, [asdict(ask) for ask in asks])]

    def bandwidth(self) -> float:
        """Bytes per second that all threads together read of memory nobody has in a cache."""
        return float(self._asked("bandwidth"))

    def matrix_rate(self) -> float:
        """Multiplications and additions per second of a large bfloat16 matrix product."""
        return float(self._asked("matrix_rate"))

    def bare_step(self, tokens: int) -> float:
        """Seconds a token takes in the barest loop: forward, largest score, again."""
        return float(self._asked("bare_step", tokens))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _asked(self, *command: object) -> Any:
        assert self._process.stdin is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)
        return self._heard()

    def _heard(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise Broken("the library's process ended")
        return json.loads(line)
