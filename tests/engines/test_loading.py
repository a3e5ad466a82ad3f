"""Loads that fail, for real, from folders that are broken in one way each."""

from __future__ import annotations

import errno
import json
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from parley.catalog.spec import ModelSpec
from parley.engines import failures, loading
from parley.engines.checkpoint import count_parameters, shards
from parley.engines.failures import is_out_of_memory, load_error
from parley.engines.loading import load
from parley.errors import LoadError
from tests import checkpoints


def spec(path, **more):
    return ModelSpec(id="tiny", name="Tiny", path=path, **more)


def failure(path, **more):
    """The error a person would hear of."""
    try:
        load(spec(path, **more), lambda event: None)
    except BaseException as error:
        said = load_error(spec(path, **more), error)
        assert said.sentence.endswith(".")
        assert said.fix.endswith(".")
        assert "Traceback" not in said.sentence
        assert "Tiny" in said.sentence
        return said
    raise AssertionError("it loaded")


@pytest.fixture
def damaged(checkpoint, tmp_path):
    """A copy of a good checkpoint, to be damaged."""
    return lambda *leave_out: checkpoints.copy(checkpoint("llama"), tmp_path / "copy", *leave_out)


def edit(folder, name="config.json", **changes):
    path = folder / name
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **changes}))


def test_no_such_folder(tmp_path):
    assert failure(tmp_path / "nowhere").code == "not_found"


def test_no_config(damaged):
    said = failure(damaged("config.json"))
    assert said.code == "not_found"
    assert "config.json" in said.sentence


def test_only_pickled_weights_are_refused(damaged):
    folder = damaged("*.safetensors")
    torch.save({"x": torch.zeros(1)}, folder / "pytorch_model.bin")
    said = failure(folder)
    assert said.code == "no_safetensors"
    assert "run code" in said.sentence
    assert "save_pretrained" in said.fix


def test_only_pickled_weights_on_the_hub_come_with_the_way_to_convert_them():
    said = failures.no_safetensors(ModelSpec(id="t", name="T", repo="somebody/t"))
    assert "Convert" in said.fix


def test_no_weights_at_all(damaged):
    assert failure(damaged("*.safetensors")).code == "not_found"


def test_truncated_weights(damaged):
    folder = damaged()
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-5000])
    assert failure(folder).code == "corrupt_weights"


def test_weights_that_are_something_else(damaged):
    folder = damaged()
    (folder / "model.safetensors").write_text("<html>Please log in</html>")
    assert failure(folder).code == "corrupt_weights"


def test_a_missing_shard(damaged):
    folder = damaged("*.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    said = failure(folder)
    assert said.code == "corrupt_weights"
    assert "model-00001-of-00002" in said.sentence


def test_missing_tensors_are_not_replaced_by_random_numbers(damaged):
    folder = damaged()
    edit(folder, num_hidden_layers=3)
    assert failure(folder).code == "corrupt_weights"


def test_tensors_of_another_shape(damaged):
    folder = damaged()
    edit(folder, intermediate_size=128)
    assert failure(folder).code == "corrupt_weights"


def test_a_config_that_is_not_json(damaged):
    folder = damaged()
    (folder / "config.json").write_text('{"model_type": "llama",')
    assert failure(folder).code == "corrupt_weights"


def test_an_unknown_architecture(damaged):
    folder = damaged()
    edit(folder, model_type="llama-from-the-future", architectures=["FutureForCausalLM"])
    said = failure(folder)
    assert said.code == "unsupported_arch"
    assert "llama-from-the-future" in said.sentence


def test_an_architecture_that_does_not_chat(damaged):
    folder = damaged()
    edit(folder, model_type="vit")
    said = failure(folder)
    assert said.code == "unsupported_arch"
    assert "vit" in said.sentence


def test_a_model_that_brings_its_own_code(damaged):
    folder = damaged()
    edit(
        folder,
        model_type="custom",
        auto_map={"AutoConfig": "code.Config", "AutoModelForCausalLM": "code.Model"},
    )
    (folder / "code.py").write_text("raise SystemExit('must never run')")
    assert failure(folder).code == "needs_remote_code"


def test_code_of_a_known_architecture_is_not_run(damaged):
    folder = damaged()
    edit(folder, auto_map={"AutoModelForCausalLM": "code.Model"})
    (folder / "code.py").write_text("raise SystemExit('must never run')")
    assert load(spec(folder), lambda event: None).ready.context == checkpoints.WINDOW


def test_no_tokenizer(damaged):
    folder = damaged("tokenizer*", "special_tokens*")
    said = failure(folder)
    assert said.code == "not_found"
    assert "tokenizer" in said.sentence
    (folder / "tokenizer.json").write_text("{}")
    assert failure(folder).code == "corrupt_weights"


def test_a_tokenizer_that_needs_a_package(damaged):
    folder = damaged("tokenizer*", "special_tokens*")
    (folder / "tokenizer.model").write_bytes(b"\x0a\x0b")
    assert failure(folder).code in ("missing_dependency", "corrupt_weights")


def test_a_quantisation_that_is_not_installed(damaged):
    folder = damaged()
    edit(folder, quantization_config={"quant_method": "gptq", "bits": 4, "group_size": 128})
    said = failure(folder)
    assert said.code == "missing_dependency"


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (MemoryError(), "oom_load"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried"), "oom_load"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "oom_load"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (
            ModuleNotFoundError("No module named 'sentencepiece'", name="sentencepiece"),
            "missing_dependency",
        ),
        (KeyError("what"), "internal"),
    ],
)
def test_what_cannot_be_caused_here(checkpoint, monkeypatch, raised, code):
    def boom(*args, **options):
        raise raised

    monkeypatch.setattr(loading.AutoModelForCausalLM, "from_pretrained", boom)
    assert failure(checkpoint()).code == code


def test_errors_are_said_once():
    said = LoadError("offline", "a.", "b.")
    assert load_error(spec(None), said) is said


def test_out_of_memory_is_told_from_other_errors():
    assert not is_out_of_memory(RuntimeError("shape mismatch"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_parameters_are_counted_from_the_headers(checkpoint):
    loaded = load(spec(checkpoint()), lambda event: None)
    files = list(checkpoint().glob("*.safetensors"))
    assert count_parameters(files) == sum(p.numel() for p in loaded.model.parameters())


def logits(model):
    with torch.inference_mode():
        return model(input_ids=torch.arange(40)[None] + 7).logits


@pytest.mark.parametrize("family", [*checkpoints.FAMILIES, "mamba", "mpt"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_it_computes_what_the_library_computes(checkpoint, family, dtype):
    ours = load(spec(checkpoint(family), dtype=dtype), lambda event: None).model
    plain = AutoModelForCausalLM.from_pretrained(checkpoint(family), dtype=getattr(torch, dtype))
    assert torch.equal(logits(ours), logits(plain))


@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("tied", [False, True])
def test_tied_and_sharded_weights_of_any_dtype(tmp_path, stored, dtype, tied):
    made = AutoModelForCausalLM.from_config(checkpoints.config("llama", tie_word_embeddings=tied))
    frequencies = made.model.rotary_emb.inv_freq.clone()
    made.to(stored).save_pretrained(tmp_path, max_shard_size="100KB")
    checkpoints.tokenizer().save_pretrained(tmp_path)
    ours = load(spec(tmp_path, dtype=dtype), lambda event: None).model
    assert (ours.lm_head.weight is ours.model.embed_tokens.weight) is tied
    assert ours.dtype == getattr(torch, dtype)
    for name, weight in made.named_parameters():
        assert torch.equal(ours.get_parameter(name), weight.to(ours.dtype))
    # What no file holds is computed, and not in the weights' dtype.
    assert torch.equal(ours.model.rotary_emb.inv_freq, frequencies)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=ours.dtype)
    assert torch.equal(logits(ours), logits(plain))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_weights_that_are_kept_as_they_are_stay_in_their_file(checkpoint):
    ours = load(spec(checkpoint(), dtype="float32"), lambda event: None).model
    mapped = [line.split("-") for line in Path("/proc/self/maps").read_text().splitlines()
              if str(checkpoint()) in line]  # fmt: skip
    places = [(int(low, 16), int(high.split()[0], 16)) for low, high, *_ in mapped]
    for weight in ours.parameters():
        assert any(low <= weight.data_ptr() < high for low, high in places)


def test_sharded_checkpoints_load(checkpoint, tmp_path):
    loaded = load(spec(checkpoint()), lambda event: None)
    loaded.model.save_pretrained(tmp_path, max_shard_size="150KB")
    checkpoints.tokenizer().save_pretrained(tmp_path)
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    again = load(spec(tmp_path), lambda event: None)
    assert again.ready.footprint == loaded.ready.footprint


def test_shards_are_named_by_the_index(tmp_path):
    assert shards(tmp_path) == ["model.safetensors"]
    index = {"weight_map": {"a": "two", "b": "one", "c": "two"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert shards(tmp_path) == ["one", "two"]
