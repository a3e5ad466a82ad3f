"""What a step computes: everybody's next token, prompts in order, nobody's too much."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parley.engines.pace import FIRST, GAP, LEAST, MOST, Pace
from parley.engines.plan import ALONE_SLICE, Want, plan

wants = st.lists(
    st.builds(Want, pending=st.integers(0, 600), held=st.integers(0, 600), alone=st.booleans()),
    max_size=9,
)


def test_next_tokens_and_prompts_share_a_pass():
    some = [Want(1, 50), Want(300), Want(1, 9), Want(40)]
    assert plan(some, 320, together=True, mixed=True) == [((0, 1), (2, 1), (1, 300), (3, 20))]
    assert plan(some, 320, together=True, mixed=False) == [
        ((0, 1), (2, 1)),
        ((1, 300),),
        ((3, 20),),
    ]
    assert plan(some, 320, together=False, mixed=False) == [
        ((0, 1),),
        ((2, 1),),
        ((1, 300),),
        ((3, 20),),
    ]


def test_who_must_be_alone_is_computed_in_slices_that_do_not_depend_on_anything():
    some = [Want(1, 50), Want(300, 100, alone=True), Want(1, 7, alone=True)]
    assert plan(some, 16, together=True, mixed=True) == [((0, 1),), ((1, 28),), ((2, 1),)]


@given(wants, st.integers(1, 600), st.booleans(), st.booleans())
def test_every_plan(some, budget, together, mixed):
    passes = plan(some, budget, together=together or mixed, mixed=mixed)
    counts = {}
    for one in passes:
        assert one
        for index, count in one:
            assert index not in counts
            counts[index] = count
            assert 1 <= count <= some[index].pending
            if some[index].alone:
                assert len(one) == 1
                held = some[index].held
                assert (held + count) // ALONE_SLICE <= held // ALONE_SLICE + 1
        if not mixed and len(one) > 1:
            assert together
            assert all(count == 1 for _, count in one)
    prompts = [i for i, w in enumerate(some) if w.pending > 1 and not w.alone]
    for index, want in enumerate(some):
        if want.decoding or (want.alone and want.pending):
            assert index in counts
    if prompts:
        assert prompts[0] in counts
        taken = [i for i in prompts if i in counts]
        assert taken == prompts[: len(taken)]  # in order of arrival
        assert sum(counts[i] for i in taken) <= budget


def test_a_prompt_alone_may_have_the_largest_slice():
    assert Pace().tokens(company=False) == MOST
    assert Pace().tokens(company=True) == FIRST


def test_the_slice_in_company_follows_what_steps_take():
    pace = Pace()
    for _ in range(40):
        pace.learn(0, 0.05)
        pace.learn(64, 0.05 + 64 * 0.002)
    expected = (GAP - 0.05) / 0.002
    assert abs(pace.tokens(company=True) - expected) <= 2 * LEAST
    pace.learn(64, 0.05 + 64 * 0.02)  # a rise is believed at once
    assert pace.tokens(company=True) == LEAST


def test_a_machine_that_is_too_slow_still_gets_on():
    pace = Pace()
    pace.learn(16, 60.0)
    assert pace.tokens(company=True) == LEAST
