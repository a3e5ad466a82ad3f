"""What is known of a checkpoint before it is loaded: from folders, from the cache, from the Hub."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from parley.catalog.spec import ModelSpec
from parley.engines import stock, stock_config, stock_hub
from parley.engines.failures import load_error
from parley.engines.hub import fetch_small, fetch_weights
from parley.engines.hub_cache import HubFile, RepoCache
from parley.engines.loading import load
from parley.engines.stock import Stock, take_stock
from tests import checkpoints
from tests.engines.stand_in_hub import FOR_EVER, StandInHub, etag

SOURCE = Path(__file__).resolve().parents[2] / "src"
WEIGHTS = "model.safetensors"
REPO = ModelSpec(id="tiny", name="Tiny", repo="tiny/model")


@pytest.fixture
def hub(checkpoint, monkeypatch, tmp_path):
    made = StandInHub()
    made.repos["tiny/model"] = checkpoint("llama")
    made.use(monkeypatch, tmp_path / "home")
    yield made
    made.close()


@pytest.fixture
def unreachable(monkeypatch):
    """Nobody listens where the Hub should be."""
    from huggingface_hub import constants

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}"
    return lambda: monkeypatch.setattr(constants, "ENDPOINT", nowhere)


@pytest.fixture
def offline(monkeypatch):
    from huggingface_hub import constants

    return lambda: monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


def look(spec=REPO, *, ask_hub=True):
    return take_stock(spec, ask_hub=ask_hub)


def code(found):
    return found.problem.code if found.problem else None


def local(folder):
    return ModelSpec(id="tiny", name="Tiny", path=folder)


def download(spec=REPO):
    fetch_weights(spec, fetch_small(spec), lambda done, total: None)


def numbers(folder):
    model = AutoModelForCausalLM.from_pretrained(folder)
    return sum(p.numel() for p in model.parameters())


def wanted_bytes(folder):
    return sum(f.stat().st_size for f in folder.iterdir() if f.suffix != ".md")


def edit(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


# ---- the KV cache, against a real one ---------------------------------------------------------


def cached_numbers(model):
    """What a real cache holds after one token."""
    with torch.inference_mode():
        out = model(input_ids=torch.zeros((1, 1), dtype=torch.long), use_cache=True)
    layers = [one for one in out.past_key_values.layers if getattr(one, "keys", None) is not None]
    return sum(one.keys.numel() + one.values.numel() for one in layers)


@pytest.mark.parametrize("family", [*checkpoints.FAMILIES, "mpt", "mamba"])
def test_the_cache_of_real_checkpoints(checkpoint, family):
    folder = checkpoint(family)
    model = AutoModelForCausalLM.from_pretrained(folder)
    written = json.loads((folder / "config.json").read_text())
    assert stock_config.kv_values(written) == cached_numbers(model)


SMALL = {"vocab_size": 384, "num_attention_heads": 4, "hidden_size": 48, "intermediate_size": 96}
GROUPED = {**SMALL, "num_hidden_layers": 4, "num_key_value_heads": 2, "pad_token_id": 0}
OLD = {"vocab_size": 384, "n_embd": 48, "n_layer": 2, "n_head": 4, "bos_token_id": 0}


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("GPT2", {**OLD, "eos_token_id": 0}),
        ("GPTBigCode", {**OLD, "eos_token_id": 0, "multi_query": True}),
        ("Gemma3Text", {**GROUPED, "head_dim": 16}),
        ("Lfm2", {**GROUPED, "layer_types": ["conv", "full_attention"] * 2}),
        (
            "GraniteMoeHybrid",
            {
                **GROUPED,
                "layer_types": ["mamba", "attention"] * 2,
                "num_local_experts": 0,
                "shared_intermediate_size": 96,
                "mamba_n_heads": 4,
                "mamba_d_head": 24,
                "mamba_d_state": 8,
            },
        ),
        (
            "DeepseekV3",
            {
                **{**GROUPED, "num_key_value_heads": 4, "moe_intermediate_size": 32},
                **{"n_routed_experts": 4, "num_experts_per_tok": 2, "n_group": 1, "topk_group": 1},
                **{"kv_lora_rank": 8, "q_lora_rank": 8, "qk_nope_head_dim": 8},
                **{"qk_rope_head_dim": 4, "v_head_dim": 6, "first_k_dense_replace": 1},
            },
        ),
        (
            "Jamba",
            {
                **GROUPED,
                "attn_layer_period": 2,
                "attn_layer_offset": 1,
                "num_experts": 2,
                "mamba_d_state": 8,
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_cache_of_other_designs(tmp_path, kind, written):
    import transformers

    config = getattr(transformers, f"{kind}Config")(**written)
    config.save_pretrained(tmp_path)
    model = AutoModelForCausalLM.from_config(config).eval()
    saved = json.loads((tmp_path / "config.json").read_text())
    assert stock_config.kv_values(saved) == cached_numbers(model) > 0


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ({}, None),
        ({"num_hidden_layers": 2}, None),
        ({"num_hidden_layers": 2, "num_attention_heads": 4}, None),
        ({"num_hidden_layers": 2, "num_attention_heads": 4, "head_dim": 16}, 256),
        ({"num_hidden_layers": "two", "num_attention_heads": 4, "head_dim": 16}, None),
        ({"text_config": {"n_layer": 1, "n_head": 2, "n_embd": 8}, "hidden_size": 99}, 16),
        ({"n_layer": 9, "n_head": 2, "n_embd": 8, "full_attn_idxs": [1, 3]}, 32),
    ],
)
def test_the_cache_by_what_is_written(written, values):
    assert stock_config.kv_values(written) == values


def test_packed_weights_are_told():
    assert not stock_config.is_quantised({"quantization_config": None})
    assert stock_config.is_quantised({"quantization_config": {"quant_method": "gptq"}})
    assert stock_config.is_quantised({"text_config": {"quantization_config": {"bits": 4}}})


# ---- a folder ---------------------------------------------------------------------------------


def test_a_folder(checkpoint):
    folder = checkpoint("qwen3")
    assert look(local(folder)) == Stock(
        on_disk=True,
        download=0,
        parameters={"F32": numbers(folder)},
        kv_values=128,
        window=checkpoints.WINDOW,
        decoding="ragged",
    )


def test_dtypes_are_counted_apart(checkpoint, tmp_path):
    model = AutoModelForCausalLM.from_pretrained(checkpoint("llama"))
    model.to(torch.bfloat16)
    model.lm_head.float()
    model.save_pretrained(tmp_path, max_shard_size="50KB")
    head = model.lm_head.weight.numel()
    rest = sum(p.numel() for p in model.parameters()) - head
    assert look(local(tmp_path)).parameters == {"BF16": rest, "F32": head}


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / WEIGHTS).unlink(),
        lambda folder: (folder / "config.json").unlink(),
        lambda folder: (folder / "config.json").write_text("{"),
        lambda folder: os.truncate(folder / WEIGHTS, 1000),
        lambda folder: (folder / WEIGHTS).rename(folder / "pytorch_model.bin"),
        lambda folder: (folder / "model.safetensors.index.json").write_text(
            '{"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}'
        ),
    ],
    ids=["no weights", "no config", "no JSON", "cut", "pickled", "one of two shards"],
)
def test_a_damaged_folder_has_the_problem_that_a_load_would_have(checkpoint, tmp_path, damage):
    folder = checkpoints.copy(checkpoint("llama"), tmp_path / "copy")
    damage(folder)
    found = look(local(folder))
    assert not found.on_disk
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is, it is put into words
        load(local(folder), lambda event: None)
    said = load_error(local(folder), caught.value)
    assert (found.problem.code, str(found.problem)) == (said.code, str(said))


def test_no_folder(tmp_path):
    assert code(look(local(tmp_path / "nowhere"))) == "not_found"


def test_a_config_that_is_no_configuration(checkpoint, tmp_path):
    folder = checkpoints.copy(checkpoint("llama"), tmp_path / "copy")
    (folder / "config.json").write_text("[]")
    assert code(look(local(folder))) == "corrupt_weights"


# ---- a repository that is here ----------------------------------------------------------------


def test_what_is_here_is_looked_at_without_asking_anybody(hub, checkpoint):
    download()
    hub.forget()
    assert look() == look(local(checkpoint("llama")))
    assert hub.asked == []


def test_and_without_a_network(hub, offline):
    download()
    offline()
    assert look().on_disk
    assert look(ask_hub=False).on_disk


def test_half_a_download_is_not_on_disk(hub, offline):
    fetch_small(REPO)
    assert not look().on_disk
    assert look(ask_hub=False) == Stock()
    offline()
    for ask_hub in (True, False):
        found = look(ask_hub=ask_hub)
        assert code(found) == "not_in_cache"
        assert not found.on_disk


# ---- a repository that is not -----------------------------------------------------------------


def test_what_the_hub_tells(hub, checkpoint):
    folder = checkpoint("llama")
    found = look()
    assert found == Stock(
        on_disk=False,
        download=wanted_bytes(folder),
        parameters={"F32": numbers(folder)},
        kv_values=96,
        window=checkpoints.WINDOW,
        decoding="ragged",
    )
    assert len(hub.asked) == 2
    before = hub.of(WEIGHTS)
    download()
    sent = sum(request.sent for request in hub.requests)
    assert before == []
    assert sent == found.download + (folder / "config.json").stat().st_size  # looked at before


def test_nothing_is_left_on_the_disk(hub):
    look()
    assert not RepoCache("tiny/model").folder.exists()


def test_the_hub_has_not_counted(hub, checkpoint):
    hub.counts = False
    assert look().parameters == {"F32": numbers(checkpoint("llama"))}
    assert [request.range for request in hub.of(WEIGHTS)] == ["bytes=0-100000"]


@pytest.mark.parametrize("counts", [True, False])
def test_shards(hub, checkpoint, tmp_path, counts):
    model = AutoModelForCausalLM.from_pretrained(checkpoint("llama"))
    model.save_pretrained(tmp_path / "repo", max_shard_size="100KB")
    checkpoints.tokenizer().save_pretrained(tmp_path / "repo")
    (tmp_path / "repo" / "other.safetensors").write_bytes(b"x" * 1000)
    hub.repos["tiny/model"], hub.counts = tmp_path / "repo", counts
    found = look()
    assert found.parameters == {"F32": numbers(checkpoint("llama"))}
    assert found.download == wanted_bytes(tmp_path / "repo") - 1000


def test_shards_of_unusual_names(hub, checkpoint, tmp_path):
    folder = checkpoints.copy(checkpoint("llama"), tmp_path / "repo")
    (folder / WEIGHTS).rename(folder / "weights.safetensors")
    index = {"weight_map": {"a": "weights.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    hub.repos["tiny/model"] = folder
    assert look().download == wanted_bytes(folder)


def test_what_is_partly_here_is_not_counted_again(hub, checkpoint):
    folder = checkpoint("llama")
    fetch_small(REPO)
    size = (folder / WEIGHTS).stat().st_size
    assert look().download == size
    file = HubFile(WEIGHTS, size, "", etag(folder / WEIGHTS))
    RepoCache("tiny/model").partial(file).write_bytes((folder / WEIGHTS).read_bytes()[:5000])
    assert look().download == size - 5000
    assert not look().on_disk


def test_packed_weights(hub, checkpoint, tmp_path):
    folder = checkpoints.copy(checkpoint("llama"), tmp_path / "repo")
    edit(folder, quantization_config={"quant_method": "gptq"})
    hub.repos["tiny/model"] = folder
    assert look().quantised


def test_a_mirror_that_tells_no_sizes(hub):
    hub.measures = False
    found = look()
    assert found.download is None
    assert found.kv_values == 96


@pytest.mark.parametrize(
    ("token", "expected"),
    [(None, "gated_no_token"), ("hf_somebody", "gated_denied"), ("hf_allowed", None)],
)
def test_gated(hub, checkpoint, monkeypatch, token, expected):
    hub.gated.add("tiny/model")
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    found = look()
    assert code(found) == expected
    assert found.download == wanted_bytes(checkpoint("llama"))
    assert found.parameters
    assert found.kv_values == (None if expected else 96)
    if expected:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - put into words below
            fetch_small(REPO)
        assert str(load_error(REPO, caught.value)) == str(found.problem)


def test_a_token_that_is_none(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_expired")
    assert code(look()) == "bad_token"


@pytest.mark.parametrize(
    ("repo", "revision", "expected"),
    [
        ("tiny/nothing", None, "not_found"),
        ("not/a/repo", None, "not_found"),
        ("tiny/model", "v9", "revision_not_found"),
    ],
)
def test_what_is_not_there(hub, repo, revision, expected):
    spec = ModelSpec(id="tiny", name="Tiny", repo=repo, revision=revision)
    assert code(look(spec)) == expected


@pytest.mark.parametrize(
    ("leave_out", "expected"),
    [(WEIGHTS, "not_found"), ("config.json", "not_found")],
)
def test_a_repository_without(hub, checkpoint, tmp_path, leave_out, expected):
    hub.repos["tiny/model"] = checkpoints.copy(checkpoint("llama"), tmp_path / "repo", leave_out)
    assert code(look()) == expected


def test_only_pickled_weights(hub, checkpoint, tmp_path):
    folder = checkpoints.copy(checkpoint("llama"), tmp_path / "repo", WEIGHTS)
    (folder / "pytorch_model.bin").write_bytes(b"x")
    hub.repos["tiny/model"] = folder
    assert code(look()) == "no_safetensors"


# ---- the Hub cannot be asked ------------------------------------------------------------------


def test_not_asked(hub):
    assert look(ask_hub=False) == Stock()
    assert hub.asked == []


def test_nobody_there_is_no_problem_of_the_model(hub, unreachable):
    unreachable()
    assert look() == Stock()


@pytest.mark.parametrize("status", [500, 503, 429])
def test_no_answer_is_no_problem_of_the_model(hub, status):
    """And is asked for once: somebody waits for the page."""
    hub.fail("/api/", status, headers={"retry-after": "300"})
    assert look() == Stock()
    assert len(hub.asked) == 1


def test_half_an_answer_is_kept(hub, checkpoint):
    hub.fail("config.json", 500)
    found = look()
    assert found.problem is None
    assert found.download == wanted_bytes(checkpoint("llama"))
    assert found.kv_values is None


def test_silence_is_not_waited_for(hub, monkeypatch):
    monkeypatch.setattr(stock_hub, "SILENCE", 0.2)
    hub.stall("/api/", times=FOR_EVER)
    assert look() == Stock()
    assert len(hub.asked) == 1


def test_when_the_time_is_up_no_more_questions_are_asked(hub, monkeypatch):
    now = time.monotonic()
    clock = iter([now, now + stock.PATIENCE + 1])
    monkeypatch.setattr(stock_hub, "monotonic", lambda: next(clock))
    found = look()
    assert found.problem is None
    assert found.download
    assert len(hub.asked) == 1


def test_something_unforeseen_is_a_problem_and_not_a_crash(hub, monkeypatch, caplog):
    def boom(*_):
        raise KeyError("what")

    monkeypatch.setattr(stock, "kv_values", boom)
    assert code(look()) == "internal"
    assert "tiny" in caplog.text


def test_many_at_once(hub, checkpoint):
    hub.repos |= {f"tiny/m{n}": checkpoint("llama") for n in range(20)}
    specs = [ModelSpec(id=f"m{n}", name="M", repo=f"tiny/m{n}") for n in range(20)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(look, specs))
    assert found == [look()] * 20


def test_torch_stays_out(hub, checkpoint, tmp_path):
    """The page's process takes stock."""
    check = f"""
import sys
from pathlib import Path
from parley.catalog.spec import ModelSpec
from parley.engines.stock import take_stock
here = ModelSpec(id="a", name="A", path=Path({str(checkpoint("llama"))!r}))
there = ModelSpec(id="b", name="B", repo="tiny/model")
found = [take_stock(spec, ask_hub=True) for spec in (here, there)]
assert found[0].parameters == found[1].parameters != {{}}, found
assert found[0].kv_values == found[1].kv_values == 96, found
print(*sys.modules)
"""
    result = subprocess.run(
        [sys.executable, "-c", check],
        env={**os.environ, **hub.environment(tmp_path / "other"), "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert {"torch", "transformers"}.isdisjoint(result.stdout.split())
