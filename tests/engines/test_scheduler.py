"""Answers in this process: tokens, company, stopping, limits, failures."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
import torch

from parley.catalog.spec import ModelSpec
from parley.engines import scheduler as scheduling
from parley.engines.cancel import decoder_layers
from parley.engines.loading import load
from parley.events import Delta, Failed, Finished, Started
from tests import checkpoints
from tests.engines.inprocess import InProcess, plain, reference, rendered, spy_tokens
from tests.engines.inprocess import loaded as load_folder

PROMPTS = ["Hello there", "こんにちは、世界。" * 6, "a long one " * 25]
WORDS = ["Hello", "there", "fox", "終", "x"]
FAMILIES = (*checkpoints.FAMILIES, "mistral-whole", "gemma2", "mpt")


@pytest.fixture(scope="module")
def house(checkpoint):
    """A model with its scheduler per family, kept for the module."""
    kept = {}

    def get(family="llama"):
        if family not in kept:
            kept[family] = InProcess(load_folder(checkpoint(family)))
        kept[family].scheduler.store.clear()
        return kept[family]

    return get


@pytest.fixture(scope="module")
def library(checkpoint):
    kept = {}

    def get(family="llama"):
        if family not in kept:
            kept[family] = plain(checkpoint(family))
        return kept[family]

    return get


@pytest.fixture
def chosen(monkeypatch):
    return spy_tokens(monkeypatch)


def slices(monkeypatch, tokens):
    """Prompts are computed in slices of this many tokens."""
    monkeypatch.setattr(scheduling.Pace, "tokens", lambda self, *, company: tokens)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("slice_", [512, 16], ids=["whole prefill", "sliced prefill"])
def test_greedy_equals_generate(house, library, family, slice_, chosen, monkeypatch):
    slices(monkeypatch, slice_)
    model = house(family)
    for prompt in PROMPTS:
        model.scheduler.store.clear()
        heard = model.run(prompt, max_new_tokens=40)
        expected = reference(library(family), rendered(model.loaded, prompt), 40)
        assert chosen[heard.job.number] == expected
        assert heard.last.stats.completion_tokens == len(expected)
        shown = model.loaded.tokenizer.decode(expected, skip_special_tokens=True)
        assert heard.text == shown.replace("\ufffd", "")


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_equals_generate_in_company_that_comes_and_goes(
    house, library, family, chosen, monkeypatch
):
    """Prompts of all lengths join and leave at random; in fp32 every token is the library's."""
    slices(monkeypatch, 24)
    model = house(family)
    dice = random.Random(4)
    prompts = [" ".join(dice.choices(WORDS, k=k)) for k in (1, 40, 7, 90, 3, 22, 12, 60, 2, 30)]
    asked = []
    for prompt in prompts:
        asked.append(model.ask(prompt, max_new_tokens=dice.choice((5, 20, 35))))
        for _ in range(dice.choice((0, 1, 3, 8))):
            model.step()
    model.finish(*asked)
    for prompt, heard in zip(prompts, asked, strict=True):
        limit = heard.job.request.sampling.max_new_tokens
        expected = reference(library(family), rendered(model.loaded, prompt), limit)
        assert chosen[heard.job.number] == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_reused_changes_nothing(house, library, family, chosen):
    """A conversation of several turns, an edit of its beginning, a retry and a way back."""
    model = house(family)
    turns = ["Hello there", "how are you " * 4, "and the fox? " * 6]
    said, cached = [], []
    for turn in turns:
        said.append(turn)
        heard = model.run(*said, max_new_tokens=24)
        assert chosen[heard.job.number] == reference(
            library(family), rendered(model.loaded, *said), 24
        )
        cached.append(heard.started.cached_tokens)
        assert heard.last.stats.cached_tokens == heard.started.cached_tokens
        said.append(heard.text)
    assert cached[0] == 0
    assert cached[2] > cached[1] > 0
    first = said[:5]
    for conversation in (first, ["Hello you", *first[1:]], first[:3], first, first):
        heard = model.run(*conversation, max_new_tokens=24)
        ids = rendered(model.loaded, *conversation)
        assert chosen[heard.job.number] == reference(library(family), ids, 24)
    # All but the last token of what was asked a moment ago.
    assert heard.started.cached_tokens == len(ids) - 1


def test_a_sliding_window_is_kept_by_whoever_shares_the_pass(house, library, chosen):
    """The tiny Mistral looks back 24 tokens; conversations far beyond that, cut and continued."""
    model = house("mistral")
    for prompt in ("short", "long " * 70):
        heard = model.ask(prompt, max_new_tokens=50)
        model.ask("beside it " * 9, max_new_tokens=50)
        model.finish()
        assert chosen[heard.job.number] == reference(
            library("mistral"), rendered(model.loaded, prompt), 50
        )


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_agrees_in_company(checkpoint, dtype):
    """Batched kernels differ in the last bits of 16: at most 5 % of the logits' spread."""
    from parley.engines.kv import Sequence
    from parley.engines.passes import Piece
    from parley.engines.ragged import Ragged

    folder = checkpoint("llama")
    library = plain(folder, getattr(torch, dtype))
    runner = Ragged(plain(folder, getattr(torch, dtype)))
    texts = [[5 * i % 380 for i in range(n)] for n in (9, 30, 4)]
    expected = [library(input_ids=torch.tensor([t])).logits[0, -1].float() for t in texts]
    rows = [Sequence() for _ in texts]
    runner.forward([Piece(s, t[:-1], 0) for s, t in zip(rows, texts, strict=True)])
    for sequence, text in zip(rows, texts, strict=True):
        sequence.tokens += text[:-1]
    got = runner.forward([Piece(s, t[-1:]) for s, t in zip(rows, texts, strict=True)])
    for ours, theirs in zip(got, expected, strict=True):
        assert (ours[0].float() - theirs).abs().max() < 0.05 * theirs.std()


def test_models_without_a_cache_that_can_be_shared_take_the_librarys_loop(tmp_path, monkeypatch):
    folder = checkpoints.build(tmp_path, "mamba")
    model = InProcess(load_folder(folder))
    assert model.decoding == "generate"
    both = [model.ask(p, max_new_tokens=10) for p in ("a long one " * 20, "Hello")]
    model.finish()
    for heard, prompt in zip(both, ("a long one " * 20, "Hello"), strict=True):
        expected = reference(plain(folder), rendered(model.loaded, prompt), 10)
        text = model.loaded.tokenizer.decode(expected, skip_special_tokens=True)
        assert heard.text == text.replace("\ufffd", "")


def test_events_come_in_order_and_count_every_token(house):
    events = house().run("Hello", max_new_tokens=25).events
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    assert all(isinstance(e, Delta) for e in events[1:-1])
    stats = events[-1].stats
    assert sum(e.tokens for e in events[1:-1]) == stats.completion_tokens
    assert stats.prompt_tokens == events[0].prompt_tokens > 0
    assert 0 < stats.ttft_seconds <= stats.total_seconds
    assert stats.tokens_per_second > 0
    assert stats.load_seconds == 0


def test_the_token_limit_ends_with_length(house):
    assert house().run("Hello", max_new_tokens=3).last.reason == "length"


def test_every_token_of_the_eos_list_ends_the_answer(house, library):
    model = house("olmo")
    tokens = reference(library("olmo"), rendered(model.loaded, "Hello"), 12)
    for place in (2, 5):
        swapped = replace(model.loaded, eos=frozenset({383, tokens[place]}))
        last = InProcess(swapped, runner=model.runner).run("Hello", max_new_tokens=12).last
        assert last.reason == "stop"
        assert last.stats.completion_tokens == tokens.index(tokens[place]) + 1


def test_stop_strings_end_the_answer_and_are_not_shown(house):
    whole = house().run("Hello", max_new_tokens=40).text
    stop = whole[10:14]  # begins and ends somewhere inside tokens
    heard = house().run("Hello", max_new_tokens=40, stop=(stop, "never to be seen"))
    assert heard.last.reason == "stop"
    assert heard.text == whole[: whole.index(stop)]
    assert heard.last.stats.completion_tokens < 40


def test_the_models_own_sampling_habits_do_not_leak_in(tmp_path, checkpoint):
    folder = checkpoints.copy(checkpoint("llama"), tmp_path / "habits")
    (folder / "generation_config.json").write_text(
        '{"do_sample": true, "temperature": 3.0, "top_k": 3, "repetition_penalty": 5.0,'
        ' "no_repeat_ngram_size": 1, "max_new_tokens": 2, "num_beams": 3, "eos_token_id": [2, 0]}'
    )
    habits = InProcess(load_folder(folder))
    without = InProcess(load_folder(checkpoint("llama")))
    assert habits.loaded.eos == {0, 2}
    for sampling in ({}, {"temperature": 0.8, "seed": 5}):
        one = habits.run("Hello", max_new_tokens=20, **sampling)
        two = without.run("Hello", max_new_tokens=20, **sampling)
        assert one.text == two.text


def test_greedy_with_repetition_penalty_equals_generate(house, library, chosen):
    model = house()
    heard = model.run("Hello", max_new_tokens=30, repetition_penalty=1.3)
    assert chosen[heard.job.number] == reference(
        library(), rendered(model.loaded, "Hello"), 30, repetition_penalty=1.3
    )


def test_a_prompt_longer_than_the_window_is_refused_with_both_numbers(house):
    (failed,) = house().run("word " * 2000).events
    assert isinstance(failed, Failed)
    assert failed.code == "prompt_too_long"
    assert "512" in failed.sentence
    assert "," in failed.sentence  # the thousands of the other
    assert failed.fix


def test_the_oldest_turns_of_a_long_conversation_are_left_out_and_it_is_said(house):
    model = house()
    turns = [f"turn {number} of a long conversation" for number in range(41)]
    started, *_, last = model.run(*turns, max_new_tokens=20).events
    assert started.prompt_tokens <= 512 - 20
    assert started.prompt_tokens > 300
    assert "were left out" in started.notes[0]
    assert isinstance(last, Finished)


def test_the_answer_stays_inside_the_window(house):
    model = house()
    prompt = "a " * 380
    size = len(rendered(model.loaded, prompt))
    assert 300 < size < 512
    last = model.run(prompt, max_new_tokens=4000).last
    assert last.reason in ("length", "stop")
    assert last.stats.completion_tokens <= 512 - size


def test_the_catalogues_context_narrows_the_window(checkpoint):
    spec = ModelSpec(id="t", name="Tiny", path=checkpoint(), context_max=30)
    model = InProcess(load(spec, lambda event: None))
    assert model.loaded.ready.context == 30
    assert model.run("Hello there, you", max_new_tokens=50).last.stats.completion_tokens <= 30


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "oom_generate"),
        (KeyError("secret detail"), "internal"),
    ],
)
def test_a_failing_step_fails_whose_fault_it_is(house, monkeypatch, error, code):
    """A pass with one conversation in it fails; its neighbours get every token all the same."""
    model = house()
    alone = model.run("Hello", max_new_tokens=20).text
    forward = model.runner.forward

    def boom(pieces):
        if any(len(p.sequence.tokens) + len(p.tokens) > 150 for p in pieces):
            raise error
        return forward(pieces)

    monkeypatch.setattr(model.runner, "forward", boom)
    good = model.ask("Hello", max_new_tokens=20)
    bad = model.ask("a long one " * 25, max_new_tokens=20)
    model.finish(good, bad)
    assert (bad.last.code, type(bad.last)) == (code, Failed)
    assert "secret" not in bad.last.sentence
    assert good.text == alone
    assert isinstance(good.last, Finished)


def test_memory_that_runs_out_is_first_taken_from_what_is_only_remembered(house, monkeypatch):
    model = house()
    model.run("Hello", max_new_tokens=5)
    forward = model.runner.forward

    def boom(pieces):
        if len(model.scheduler.store):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return forward(pieces)

    monkeypatch.setattr(model.runner, "forward", boom)
    assert isinstance(model.run("another", max_new_tokens=5).last, Finished)


def test_numbers_that_are_none_fail_one_answer_only(house, monkeypatch):
    model = house()
    alone = model.run("Hello", max_new_tokens=20).text
    bad = model.ask("a long one " * 25, max_new_tokens=20)
    forward = model.runner.forward

    def poisoned(pieces):
        out = forward(pieces)
        return [
            torch.full_like(logits, float("nan")) if len(piece.sequence.tokens) > 150 else logits
            for piece, logits in zip(pieces, out, strict=True)
        ]

    monkeypatch.setattr(model.runner, "forward", poisoned)
    good = model.ask("Hello", max_new_tokens=20)
    model.finish(good, bad)
    assert bad.last.code == "bad_logits"
    assert good.text == alone


def test_a_token_outside_the_vocabulary_is_refused(house, monkeypatch):
    model = house()
    real = model.loaded.tokenizer.apply_chat_template

    def wrong(*args, **options):
        out = real(*args, **options)
        return {"input_ids": [*out["input_ids"], 384]}

    monkeypatch.setattr(model.loaded.tokenizer, "apply_chat_template", wrong)
    heard = model.run("Hello")
    assert heard.last.code == "outside_vocabulary"


def test_thinking_tags_that_are_special_tokens(house, monkeypatch):
    """The model is made to write a thinking block token by token."""
    model = house()
    encode = model.loaded.tokenizer.encode
    script = encode("<think>\nhm hm</think>\n\nHello<|im_start|> there<|im_end|>")
    monkeypatch.setattr(model.runner, "forward", scripted(model, script))
    heard = model.run("Hi", max_new_tokens=60)
    assert heard.text == "Hello there"
    assert heard.thinking == "hm hm"
    assert heard.last.reason == "stop"
    assert heard.last.stats.completion_tokens == len(script)
    assert 0 < heard.last.stats.thinking_seconds < heard.last.stats.total_seconds


def test_characters_split_over_tokens(house, monkeypatch):
    model = house()
    text = "漢字 👩‍👩‍👧 🇯🇵 déjà vu — 終"
    script = [*model.loaded.tokenizer.encode(text), 2]
    assert len(script) > 1.5 * len(text)
    monkeypatch.setattr(model.runner, "forward", scripted(model, script))
    heard = model.run("Hi", max_new_tokens=len(script))
    assert heard.text == text
    assert not any("\ufffd" in e.text for e in heard.events if isinstance(e, Delta))


def scripted(model, script):
    """A way through the model that makes ``script`` the greedy text."""
    real = model.runner.forward
    steps = iter(script)

    def forward(pieces):
        return [one_hot(logits) if len(logits) else logits for logits in real(pieces)]

    def one_hot(logits):
        made = torch.full(logits.shape, -10.0)
        made[..., next(steps)] = 10.0
        return made

    return forward


def test_a_cancelled_prompt_ends_between_two_layers(house):
    model = house()
    heard = model.ask("a " * 200, max_new_tokens=300)
    layers = []

    def stop_at_first(module, inputs):
        layers.append(module)
        model.cancel(heard)

    hooks = [m.register_forward_pre_hook(stop_at_first) for m in decoder_layers(model.loaded.model)]
    try:
        model.finish(heard)
    finally:
        for hook in hooks:
            hook.remove()
    assert heard.last.reason == "cancelled"
    assert heard.last.stats.completion_tokens == 0
    assert len(layers) == 1  # the second was not even begun


def test_a_cancel_does_not_cost_others_their_step(house):
    model = house()
    alone = model.run("Hello", max_new_tokens=30).text
    one = model.ask("Hello", max_new_tokens=30)
    other = model.ask("Tell me", max_new_tokens=30)
    for _ in range(5):
        model.step()
    model.cancel(other)
    model.finish(one)
    assert other.last.reason == "cancelled"
    assert other.last.stats.completion_tokens == 5
    assert one.text == alone


def test_one_that_waits_is_cancelled_at_once(house):
    model = house()
    heard = model.ask("Hello")
    model.cancel(heard)
    assert heard.last.reason == "cancelled"


def test_layers_are_found_in_every_family(house):
    for family in checkpoints.FAMILIES:
        assert len(decoder_layers(house(family).loaded.model)) == 2


@pytest.mark.parametrize("family", ["llama", "falcon-7b"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_same_seed_gives_the_same_text_in_company(checkpoint, family, dtype):
    """Bit for bit, also where company would change the last bits; and whatever was reused."""
    model = InProcess(load_folder(checkpoint(family), dtype=dtype))
    sampling = {"temperature": 0.9, "top_p": 0.95, "top_k": 60, "max_new_tokens": 40}
    prompts = ["Tell me", "a long one " * 25]
    alone = {}
    for seed in range(3):
        for prompt in prompts:
            model.scheduler.store.clear()
            alone[seed, prompt] = model.run(prompt, seed=seed, **sampling).text
    assert len(set(alone.values())) == 6
    for clear in (True, False):
        if clear:
            model.scheduler.store.clear()
        together = {}
        for seed, prompt in alone:
            together[seed, prompt] = model.ask(prompt, seed=seed, **sampling)
            model.ask(prompt, max_new_tokens=20)  # somebody without a seed
            model.step()
        model.finish()
        assert {key: heard.text for key, heard in together.items()} == alone


@pytest.mark.parametrize("seed", [-1, 0, 2**70])
def test_any_number_is_a_seed(house, seed):
    last = house().run("Hello", temperature=1.0, max_new_tokens=3, seed=seed).last
    assert isinstance(last, Finished)
    assert last.seed == seed


def test_a_seed_is_drawn_and_reported(house):
    first = house().run("Hello", temperature=1.0, max_new_tokens=20)
    again = house().run("Hello", temperature=1.0, max_new_tokens=20, seed=first.last.seed)
    assert first.text == again.text
    assert first.last.seed is not None


def test_a_form_is_asked_of_the_answer_and_not_of_the_thinking(house):
    """A template that opens the thinking itself: thoughts are free, the answer is JSON."""
    model = house()
    real = model.loaded.tokenizer.chat_template
    model.loaded.tokenizer.chat_template = real.replace("assistant\n{%", "assistant\n<think>{%")
    forward = model.runner.forward
    close = model.loaded.tokenizer.convert_tokens_to_ids("</think>")
    steps = iter(range(1000))

    def closing(pieces):
        out = forward(pieces)
        if next(steps) == 6:
            out = [torch.full_like(out[0], -10.0)]
            out[0][..., close] = 10.0
        return out

    model.runner.forward = closing
    try:
        heard = model.run("Hi", max_new_tokens=60, regex="[0-9]{3} apples")
    finally:
        model.loaded.tokenizer.chat_template = real
        model.runner.forward = forward
    assert heard.thinking
    assert re.fullmatch("[0-9]{3} apples", heard.text)
    assert heard.last.reason == "stop"
