"""Parley from a script, through the real server and Gradio's own client."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError


@pytest.fixture(scope="module")
def client(server):
    made = Client(server.url, verbose=False)
    yield made
    made.close()


def test_only_the_two_named_endpoints_are_public(client):
    api = client.view_api(return_format="dict", print_info=False)
    assert set(api["named_endpoints"]) == {"/models", "/chat"}
    assert api["unnamed_endpoints"] == {}
    parameters = api["named_endpoints"]["/chat"]["parameters"]
    assert [p["parameter_name"] for p in parameters] == [
        "message",
        "model",
        "system_prompt",
        "temperature",
        "max_new_tokens",
        "seed",
    ]
    assert api["named_endpoints"]["/chat"]["returns"][0]["type"] == {"type": "string"}


def test_models_lists_the_catalogue(client):
    listed = client.predict(api_name="/models")
    assert [model["id"] for model in listed] == ["quick", "other", "slow", "torn"]
    assert listed[0]["name"] == "Quick Llama"


def test_chat_streams_a_growing_answer(client):
    values = list(client.submit("Hello", "slow", max_new_tokens=60, api_name="/chat"))
    texts = [value for value in values if value]
    assert len(texts) > 1
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))


def test_the_same_seed_gives_the_same_text(client):
    say = {"model": "slow", "temperature": 1.0, "max_new_tokens": 20, "seed": 11}
    one = client.predict("Hello", **say, api_name="/chat")
    assert one == client.predict("Hello", **say, api_name="/chat")
    assert one != client.predict("Hello", **say | {"seed": 12}, api_name="/chat")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"message": "Hi", "model": "nobody"}, "No model is configured under the id 'nobody'"),
        ({"message": "  "}, "The message is empty"),
        ({"message": "Hi", "temperature": 99}, "temperature cannot be 99"),
        ({"message": "Hi", "model": "torn"}, "Torn Llama"),
    ],
)
def test_a_bad_request_is_one_sentence(client, arguments, says):
    with pytest.raises(AppError, match=says):
        client.predict(**arguments, api_name="/chat")


def test_cancelling_a_job_ends_the_computation(client, server):
    job = client.submit("Go on", "slow", max_new_tokens=6000, api_name="/chat")
    end = time.monotonic() + 60
    while not any(job.outputs()) and time.monotonic() < end:
        time.sleep(0.05)
    assert any(job.outputs())
    job.cancel()
    end = time.monotonic() + 10
    while server.busy() > 0.03:
        assert time.monotonic() < end, "the engine goes on computing"


def test_the_pages_process_has_not_imported_torch(client, server):
    client.predict("Hello", max_new_tokens=3, api_name="/chat")
    maps = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "libtorch" not in maps
    engines = [Path(f"/proc/{pid}/maps").read_text() for pid in server.engines()]
    assert any("libtorch" in engine for engine in engines)
