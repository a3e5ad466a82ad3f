"""Training on a tiny shape: the loss falls, and a run that was cut off goes on where it was."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from parley.guide.batches import Batches, Place
from parley.guide.corpus import Corpus
from parley.guide.export import export
from parley.guide.model import SHAPES, tiny
from parley.guide.tokenizer import train_tokenizer
from parley.guide.train import Plan, Run

SHAPE = tiny(SHAPES["guide"])
PLAN = Plan(tokens=60 * 512, batch=512, warmup=5, rate=1e-2)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder that already has a tokenizer."""
    folder = tmp_path_factory.mktemp("work")
    corpus = Corpus(PLAN.seed)
    texts = (m["content"] for at in range(800) for m in corpus.dialogue(at).messages())
    train_tokenizer(texts, SHAPE.vocabulary).save_pretrained(folder / "tokenizer")
    return folder


def _work(prepared: Path, folder: Path) -> Path:
    (folder / "tokenizer").symlink_to(prepared / "tokenizer")
    return folder


def test_the_loss_falls_and_the_result_loads(prepared: Path, tmp_path: Path) -> None:
    run = Run(SHAPE, PLAN, _work(prepared, tmp_path), pool=128)
    losses = run.train()
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    assert run.rate() == 0.0

    export(run.model, run.tokenizer, run.progress.tokens, tmp_path / "out")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert model.dtype == torch.bfloat16
    assert AutoTokenizer.from_pretrained(tmp_path / "out").chat_template


def test_an_interrupted_run_goes_on_at_the_same_step(prepared: Path, tmp_path: Path) -> None:
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    whole = Run(SHAPE, PLAN, _work(prepared, tmp_path / "whole"), pool=64).train(stop_at=16)

    work = _work(prepared, tmp_path / "cut")
    before = Run(SHAPE, PLAN, work, pool=64).train(stop_at=9)
    again = Run(SHAPE, PLAN, work, pool=64)
    assert again.progress.step == 9
    assert before + again.train(stop_at=16) == pytest.approx(whole, rel=1e-4)


def test_batches_match_the_chat_template_and_count_only_the_assistant(prepared: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(prepared / "tokenizer")
    corpus = Corpus(1)
    batches = Batches(corpus, tokenizer, size=512, noise=0, cut=0, pool=32)
    for number in range(20):
        dialogue = corpus.dialogue(number)
        [(ids, targets)] = batches.encode([dialogue], random.Random(0))
        text = tokenizer.apply_chat_template(dialogue.messages(), tokenize=False)
        assert ids == tokenizer(text, add_special_tokens=False)["input_ids"]
        said = tokenizer.decode([token for token in targets if token != -100])
        assert said == "".join(turn.assistant + "<|end|>" for turn in dialogue.turns)


def test_the_stream_resumes_at_any_place(prepared: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(prepared / "tokenizer")
    batches = Batches(Corpus(1), tokenizer, size=512, pool=32)
    stream = batches.start(Place())
    first = [next(stream) for _ in range(12)]
    resumed = batches.start(first[6].after)
    for expected in first[7:]:
        assert torch.equal(next(resumed).inputs, expected.inputs)
