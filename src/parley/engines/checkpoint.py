"""What lies in a checkpoint's folder: which files hold the weights, and how many there are.

Reads indexes and headers, never a weight. Knows nothing of the Hub or of models in memory.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from safetensors import SafetensorError, safe_open

from parley.catalog.spec import ModelSpec
from parley.engines.failures import corrupt, no_safetensors, no_weights

CONFIG = "config.json"
INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
# Formats that run code when they are opened, or that transformers no longer reads.
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack")
TOKENIZERS = ("tokenizer.json", "vocab.json", "vocab.txt", "*.model", "*.tiktoken")


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


def has_tokenizer(folder: Path) -> bool:
    return any(next(folder.glob(pattern), None) is not None for pattern in TOKENIZERS)


def is_intact(file: Path) -> bool:
    """Whether ``file`` is as long as its header says."""
    try:
        count_by_dtype([file])
    except (OSError, SafetensorError):
        return False
    return True


def count_by_dtype(files: Iterable[Path]) -> dict[str, int]:
    """Numbers stored in ``files`` by safetensors dtype ("F32", "BF16"), from their headers; a
    truncated file raises here."""
    counts: Counter[str] = Counter()
    for file in files:
        # "np" is where numbers would be put if any were read; "pt" would import torch.
        with safe_open(file, framework="np") as tensors:
            for name in tensors.keys():  # noqa: SIM118 - not a dict
                tensor = tensors.get_slice(name)
                counts[tensor.get_dtype()] += math.prod(tensor.get_shape())
    return dict(counts)


def count_parameters(files: Iterable[Path]) -> int:
    """Numbers stored in ``files``, whatever their dtype."""
    return sum(count_by_dtype(files).values())
