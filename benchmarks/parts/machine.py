"""What a benchmark ran on, in one line, and how fast its memory reads. Imports no torch."""

from __future__ import annotations

import os
import platform
import statistics
from pathlib import Path

import psutil

from benchmarks.parts.library import Library
from benchmarks.parts.tables import spread


class Machine:
    """``seen`` is how fast the memory read, each time the best of several, in bytes per second;
    ``others`` how busy the processor was, in percent, while nothing was asked here."""

    def __init__(self, patient: bool = False) -> None:
        self._patient = patient
        self._probe = Library()
        self.about = self._probe.about
        self.seen: list[float] = []
        self.others: list[float] = []
        self.look()

    def look(self) -> None:
        """Between two measurements: the others and the memory once more."""
        self.others.append(psutil.cpu_percent(0.3))
        self.seen.append(self._probe.bandwidth())

    @property
    def bandwidth(self) -> float:
        return statistics.median(self.seen)

    def matrix_rate(self) -> float:
        return self._probe.matrix_rate()

    def close(self) -> None:
        self._probe.close()

    def __str__(self) -> str:
        device = self.about["device"]
        waits = "threads that wait as Parley's" if self._patient else "its own threads' manners"
        return (
            f"{processor()}, {cores()} cores{f', {device}' if device else ''}; memory reads "
            f"{spread(self.seen, 1, 1e-9)} GB/s; Python {platform.python_version()}, "
            f"torch {self.about['torch']}, transformers {self.about['transformers']}, "
            f"{self.about['threads']} threads each; others' work {min(self.others):.0f} to "
            f"{max(self.others):.0f} % of the processor; the library with {waits}"
        )


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
