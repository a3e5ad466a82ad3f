"""What this machine has: its devices, and how many bytes of each models may take together.

Reads the machine once, when Parley starts. Knows nothing of models.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from parley.engines.precision import Kind

CPU_SHARE = 0.80
"""Of the memory that is available when Parley starts; the rest is for the page and others."""
GPU_SHARE = 0.85
"""Of a GPU's free memory; the rest is for kernels, graphs and fragments."""
UNIFIED_SHARE = 0.65
"""Of a Mac's available memory, which its GPU shares with everything else."""

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}


@dataclass(frozen=True, slots=True)
class Machine:
    """``budget`` is bytes per device, by the names that torch gives them; ``names`` are a person's
    words for the devices."""

    kind: Kind
    budget: Mapping[str, int]
    names: Mapping[str, str]


def parse_size(text: str) -> int | None:
    """Bytes of ``16Gi``, ``600MB`` or ``1.5 GiB``; None for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kmg]i?)?b?", text.strip().lower())
    return int(float(match[1]) * _UNITS[match[2] or ""]) if match else None


def cpu_machine(
    environment: Mapping[str, str], given: int | None = None, root: Path = Path("/")
) -> Machine:
    """A machine that computes on its processor. ``given`` bytes are taken at their word."""
    budget = given if given is not None else int(available(environment, root) * CPU_SHARE)
    return Machine("cpu", {"cpu": budget}, {"cpu": "Memory"})


def gpu_machine(
    found: Sequence[tuple[str, str, int]], environment: Mapping[str, str], given: int | None = None
) -> Machine:
    """A machine as an engine's process sees it: (device, name, free bytes) of each accelerator;
    none is a machine without. ``given`` bytes hold for each device."""
    if not found:
        return cpu_machine(environment, given)
    mps = found[0][0] == "mps"
    share = UNIFIED_SHARE if mps else GPU_SHARE
    return Machine(
        "mps" if mps else "cuda",
        {device: given if given is not None else int(free * share) for device, _, free in found},
        {device: name for device, name, _ in found},
    )


def may_have_accelerator(root: Path = Path("/")) -> bool:
    """Whether it is worth asking torch: a driver's files are there, or this is a Mac."""
    signs = ("dev/nvidiactl", "dev/kfd", "dev/dxg", "proc/driver/nvidia/version")
    return sys.platform in ("darwin", "win32") or any((root / sign).exists() for sign in signs)


def available(environment: Mapping[str, str], root: Path = Path("/")) -> int:
    """Bytes that can still be had: the tightest of the machine's available memory, the control
    groups this process is in and a Space's ``MEMORY``. psutil alone sees the host."""
    limits = [psutil.virtual_memory().available, *_cgroup_limits(root)]
    if space := parse_size(environment.get("MEMORY", "")):
        limits.append(space)
    return min(limits)


def _cgroup_limits(root: Path) -> list[int]:
    """Every limit from this process's group up to the top, of either version."""
    mount = root / "sys/fs/cgroup"
    files = [mount / "memory.max", mount / "memory/memory.limit_in_bytes"]
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        lines = []
    for line in lines:
        if line.count(":") < 2:  # some sandboxes write their own
            continue
        _, controllers, path = line.split(":", 2)
        group = Path(path.strip("/"))
        for folder in (group, *group.parents):
            if not controllers:
                files.append(mount / folder / "memory.max")
            elif "memory" in controllers.split(","):
                files.append(mount / "memory" / folder / "memory.limit_in_bytes")
    found = []
    for file in dict.fromkeys(files):
        try:
            text = file.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        if text.isdigit():
            found.append(int(text))
    return found
