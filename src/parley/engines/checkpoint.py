"""What lies in a checkpoint's folder: which files hold the weights, and how many there are.

Reads indexes and headers, never a weight. Knows nothing of the Hub or of models in memory.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from safetensors import safe_open

from parley.catalog.spec import ModelSpec
from parley.engines.failures import corrupt, no_safetensors, no_weights

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
# Formats that run code when they are opened, or that transformers no longer reads.
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack")


def shards(folder: Path) -> list[str]:
    """The weight files that belong in ``folder``, there or not."""
    if not (folder / INDEX).exists():
        return [SINGLE]
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    return sorted({str(name) for name in index["weight_map"].values()})


def weight_files(spec: ModelSpec, folder: Path) -> list[Path]:
    """The safetensors files of ``folder``, all of them there."""
    files = [folder / name for name in shards(folder)]
    missing = [file.name for file in files if not file.exists()]
    if missing == [SINGLE]:
        pickled = any(file.suffix in PICKLED for file in folder.iterdir())
        raise no_safetensors(spec) if pickled else no_weights(spec)
    if missing:
        raise corrupt(spec, f"{missing[0]} is missing")
    return files


def count_parameters(files: Sequence[Path]) -> int:
    """Numbers stored in ``files``, by their headers; a truncated file raises here."""
    count = 0
    for file in files:
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118 - not a dict
                size = 1
                for length in tensors.get_slice(name).get_shape():
                    size *= length
                count += size
    return count
