"""What this machine computes on, and in which precision.

Asked in a model's own process. Knows nothing of checkpoints beyond how many numbers they hold.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psutil
import torch

from parley.catalog.spec import ModelSpec
from parley.engines.precision import dtype_name


def best_device() -> torch.device:
    """Where a model goes that nobody has given a place."""
    found = accelerators()
    return torch.device(max(found, key=lambda a: a[2])[0] if found else "cpu")


def accelerators() -> list[tuple[str, str, int]]:
    """What there is beside the processor: torch's name for it, its maker's name, free bytes."""
    if torch.cuda.is_available():
        return [
            (f"cuda:{i}", torch.cuda.get_device_name(i), torch.cuda.mem_get_info(i)[0])
            for i in range(torch.cuda.device_count())
        ]
    if torch.backends.mps.is_available():
        return [("mps", "Apple GPU", psutil.virtual_memory().available)]
    return []


def choose_dtype(spec: ModelSpec, device: torch.device, parameters: int) -> torch.dtype:
    """The catalogue's word, else what ``device`` computes fastest within its memory."""
    kind: Any = device.type
    dtype: torch.dtype = getattr(torch, dtype_name(spec.dtype, kind, parameters))
    if spec.dtype != "auto" or device.type == "cpu":
        return dtype
    if device.type == "cuda":
        return dtype if torch.cuda.is_bf16_supported() else torch.float16
    try:
        torch.zeros(1, device=device, dtype=torch.bfloat16)
    except TypeError:  # before macOS 14
        return torch.float16
    return torch.bfloat16


def usable_cores() -> int:
    """Cores this process may use: in a container fewer than the machine has."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return cores or 1
    if quota == "max":
        return cores or 1
    return max(1, min(cores or 1, round(int(quota) / int(period))))
