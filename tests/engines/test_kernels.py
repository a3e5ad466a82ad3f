"""Which kernels a step runs on: tried out on real weights, timed by the test where it matters."""

from __future__ import annotations

import pytest
import torch

from parley.engines import kernels
from parley.engines.kernels import Kernels, probe

needs_onednn = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN"
)


def enabled():
    return torch._C._get_mkldnn_enabled()


class Layers(torch.nn.Module):
    def __init__(self, dtype=torch.bfloat16, count=3, device="cpu"):
        super().__init__()
        layers = (torch.nn.Linear(16, 16, dtype=dtype, device=device) for _ in range(count))
        self.layers = torch.nn.ModuleList(layers)


@pytest.fixture
def speeds(monkeypatch):
    """How many times faster than oneDNN torch is made to look, by rows; what was asked is noted."""

    def pretend(**gains):
        asked = []

        def gain(weights, rows):
            asked.append(rows)
            return gains.get(f"rows{rows}", 0.5)

        monkeypatch.setattr(kernels, "_gain", gain)
        return asked

    return pretend


def test_without_a_choice_nothing_is_switched():
    for rows in (1, 2, 64):
        with Kernels().step(rows):
            assert enabled()


@needs_onednn
def test_few_rows_run_without_onednn_and_it_comes_back():
    chosen = Kernels(alone=2)
    for rows, on in ((1, False), (2, False), (3, True)):
        with chosen.step(rows):
            assert enabled() is on
        assert enabled()


@needs_onednn
def test_it_comes_back_after_an_error_and_stays_off_inside_another_step():
    chosen = Kernels(alone=1)
    with pytest.raises(ValueError, match="stopped"), chosen.step(1):
        raise ValueError("stopped")
    assert enabled()
    with chosen.step(1):
        with chosen.step(1):
            pass
        assert not enabled()


@needs_onednn
def test_trying_ends_with_the_first_count_that_gains_too_little(speeds):
    asked = speeds(rows1=1.8, rows2=1.2, rows3=1.05, rows4=9)
    assert probe(Layers()).alone == 2
    assert asked == [1, 2, 3]


@needs_onednn
def test_a_processor_on_which_onednn_is_always_faster(speeds):
    asked = speeds()
    assert probe(Layers()).alone == 0
    assert asked == [1]


@pytest.mark.parametrize("layers", [Layers(torch.float32), Layers(count=0), Layers(device="meta")])
def test_nothing_is_tried_where_there_is_no_choice(speeds, layers):
    asked = speeds(rows1=2)
    assert probe(layers).alone == 0
    assert asked == []


def test_one_row_is_steady_where_its_bits_do_not_depend_on_the_threads(monkeypatch):
    assert probe(Layers(torch.float32)).steady
    linear = torch.nn.functional.linear

    def split(row, weight):
        half = row.shape[-1] // 2
        if torch.get_num_threads() == 1:
            return linear(row, weight)
        return linear(row[..., :half], weight[:, :half]) + linear(row[..., half:], weight[:, half:])

    monkeypatch.setattr(torch.nn.functional, "linear", split)
    before = torch.get_num_threads()
    assert not probe(Layers(torch.float32)).steady or before == 1
    assert torch.get_num_threads() == before


def test_nothing_is_called_steady_that_was_not_tried():
    assert not probe(Layers(device="meta")).steady


def test_a_trial_reads_no_more_than_it_has_to(monkeypatch):
    monkeypatch.setattr(kernels, "READ", 16 * 16 * 2 + 1)
    assert len(list(kernels._sample(Layers(count=5)))) == 2


@needs_onednn
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_real_trial_leaves_the_switch_as_it_was(dtype):
    assert 0 <= probe(Layers(dtype)).alone <= max(kernels.ROWS)
    assert enabled()


@needs_onednn
def test_both_kernels_agree_but_for_rounding():
    torch.manual_seed(1)
    weight = torch.randn(64, 256).bfloat16()
    row = torch.randn(1, 1, 256).bfloat16()
    usual = torch.nn.functional.linear(row, weight)
    with Kernels(alone=1).step(1):
        other = torch.nn.functional.linear(row, weight)
    exact = torch.nn.functional.linear(row.double(), weight.double())
    for result in (usual, other):
        torch.testing.assert_close(result.double(), exact, rtol=0.01, atol=0.1)
