"""Answers that begin with something: going on, branching, forms, and what is told of it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from parley.catalog.spec import Sampling
from parley.engines.base import Message, Request
from parley.events import Delta, Failed, Finished, Started
from tests import checkpoints
from tests.engines.continuing import HELLO, WAYS, answered, build, going_on, house, shown
from tests.engines.inprocess import InProcess, loaded, plain, reference, rendered
from tests.engines.listening import Listener

__all__ = ["house"]  # a fixture


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("cut", [1, 8, 15, 39])
def test_an_answer_that_was_cut_goes_on_as_if_it_had_not_been(house, way, cut):
    model = house(way)
    assert (model.decoding == "generate") == (way == "mamba")
    whole = answered(model, 40)
    assert len({*whole.last.token_ids}) > 5
    model.scheduler.store.clear()
    first = answered(model, cut)
    assert first.last.token_ids == whole.last.token_ids[:cut]
    assert first.last.reason == "length"
    rest = going_on(model, first.last.token_ids, 40 - cut)
    assert rest.last.token_ids == whole.last.token_ids
    assert len(whole.last.token_ids) == 40
    assert shown(first, rest) == shown(whole)
    assert "\ufffd" not in rest.text
    stats = rest.last.stats
    assert stats.completion_tokens == 40 - cut
    assert sum(e.tokens for e in rest.events if isinstance(e, Delta)) == 40 - cut
    assert stats.prompt_tokens == rest.started.prompt_tokens == first.started.prompt_tokens + cut
    if way != "mamba":
        # All but the last token, which nothing has followed yet.
        assert stats.cached_tokens == stats.prompt_tokens - 1


@pytest.mark.parametrize("way", WAYS)
def test_an_opening_given_as_text_is_gone_on_with(house, way, monkeypatch):
    """Where the text has only one way to be cut into tokens, it is as good as the tokens."""
    model = house(way)
    tokenizer = model.loaded.tokenizer
    monkeypatch.setattr(tokenizer, "chat_template", checkpoints.CHATML)
    never_merged = "▁a|[b-dfgi-km-z0-9]" if way == "sentencepiece" else "Ġ[a-z]{1,9}"
    names = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    words = [token for token, name in enumerate(names) if re.fullmatch(never_merged, name)]
    liked = {"logit_bias": tuple((token, 100.0) for token in words)}
    whole = answered(model, 40, **liked)
    assert len(words) > 8
    assert len({*whole.last.token_ids}) > 2
    first = answered(model, 15, **liked)
    rest = going_on(model, first.text, 25, **liked)
    assert rest.last.token_ids == whole.last.token_ids
    assert shown(first, rest) == shown(whole)


@pytest.mark.parametrize("way", ["llama", "falcon-7b", "mamba"])
@pytest.mark.parametrize(
    "setting",
    [
        {"frequency_penalty": 1.5},
        {"presence_penalty": 1.5},
        {"repetition_penalty": 1.4},
        {"temperature": 0.9, "seed": 7, "top_k": 50},
    ],
    ids=lambda s: next(iter(s)),
)
def test_penalties_and_luck_know_the_opening(house, way, setting):
    """Had they not, the answer would go on in another way than without the cut."""
    model = house(way)
    whole = answered(model, 40, **setting)
    plainly = answered(model, 40)
    assert whole.last.token_ids != plainly.last.token_ids
    rest = going_on(model, whole.last.token_ids[:15], 25, **setting)
    assert rest.last.token_ids == whole.last.token_ids


def test_it_is_what_the_library_would_write(house, tmp_path):
    folder = build(tmp_path, "llama")
    model = InProcess(loaded(folder))
    prompt = rendered(model.loaded, "Hello there")
    opening = tuple(model.loaded.tokenizer.encode(" the fox"))
    heard = going_on(model, opening, 20)
    expected = reference(plain(folder), [*prompt, *opening], 20)
    assert heard.last.token_ids == (*opening, *[t for t in expected if t not in model.loaded.eos])


def test_a_branch_costs_what_is_new_and_leaves_the_other_way_in_the_cache(house):
    model = house()
    whole = answered(model, 60)
    ids = whole.last.token_ids
    branch = (*ids[:20], 300 if ids[20] != 300 else 301)
    heard = going_on(model, branch, 10)
    assert heard.started.cached_tokens == heard.started.prompt_tokens - 1
    assert heard.last.token_ids[:21] == branch
    again = going_on(model, ids, 1)
    assert again.started.cached_tokens == again.started.prompt_tokens - 1


def test_company_changes_nothing(house):
    model = house()
    whole = answered(model, 40)
    model.scheduler.store.clear()
    beside = [model.ask("a long one " * 20, max_new_tokens=30) for _ in range(2)]
    model.step()
    rest = going_on(model, whole.last.token_ids[:15])
    model.finish(*beside)
    assert rest.last.token_ids == whole.last.token_ids


@pytest.mark.parametrize("way", ["llama", "mamba"])
def test_an_opening_may_be_the_whole_answer(house, way):
    """Somebody goes another way from the middle of an answer, and it is its end."""
    model = house(way)
    ends = InProcess(replace(model.loaded, eos=frozenset({2})), runner=model.runner)
    before = answered(ends, 5)
    heard = going_on(ends, (*before.last.token_ids, 2))
    assert [type(e) for e in heard.events] == [Started, Finished]
    assert heard.last.reason == "stop"
    assert heard.last.token_ids == before.last.token_ids
    assert heard.last.stats.completion_tokens == 0
    if way == "llama":
        again = going_on(ends, before.last.token_ids, 1)
        assert again.started.cached_tokens == again.started.prompt_tokens - 1


@pytest.mark.parametrize("way", ["llama", "mamba"])
@pytest.mark.parametrize("opening", ["12", "123 app", "123 apples"])
def test_a_form_is_asked_of_the_whole_answer(house, way, opening):
    model = house(way)
    made = InProcess(replace(model.loaded, eos=frozenset({2})), runner=model.runner)
    for given in (opening, tuple(model.loaded.tokenizer.encode(opening))):
        heard = going_on(made, given, 40, regex="[0-9]{3} apples")
        assert re.fullmatch("[0-9]{3} apples", opening + heard.text)
        assert heard.last.reason == "stop"


def test_a_form_is_not_asked_of_thoughts_in_the_opening(house):
    model = house()
    made = InProcess(replace(model.loaded, eos=frozenset({2})), runner=model.runner)
    real = model.loaded.tokenizer.chat_template
    model.loaded.tokenizer.chat_template = real.replace("assistant\n{%", "assistant\n<think>{%")
    try:
        for opening, rest in (("hm</think>", "[0-9]{3} apples"), ("hm</think>12", "[0-9] apples")):
            heard = going_on(made, opening, 40, regex="[0-9]{3} apples")
            assert not heard.thinking
            assert re.fullmatch(rest, heard.text)
    finally:
        model.loaded.tokenizer.chat_template = real


def test_an_opening_that_breaks_the_form_is_refused_and_nothing_forgotten(house):
    model = house()
    made = InProcess(replace(model.loaded, eos=frozenset({2})), runner=model.runner)
    before = answered(made, 5)
    for form, named in (({"regex": "[0-9]+"}, "regex"), ({"json_schema": "{}"}, "JSON schema")):
        heard = going_on(made, "no, ", **form)
        (failed,) = heard.events
        assert failed.code == "opening_unfit"
        assert named in failed.sentence
        assert failed.fix
    again = going_on(made, before.last.token_ids, 1)
    assert again.started.cached_tokens == again.started.prompt_tokens - 1


def test_the_window_holds_the_opening_too(house):
    model = house()
    prompt = len(rendered(model.loaded, "Hello there"))
    opening = (300,) * (checkpoints.WINDOW - prompt - 7)
    heard = going_on(model, opening, 100)
    assert heard.last.stats.completion_tokens == 7
    assert heard.last.reason == "length"
    full = going_on(model, (300,) * (checkpoints.WINDOW - prompt), 100)
    assert isinstance(full.last, Failed)
    assert full.last.code == "prompt_too_long"


def test_old_turns_make_room_for_the_opening(house):
    model = house()
    said = tuple(
        Message(("user", "assistant")[i % 2], f"turn {i} of a long conversation") for i in range(21)
    )
    opening = (300,) * 150
    heard = going_on(model, opening, 50, said)
    assert "were left out" in heard.started.notes[0]
    assert heard.last.stats.completion_tokens == 50
    assert heard.started.prompt_tokens + 50 <= checkpoints.WINDOW


@pytest.mark.parametrize("field", ["opening", "scored"])
@pytest.mark.parametrize("token", [-1, 384, 2**31])
def test_ids_that_are_not_the_models_are_refused(house, field, token):
    model = house()
    heard = model.submit(Request(HELLO, Sampling(), **{field: (300, token)}))
    model.finish(heard)
    assert heard.last.code == "unknown_token"
    assert "384" in heard.last.sentence


def test_a_stop_before_the_first_new_token_says_nothing(house):
    model = house()
    heard = model.submit(Request(HELLO, Sampling(), opening="[TH"))
    model.scheduler._take_in()
    model.cancel(heard)
    model.finish(heard)
    assert heard.last.reason == "cancelled"
    assert heard.text == ""
    assert heard.last.token_ids == tuple(model.loaded.tokenizer.encode("[TH"))


def test_through_a_process_of_its_own(start, checkpoint):
    engine = start(checkpoint())

    def ask(**asked):
        listener = Listener()
        engine.generate(Request(HELLO, **asked), listener)
        return listener, listener.end()

    _, whole = ask(sampling=Sampling(temperature=0.0, max_new_tokens=20))
    _, cut = ask(sampling=Sampling(temperature=0.0, max_new_tokens=8))
    assert cut.token_ids == whole.token_ids[:8]
    rest, end = ask(sampling=Sampling(temperature=0.0, max_new_tokens=12), opening=cut.token_ids)
    assert end.token_ids == whole.token_ids
    assert rest.tokens == end.stats.completion_tokens
    assert end.stats.cached_tokens == end.stats.prompt_tokens - 1
