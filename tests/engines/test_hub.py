"""Models from the Hub: the real client against a stand-in on 127.0.0.1."""

from __future__ import annotations

import socket

import pytest
import torch

from parley.catalog.spec import ModelSpec
from parley.engines.base import Ready
from parley.engines.failures import load_error
from parley.engines.loading import load
from parley.engines.local import LocalEngine
from parley.engines.nursery import Nursery
from parley.errors import LoadError
from parley.events import Finished, Loading
from tests import checkpoints
from tests.engines.listening import Listener, ask
from tests.engines.stand_in_hub import COMMIT, StandInHub


@pytest.fixture
def hub(checkpoint, monkeypatch, tmp_path):
    """The stand-in, with this process's client pointed at it and at an empty cache."""
    from huggingface_hub import constants

    made = StandInHub()
    made.repos["tiny/model"] = checkpoint("llama")
    monkeypatch.setattr(constants, "ENDPOINT", made.url)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template(made.url))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    yield made
    made.close()


def template(url):
    return url + "/{repo_id}/resolve/{revision}/{filename}"


def spec(repo="tiny/model", **more):
    return ModelSpec(id="tiny", name="Tiny", repo=repo, **more)


def failure(wanted):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is, it is put into words
        load(wanted, lambda event: None)
    said = load_error(wanted, caught.value)
    assert said.sentence.endswith(".")
    assert said.fix
    return said


def test_a_download_reports_its_bytes(hub, checkpoint):
    heard = []
    loaded = load(spec(), heard.append)
    assert loaded.ready.revision == COMMIT
    downloads = [e for e in heard if isinstance(e, Loading) and e.phase == "download"]
    size = (checkpoint("llama") / "model.safetensors").stat().st_size
    assert downloads[-1].done == downloads[-1].total == size
    assert [e.done for e in downloads] == sorted(e.done for e in downloads)


def test_only_what_is_needed_is_fetched(hub, checkpoint, tmp_path):
    folder = checkpoints.copy(checkpoint("llama"), tmp_path / "repo")
    (folder / "onnx").mkdir()
    for extra in ("consolidated.safetensors", "pytorch_model.bin", "onnx/model.onnx", "tf.h5"):
        (folder / extra).write_bytes(b"x")
    hub.repos["tiny/model"] = folder
    load(spec(), lambda event: None)
    asked = " ".join(hub.asked)
    for extra in ("consolidated", "pytorch_model", "onnx", "tf.h5"):
        assert extra not in asked


def test_the_second_time_nothing_is_fetched(hub):
    load(spec(), lambda event: None)
    hub.asked.clear()
    heard = []
    load(spec(), heard.append)
    assert not any("resolve" in path for path in hub.asked)
    assert not any(isinstance(e, Loading) and e.phase == "download" for e in heard)


def test_offline_with_everything_here(hub, monkeypatch):
    load(spec(), lambda event: None)
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.asked.clear()
    assert load(spec(), lambda event: None).ready.revision == COMMIT
    assert hub.asked == []


def test_offline_with_nothing_here(hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert failure(spec()).code == "offline"


def test_nobody_answers(hub, monkeypatch):
    from huggingface_hub import constants

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}"
    monkeypatch.setattr(constants, "ENDPOINT", nowhere)
    assert failure(spec()).code == "offline"


def test_no_such_repository(hub):
    said = failure(spec("tiny/nothing"))
    assert said.code == "not_found"
    assert "tiny/nothing" in said.sentence


def test_no_such_revision(hub):
    said = failure(spec(revision="v9"))
    assert said.code == "not_found"
    assert "v9" in said.sentence


def test_an_id_that_cannot_be_one(hub):
    assert failure(spec("not/a/repo")).code == "not_found"


def test_gated_without_a_token(hub):
    hub.gated.add("tiny/model")
    said = failure(spec())
    assert said.code == "gated_no_token"
    assert "HF_TOKEN" in said.fix
    assert "https://huggingface.co/tiny/model" in said.fix


def test_gated_with_a_token_that_may_not(hub, monkeypatch):
    hub.gated.add("tiny/model")
    monkeypatch.setenv("HF_TOKEN", "hf_somebody")
    assert failure(spec()).code == "gated_denied"


def test_gated_with_a_token_that_may(hub, monkeypatch):
    hub.gated.add("tiny/model")
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert load(spec(), lambda event: None).ready.revision == COMMIT


def test_only_pickled_weights(hub, checkpoint, tmp_path):
    folder = checkpoints.copy(checkpoint("llama"), tmp_path / "repo", "*.safetensors")
    torch.save({}, folder / "pytorch_model.bin")
    hub.repos["tiny/model"] = folder
    assert failure(spec()).code == "no_safetensors"
    assert not any("resolve" in p and "pytorch_model" in p for p in hub.asked)


def test_an_unknown_architecture_is_refused_before_its_weights_are_fetched(
    hub, checkpoint, tmp_path
):
    folder = checkpoints.copy(checkpoint("llama"), tmp_path / "repo")
    (folder / "config.json").write_text('{"model_type": "future"}')
    hub.repos["tiny/model"] = folder
    assert failure(spec()).code == "unsupported_arch"
    assert not any("safetensors" in path for path in hub.asked)


def test_a_sharded_repository(hub, checkpoint, tmp_path):
    model = load(ModelSpec(id="t", name="T", path=checkpoint("llama")), lambda event: None).model
    folder = tmp_path / "repo"
    model.save_pretrained(folder, max_shard_size="150KB")
    checkpoints.tokenizer().save_pretrained(folder)
    hub.repos["tiny/model"] = folder
    heard = []
    assert load(spec(), heard.append).ready.revision == COMMIT
    downloads = [e for e in heard if e.phase == "download"]
    size = sum(f.stat().st_size for f in folder.glob("*.safetensors"))
    assert downloads[-1].done == size
    assert {e.total for e in downloads} == {size}


def test_an_empty_repository_has_no_config(hub, tmp_path):
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "README.md").write_text("soon")
    hub.repos["tiny/model"] = folder
    assert failure(spec()).code == "not_found"


def test_through_a_process_with_the_environment_alone(checkpoint, monkeypatch, tmp_path):
    """As it is in real life: HF_ENDPOINT, HF_HOME and HF_TOKEN set before the start."""
    made = StandInHub()
    made.repos["tiny/model"] = checkpoint("llama")
    made.gated.add("tiny/model")
    monkeypatch.setenv("HF_ENDPOINT", made.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_TOKEN", made.token)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    nursery = Nursery()
    engine = LocalEngine(spec(), nursery)
    try:
        listener = Listener()
        engine.load(listener, listener, listener)
        outcome = listener.until(Ready, LoadError)
        assert isinstance(outcome, Ready), outcome
        assert any(isinstance(e, Loading) and e.phase == "download" for e in listener.heard)
        assert (tmp_path / "home" / "hub").is_dir()
        assert isinstance(ask(engine, "Hello", max_new_tokens=3)[1], Finished)
    finally:
        engine.close()
        nursery.close()
        made.close()
