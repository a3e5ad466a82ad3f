"""What this machine computes on, and in which precision.

Asked in a model's own process. Knows nothing of checkpoints beyond how many numbers they hold.
"""

from __future__ import annotations

import os
from pathlib import Path

import torch

from parley.catalog.spec import ModelSpec

# Above this many parameters a CPU has neither the memory nor the bandwidth for 32 bits.
CPU_FLOAT32_LIMIT = 1_200_000_000


def best_device() -> torch.device:
    if torch.cuda.is_available():
        free = [torch.cuda.mem_get_info(i)[0] for i in range(torch.cuda.device_count())]
        return torch.device("cuda", free.index(max(free)))
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def choose_dtype(spec: ModelSpec, device: torch.device, parameters: int) -> torch.dtype:
    """The catalogue's word, else what ``device`` computes fastest within its memory."""
    if spec.dtype != "auto":
        dtype: torch.dtype = getattr(torch, spec.dtype)
        return dtype
    if device.type == "cpu":
        return torch.float32 if parameters <= CPU_FLOAT32_LIMIT else torch.bfloat16
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
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
