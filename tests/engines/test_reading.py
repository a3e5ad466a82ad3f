"""Answers that are read and not written, given as exactly the tokens that they were written in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from parley.catalog.spec import Sampling
from parley.engines.base import Request
from parley.engines.kv import Sequence
from tests import checkpoints
from tests.engines.continuing import HELLO, answered, going_on, house, shown
from tests.engines.inprocess import InProcess, loaded

__all__ = ["house"]  # a fixture


def test_a_scored_answer_goes_on_from_an_opening(house):
    """The scores of a part of an answer are those that it has in the whole of it."""
    model = house()
    ids = answered(model, 30).last.token_ids

    def read(**asked):
        heard = model.submit(Request(HELLO, Sampling(), 3, **asked))
        model.finish(heard)
        return heard

    whole, part = read(scored=ids), read(scored=ids[12:], opening=ids[:12])
    assert [s.token for s in part.scores] == list(ids[12:])
    expected = [s.logprob for s in whole.scores[12:]]
    assert [s.logprob for s in part.scores] == pytest.approx(expected, abs=1e-3)
    assert part.last.token_ids == ids
    assert part.text == whole.text[-len(part.text) :]


def test_a_reading_that_was_set_back_does_not_skip_what_is_remembered(house):
    """The very answer that is scored is usually in the cache, from when it was written."""
    model = house()
    ids = answered(model, 60).last.token_ids
    model.scheduler._pace.tokens = lambda *, company: 16
    model.ask("beside it", max_new_tokens=20)
    model.step()
    heard = model.submit(Request(HELLO, Sampling(), 0, ids))
    model.step()
    model.step()
    row = next(r for r in model.scheduler.rows if r.job is heard.job)
    assert 0 < len(heard.scores) < len(ids)
    model.scheduler.rows.remove(row)
    row.sequence = Sequence()
    model.scheduler._set_back.append(row)
    assert any(len(kept.tokens) > len(ids) for kept in model.scheduler.store._kept)
    model.finish()
    assert [s.token for s in heard.scores] == list(ids)


def test_memory_that_is_short_sets_openings_and_readings_back_and_loses_nothing(tmp_path):
    """Each is told once, whatever had to be computed again, and whatever else is remembered."""
    folder = checkpoints.endless(tmp_path)
    plenty = InProcess(loaded(folder))
    ids = [answered(plenty, 200, logit_bias=((300 + n, 3.0),)).last.token_ids for n in range(4)]
    whole = going_on(plenty, ids[0][:60], 140, logit_bias=((300, 3.0),))
    assert whole.last.token_ids == ids[0]
    need = max(s.bytes for s in plenty.scheduler.store._kept)
    short = InProcess(plenty.loaded, runner=plenty.runner, budget=need + need // 2)
    set_back = []
    keep = short.scheduler._keep_within_budget

    def counting():
        keep()
        set_back.append(len(short.scheduler._set_back))

    short.scheduler._keep_within_budget = counting
    answered(short, 200, logit_bias=((301, 3.0),))
    asked = [
        Request(HELLO, Sampling(temperature=0.0, max_new_tokens=140), opening=ids[n][:60])
        for n in range(2)
    ]
    asked = [
        replace(a, sampling=replace(a.sampling, logit_bias=((300 + n, 3.0),)))
        for n, a in enumerate(asked)
    ]
    reads = [Request(HELLO, Sampling(), 0, scored=ids[n]) for n in range(4)]
    slow = short.scheduler._pace
    slow.tokens = lambda *, company: 16
    heard = [short.submit(one) for one in (asked[0], reads[1], asked[1], *reads)]
    short.finish(*heard)
    assert max(set_back) > 0
    for one in heard:
        request = one.job.request
        if request.scored is None:
            assert one.last.token_ids == ids[asked.index(request)]
            assert one.last.stats.completion_tokens == 140
        else:
            assert [s.token for s in one.scores] == list(request.scored)
            assert one.last.token_ids == request.scored


@pytest.mark.parametrize("way", ["llama", "mamba"])
def test_exactly_these_tokens_are_scored(house, way):
    """Also those that no text is cut into, that end answers, or are no text at all."""
    model = house(way)
    ends = InProcess(replace(model.loaded, eos=frozenset({2})), runner=model.runner)
    tokenizer = model.loaded.tokenizer
    t, h, think = tokenizer.convert_tokens_to_ids(["t", "h", "<think>"])
    half = tokenizer.encode("終")[0]
    ids = (t, h, 2, half, think, t, 2)
    heard = ends.submit(Request(HELLO, Sampling(stop=("t",)), 2, ids))
    ends.finish(heard)
    assert tuple(s.token for s in heard.scores) == ids
    assert [s.text for s in heard.scores] == [
        "t",
        "h",
        "<|im_end|>",
        "<0xE7>",
        "<think>",
        "t",
        "<|im_end|>",
    ]
    assert all(a.text and "\ufffd" not in a.text for s in heard.scores for a in s.alternatives)
    assert heard.last.token_ids == ids
    assert shown(heard) == ("tht", "")


def test_tokens_that_stand_alone_have_one_beginning(tmp_path):
    made = checkpoints.tokenizer(bos="<s>")
    model = InProcess(loaded(checkpoints.build(tmp_path, "llama", made=made)))
    bos = made.bos_token_id
    for ids in ((300, 301), (bos, 300, 301)):
        heard = model.submit(Request((), Sampling(), 0, ids))
        model.finish(heard)
        assert [s.token for s in heard.scores] == [300, 301]


def test_a_single_token_after_nothing_cannot_be_judged(house):
    heard = house().submit(Request((), Sampling(), 0, (300,)))
    house().finish(heard, most=3)
    assert heard.last.code == "empty_text"
