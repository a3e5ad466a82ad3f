"""The figures of cross-reading, by their definitions."""

from __future__ import annotations

import math

import pytest

from parley.arena.crossing import reading
from parley.events import TokenScore


def scores(*probabilities: float) -> list[TokenScore]:
    return [TokenScore(i, "x", math.log(p)) for i, p in enumerate(probabilities)]


def test_as_surprised_as_by_a_fair_die():
    found = reading(scores(*[1 / 6] * 10), "0123456789")
    assert found.perplexity == pytest.approx(6)
    assert found.bits_per_byte == pytest.approx(math.log2(6))
    assert found.tokens == 10


def test_bits_are_counted_by_bytes_whatever_the_tokens():
    coarse = reading(scores(1 / 16), "ая")  # four bytes
    fine = reading(scores(1 / 4, 1 / 4), "ая")
    assert coarse.bits_per_byte == pytest.approx(fine.bits_per_byte) == pytest.approx(1)
    assert coarse.perplexity == pytest.approx(16)
    assert fine.perplexity == pytest.approx(4)


def test_nothing_to_read_is_no_figure():
    found = reading([], "")
    assert found.perplexity is None
    assert found.bits_per_byte is None


def test_the_impossible_is_a_number():
    assert reading([TokenScore(0, "x", -1e9)], "x").perplexity < math.inf
