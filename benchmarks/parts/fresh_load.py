"""A checkpoint loaded as a script does it: a new process, the Auto classes, nothing else.

    python -m benchmarks.parts.fresh_load FOLDER DTYPE

is how ``fresh`` calls it. It stays until its input is closed, so that its memory can be looked at.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.parts.memory import Peak

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Fresh:
    """Seconds for the imports and for the load, and where asked the most private memory, bytes."""

    imports: float
    load: float
    peak: int


def fresh(folder: Path, dtype: str, *, look: bool) -> Fresh:
    """Looking slows it down: take times and memory from different runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(folder), dtype],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process, Peak(process.pid if look else None) as peak:
        assert process.stdout is not None
        imports, load = json.loads(process.stdout.readline())
        peak.stop()
    return Fresh(imports, load, peak.bytes)


def _load(folder: str, dtype: str) -> None:
    began = time.perf_counter()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    imported = time.perf_counter()
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    loaded = time.perf_counter()
    print(json.dumps([imported - began, loaded - imported]), flush=True)
    sys.stdin.read()
    del model, tokenizer


if __name__ == "__main__":
    _load(sys.argv[1], sys.argv[2])
