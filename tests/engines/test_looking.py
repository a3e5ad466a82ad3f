"""Prompts that somebody only wants to see: exact, at once, and nothing is disturbed by it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from parley.catalog.spec import Sampling
from parley.engines.base import Message, Request
from parley.events import Failed, Finished, Rendered, Started
from tests import checkpoints
from tests.engines.inprocess import InProcess, loaded, rendered
from tests.engines.listening import Listener
from tests.engines.test_constraint import sentencepiece

HELLO = (Message("user", "Hello there, 終"),)


@pytest.fixture(scope="module")
def house(checkpoint):
    kept = {}

    def get(family="llama", **options):
        if family not in kept:
            kept[family] = loaded(checkpoint(family))
        return InProcess(kept[family], **options)

    return get


def looking(messages=HELLO, **asked):
    return Request(messages, Sampling(temperature=0.0), only_prompt=True, **asked)


def look(model, request=None):
    """In a single step, whatever else is going on."""
    heard = model.submit(request or looking())
    model.step()
    seen, last = heard.events
    assert isinstance(seen, Rendered)
    assert isinstance(last, Finished)
    assert last.reason == "stop"
    assert last.stats.completion_tokens == 0
    return seen


def test_the_prompt_is_the_one_that_would_be_answered(house):
    model = house()
    seen = look(model)
    assert list(seen.ids) == rendered(model.loaded, HELLO[0].content)
    assert (seen.cached, seen.window) == (0, checkpoints.WINDOW)
    assert seen.room == checkpoints.WINDOW - len(seen.ids)
    assert seen.notes == ()
    answer = model.ask(HELLO[0].content, max_new_tokens=checkpoints.WINDOW)
    model.finish(answer)
    assert answer.started.prompt_tokens == len(seen.ids)
    if answer.last.reason == "length":
        assert answer.last.stats.completion_tokens == seen.room


def test_each_token_is_shown_for_what_it_is(house):
    model = house()
    seen = look(model)
    assert seen.pieces[0] == "<|im_start|>"
    assert len(seen.pieces) == len(seen.ids)
    assert not any("\ufffd" in piece or not piece for piece in seen.pieces)
    text = "".join(seen.pieces)
    assert (
        text
        == "<|im_start|>user\nHello there, <0xE7><0xB5><0x82><|im_end|>\n<|im_start|>assistant\n"
    )


def test_what_the_cache_holds_is_told_and_stays(house):
    model = house()
    model.run(HELLO[0].content, max_new_tokens=10)
    store = model.scheduler.store
    before = [(id(s), list(s.tokens), s.room) for s in store._kept]
    for asked in (looking(), looking((Message("user", "Hello you"),)), looking(opening="x")):
        seen = look(model, asked)
        assert 0 < seen.cached < len(seen.ids)
    assert [(id(s), list(s.tokens), s.room) for s in store._kept] == before
    seen = look(model)
    again = model.ask(HELLO[0].content, max_new_tokens=1)
    model.finish(again)
    assert again.started.cached_tokens == seen.cached == len(seen.ids) - 1


def test_a_seed_reuses_only_what_was_computed_its_way(house):
    model = house()
    model.run(HELLO[0].content, max_new_tokens=10)
    seeded = replace(looking(), sampling=Sampling(temperature=1.0, seed=3))
    assert look(model, seeded).cached == 0


def test_nobody_has_to_be_waited_for(house):
    model = house(at_once=1)
    busy = model.ask("Hello", max_new_tokens=100)
    waits = model.ask("Hello you", max_new_tokens=5)
    model.step()
    seen = look(model)
    assert seen.room
    assert not busy.ended
    assert not waits.events
    text = model.run("Hello", max_new_tokens=100).text
    model.finish()
    assert busy.text == text


def test_nor_for_an_answer_of_the_librarys_own_loop(house):
    model = house("mamba")
    assert model.decoding == "generate"
    told = []
    say = model.scheduler._say

    def asking(job, event):
        say(job, event)
        told.append(type(event))
        if isinstance(event, Started):
            model.submit(looking())

    model.scheduler._say = asking
    model.finish(model.ask("Hello", max_new_tokens=30))
    assert told[:3] == [Started, Rendered, Finished]
    assert told[-1] is Finished
    assert len(told) > 3


def test_a_look_wakes_a_model_that_does_nothing(start, checkpoint):
    engine = start(checkpoint())
    for _ in range(2):
        listener = Listener()
        engine.generate(looking(opening="Yes", thinking=True), listener)
        seen, last = listener.until(Rendered), listener.end()
        assert "".join(seen.pieces).endswith("assistant\nYes")
        assert last.stats.prompt_tokens == len(seen.ids)


def test_a_look_that_was_called_off_ends(house):
    model = house()
    heard = model.submit(looking())
    model.cancel(heard)
    model.step()
    assert heard.last.reason == "cancelled"


def test_what_does_not_fit_is_refused_as_an_answer_would_be(house):
    model = house()
    for messages, code in (((Message("user", "word " * 900),), "prompt_too_long"), ((), "empty")):
        heard = model.submit(looking(messages))
        model.step()
        (failed,) = heard.events
        assert isinstance(failed, Failed)
        assert failed.code.startswith(code)


def test_turns_that_are_left_out_are_noted(house):
    said = tuple(
        Message(("user", "assistant")[i % 2], f"turn {i} of a long conversation") for i in range(41)
    )
    seen = look(house(), looking(said))
    assert "were left out" in seen.notes[0]
    assert seen.room >= checkpoints.WINDOW // 4


def test_a_window_that_nobody_knows(house):
    model = house()
    unknown = InProcess(replace(model.loaded, window=None), runner=model.runner)
    seen = look(unknown)
    assert (seen.window, seen.room) == (None, None)


def test_a_sentencepiece_prompt_keeps_its_spaces(tmp_path):
    made = sentencepiece()
    made.chat_template = "{{ bos_token }}{% for m in messages %}{{ m['content'] }}{% endfor %}"
    model = InProcess(loaded(checkpoints.build(tmp_path, "llama", made=made)))
    seen = look(model, looking((Message("user", "a hello a\n終"),)))
    assert seen.pieces[0] == "<s>"
    assert "".join(seen.pieces[1:]).removeprefix(" ") == "a hello a\n<0xE7><0xB5><0x82>"


def test_a_long_prompt_is_shown_in_no_time(tmp_path):
    """Some milliseconds; the limit is far above, since machines are shared."""
    model = InProcess(loaded(checkpoints.endless(tmp_path, max_position_embeddings=16384)))
    text = " ".join(f"{i} word fox Hello there" for i in range(36))
    said = tuple(Message(("user", "assistant")[i % 2], text) for i in range(15))
    began = time.perf_counter()
    seen = look(model, looking(said))
    assert len(seen.ids) > 7000
    assert time.perf_counter() - began < 2
