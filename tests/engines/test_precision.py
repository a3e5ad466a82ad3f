"""The number format of a model's weights, and that both sides who ask are told the same."""

from __future__ import annotations

import pytest
import torch

from parley.catalog.spec import ModelSpec
from parley.engines import precision
from parley.engines.hardware import choose_dtype
from parley.engines.precision import CPU_FLOAT32_LIMIT, SMALL, dtype_name
from parley.engines.stock import Stock
from parley.pool.estimate import estimate


@pytest.fixture
def processor(tmp_path, monkeypatch):
    """Makes Linux tell these flags of the processor, or nothing."""

    def change(flags):
        file = tmp_path / "cpuinfo"
        if flags is not None:
            file.write_text(f"processor\t: 0\nmodel name\t: Some\n{flags}\nbogomips\t: 1\n")
        monkeypatch.setattr(precision, "CPUINFO", file)
        precision.multiplies_bfloat16.cache_clear()

    yield change
    precision.multiplies_bfloat16.cache_clear()


@pytest.mark.parametrize(
    ("flags", "itself"),
    [
        ("flags\t\t: fpu avx512f avx512_bf16", True),
        ("flags\t\t: fpu amx_tile amx_bf16", True),
        ("flags\t\t: fpu avx512f avx512_bf16s", False),
        ("Features\t: fp asimd bf16", False),
        ("flags\t\t:", False),
        (None, False),
    ],
)
def test_what_linux_tells_of_the_processor(processor, flags, itself):
    processor(flags)
    assert precision.multiplies_bfloat16() is itself


@pytest.mark.parametrize(
    ("asked", "parameters", "plain", "modern"),
    [
        ("auto", SMALL, "float32", "float32"),
        ("auto", SMALL + 1, "float32", "bfloat16"),
        ("auto", CPU_FLOAT32_LIMIT, "float32", "bfloat16"),
        ("auto", CPU_FLOAT32_LIMIT + 1, "bfloat16", "bfloat16"),
        ("float16", CPU_FLOAT32_LIMIT, "float16", "float16"),
        ("float32", CPU_FLOAT32_LIMIT + 1, "float32", "float32"),
        ("bfloat16", SMALL, "bfloat16", "bfloat16"),
    ],
)
def test_both_sides_are_told_the_same(processor, asked, parameters, plain, modern):
    spec = ModelSpec(id="one", name="One", repo="made/one", dtype=asked)
    stock = Stock(parameters={"BF16": parameters})
    for flags, name in ((None, plain), ("flags : avx512_bf16", modern)):
        processor(flags)
        chosen = choose_dtype(spec, torch.device("cpu"), parameters)
        assert str(chosen) == f"torch.{name}"
        assert estimate(spec, stock, "cpu", 1).weights == parameters * chosen.itemsize


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_the_processor_does_not_decide_for_a_gpu(processor, kind):
    processor(None)
    assert dtype_name("auto", kind, SMALL) == "bfloat16"
