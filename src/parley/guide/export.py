"""Writes a finished guide as a plain transformers folder, in bf16, file by file and atomically.

Knows nothing of how the model was trained.
"""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from .card import write


def export(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    tokens: int,
    out: Path,
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as fresh:
        small = torch.nn.Module.to(copy.deepcopy(model), "cpu", torch.bfloat16)
        small.config.trained_tokens = tokens
        small.save_pretrained(fresh)
        tokenizer.save_pretrained(fresh)
        for path in sorted(Path(fresh).iterdir()):
            path.chmod(0o644)  # safetensors writes for the owner alone
            path.replace(out / path.name)
    write(out)
