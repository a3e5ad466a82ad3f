"""Parley from a script, through the real server and Gradio's own client."""

from __future__ import annotations

import dataclasses
import itertools
import time
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from parley.catalog.spec import Sampling


@pytest.fixture(scope="module")
def client(server):
    made = Client(server.url, verbose=False)
    yield made
    made.close()


def test_only_the_named_endpoints_are_public(client):
    api = client.view_api(return_format="dict", print_info=False)
    assert set(api["named_endpoints"]) == {"/models", "/chat", "/tokens", "/score"}
    assert api["unnamed_endpoints"] == {}
    parameters = api["named_endpoints"]["/chat"]["parameters"]
    # In this order, for those who give them by place; new ones go to the end.
    names = [p["parameter_name"] for p in parameters]
    assert names[:6] == [
        "message",
        "model",
        "system_prompt",
        "temperature",
        "max_new_tokens",
        "seed",
    ]
    assert set(names[3:]) == {field.name for field in dataclasses.fields(Sampling)}
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


def test_an_answer_is_held_to_a_regex(client):
    say = {"model": "quick", "temperature": 1.0, "seed": 3}
    assert client.predict("Hello", **say, regex="(yes|no){2}", api_name="/chat") in {
        a + b for a in ("yes", "no") for b in ("yes", "no")
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"message": "Hi", "model": "nobody"}, "No model is configured under the id 'nobody'"),
        ({"message": "  "}, "The message is empty"),
        ({"message": "Hi", "temperature": 99}, "temperature cannot be 99"),
        ({"message": "Hi", "logit_bias": {"5": 101}}, "logit_bias cannot be 101 for token 5"),
        ({"message": "Hi", "json_schema": "{"}, "The JSON schema is not JSON"),
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


def test_tokens_come_with_their_probabilities(client):
    told = client.predict("Hello", "quick", settings={"max_new_tokens": 6}, api_name="/tokens")
    assert len(told["tokens"]) <= 6
    assert told["reason"] in ("stop", "length")
    for token in told["tokens"]:
        assert token["logprob"] <= 0
        assert len(token["alternatives"]) == 5
    assert told["logprob"] == pytest.approx(sum(t["logprob"] for t in told["tokens"]))


def test_a_text_is_scored_without_writing_one(client):
    told = client.predict("Hello there", "quick", "Hi", api_name="/score")
    assert told["text"] == "Hello there"
    assert told["perplexity"] > 1
    # An answer that the model has written itself is likelier than another one.
    own = client.predict(
        "Hi", "quick", settings={"max_new_tokens": 8, "temperature": 0}, api_name="/tokens"
    )
    other = client.predict("zebra 終 quay 7#", "quick", "Hi", api_name="/score")
    assert own["perplexity"] < other["perplexity"]


def test_what_cannot_be_scored_is_refused_in_a_sentence(client):
    with pytest.raises(AppError, match="no text to read"):
        client.predict("", "quick", "Hi", api_name="/score")
    with pytest.raises(AppError, match="alternatives cannot be 99"):
        client.predict("Hello", "quick", alternatives=99, api_name="/tokens")
