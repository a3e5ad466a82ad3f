"""Which number format a model is loaded in, by name, so that it is known before torch is.

The engines choose by this, and the pool estimates by it. Knows nothing of a device but its kind,
and of the processor what Linux tells of it.
"""

from __future__ import annotations

import contextlib
from functools import cache
from pathlib import Path
from typing import Literal

from parley.catalog.spec import Dtype

Kind = Literal["cpu", "cuda", "mps"]

SMALL = 50_000_000
"""Up to this many parameters a processor is not held up by reading weights: nothing is gained by
making them half as wide."""

CPU_FLOAT32_LIMIT = 1_200_000_000
"""Above this many parameters a CPU has neither the memory nor the bandwidth for 32 bits."""

BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
"""What a processor has that multiplies bfloat16 itself: half the bytes per token and half the time
per prompt. The others take bfloat16 apart into float32 first and are slower for it."""

CPUINFO = Path("/proc/cpuinfo")

WIDTHS = {"float32": 4, "bfloat16": 2, "float16": 2}
"""Bytes of one number."""

STORED_BITS = {
    **{"F64": 64, "I64": 64, "U64": 64, "F32": 32, "I32": 32, "U32": 32},
    **{"F16": 16, "BF16": 16, "I16": 16, "U16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8},
    **{"I8": 8, "U8": 8, "BOOL": 8, "F4": 4},
}
"""Bits of one number, by the names that safetensors gives."""


def dtype_name(wanted: Dtype, kind: Kind, parameters: int) -> str:
    """The catalogue's word, else what a device of this kind computes fastest within its memory.
    A GPU without bfloat16 takes float16 in its place, which is as wide."""
    if wanted != "auto":
        return wanted
    if kind == "cpu" and (
        parameters <= SMALL or (parameters <= CPU_FLOAT32_LIMIT and not multiplies_bfloat16())
    ):
        return "float32"
    return "bfloat16"


@cache
def multiplies_bfloat16() -> bool:
    """Whether this processor does so itself; False where nobody says."""
    with contextlib.suppress(OSError):
        for line in CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "flags":
                return not BFLOAT16_FLAGS.isdisjoint(value.split())
    return False
