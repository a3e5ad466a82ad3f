"""What is told where an opening ends and the model goes on: characters, tags, stop strings."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.catalog.spec import Sampling
from parley.engines.base import Request
from parley.engines.fitting import Task
from parley.engines.job import Job
from parley.engines.writer import Writer
from parley.prompts.render import Prompt
from tests import checkpoints
from tests.engines.continuing import answered, going_on, house, shown
from tests.engines.inprocess import InProcess
from tests.engines.test_scheduler import scripted

__all__ = ["house"]  # a fixture


def script(model, monkeypatch, text, *more):
    """What the model writes next, whatever it is asked."""
    tokens = [*model.loaded.tokenizer.encode(text), *more]
    monkeypatch.setattr(model.runner, "forward", scripted(model, tokens))
    return len(tokens)


def test_a_character_that_was_cut_in_two_is_said_whole(house, monkeypatch):
    model = house()
    tokens = model.loaded.tokenizer.encode("終わり")
    monkeypatch.setattr(model.runner, "forward", scripted(model, tokens[2:]))
    heard = going_on(model, tuple(tokens[:2]), len(tokens) - 2)
    assert heard.text == "終わり"
    assert heard.last.token_ids == tuple(tokens)


def test_spaces_between_words_are_kept(house):
    model = house("sentencepiece")
    tokenizer = model.loaded.tokenizer
    a, blank, he = tokenizer.convert_tokens_to_ids(["▁a", "▁", "he"])
    for opening, following, said in (((a,), a, " a"), ((), a, " a"), ((a, blank), he, "he")):
        heard = going_on(model, opening, 1, logit_bias=((following, 100.0),))
        assert heard.last.token_ids == (*opening, following)
        assert heard.text == said


@pytest.mark.parametrize(
    ("opening", "written", "text", "thinking"),
    [
        ("<think>hm", " hm</think>\n\nYes", "Yes", " hm"),
        ("<think>hm</think>", "\n\nYes", "Yes", ""),
        ("<think>hm</think>\n\nYes", " and <think>no", " and no", ""),
        ("Yes", " and no", " and no", ""),
        ("  ", "\nYes", "\nYes", ""),
    ],
)
@pytest.mark.parametrize("as_text", [True, False])
def test_thinking_goes_on_where_it_was(
    house, monkeypatch, opening, written, text, thinking, as_text
):
    """The tags are special tokens; in a text that opens an answer they are meant as such."""
    model = house()
    ids = tuple(model.loaded.tokenizer.encode(opening))
    count = script(model, monkeypatch, written)
    heard = going_on(model, opening if as_text else ids, count)
    assert shown(heard) == (text, thinking)
    assert heard.last.token_ids == (*ids, *model.loaded.tokenizer.encode(written))
    assert (heard.last.stats.thinking_seconds > 0) == bool(thinking)


@pytest.mark.parametrize(
    ("opening", "written", "text", "thinking"),
    [
        ("[THINK]hm[/TH", "INK]Yes", "Yes", ""),
        ("[THINK]hm[/TH", "INGS", "", "INGS"),
        ("[TH", "INK]hm[/THINK]Yes", "Yes", "hm"),
        ("[TH", "ERE]", "ERE]", ""),
        ("[", "[THINK]", "[THINK]", ""),
    ],
)
def test_a_tag_may_begin_in_the_opening_and_what_was_shown_is_not_said_twice(
    house, monkeypatch, opening, written, text, thinking
):
    model = house()
    count = script(model, monkeypatch, written)
    heard = going_on(model, opening, count)
    assert shown(heard) == (text, thinking)


@pytest.mark.parametrize(
    ("opening", "written", "text", "reason"),
    [
        ("one ST", "OP two", "", "stop"),
        ("one ST", "ART", "ART", "length"),
        ("one S", "STOP two", "", "stop"),
        ("one", " two STOP", " two ", "stop"),
        ("one STOP", " two", "", "stop"),
        ("[STO", "P", "", "stop"),  # held back as the beginning of a tag too
    ],
)
def test_a_stop_string_may_begin_in_the_opening(house, monkeypatch, opening, written, text, reason):
    model = house()
    count = script(model, monkeypatch, written)
    stop = "STOP" if opening != "[STO" else "[STOP"
    heard = going_on(model, opening, count, stop=(stop, "S" + "STOP"))
    assert heard.text == text
    assert heard.last.reason == reason
    whole = model.loaded.tokenizer.decode(heard.last.token_ids)
    assert stop not in whole
    assert (opening + written).startswith(whole)


def test_tokens_of_a_stop_string_are_not_the_answers(house, monkeypatch):
    model = house()
    for written, kept in (("one STOP", "one "), ("STOP", ""), ("終 <b> STOP two", "終 <b> ")):
        with monkeypatch.context() as patch:
            count = script(model, patch, written)
            heard = answered(model, count, stop=("STOP",))
        assert heard.text == kept
        assert heard.last.token_ids == tuple(model.loaded.tokenizer.encode(kept))


def test_the_token_that_ends_an_answer_is_not_part_of_it(house, monkeypatch):
    model = house()
    ends = InProcess(replace(model.loaded, eos=frozenset({2})), runner=model.runner)
    script(model, monkeypatch, "Yes", 2)
    heard = answered(ends, 20)
    assert heard.last.reason == "stop"
    assert heard.last.token_ids == tuple(model.loaded.tokenizer.encode("Yes"))
    assert heard.last.stats.completion_tokens == len(heard.last.token_ids) + 1


BITS = ("<think>", "</think>", "[THINK]", "[/THINK]", "STOP", "S", "ST", "[", "/", "TH", "a", " ")
STOPS = ("STOP", "aSa")
TOKENIZER = checkpoints.tokenizer()
LOADED = SimpleNamespace(
    tokenizer=TOKENIZER,
    eos=frozenset(),
    bricks={TOKENIZER.convert_tokens_to_ids(tag): tag for tag in ("<think>", "</think>")},
)


def written(tokens, opening=(), **asked):
    """What a reader is told of these tokens behind that opening, and the last word."""
    told = []
    job = Job(1, Request((), Sampling(stop=STOPS), **asked), 0.0)
    writer = Writer(LOADED, job, Task(Prompt((), ""), 99, opening=tuple(opening)), told.append)
    for token in tokens:
        if writer.stopped:
            break
        writer.put(token)
    last = writer.close()
    assert sum(e.tokens for e in told) == last.stats.completion_tokens
    return "".join(e.text for e in told), "".join(e.thinking for e in told), last


@settings(deadline=None)
@given(st.lists(st.sampled_from((*BITS, "終", "\n")), max_size=9), st.integers(0, 40))
def test_wherever_an_answer_is_cut_the_parts_are_the_whole(bits, cut):
    text = "".join(bits)
    tokens = TOKENIZER.encode(text)
    told = written(tokens[cut:], tokens[:cut], tell_opening=True)
    assert told[:2] == written(tokens)[:2]
    first = written(tokens[:cut])
    second = written(tokens[cut:], first[2].token_ids)
    whole = written(tokens)
    said = [a + b for a, b in zip(first[:2], second[:2], strict=True)]
    if first[2].reason == "stop":
        assert first[:2] == whole[:2]
        return
    assert second[2].token_ids == whole[2].token_ids
    assert second[2].reason == whole[2].reason
    before, after = (TOKENIZER.decode(some) for some in (tokens[:cut], tokens[cut:]))
    if any(straddles(mark, before, after) for mark in (*STOPS, *BITS[:4])):
        return
    # White space before a thought is layout; in an answer that ended there it was the answer.
    assert [s.lstrip() for s in said] == [s.lstrip() for s in whole[:2]]


def straddles(mark, before, after):
    """A tag that stands where none counts is left out, also from the middle of a stop string."""
    for left, right in ((before, after), (without_tags(before), without_tags(after))):
        if mark in left[-len(mark) + 1 :] + right[: len(mark) - 1]:
            return True
    return False


def without_tags(text):
    return re.sub("</?think>", "", text)
