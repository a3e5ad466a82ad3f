"""Sequences and the store of what is remembered: exact bytes, exact prefixes."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.engines.kv import BLOCK, PrefixStore, Sequence, common_prefix

LAYERS, HEADS, WIDTH = 2, 3, 4
TOKEN_BYTES = 2 * LAYERS * HEADS * WIDTH * 4


def extend(sequence, tokens):
    """As a pass would: every token's keys are its own number."""
    at = len(sequence.tokens)
    for layer in range(LAYERS):
        keys = torch.tensor(tokens, dtype=torch.float32)[None, None, :, None]
        keys = keys.expand(1, HEADS, len(tokens), WIDTH) + layer / 10
        out = sequence.write(layer, at, keys, -keys)
        assert out[0].shape == out[1].shape == (1, HEADS, at + len(tokens), WIDTH)
    sequence.tokens += tokens


def made(tokens):
    sequence = Sequence()
    extend(sequence, list(tokens))
    return sequence


def check(sequence):
    """What it holds is what its tokens say, in every layer."""
    empty = torch.empty(1, HEADS, 0, WIDTH)
    for layer in range(LAYERS):
        keys, values = sequence.write(layer, len(sequence.tokens), empty, empty)
        expected = torch.tensor(sequence.tokens, dtype=torch.float32) + layer / 10
        assert torch.equal(keys[0, 1, :, 2], expected)
        assert torch.equal(values[0, 0, :, 3], -expected)


def test_bytes_are_those_of_the_buffers():
    sequence = made(range(5))
    assert sequence.bytes == BLOCK * TOKEN_BYTES
    extend(sequence, list(range(BLOCK)))
    assert sequence.bytes == sequence.room * TOKEN_BYTES
    assert sequence.room % BLOCK == 0
    sequence.crop(3)
    assert sequence.bytes == sequence.room * TOKEN_BYTES  # the buffers stay
    sequence.trim()
    assert sequence.bytes == BLOCK * TOKEN_BYTES
    check(sequence)


def test_an_interrupted_step_is_written_over():
    sequence = made([1, 2, 3])
    junk = torch.full((1, HEADS, 4, WIDTH), 9.0)
    sequence.write(0, 3, junk, junk)
    extend(sequence, [4, 5])
    check(sequence)


def test_a_copy_is_its_own():
    one = made([1, 2, 3, 4])
    other = one.copy(2)
    extend(other, [7])
    assert (one.tokens, other.tokens) == ([1, 2, 3, 4], [1, 2, 7])
    check(one)
    check(other)


@given(st.lists(st.integers(0, 2)), st.lists(st.integers(0, 2)))
def test_common_prefix(a, b):
    expected = 0
    while expected < min(len(a), len(b)) and a[expected] == b[expected]:
        expected += 1
    assert common_prefix(a, b) == expected


def test_the_longest_prefix_is_taken_less_one_token_to_compute():
    store = PrefixStore(10**9)
    store.keep(made([1, 2, 3]))
    store.keep(made([1, 2, 5, 6, 7]))
    found = store.take([1, 2, 5, 6, 7])
    assert (found.tokens, found.sequence.tokens) == (4, [1, 2, 5, 6])
    assert len(store) == 1
    assert store.take([9]).tokens == 0


def test_what_is_the_beginning_of_another_is_not_kept_twice():
    store = PrefixStore(10**9)
    store.keep(made([1, 2]))
    store.keep(made([1, 2, 3]))
    assert len(store) == 1


def test_a_branch_worth_coming_back_to_is_copied_and_stays():
    store = PrefixStore(10**9)
    long = list(range(2000))
    store.keep(made(long))
    edited = [*long[:700], 5000, 5001]
    full = PrefixStore(2500 * TOKEN_BYTES)
    full.keep(made(long))
    assert full.take(edited).tokens == 700  # without room for both, the old end goes
    assert len(full) == 0
    found = store.take(edited)
    assert found.tokens == 700
    assert len(store) == 1
    check(found.sequence)
    assert store.take([*long, 1]).tokens == 2000


def test_a_running_one_is_only_copied():
    store = PrefixStore(10**9)
    running = made(range(300))
    found = store.take([*range(200), 7], [running])
    assert found.tokens == 200
    assert len(running.tokens) == 300
    check(running)


def test_only_whole_slices_computed_alone_count_where_bits_must_not_change():
    for common, counted in ((390, 256), (200, 128), (100, 0)):
        store = PrefixStore(10**9)
        sequence = made(range(400))
        sequence.exact = 256
        store.keep(sequence)
        assert store.take([*range(common), 7], slices=128).tokens == counted


def test_the_longest_unused_goes_first_and_the_last_used_stays():
    store = PrefixStore(2 * BLOCK * TOKEN_BYTES)
    for start in (100, 200, 300):
        store.keep(made(range(start, start + 5)))
    assert len(store) == 2
    assert store.take([100, 101, 102]).tokens == 0
    store.keep(made(range(5000)))  # larger than all the budget: the one used last
    assert len(store) == 1
    store.make_room(0)
    assert len(store) == 0


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 3), min_size=1, max_size=400),
            st.booleans(),
            st.integers(1, 30),
        ),
        max_size=12,
    ),
    st.integers(0, 4),
)
def test_any_history_keeps_its_books_and_its_contents(history, budget):
    store = PrefixStore(budget * BLOCK * TOKEN_BYTES)
    running = []
    for wanted, ends, more in history:
        found = store.take(wanted, running)
        assert found.tokens <= len(wanted) - 1
        assert found.sequence.tokens == wanted[: found.tokens]
        check(found.sequence)
        extend(found.sequence, [*wanted[found.tokens :], *range(10, 10 + more)])
        check(found.sequence)
        if ends:
            store.keep(found.sequence)
        else:
            running.append(found.sequence)
        kept = store._kept
        assert store.bytes == sum(s.room for s in kept) * TOKEN_BYTES
        assert store.bytes <= store.budget or len(kept) <= 1
        assert not any(one is other for one in kept for other in running)
        for sequence in (*kept, *running):
            check(sequence)
