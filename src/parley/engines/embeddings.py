"""What a model's input embeddings tell about it: where token ids go, and how many there are.

Knows nothing of tokenizers.
"""

from __future__ import annotations

import torch
from transformers import PreTrainedModel


def input_device(model: PreTrainedModel) -> torch.device:
    """Where token ids have to be; a model spread over several devices has its first layer there."""
    return _weight(model).device


def vocabulary(model: PreTrainedModel) -> int:
    """How many token ids the model can read. Often more than its tokenizer has."""
    return _weight(model).shape[0]


def _weight(model: PreTrainedModel) -> torch.Tensor:
    weight = model.get_input_embeddings().weight
    assert isinstance(weight, torch.Tensor)
    return weight
