"""Generation in this process: tokens, stopping, limits, failures."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch

from parley.catalog.spec import ModelSpec
from parley.engines import answer as answering
from parley.engines.answer import CancelWatch, Job, answer, decoder_layers
from parley.engines.loading import load
from parley.events import Delta, Failed, Finished, Started
from tests import checkpoints
from tests.engines.listening import request

PROMPTS = ["Hello there", "こんにちは、世界。" * 6, "a long one " * 25]


@pytest.fixture(scope="module")
def loaded(checkpoint):
    """A loaded model per family, kept for the module."""
    kept = {}

    def get(family="llama"):
        if family not in kept:
            spec = ModelSpec(id="tiny", name="Tiny", path=checkpoint(family))
            kept[family] = load(spec, lambda event: None)
        return kept[family]

    return get


def run(model, *texts, job=None, **sampling):
    """The events of one answer, its text, and its tokens as ``generate`` chose them."""
    job = job or Job(1, request(*texts, **sampling), time.perf_counter())
    events = []
    answer(model, job, CancelWatch(model.model), events.append, nullcontext())
    return events


def text_of(events):
    return "".join(e.text for e in events if isinstance(e, Delta))


def reference(model, prompt_ids, count, **options):
    """What transformers itself writes."""
    ids = torch.tensor([prompt_ids])
    out = model.model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=count,
        **options,
    )
    return out[0, len(prompt_ids) :].tolist()


def rendered(model, *texts):
    messages = [
        {"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(texts)
    ]
    return model.tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"]


@pytest.fixture
def chosen(monkeypatch):
    """The tokens that reach the writer."""
    tokens = []
    put = answering.Writer.put

    def spy(self, value):
        if self._seen_prompt:
            tokens.append(int(value.reshape(-1)[-1]))
        put(self, value)

    monkeypatch.setattr(answering.Writer, "put", spy)
    return tokens


@pytest.mark.parametrize("family", checkpoints.FAMILIES)
@pytest.mark.parametrize("slice_", [512, 16], ids=["whole prefill", "sliced prefill"])
def test_greedy_equals_generate(loaded, family, slice_, chosen, monkeypatch):
    monkeypatch.setattr(answering, "PREFILL_SLICE", slice_)
    model = loaded(family)
    for prompt in PROMPTS:
        chosen.clear()
        events = run(model, prompt, max_new_tokens=40)
        expected = reference(model, rendered(model, prompt), 40)
        assert chosen == expected
        assert events[-1].stats.completion_tokens == len(expected)
        shown = model.tokenizer.decode(expected, skip_special_tokens=True)
        assert text_of(events) == shown.replace("\ufffd", "")


@pytest.mark.parametrize("family", ["mamba", "mpt"])
def test_models_that_cannot_take_a_prompt_in_slices(family, tmp_path, chosen, monkeypatch):
    monkeypatch.setattr(answering, "PREFILL_SLICE", 16)
    folder = checkpoints.build(tmp_path, family)
    model = load(ModelSpec(id="t", name="Tiny", path=folder), lambda event: None)
    assert isinstance(run(model, "a long one " * 20, max_new_tokens=10)[-1], Finished)
    assert chosen == reference(model, rendered(model, "a long one " * 20), 10)


def test_events_come_in_order_and_count_every_token(loaded):
    events = run(loaded(), "Hello", max_new_tokens=25)
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    assert all(isinstance(e, Delta) for e in events[1:-1])
    stats = events[-1].stats
    assert sum(e.tokens for e in events[1:-1]) == stats.completion_tokens
    assert stats.prompt_tokens == events[0].prompt_tokens > 0
    assert 0 < stats.ttft_seconds <= stats.total_seconds
    assert stats.tokens_per_second > 0
    assert stats.load_seconds == 0


def test_the_token_limit_ends_with_length(loaded):
    assert run(loaded(), "Hello", max_new_tokens=3)[-1].reason == "length"


def test_every_token_of_the_eos_list_ends_the_answer(loaded):
    model = loaded("olmo")
    tokens = reference(model, rendered(model, "Hello"), 12)
    model_eos = model.eos
    for place in (2, 5):
        swapped = replace(model, eos=frozenset({383, tokens[place]}))
        model.model.generation_config.eos_token_id = sorted(swapped.eos)
        try:
            last = run(swapped, "Hello", max_new_tokens=12)[-1]
        finally:
            model.model.generation_config.eos_token_id = sorted(model_eos)
        assert last.reason == "stop"
        assert last.stats.completion_tokens == tokens.index(tokens[place]) + 1


def test_stop_strings_end_the_answer_and_are_not_shown(loaded):
    whole = text_of(run(loaded(), "Hello", max_new_tokens=40))
    stop = whole[10:14]  # begins and ends somewhere inside tokens
    events = run(loaded(), "Hello", max_new_tokens=40, stop=(stop, "never to be seen"))
    assert events[-1].reason == "stop"
    assert text_of(events) == whole[: whole.index(stop)]
    assert events[-1].stats.completion_tokens < 40


def test_the_models_own_sampling_habits_do_not_leak_in(tmp_path, checkpoint):
    folder = checkpoints.copy(checkpoint("llama"), tmp_path / "habits")
    (folder / "generation_config.json").write_text(
        '{"do_sample": true, "temperature": 3.0, "top_k": 3, "repetition_penalty": 5.0,'
        ' "no_repeat_ngram_size": 1, "max_new_tokens": 2, "num_beams": 3, "eos_token_id": [2, 0]}'
    )
    habits = load(ModelSpec(id="t", name="Tiny", path=folder), lambda event: None)
    plain = load(ModelSpec(id="t", name="Tiny", path=checkpoint("llama")), lambda event: None)
    assert habits.eos == {0, 2}
    for sampling in ({}, {"temperature": 0.8, "seed": 5}):
        one = run(habits, "Hello", max_new_tokens=20, **sampling)
        two = run(plain, "Hello", max_new_tokens=20, **sampling)
        assert text_of(one) == text_of(two)


def test_greedy_with_repetition_penalty_equals_generate(loaded, chosen):
    model = loaded()
    run(model, "Hello", max_new_tokens=30, repetition_penalty=1.3)
    assert chosen == reference(model, rendered(model, "Hello"), 30, repetition_penalty=1.3)


def test_a_prompt_longer_than_the_window_is_refused_with_both_numbers(loaded):
    (failed,) = run(loaded(), "word " * 2000)
    assert isinstance(failed, Failed)
    assert failed.code == "prompt_too_long"
    assert "512" in failed.sentence
    assert "," in failed.sentence  # the thousands of the other
    assert failed.fix


def test_the_oldest_turns_of_a_long_conversation_are_left_out_and_it_is_said(loaded):
    model = loaded()
    turns = [f"turn {number} of a long conversation" for number in range(41)]
    started, *_, last = run(model, *turns, max_new_tokens=20)
    assert started.prompt_tokens <= 512 - 20
    assert started.prompt_tokens > 300
    assert "were left out" in started.notes[0]
    assert isinstance(last, Finished)


def test_the_answer_stays_inside_the_window(loaded):
    model = loaded()
    prompt = "a " * 380
    size = len(rendered(model, prompt))
    assert 300 < size < 512
    last = run(model, prompt, max_new_tokens=4000)[-1]
    assert last.reason in ("length", "stop")
    assert last.stats.completion_tokens <= 512 - size


def test_the_catalogues_context_narrows_the_window(checkpoint):
    spec = ModelSpec(id="t", name="Tiny", path=checkpoint(), context_max=30)
    model = load(spec, lambda event: None)
    assert model.ready.context == 30
    assert run(model, "Hello there, you", max_new_tokens=50)[-1].stats.completion_tokens <= 30


def test_running_out_of_memory_is_said_in_words(loaded, monkeypatch):
    def boom(*args, **options):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried")

    monkeypatch.setattr(loaded().model, "forward", boom)
    last = run(loaded(), "Hello")[-1]
    assert (last.code, type(last)) == ("oom_generate", Failed)
    monkeypatch.undo()
    assert isinstance(run(loaded(), "Hello", max_new_tokens=3)[-1], Finished)


def test_any_failure_is_typed_and_leaves_the_model_usable(loaded, monkeypatch):
    def boom(*args, **options):
        raise KeyError("secret detail")

    monkeypatch.setattr(loaded().model, "forward", boom)
    last = run(loaded(), "Hello")[-1]
    assert last.code == "internal"
    assert "secret" not in last.sentence
    monkeypatch.undo()
    assert isinstance(run(loaded(), "Hello", max_new_tokens=3)[-1], Finished)


def test_thinking_tags_that_are_special_tokens(loaded, monkeypatch):
    """The model is made to write a thinking block token by token."""
    model = loaded()
    encode = model.tokenizer.encode
    script = encode("<think>\nhm hm</think>\n\nHello<|im_start|> there<|im_end|>")
    monkeypatch.setattr(model.model, "forward", scripted(model, script))
    events = run(model, "Hi", max_new_tokens=60)
    assert text_of(events) == "Hello there"
    assert "".join(e.thinking for e in events if isinstance(e, Delta)) == "hm hm"
    assert events[-1].reason == "stop"
    assert events[-1].stats.completion_tokens == len(script)
    assert 0 < events[-1].stats.thinking_seconds < events[-1].stats.total_seconds


def test_characters_split_over_tokens(loaded, monkeypatch):
    model = loaded()
    text = "漢字 👩‍👩‍👧 🇯🇵 déjà vu — 終"
    script = [*model.tokenizer.encode(text), 2]
    assert len(script) > 1.5 * len(text)
    monkeypatch.setattr(model.model, "forward", scripted(model, script))
    events = run(model, "Hi", max_new_tokens=len(script))
    assert text_of(events) == text
    assert not any("\ufffd" in e.text for e in events if isinstance(e, Delta))


def scripted(model, script):
    """A forward that makes ``script`` the greedy text."""
    real = model.model.forward
    steps = iter(script)

    def forward(*args, **options):
        out = real(*args, **options)
        out.logits[:] = -10.0
        out.logits[..., next(steps)] = 10.0
        return out

    # generate looks at the signature to decide what to pass
    forward.__signature__ = __import__("inspect").signature(real)
    return forward


def test_a_cancelled_job_ends_between_two_layers(loaded):
    model = loaded()
    job = Job(1, request("a " * 200, max_new_tokens=300), time.perf_counter())
    layers = []

    def stop_at_third(module, inputs):
        layers.append(module)
        if len(layers) == 3:
            job.cancelled = True

    hooks = [m.register_forward_pre_hook(stop_at_third) for m in decoder_layers(model.model)]
    try:
        events = run(model, job=job)
    finally:
        for hook in hooks:
            hook.remove()
    assert events[-1].reason == "cancelled"
    assert events[-1].stats.completion_tokens <= 1
    assert len(layers) == 3


def test_layers_are_found_in_every_family(loaded):
    for family in checkpoints.FAMILIES:
        assert len(decoder_layers(loaded(family).model)) == 2


@pytest.mark.parametrize("family", ["llama", "falcon-7b"])
def test_the_same_seed_gives_the_same_text_in_company(loaded, family):
    model = loaded(family)
    sampling = {"temperature": 0.9, "top_p": 0.95, "top_k": 60, "max_new_tokens": 40}

    def write(seed, out):
        out[seed] = text_of(run(model, "Tell me", seed=seed, **sampling))

    alone, together = {}, {}
    for seed in range(4):
        write(seed, alone)
    threads = [threading.Thread(target=write, args=(s, together)) for s in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone
    assert len(set(alone.values())) == 4


@pytest.mark.parametrize("seed", [-1, 0, 2**70])
def test_any_number_is_a_seed(loaded, seed):
    last = run(loaded(), "Hello", temperature=1.0, max_new_tokens=3, seed=seed)[-1]
    assert isinstance(last, Finished)
    assert last.seed == seed


def test_a_seed_is_drawn_and_reported(loaded):
    first = run(loaded(), "Hello", temperature=1.0, max_new_tokens=20)
    again = run(loaded(), "Hello", temperature=1.0, max_new_tokens=20, seed=first[-1].seed)
    assert text_of(first) == text_of(again)
    assert first[-1].seed is not None
