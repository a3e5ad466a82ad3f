"""Which number format a model is loaded in, by name, so that it is known before torch is.

The engines choose by this, and the pool estimates by it. Knows nothing of any device but its kind.
"""

from __future__ import annotations

from typing import Literal

from parley.catalog.spec import Dtype

Kind = Literal["cpu", "cuda", "mps"]

CPU_FLOAT32_LIMIT = 1_200_000_000
"""Above this many parameters a CPU has neither the memory nor the bandwidth for 32 bits."""

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
    if kind == "cpu" and parameters <= CPU_FLOAT32_LIMIT:
        return "float32"
    return "bfloat16"
