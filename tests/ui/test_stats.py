"""The quiet line under an answer."""

from pathlib import Path

import pytest

from parley.catalog.spec import ModelSpec, Sampling
from parley.chats.records import ChatMessage
from parley.ui import stats


def test_the_line_has_count_speed_and_wait():
    spent = {"completion_tokens": 412, "tokens_per_second": 38.2, "ttft_seconds": 0.61}
    assert stats.line(spent, "stop") == "412 tokens · 38 tok/s · first token 0.6 s"


def test_a_load_is_a_figure_of_its_own():
    spent = {"completion_tokens": 2, "ttft_seconds": 0.05, "load_seconds": 3.2}
    assert stats.line(spent, "stop") == "2 tokens · first token 0.05 s · loaded in 3.2 s"


def test_what_was_not_measured_is_left_out():
    assert stats.line({"completion_tokens": 1}, "stop") == "1 token"
    assert stats.line({}, "cancelled") == "stopped"


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("cancelled", "stopped"),
        ("length", "cut at the token limit"),
        ("interrupted", "interrupted"),
    ],
)
def test_it_says_why_an_answer_ended_early(reason, word):
    assert stats.line({"completion_tokens": 5}, reason) == f"5 tokens · {word}"


def test_slow_speeds_keep_a_decimal():
    assert "4.3 tok/s" in stats.line({"completion_tokens": 9, "tokens_per_second": 4.31}, "stop")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.4, "0 s"),
        (12, "12 s"),
        (99.4, "99 s"),
        (99.6, "2 min"),
        (180, "3 min"),
        (3600, "1 h"),
        (4800, "1 h 20 min"),
        (3 * 86400, "3 days"),
    ],
)
def test_durations(value, text):
    assert stats.duration(value) == text


def answered(**meta) -> ChatMessage:
    return ChatMessage(
        "1",
        "q",
        "assistant",
        "Yes.",
        model="m",
        model_name="Model",
        finish_reason="stop",
        meta=meta,
    )


SPEC = ModelSpec("m", "Model", repo="lab/model", sampling=Sampling(temperature=0.6, top_k=20))


def test_the_table_has_everything_that_is_known_and_nothing_else():
    spent = {
        "prompt_tokens": 1200,
        "cached_tokens": 1000,
        "completion_tokens": 412,
        "load_seconds": 3.2,
        "ttft_seconds": 0.61,
        "tokens_per_second": 38.2,
        "thinking_seconds": 0.0,
        "total_seconds": 11.4,
    }
    facts = stats.facts(
        answered(
            revision="0123456789abcdef",
            dtype="bfloat16",
            device="cpu",
            engine="local",
            decoding="ragged",
            prompt_format="template",
            stats=spent,
            seed=42,
        ),
        SPEC,
    )
    assert facts == [
        ("model", "Model (m)"),
        ("repo", "lab/model"),
        ("revision", "0123456789abcdef"),
        ("dtype", "bfloat16"),
        ("device", "cpu"),
        ("engine", "local"),
        ("decoding", "ragged"),
        ("prompt_format", "template"),
        ("prompt_tokens", "1,200"),
        ("cached_tokens", "1,000"),
        ("completion_tokens", "412"),
        ("load_seconds", "3.2 s"),
        ("ttft_seconds", "0.6 s"),
        ("tokens_per_second", "38 tok/s"),
        ("total_seconds", "11 s"),
        ("ended", "stop"),
        ("seed", "42"),
    ]
    assert stats.facts(answered(), None) == [("model", "Model (m)"), ("ended", "stop")]


def test_the_table_has_the_settings_that_are_not_the_models_own():
    sampling = {
        "temperature": 0.6,
        "top_p": 0.9,
        "top_k": 0,
        "stop": ["END", "stop"],
        "logit_bias": [[7, -5.0], [9, 1.5]],
        "seed": 3,
        "regex": "a" * 400,
    }
    facts = dict(stats.facts(answered(sampling=sampling), SPEC))
    assert {name: text for name, text in facts.items() if name.startswith("set:")} == {
        "set:top_p": "0.9",
        "set:top_k": "0",
        "set:stop": "END, stop",
        "set:logit_bias": "7: -5, 9: 1.5",
        "set:regex": "a" * 299 + "…",
    }
    # Without the model, what differs from neutral settings.
    assert dict(stats.facts(answered(sampling=sampling), None))["set:temperature"] == "0.6"


def test_of_a_model_on_this_machine_the_place_is_not_told():
    here = ModelSpec("m", "Model", path=Path("/home/somebody/weights/mini"))
    assert ("folder", "mini") in stats.facts(answered(), here)
    assert "somebody" not in str(stats.facts(answered(), here))


def test_an_answer_that_a_person_wrote_says_so():
    assert ("ended", "edited") in stats.facts(answered(edited=True), SPEC)


def test_the_line_says_how_much_of_the_prompt_came_from_the_cache():
    spent = {"completion_tokens": 5, "prompt_tokens": 1200, "cached_tokens": 1000}
    assert stats.line(spent, "stop") == "5 tokens · 1,000 of 1,200 prompt tokens from cache"
    assert stats.line(spent | {"cached_tokens": 0}, "stop") == "5 tokens"
