"""The shipped folders: plain transformers models, small enough for a Space without LFS."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

import parley.guide
from parley.catalog.loader import load
from parley.guide.corpus import Corpus
from parley.guide.evaluate import load_answer

WEIGHTS = Path(parley.guide.__file__).with_name("weights")
FOLDERS = [WEIGHTS / "guide", WEIGHTS / "guide-mini"]
FILES = {
    "README.md",
    "chat_template.jinja",
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
}

pytestmark = pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)


def test_only_what_is_needed_and_under_ten_megabytes(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == FILES
    assert all(path.stat().st_size < 9.9e6 for path in folder.iterdir())


def test_one_bos_and_a_stop(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": " hello "}], add_generation_prompt=True, return_dict=False
    )
    assert ids.count(tokenizer.bos_token_id) == 1
    assert ids[0] == tokenizer.bos_token_id
    stops = GenerationConfig.from_pretrained(folder).eos_token_id
    assert stops == [tokenizer.convert_tokens_to_ids("<|end|>")]
    assert len(tokenizer) <= AutoModelForCausalLM.from_pretrained(folder).config.vocab_size


def test_it_answers_about_the_page(folder: Path) -> None:
    tokenizer, model = (
        AutoTokenizer.from_pretrained(folder),
        AutoModelForCausalLM.from_pretrained(folder),
    )
    inputs = tokenizer.apply_chat_template(
        [{"role": "user", "content": "how do I stop the answer?"}],
        add_generation_prompt=True,
        return_tensors="pt",
    )
    output = model.generate(
        **inputs, do_sample=False, temperature=None, top_p=None, max_new_tokens=60
    )
    answer = tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    voice = "warm" if folder.name == "guide" else "terse"
    [intent] = [intent for intent in Corpus(1, voice).intents if intent.id == "stop_answer"]
    assert answer.strip() in intent.answers(voice)


def test_the_examples_on_its_card_are_answered_not_refused(folder: Path) -> None:
    catalogue = load([WEIGHTS.parents[3] / "models.yaml"])
    spec = next(model for model in catalogue.models if model.path == folder)
    say = load_answer(folder)
    for example in spec.examples:
        (answer,) = say([[{"role": "user", "content": example}]])
        assert len(answer.split()) >= 4, example
        assert "not know" not in answer, example
        assert "n't know" not in answer, example
