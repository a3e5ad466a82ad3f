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
        ("stop", 3, "Stop strings must be text. Give one per line."),
    ],
)
def test_a_bad_setting_is_named_with_its_range(name, value, says):
    with pytest.raises(PoolError) as caught:
        turns.sampling(Sampling(), {name: value})
    assert str(caught.value) == says


def test_an_unknown_setting_is_refused():
    with pytest.raises(PoolError, match="no setting 'temprature'"):
        turns.sampling(Sampling(), {"temprature": 1})


def test_a_blank_system_prompt_is_none():
    assert turns.prompt("  ", [said("user", "hi")]) == (Message("user", "hi"),)


def test_a_stopped_answer_stays_as_the_person_saw_it():
    history = [said("user", "a"), said("assistant", "half an"), said("user", "b")]
    assert [m.content for m in turns.prompt("s", history)] == ["s", "a", "half an", "b"]


def test_an_answer_that_never_began_leaves_one_question():
    history = [said("user", "a"), said("assistant", ""), said("user", "b")]
    assert turns.prompt("", history) == (Message("user", "a\n\nb"),)
