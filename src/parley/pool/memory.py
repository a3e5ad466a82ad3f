"""How much memory there is, and how much a model will take.

Answers in bytes. Knows nothing of which models are loaded.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from pathlib import Path

import psutil

from parley.catalog.spec import ModelSpec

BUDGET_SHARE = 0.80
"""Of what is available when Parley starts; the rest is for the page and everybody else."""

WORKSPACE = 1.25
"""Weights times this: activations, KV cache at ordinary lengths, allocator slack. Rough on purpose
until measured footprints correct it."""

FLOAT32_LIMIT = 1_000_000_000
"""Parameters up to which a CPU engine keeps float32; mirrors the engines' choice of dtype."""

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}


def budget(environment: Mapping[str, str], cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes that models may take together: a share of the tightest of the machine's available
    memory, the cgroup's limit and a Space's ``MEMORY`` (such as ``16Gi``)."""
    limits = [psutil.virtual_memory().available]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        file = cgroup / name
        if file.is_file() and (text := file.read_text().strip()).isdigit():
            limits.append(int(text))
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]i?)?b?", environment.get("MEMORY", "").lower())
    if match:
        limits.append(int(float(match[1]) * _UNITS[match[2] or ""]))
    return int(min(limits) * BUDGET_SHARE)


def estimate(spec: ModelSpec) -> int:
    """Bytes the model will take in memory; 0 when nothing is known before it is downloaded."""
    parameters = _count(spec.path) if spec.path else spec.parameters
    if not parameters:
        return 0
    width = 4 if spec.dtype == "float32" else 2
    if spec.dtype == "auto" and parameters <= FLOAT32_LIMIT:
        width = 4
    return int(parameters * width * WORKSPACE)


def _count(folder: Path) -> int:
    """Parameters in a folder's safetensors files, read from their headers alone; 0 if unreadable,
    since the load itself will say what is wrong with them."""
    total = 0
    for file in sorted(folder.glob("*.safetensors")):
        try:
            with file.open("rb") as stream:
                (length,) = struct.unpack("<Q", stream.read(8))
                header = json.loads(stream.read(min(length, 100_000_000)))
            for name, tensor in header.items():
                if name == "__metadata__":
                    continue
                size = 1
                for extent in tensor["shape"]:
                    size *= extent
                total += size
        except (OSError, ValueError, KeyError, TypeError, struct.error):
            return 0
    return total
