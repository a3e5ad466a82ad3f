"""Settings are checked, history becomes messages."""

import pytest

from parley import turns
from parley.catalog.spec import Sampling
from parley.chats.records import ChatMessage
from parley.engines.base import Message
from parley.errors import PoolError


def said(role: str, content: str) -> ChatMessage:
    return ChatMessage(id=content, parent=None, role=role, content=content)


def test_settings_stand_over_the_models_defaults():
    made = turns.sampling(Sampling(temperature=0.3, top_k=20), {"temperature": 1, "seed": "7"})
    assert made == Sampling(temperature=1.0, top_k=20, seed=7)


def test_none_leaves_the_default():
    assert turns.sampling(Sampling(top_p=0.5), {"top_p": None}).top_p == 0.5


def test_empty_stop_strings_are_dropped():
    assert turns.sampling(Sampling(), {"stop": ["", "END"]}).stop == ("END",)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("temperature", "hot", "temperature cannot be 'hot'. Use a number from 0 to 5."),
        ("temperature", float("nan"), "temperature cannot be nan. Use a number from 0 to 5."),
        ("top_p", 1.5, "top_p cannot be 1.5. Use a number from 0 to 1."),
        ("top_k", 2.5, "top_k cannot be 2.5. Use a whole number from 0 to 100000."),
        (
            "max_new_tokens",
            0,
            "max_new_tokens cannot be 0. Use a whole number from 1 to 131072.",
        ),
        ("typical_p", -1, "typical_p cannot be -1. Use a number from 0 to 1."),
        ("frequency_penalty", 2.1, "frequency_penalty cannot be 2.1. Use a number from -2 to 2."),
        ("presence_penalty", "", "presence_penalty cannot be ''. Use a number from -2 to 2."),
        ("stop", 3, "Stop strings must be text. Give one per line."),
        (
            "logit_bias",
            {"5": 200},
            "logit_bias cannot be 200 for token 5. Use a number from -100 to 100.",
        ),
        (
            "logit_bias",
            {"5": float("nan")},
            "logit_bias cannot be nan for token 5. Use a number from -100 to 100.",
        ),
        ("logit_bias", {"-1": 2}, "logit_bias names -1, which is no token id. Use 0 or more."),
        (
            "logit_bias",
            dict.fromkeys(range(301), 1),
            "logit_bias has 301 entries. Use at most 300.",
        ),
        (
            "json_schema",
            '{"type": }',
            "The JSON schema is not JSON: line 1, column 10: Expecting value. "
            'Write an object such as {"type": "object"}.',
        ),
        (
            "json_schema",
            '{"a": NaN}',
            "The JSON schema is not JSON: NaN is no number of it. Use numbers that JSON has.",
        ),
        (
            "json_schema",
            "[1]",
            'The JSON schema is not an object. Write one such as {"type": "object"}.',
        ),
        ("json_schema", "[" * 40_000, "The JSON schema is nested too deeply. Make it simpler."),
        (
            "json_schema",
            '{"type": "strin"}',
            "This JSON schema cannot be followed: Invalid type: strin. "
            "Take that part out, or say it in another way.",
        ),
        (
            "json_schema",
            '{"x-guidance": {"no_such": 1}}',
            "This JSON schema cannot be followed: unknown field `no_such`, expected one of "
            "`item_separator`, `key_separator`, `whitespace_flexible`, `whitespace_pattern`, "
            "`coerce_one_of`, `lenient`, `json_allowed_escapes`, "
            "`json_allow_general_unicode_escapes`. "
            "Take that part out, or say it in another way.",
        ),
        ("json_schema", {"type": "object"}, "json_schema must be text. Write it between quotes."),
        (
            "json_schema",
            " " * 50_001,
            "json_schema is 50,001 characters long. Use at most 50,000 characters.",
        ),
        (
            "regex",
            "(",
            "This regex cannot be followed: unclosed group. Write it without lookaround, word "
            "boundaries and backreferences; the whole answer has to match, so ^ and $ are not "
            "needed.",
        ),
    ],
)
def test_a_bad_setting_is_named_with_its_range(name, value, says):
    with pytest.raises(PoolError) as caught:
        turns.sampling(Sampling(), {name: value})
    assert str(caught.value) == says


@pytest.mark.parametrize("value", [3, "12: 3", [5], [[1, "much"]], {"word": 2}, {"1.5": 2}])
def test_a_bias_pairs_tokens_with_numbers(value):
    with pytest.raises(PoolError, match="logit_bias must pair token ids with numbers"):
        turns.sampling(Sampling(), {"logit_bias": value})


@pytest.mark.parametrize("value", [{"5": -1.5, "7": 3}, [[5, 0], ["7", 3], [5, -1.5]]])
def test_a_bias_is_a_mapping_or_pairs(value):
    made = turns.sampling(Sampling(), {"logit_bias": value})
    assert made.logit_bias == ((5, -1.5), (7, 3.0))
    assert hash(made)


def test_an_answer_may_have_to_follow_a_schema_or_a_regex():
    schema = '{"type": "object"}'
    assert turns.sampling(Sampling(), {"json_schema": schema}).json_schema == schema
    assert turns.sampling(Sampling(), {"regex": "a|b", "json_schema": " "}).regex == "a|b"


def test_an_answer_cannot_follow_two_things():
    with pytest.raises(PoolError, match="a JSON schema and a regex at the same time"):
        turns.sampling(Sampling(), {"regex": "a", "json_schema": "{}"})


def test_an_unknown_setting_is_refused():
    with pytest.raises(PoolError, match=r"no setting 'temprature'. Known are: .*, stop, .*, regex"):
        turns.sampling(Sampling(), {"temprature": 1})


def test_a_blank_system_prompt_is_none():
    assert turns.prompt("  ", [said("user", "hi")]) == (Message("user", "hi"),)


def test_a_stopped_answer_stays_as_the_person_saw_it():
    history = [said("user", "a"), said("assistant", "half an"), said("user", "b")]
    assert [m.content for m in turns.prompt("s", history)] == ["s", "a", "half an", "b"]


def test_an_answer_that_never_began_leaves_one_question():
    history = [said("user", "a"), said("assistant", ""), said("user", "b")]
    assert turns.prompt("", history) == (Message("user", "a\n\nb"),)


def test_a_turn_asks_for_nothing_that_it_does_not_say():
    turn = turns.Turn("somebody", "some model")
    assert (turn.edit_of, turn.continue_of, turn.branch, turn.thinking) == (None,) * 4
    assert hash(turns.Branch("answer", (1, 2, 3)))
