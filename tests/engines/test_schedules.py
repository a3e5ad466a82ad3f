"""Random histories of one scheduler with a real model: nobody gets anybody else's tokens.

``PARLEY_HYPOTHESIS_EXAMPLES`` sets how many histories each way is given.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parley.events import Delta, Failed, Finished
from tests import checkpoints
from tests.engines.inprocess import InProcess, loaded, spy_tokens

EXAMPLES = int(os.environ.get("PARLEY_HYPOTHESIS_EXAMPLES", "500"))
LONGEST = 14
POISON = "poison " * 9
TEXTS = ("Hello", "Hello there", "Hello there, you", "fox " * 30, "終 " * 40, "x", POISON)
SEEDS = (None, 3)
# A step that fails for one of those who share it, and a token that the model does not have.
BROKEN = {"logit_bias": ((999_999, 1.0),)}

acts = st.lists(
    st.one_of(
        st.tuples(
            st.just("ask"),
            st.integers(0, len(TEXTS) - 1),
            st.integers(1, LONGEST),
            st.sampled_from(SEEDS),
        ),
        st.tuples(st.just("broken"), st.integers(0, 2)),
        st.tuples(st.just("step"), st.integers(1, 6)),
        st.tuples(st.just("cancel"), st.integers(0, 8)),
        st.tuples(st.just("read"), st.integers(0, 4)),
    ),
    max_size=24,
)


class Poisoned:
    """Passes with the poisoned text in them fail, once it is long enough."""

    def __init__(self, runner, length):
        self._runner = runner
        self._length = length
        self.together, self.mixed = runner.together, runner.mixed

    def forward(self, pieces):
        for piece in pieces:
            ids = [*piece.sequence.tokens, *piece.tokens]
            if len(ids) >= len(self._length) and ids[: len(self._length)] == self._length:
                raise RuntimeError("poison")
        return self._runner.forward(pieces)


@pytest.fixture(scope="module", params=["llama", "falcon-7b"])
def model(request, tmp_path_factory):
    small = {"num_hidden_layers": 1, "hidden_size": 16, "num_attention_heads": 2}
    if request.param == "llama":
        small |= {"num_key_value_heads": 1, "intermediate_size": 16}
    folder = checkpoints.endless(tmp_path_factory.mktemp("small"), request.param, **small)
    made = InProcess(loaded(folder))
    made.expected = {}
    with pytest.MonkeyPatch.context() as patch:
        chosen = spy_tokens(patch)
        for text in TEXTS:
            for seed in SEEDS:
                heard = made.run(text, **sampling(seed, LONGEST))
                made.expected[text, seed] = chosen[heard.job.number]
                assert len(made.expected[text, seed]) == LONGEST
    return made


def sampling(seed, limit):
    chance = {} if seed is None else {"temperature": 1.0, "seed": seed}
    return {"max_new_tokens": limit, **chance}


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts, st.integers(0, 6), st.integers(1, 4), st.sampled_from((3, 16, 512)))
def test_any_history(model, acts, blocks, at_once, slice_):
    poison = model.loaded.tokenizer.apply_chat_template(
        [{"role": "user", "content": POISON}], add_generation_prompt=True
    )["input_ids"]
    token = 2 * 1 * 8 * 4  # keys and values, one head of eight numbers of four bytes
    house = InProcess(
        model.loaded,
        runner=Poisoned(model.runner, poison),
        at_once=at_once,
        budget=blocks * 128 * token,
    )
    scheduler = house.scheduler
    asked = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scheduler._pace, "tokens", lambda *, company: slice_)
        chosen = spy_tokens(patch)
        for act in acts:
            match act:
                case ("ask", text, limit, seed):
                    heard = house.ask(TEXTS[text], **sampling(seed, limit))
                    asked.append((heard, TEXTS[text], seed, limit))
                case ("broken", text):
                    asked.append((house.ask(TEXTS[text], **BROKEN), None, None, 0))
                case ("step", count):
                    for _ in range(count):
                        scheduler.step()
                        check_books(house)
                case ("cancel", index) if index < len(asked):
                    if not asked[index][0].ended:
                        house.cancel(asked[index][0])
                case ("read", text):
                    from tests.engines.test_scores import reading

                    asked.append((house.submit(reading("Hi", TEXTS[text])), None, None, -1))
        for _ in range(3000):
            if all(heard.ended for heard, *_ in asked):
                break
            scheduler.step()
            check_books(house)
    for heard, text, seed, limit in asked:
        assert heard.ended
        got = chosen.get(heard.job.number, [])
        if limit == -1:
            assert isinstance(heard.last, Finished)
            continue
        assert sum(e.tokens for e in heard.events if isinstance(e, Delta)) == len(got)
        if isinstance(heard.last, Failed):
            assert text is None or text == POISON
            assert not got
            continue
        assert text != POISON or heard.last.reason == "cancelled"
        assert heard.last.stats.completion_tokens == len(got)
        if text is not None:
            assert got == model.expected[text, seed][: len(got)]
            if heard.last.reason == "length":
                assert len(got) == limit
    assert not scheduler.rows
    assert not scheduler._set_back


def check_books(house):
    scheduler = house.scheduler
    store = scheduler.store
    running = [row.sequence for row in scheduler.rows]
    kept = store._kept
    assert len({id(s) for s in (*running, *kept)}) == len(running) + len(kept)
    assert len(running) <= scheduler._at_once
    for sequence in (*running, *kept):
        held = sequence.bytes / token if (token := scheduler._token_bytes) else 0
        # Buffers follow the room when they are next written to.
        assert len(sequence.tokens) <= held <= sequence.room
        assert held % 128 == 0
    assert store.bytes <= store.budget or len(kept) <= 1
