"""The end of a whole Parley in the middle of an answer, a download and a queue."""

from __future__ import annotations

import signal
import time

import psutil
import pytest
import yaml
from gradio_client import Client

from tests import checkpoints
from tests.engines.stand_in_hub import StandInHub
from tests.ui.conftest import running
from tests.waiting import eventually

LIMIT = 10
"""Seconds that the end of everything may take."""


@pytest.fixture
def hub(tmp_path):
    made = StandInHub()
    made.repos["tiny/model"] = checkpoints.build(tmp_path / "far", "llama")
    made.pause, made.piece = 0.5, 1024
    yield made
    made.close()


@pytest.fixture
def models(tmp_path):
    here = {
        name: str(checkpoints.endless(tmp_path / name, num_hidden_layers=24))
        for name in ("one", "other")
    }
    entries = [
        *({"id": name, "path": path, "context": 8192} for name, path in here.items()),
        {"id": "far", "repo": "tiny/model"},
    ]
    file = tmp_path / "models.yaml"
    file.write_text(yaml.safe_dump({"models": entries}))
    return file


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_everything_ends_and_nothing_is_left(hub, models, tmp_path, number):
    environment = hub.environment(tmp_path / "hf", PARLEY_MAX_LOADED="2")
    with running(models, tmp_path / "data", **environment) as server:
        client = Client(server.url, verbose=False)
        answer = client.submit("Go on", model="one", max_new_tokens=6000, api_name="/chat")
        download = client.submit("Hello", model="far", api_name="/chat")
        assert eventually(lambda: answer.outputs() and any(answer.outputs()[-1]))
        assert eventually(lambda: hub.of("model.safetensors"))
        waiting = client.submit("Hello", model="other", api_name="/chat")

        def states():
            return {m["id"]: m["state"] for m in client.predict(api_name="/models")}

        assert eventually(lambda: states()["other"] == "queued"), states()
        family = psutil.Process(server.process.pid).children(recursive=True)
        assert len(family) >= 3
        asked = time.monotonic()
        server.process.send_signal(number)
        server.process.wait(60)
        took = time.monotonic() - asked
        assert server.process.returncode == 0
        _, alive = psutil.wait_procs(family, max(0.1, LIMIT - took))
        assert not alive
        assert took < LIMIT
        assert "stuck" not in server.process.stdout.read()
        assert not any(job.done() and job.exception() is None for job in (download, waiting))
        client.close()
