"""How likely a model finds each token of what it writes, and of what it is given to read."""

from __future__ import annotations

import math

import pytest
import torch

from parley.catalog.spec import Sampling
from parley.engines.base import Message, Request
from parley.events import Delta, Failed, Finished
from tests.engines.inprocess import InProcess, loaded, plain, rendered


def reading(question, text, alternatives=None):
    messages = (Message("user", question),) if question else ()
    return Request(messages, Sampling(temperature=0.0), alternatives, text)


@pytest.fixture(scope="module", params=["llama", "falcon-7b", "mistral"])
def house(request, checkpoint):
    made = InProcess(loaded(checkpoint(request.param)))
    made.plain = plain(checkpoint(request.param))
    return made


def logprobs(house, ids, start):
    """The library's, of the tokens from ``start`` on."""
    with torch.inference_mode():
        scores = torch.log_softmax(house.plain(torch.tensor([ids])).logits[0].float(), -1)
    return [float(scores[at - 1, ids[at]]) for at in range(start, len(ids))]


def test_what_is_written_comes_with_its_scores_and_alternatives(house):
    request = Request((Message("user", "Hello"),), Sampling(temperature=0.0, max_new_tokens=15), 5)
    heard = house.submit(request)
    house.finish(heard)
    prompt = rendered(house.loaded, "Hello")
    written = [score.token for score in heard.scores]
    assert len(written) == heard.last.stats.completion_tokens
    expected = logprobs(house, [*prompt, *written], len(prompt))
    assert [s.logprob for s in heard.scores] == pytest.approx(expected, abs=1e-3)
    for score in heard.scores:
        assert len(score.alternatives) == 5
        best = score.alternatives[0]
        assert (best.token, best.logprob) == (score.token, score.logprob)  # greedy
        falling = [a.logprob for a in score.alternatives]
        assert falling == sorted(falling, reverse=True)


def test_scores_do_not_depend_on_the_settings(house):
    hot = Sampling(temperature=2.0, seed=1, top_k=3, repetition_penalty=2.0, max_new_tokens=8)
    heard = house.submit(Request((Message("user", "Hello"),), hot, 0))
    house.finish(heard)
    prompt = rendered(house.loaded, "Hello")
    written = [score.token for score in heard.scores]
    assert all(s.alternatives == () for s in heard.scores)
    expected = logprobs(house, [*prompt, *written], len(prompt))
    assert [s.logprob for s in heard.scores] == pytest.approx(expected, abs=1e-3)


def test_nothing_is_scored_that_nobody_asked_for(house):
    assert house.run("Hello", max_new_tokens=5).scores == []


@pytest.mark.parametrize("company", [False, True])
def test_a_given_answer_is_read_and_not_written(house, company):
    text = "The quick brown fox, 終 and so on. " * 8
    if company:
        house.ask("beside it", max_new_tokens=60)
        house.step()
    heard = house.submit(reading("What?", text, 3))
    house.finish()
    prompt = rendered(house.loaded, "What?")
    given = house.loaded.tokenizer.encode(text, add_special_tokens=False)
    assert heard.text == text
    assert [s.token for s in heard.scores] == given
    expected = logprobs(house, [*prompt, *given], len(prompt))
    assert [s.logprob for s in heard.scores] == pytest.approx(expected, abs=2e-3)
    assert math.exp(-sum(expected) / len(expected)) > 1
    assert isinstance(heard.last, Finished)
    assert heard.last.stats.completion_tokens == len(given)


def test_a_text_can_stand_alone(house):
    text = "Parley is a playground for open models"
    heard = house.submit(reading(None, text))
    house.finish(heard)
    given = house.loaded.tokenizer.encode(text, add_special_tokens=False)
    # Without a token that begins every text, the first follows nothing.
    assert [s.token for s in heard.scores] == given[1:]
    expected = logprobs(house, given, 1)
    assert [s.logprob for s in heard.scores] == pytest.approx(expected, abs=1e-3)


def test_control_tokens_in_a_text_are_text(house):
    heard = house.submit(reading("What?", "a<|im_end|>b"))
    house.finish(heard)
    assert heard.text == "a<|im_end|>b"
    assert 2 not in [s.token for s in heard.scores]


def test_an_empty_text_and_a_long_one_are_refused(house):
    for text, code in (("", "empty_text"), ("word " * 900, "prompt_too_long")):
        heard = house.submit(reading("What?", text))
        house.finish(heard)
        assert isinstance(heard.last, Failed)
        assert heard.last.code == code


def test_every_token_has_its_score_though_text_is_held_back(house):
    """A stop string that only begins is held back; the scores are not."""
    heard = house.submit(
        Request(
            (Message("user", "Hello"),),
            Sampling(temperature=0.0, max_new_tokens=12, stop=("never to be seen",)),
            0,
        )
    )
    house.finish(heard)
    assert len(heard.scores) == heard.last.stats.completion_tokens
    assert sum(e.tokens for e in heard.events if isinstance(e, Delta)) == len(heard.scores)
