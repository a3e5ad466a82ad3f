"""Models from the Hub: the real client against a stand-in on 127.0.0.1."""

from __future__ import annotations

import socket

import pytest
import torch

from parley.catalog.spec import ModelSpec
from parley.engines import hub as module
from parley.engines import hub_transfer
from parley.engines.base import Ready
from parley.engines.failures import load_error
from parley.engines.hub_cache import RepoCache
from parley.engines.loading import load
from parley.engines.local import LocalEngine
from parley.engines.nursery import Nursery
from parley.errors import LoadError
from parley.events import Finished, Loading
from tests import checkpoints
from tests.engines.listening import Listener, ask
from tests.engines.stand_in_hub import COMMIT, FOR_EVER, StandInHub


@pytest.fixture
def hub(checkpoint, monkeypatch, tmp_path):
    """The stand-in, with this process's client pointed at it and at an empty cache."""
    made = StandInHub()
    made.repos["tiny/model"] = checkpoint("llama")
    made.use(monkeypatch, tmp_path / "home")
    monkeypatch.setattr(hub_transfer, "sleep", lambda seconds: None)
    yield made
    made.close()


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


def test_the_second_time_nobody_is_asked(hub):
    load(spec(), lambda event: None)
    hub.forget()
    heard = []
    load(spec(), heard.append)
    assert hub.asked == []
    assert not any(isinstance(e, Loading) and e.phase == "download" for e in heard)


def left_by_others(folder, commit=COMMIT, *leave_out):
    """A snapshot of which this machine has no listing, as older programs leave it."""
    cache = RepoCache("tiny/model")
    (cache.folder / "refs").mkdir(parents=True)
    (cache.folder / "refs" / "main").write_text(commit)
    return checkpoints.copy(folder, cache.snapshot(commit), *leave_out)


def test_what_others_have_left_is_completed_and_not_replaced(hub, checkpoint):
    """The Hub has a newer commit by now, which would be another download of gigabytes."""
    older = "1" * 40
    left_by_others(checkpoint("llama"), older, "generation_config.json")
    hub.repos["tiny/model"] = checkpoint("olmo2")
    hub.history["tiny/model", older] = checkpoint("llama")
    for _ in range(2):
        assert load(spec(), lambda event: None).ready.revision == older
    fetched = [r.path.rpartition("/")[2] for r in hub.requests if "/resolve/" in r.path]
    assert fetched == ["generation_config.json"]
    assert len(hub.of("/api/")) == 1  # from then on the listing is here


def test_what_others_have_left_is_used_when_the_hub_is_no_help(hub, checkpoint):
    left_by_others(checkpoint("llama"))
    hub.fail("/api/", 500)
    assert load(spec(), lambda event: None).ready.revision == COMMIT
    assert len(hub.asked) == 1


def test_what_others_have_left_is_used_when_the_rest_may_not_be_had(hub, checkpoint):
    hub.gated.add("tiny/model")
    left_by_others(checkpoint("llama"), COMMIT, "generation_config.json")
    for _ in range(2):
        assert load(spec(), lambda event: None).ready.revision == COMMIT


@pytest.mark.parametrize("lost", ["config.json", "model.safetensors", "tokenizer*"])
def test_what_others_have_left_incomplete_is_no_model(hub, checkpoint, lost):
    left_by_others(checkpoint("llama"), COMMIT, lost)
    hub.fail("/api/", 500)
    assert failure(spec()).code == "hub_error"


def test_a_branch_that_is_no_longer_there_does_not_take_the_model_away(hub):
    load(spec(), lambda event: None)
    del hub.repos["tiny/model"]
    assert load(spec(), lambda event: None).ready.revision == COMMIT


def test_offline_with_everything_here(hub, monkeypatch):
    load(spec(), lambda event: None)
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.forget()
    assert load(spec(), lambda event: None).ready.revision == COMMIT
    assert hub.asked == []


def test_offline_with_nothing_here(hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert failure(spec()).code == "not_in_cache"


def test_nobody_answers(hub, monkeypatch):
    from huggingface_hub import constants

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}"
    monkeypatch.setattr(constants, "ENDPOINT", nowhere)
    said = failure(spec())
    assert said.code == "offline"
    assert nowhere in said.fix


def test_the_hub_is_there_and_says_nothing(hub, monkeypatch):
    monkeypatch.setattr(module, "SILENCE", 0.1)
    hub.stall("/api/", times=FOR_EVER)
    assert failure(spec()).code == "offline"


def test_a_repository_that_was_closed(hub):
    hub.fail("/api/", 403, headers={"x-error-message": "Access to this resource is disabled."})
    assert failure(spec()).code == "not_found"


def test_something_else_than_a_hub(hub):
    """A page that asks for a log-in, as hotels have it."""
    hub.fail("/api/", 200)
    assert failure(spec()).code == "hub_error"


def test_no_such_repository(hub):
    said = failure(spec("tiny/nothing"))
    assert said.code == "not_found"
    assert "tiny/nothing" in said.sentence
    assert "https://huggingface.co/models?search=nothing" in said.fix


def test_no_such_revision(hub):
    said = failure(spec(revision="v9"))
    assert said.code == "revision_not_found"
    assert "v9" in said.sentence
    assert "https://huggingface.co/tiny/model/commits/main" in said.fix


def test_another_revision(hub, checkpoint):
    hub.history["tiny/model", "v1"] = checkpoint("olmo2")
    assert load(spec(revision="v1"), lambda event: None).model.config.model_type == "olmo2"


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
    said = failure(spec())
    assert said.code == "gated_denied"
    assert "https://huggingface.co/tiny/model" in said.fix


def test_a_request_for_access_that_waits(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_somebody")
    words = "Your request to access model tiny/model is awaiting a review from the repo authors."
    hub.fail("resolve", 403, headers={"x-error-code": "GatedRepo", "x-error-message": words})
    said = failure(spec())
    assert said.code == "gated_denied"
    assert "waits for its authors" in said.sentence
    assert "https://huggingface.co/settings/gated-repos" in said.fix


def test_a_token_without_the_right_to_read_gated_models(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_somebody")
    hub.fail("resolve", 403)
    said = failure(spec())
    assert said.code == "gated_denied"
    assert "https://huggingface.co/settings/tokens" in said.fix


def test_a_token_that_is_none(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_expired")
    said = failure(spec())
    assert said.code == "bad_token"
    assert "https://huggingface.co/settings/tokens" in said.fix


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
    assert {e.total for e in downloads if e.total} == {size}  # the small files tell none


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
