"""Models whose answers go on where others ended, for the tests of openings and of readings."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from parley.catalog.spec import Sampling
from parley.engines.base import Message, Request
from tests import checkpoints
from tests.engines.inprocess import InProcess, loaded
from tests.engines.test_constraint import sentencepiece

LLAMA2 = (
    "{% for m in messages %}{% if m['role'] == 'user' %}"
    "{{ bos_token + '[INST] ' + m['content'].strip() + ' [/INST]' }}"
    "{% else %}{{ ' ' + m['content'].strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
HELLO = (Message("user", "Hello there"),)
WAYS = ("llama", "falcon-7b", "mistral", "sentencepiece", "mamba")


def build(folder, way):
    if way != "sentencepiece":
        return checkpoints.build(folder, way)
    made = sentencepiece()
    made.chat_template = LLAMA2
    return checkpoints.build(folder, "llama", made=made)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A model with its scheduler for each way of answering, none of which ends by itself."""
    kept = {}

    def get(way="llama"):
        if way not in kept:
            made = loaded(build(tmp_path_factory.mktemp(way), way))
            if way == "mamba":
                louder(made.model)
            kept[way] = InProcess(replace(made, eos=frozenset({999})))
        model = kept[way]
        model.scheduler.store.clear()
        return model

    return get


def louder(model):
    """So that its greedy text wanders, as that of the others does."""
    dice = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("in_proj.weight", "out_proj.weight", "embeddings.weight")):
                weight.copy_(torch.randn(weight.shape, generator=dice) * 0.35)


def going_on(model, opening, count=25, messages=HELLO, **sampling):
    sampling.setdefault("temperature", 0.0)
    asked = Request(messages, Sampling(max_new_tokens=count, **sampling), opening=opening)
    heard = model.submit(asked)
    model.finish(heard)
    return heard


def answered(model, count, **sampling):
    return going_on(model, "", count, **sampling)


def shown(*heard):
    return "".join(h.text for h in heard), "".join(h.thinking for h in heard)
