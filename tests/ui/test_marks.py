"""What stands around a message: its alternatives, what changed before it, what can be done."""

import json

import pytest

from parley.chats.records import ChatMessage
from parley.ui.marks import between, marks

SAMPLING = {"temperature": 0.7, "top_p": 1.0, "max_new_tokens": 512, "stop": (), "seed": None}


def question(id, parent=None, text="Why?"):
    return ChatMessage(id, parent, "user", text)


def answer(id, parent, model="a", *, reason="stop", feedback=None, **meta):
    return ChatMessage(
        id,
        parent,
        "assistant",
        "Because.",
        model=model,
        model_name=f"Model {model}",
        finish_reason=reason,
        meta=meta,
        feedback=feedback,
    )


def changed(**settings):
    return {"sampling": SAMPLING | settings}


def test_alternatives_are_counted_and_named_by_their_models():
    messages = [question("q"), answer("1", "q", "a"), answer("2", "q", "b"), question("q2")]
    found = marks(messages, "2")
    assert list(found) == ["q", "2"]
    assert (found["2"]["turn"], found["2"]["turns"]) == (2, 2)
    assert found["2"]["beside"] == ["Model a", "Model b"]
    # An edited question is beside the first one.
    assert (found["q"]["turn"], found["q"]["turns"]) == (1, 2)
    assert found["q"]["beside"] == [None, None]


def test_only_answers_have_the_rest():
    found = marks([question("q"), answer("1", "q", edited=True)], "1")
    assert set(found["q"]) == {"turn", "turns", "beside"}
    assert found["1"]["edited"]
    assert found["1"]["feedback"] is None


def test_feedback_is_as_it_is_kept():
    said = {"value": -1, "reasons": ["off_topic"], "note": "No."}
    assert marks([question("q"), answer("1", "q", feedback=said)], "1")["1"]["feedback"] == said


def test_an_answer_can_go_on_where_it_was_cut_and_nothing_follows():
    messages = [question("q"), answer("1", "q", reason="length"), question("q2", "1")]
    assert not marks(messages, "q2")["1"]["cut"]
    assert marks(messages[:2], "1")["1"]["cut"]
    assert not marks([question("q"), answer("1", "q")], "1")["1"]["cut"]


def test_an_empty_chat_has_none():
    assert marks([], None) == {}


def test_another_model_is_said_by_its_name():
    messages = [question("q"), answer("1", "q", "a"), question("r", "1"), answer("2", "r", "b")]
    found = marks(messages, "2")
    assert found["1"]["changes"] == []
    assert found["2"]["changes"] == [{"what": "model", "new": "Model b"}]


def test_a_model_that_nobody_knows_is_not_said():
    imported = ChatMessage("2", "r", "assistant", "Because.")
    assert between(answer("1", "q"), imported) == []


def test_numbers_are_said_with_what_they_were():
    before = answer("1", "q", **changed())
    after = answer("2", "r", **changed(temperature=1.2, max_new_tokens=131072, seed=7))
    assert between(before, after) == [
        {"what": "temperature", "old": "0.7", "new": "1.2"},
        {"what": "max_new_tokens", "old": "512", "new": "131072"},
        {"what": "seed", "old": "", "new": "7"},
    ]


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"stop": ("END",)}, "stop"),
        ({"logit_bias": ((5, 1.0),)}, "logit_bias"),
        ({"regex": "a+"}, "form"),
    ],
)
def test_texts_are_only_said_to_have_changed(settings, what):
    empty = {"logit_bias": (), "json_schema": None, "regex": None}
    before, after = answer("1", "q", **changed(**empty)), answer("2", "r", **changed(**empty))
    assert between(before, after) == []
    after = answer("2", "r", **changed(**empty | settings))
    assert between(before, after) == [{"what": what}]


def test_a_schema_instead_of_a_regex_is_one_change():
    before = answer("1", "q", **changed(regex="a", json_schema=None))
    after = answer("2", "r", **changed(regex=None, json_schema="{}"))
    assert between(before, after) == [{"what": "form"}]


def test_what_has_been_through_the_store_is_the_same_as_what_has_not():
    meta = changed(stop=("a", "b"), logit_bias=((5, 1.0),))
    kept = json.loads(json.dumps(meta))
    assert between(answer("1", "q", **meta), answer("2", "r", **kept)) == []


def test_a_system_prompt_that_nobody_noted_is_not_said_to_have_changed():
    told = answer("1", "q", system_prompt="Be brief.")
    assert between(answer("0", "p"), told) == []
    assert between(told, answer("2", "r", system_prompt="")) == [{"what": "system_prompt"}]


def test_an_answer_that_never_began_changes_nothing():
    assert between(answer("1", "q"), answer("2", "r", **changed(temperature=2))) == []
