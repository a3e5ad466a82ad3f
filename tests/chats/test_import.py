"""Bringing conversations back: nothing lost, nothing half, and every mistake with its place."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.chats import rows
from parley.chats.formats import reading, to_json, to_openai
from parley.chats.formats.values import MOST_NESTED
from parley.chats.records import TITLE_LENGTH, Chat, ChatMessage
from parley.chats.store import Store
from parley.chats.tree import path
from parley.errors import StoreError
from parley.events import Failed
from tests.chats.talking import ANN, BOB, answered, branched, everything, turn

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "chat-json.md"


def parley(*messages, **chat):
    return {"format": "parley.chats", "version": 1, "chats": [{**chat, "messages": messages}]}


HELLO = {"id": "1", "role": "user", "content": "Hello"}


def bring(store, value, owner=ANN):
    return store.import_chats(owner, value if isinstance(value, str) else json.dumps(value))


def refusal(store, value):
    before = everything(store)
    with pytest.raises(StoreError) as caught:
        bring(store, value)
    assert caught.value.code == "bad_import"
    assert caught.value.fix.endswith((".", "}."))
    assert len(caught.value.sentence) < 250
    assert everything(store) == before
    return caught.value.sentence


def alike(chat, messages):
    """A conversation but for its ids, which become places in the order of writing."""
    place = {message.id: n for n, message in enumerate(messages)}
    return (
        replace(chat, id="", owner="", leaf=place.get(chat.leaf)),
        [
            replace(
                message,
                id=place[message.id],
                parent=place.get(message.parent),
                meta={
                    key: place[value] if key == "edited_of" else value
                    for key, value in message.meta.items()
                },
            )
            for message in messages
        ],
    )


# Parley's own


def test_what_is_exported_comes_back_whole(store):
    tree = branched(store)
    store.rename(ANN, tree.id, "Models, explained")
    store.pin(ANN, tree.id, True)
    store.set_feedback(ANN, tree.id, tree.ids["a1"], -1, ["wrong"], "No.")
    store.edit_answer(ANN, tree.id, tree.ids["a1"], "Something else")
    error = Failed("engine_died", "The engine stopped.", "Retry.")
    meta = {"seed": 7, "stats": {"tokens": 4, "speed": 1.5}, "notes": ["n"], "x": [None, True]}
    answered(
        store, tree.id, tree.ids["q1"], "half", state="failed", error=error, meta=meta, thinking="t"
    )
    answered(store, tree.id, tree.ids["q1"], "a\0b 模型 🙂\r\n\t\u2028", reason="length")
    store.set_leaf(ANN, tree.id, tree.ids["a2"])
    other, *_ = turn(store, "Another", "one")
    originals = [store.chat(ANN, id) for id in (tree.id, other.id)]

    brought = bring(store, to_json(originals), BOB)
    copies = [store.chat(BOB, chat.id) for chat in brought]
    assert [alike(*copy) for copy in copies] == [alike(*original) for original in originals]
    assert [chat for chat, _ in copies] == list(brought)
    ids = [{chat.id, *(m.id for m in messages)} for chat, messages in [*originals, *copies]]
    assert len(set.union(*ids)) == sum(map(len, ids))
    assert len(store.search(BOB, "models explained")) == 1


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def conversations(draw):
    size = draw(st.integers(1, 12))
    times = st.floats(1, 2e9)
    messages = tuple(
        ChatMessage(
            id=f"m{n}",
            parent=draw(st.none() | st.integers(0, n - 1).map("m{}".format)) if n else None,
            role=draw(st.sampled_from(["user", "assistant"])),
            content=draw(texts),
            thinking=draw(texts),
            model=draw(st.none() | texts),
            model_name=draw(st.none() | texts),
            state=draw(st.sampled_from(["done", "stopped", "failed"])),
            finish_reason=draw(st.none() | texts),
            error=draw(st.none() | st.builds(Failed, texts.filter(bool), texts, texts)),
            meta=draw(st.dictionaries(texts.filter("edited_of".__ne__), plain, max_size=3)),
            created=draw(times),
        )
        for n in range(size)
    )
    leaf = draw(st.sampled_from(messages)).id
    return Chat("c", "ann", "A title", draw(times), draw(times), None, leaf), messages


@settings(deadline=None, max_examples=50)
@given(st.lists(conversations(), max_size=3))
def test_any_conversation_comes_back_whole(originals):
    store = Store.temporary()
    brought = store.import_chats(ANN, to_json(originals))
    copies = [store.chat(ANN, chat.id) for chat in brought]
    assert [alike(*copy) for copy in copies] == [alike(*original) for original in originals]
    store.close()


def test_the_example_in_the_document_is_one(store):
    example = re.search(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    (chat,) = bring(store, example.group(1))
    assert chat.title == "What is a model?"
    messages = store.chat(ANN, chat.id)[1]
    assert messages[2].meta == {"edited": True, "edited_of": messages[1].id}
    assert messages[1].feedback == {"value": 1, "reasons": ["clear"], "note": ""}


def test_the_document_names_every_key():
    document = DOCUMENT.read_text()
    keys = {*Chat.__dataclass_fields__, *ChatMessage.__dataclass_fields__}
    keys -= {"owner", "comparison", "columns"}
    assert [key for key in keys if f"`{key}`" not in document] == []


def test_what_may_be_left_out_is(store):
    later = {"id": "2", "parent": "1", "role": "assistant", "content": "Hi"}
    (chat,) = bring(store, parley(HELLO, later, unknown=1))
    record, messages = store.chat(ANN, chat.id)
    assert (record.title, record.leaf, record.pinned) == ("Hello", messages[1].id, False)
    assert record.created > 1e9
    assert record.updated > 1e9
    assert messages[1].created > 1e9
    assert (messages[1].state, messages[1].meta, messages[1].feedback) == ("done", {}, None)
    store.add_user(chat.id, record.leaf, "And on it goes")


def test_an_answer_that_was_being_written_has_been_interrupted(store):
    chat = store.create_chat(ANN, "guide")
    question = store.add_user(chat.id, None, "Hello")
    answer = store.begin_answer(chat.id, question.id, "guide", "The Guide")
    store.flush_answer(answer.id, "He")
    (copy,) = bring(store, to_json([store.chat(ANN, chat.id)]))
    last = store.chat(ANN, copy.id)[1][-1]
    assert (last.content, last.state, last.finish_reason) == ("He", "stopped", "interrupted")


def test_a_file_may_hold_no_chat_or_an_empty_one(store):
    assert bring(store, {"format": "parley.chats", "version": 1, "chats": []}) == ()
    (chat,) = bring(store, parley(title="Empty"))
    assert store.chat(ANN, chat.id) == (chat, ())


# OpenAI's


def said(store, chat):
    record, messages = store.chat(ANN, chat.id)
    assert path(messages, record.leaf) == messages
    return [(message.role, message.content) for message in messages]


CONVERSATION = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "What"}, {"type": "text", "text": "?"}]},
    {"role": "assistant", "content": "That.", "name": "passed over"},
]
SAID = [("user", "What\n\n?"), ("assistant", "That.")]


@pytest.mark.parametrize(
    ("value", "chats"),
    [
        ({"messages": CONVERSATION}, 1),
        (CONVERSATION, 1),
        ([{"messages": CONVERSATION}, {"messages": CONVERSATION}], 2),
        ([CONVERSATION, CONVERSATION], 2),
        ("\ufeff" + json.dumps(CONVERSATION), 1),
    ],
)
def test_messages_in_every_wrapping(store, value, chats):
    brought = bring(store, value)
    assert [said(store, chat) for chat in brought] == [SAID] * chats
    assert brought[0].title == "What ?"
    answer = store.chat(ANN, brought[0].id)[1][-1]
    assert answer.meta == {"system_prompt": "Be brief."}


def test_json_lines_bring_a_conversation_each(store):
    lines = [
        {"messages": [{"role": "user", "content": "One\u2028line"}]},
        {"messages": [{"role": "user", "content": "Two"}, {"role": "assistant", "content": "2"}]},
        [{"role": "user", "content": "Three"}],
    ]
    text = "\ufeff" + "\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\r\n"
    brought = [store.chat(ANN, chat.id)[1] for chat in store.import_chats(ANN, text)]
    assert sorted([m.content for m in messages] for messages in brought) == [
        ["One\u2028line"],
        ["Three"],
        ["Two", "2"],
    ]


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        ("{", "The file is not JSON: Expecting property name enclosed in double quotes in line 3"),
        ('{"messages": 1}', "line[3].messages is 1, not a list."),
        ('{"messages": [{"role": "cat"}]}', "line[3].messages[0].role is 'cat', not one of system"),
        ('{"format": "parley.chats"}', "line[3].messages is missing, not a list."),
    ],
)
def test_a_mistake_in_a_line_names_the_line_and_imports_nothing(store, second, sentence):
    first = json.dumps({"messages": [{"role": "user", "content": "Hi"}]})
    with pytest.raises(StoreError, match=re.escape(sentence)):
        store.import_chats(ANN, f"{first}\n\n{second}")
    assert not store.chats(ANN)


def test_the_model_is_named_where_the_file_names_it(store):
    (chat,) = bring(store, {"model": "some-model", "messages": CONVERSATION})
    question, answer = store.chat(ANN, chat.id)[1]
    assert (question.model_name, answer.model_name) == (None, "some-model")


def test_messages_that_were_exported_come_back(store):
    tree = branched(store)
    (chat,) = bring(store, to_openai(*store.chat(ANN, tree.id)))
    assert [text for _, text in said(store, chat)] == [
        "What is a model?",
        "A function.",
        "Of what?",
        "Of numbers.",
    ]


def test_a_long_first_message_makes_a_short_title(store):
    (chat,) = bring(store, [{"role": "user", "content": "word " * 1000}])
    assert len(chat.title) <= TITLE_LENGTH


# Refused


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "The file is not JSON: Expecting value in line 1, column 1."),
        ("# A title", "The file is not JSON: Expecting value in line 1, column 1."),
        ('{"a": 1,\n}', "in line 2, column 1."),
        ("[" * 100_000, "The file is nested too deep to be read."),
        ('{"messages": [' + '{"role":' * 50_000, "The file is nested too deep to be read."),
        ("1" * 5000, "The file holds a whole number of thousands of digits."),
        ("[1e999]", "The number '1e999' is too large."),
        ('[{"role": "user", "content": NaN}]', "NaN is not a number in JSON."),
        ('{"messages": [-Infinity]}', "-Infinity is not a number in JSON."),
        ("null", "The file holds no conversation that Parley knows how to read."),
        ("[]", "The file holds no conversation that Parley knows how to read."),
        ('"text"', "The file holds no conversation that Parley knows how to read."),
        ({"chats": []}, "The file holds no conversation that Parley knows how to read."),
        ([1, 2], "The file holds no conversation that Parley knows how to read."),
        ({"format": "other"}, "format is 'other', not 'parley.chats'."),
        ({"format": "parley.chats"}, "version is missing, not 1."),
        ({"format": "parley.chats", "version": True}, "version is True, not 1."),
        (
            {"format": "parley.chats", "version": 2},
            "The file has version 2, which is newer than this Parley.",
        ),
        ({"format": "parley.chats", "version": 1}, "chats is missing, not a list."),
        ({"format": "parley.chats", "version": 1, "chats": [7]}, "chats[0] is 7, not an object."),
        (
            {"format": "parley.chats", "version": 1, "chats": [{}]},
            "chats[0].messages is missing, not a list.",
        ),
        (parley(HELLO, 5), "chats[0].messages[1] is 5, not an object."),
        (
            parley(HELLO | {"role": "tool"}),
            "chats[0].messages[0].role is 'tool', not one of user, assistant.",
        ),
        (parley(HELLO | {"role": []}), "messages[0].role is [], not one of user, assistant."),
        (parley(HELLO | {"content": None}), "messages[0].content is missing, not a text."),
        (parley(HELLO, HELLO), "chats[0].messages[1].id is '1', not an id of its own."),
        (
            parley(HELLO | {"parent": "2"}, HELLO | {"id": "2", "parent": "1"}),
            "messages[0].parent is '2', not the id of a message that stands before it.",
        ),
        (parley(HELLO | {"parent": "1"}), "messages[0].parent is '1', not the id of a message"),
        (parley(HELLO | {"state": "asleep"}), "messages[0].state is 'asleep', not one of"),
        (parley(HELLO | {"created": -1}), "messages[0].created is -1, not a time"),
        (parley(HELLO | {"created": True}), "messages[0].created is True, not a time"),
        (parley(HELLO | {"created": 1e300}), "messages[0].created is 1e+300, not a time"),
        (parley(HELLO | {"meta": []}), "messages[0].meta is [], not an object."),
        (parley(HELLO | {"error": {"code": "x"}}), "error.sentence is missing, not a text."),
        (parley(HELLO | {"feedback": {"value": 5}}), "feedback.value is 5, not 1, -1 or 0."),
        (parley(HELLO | {"feedback": {"reasons": [1]}}), "feedback.reasons[0] is 1, not a text."),
        (parley(HELLO, leaf="9"), "chats[0].leaf is '9', not the id of one of its messages."),
        (parley(HELLO, leaf=[]), "chats[0].leaf is [], not a text."),
        (parley(HELLO, title=5), "chats[0].title is 5, not a text."),
        ({"messages": {}}, "messages is {}, not a list."),
        ({"messages": []}, "messages holds nothing that a user or an assistant said."),
        (
            {"messages": [{"role": "system", "content": "Be brief."}]},
            "messages holds nothing that a user or an assistant said.",
        ),
        (
            [{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}],
            "messages[1].role is 'tool', not one of system, developer, user, assistant.",
        ),
        ([{"role": "assistant", "content": None}], "messages[0].content is missing, not a text."),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}],
            "messages[0].content[0].type is 'image_url', not one of",
        ),
        ([{"role": "user", "content": [{"type": "text"}]}], "content[0].text is missing"),
        (
            [{"messages": CONVERSATION}, {"messages": [{"role": "user", "content": 5}]}],
            "[1].messages[0].content is 5, not a text.",
        ),
        ([CONVERSATION, [3]], "[1][0] is 3, not an object."),
        ([CONVERSATION, 3], "[1] is 3, not a list."),
        ([{"messages": CONVERSATION, "model": 4}], "[0].model is 4, not a text."),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(store, value, sentence):
    assert sentence in refusal(store, value)


def test_a_mistake_at_the_end_imports_nothing(store):
    good = parley(HELLO)["chats"][0]
    value = {**parley(), "chats": [good] * 50 + [{"messages": [HELLO | {"role": "x"}]}]}
    assert "chats[50].messages[0].role" in refusal(store, value)


def test_a_failure_while_writing_imports_nothing(store, monkeypatch):
    turn(store, "Hello", "there")
    before = everything(store)
    kept, calls = rows.insert_message, []

    def insert(db, chat, message):
        calls.append(message)
        if len(calls) == 3:
            raise OSError("no more")
        kept(db, chat, message)

    with monkeypatch.context() as patch:
        patch.setattr(rows, "insert_message", insert)
        with pytest.raises(StoreError):
            bring(store, {**parley(), "chats": parley(HELLO)["chats"] * 5})
    assert everything(store) == before


def test_a_huge_value_is_named_shortly(store):
    assert len(refusal(store, parley(HELLO | {"role": "x" * 10**6}))) < 150


def test_what_is_nested_deep_is_refused_where_it_is_kept(store):
    def nested(levels):
        value = {}
        for _ in range(levels - 1):
            value = {"in": value}
        return value

    bring(store, parley(HELLO | {"meta": nested(MOST_NESTED)}))
    sentence = refusal(store, parley(HELLO | {"meta": nested(MOST_NESTED + 1)}))
    assert sentence == f"chats[0].messages[0].meta is nested more than {MOST_NESTED} levels deep."


def test_a_file_has_a_limit(store, monkeypatch):
    monkeypatch.setattr(reading, "MOST_BYTES", 1000)
    bring(store, [{"role": "user", "content": "x" * 900}])
    assert refusal(store, [{"role": "user", "content": "x" * 1000}]) == (
        "The file has 1.0 kB, and 1.0 kB is the most that can be imported at once."
    )
    wide = json.dumps([{"role": "user", "content": "模" * 400}], ensure_ascii=False)
    assert "imported at once" in refusal(store, wide)


def test_half_a_character_is_replaced(store):
    value = '{"id": "\\ud83d", "role": "user", "content": "a\\ud83db", "meta": {"a": "\\ud83d"}}'
    text = f'{{"format": "parley.chats", "version": 1, "chats": [{{"messages": [{value}]}}]}}'
    (chat,) = bring(store, text)
    (message,) = store.chat(ANN, chat.id)[1]
    assert (chat.title, message.content, message.meta) == ("a?b", "a?b", {"a": "?"})


wild_messages = st.fixed_dictionaries({}, optional=dict.fromkeys(("role", "content"), plain))
nearly_messages = st.fixed_dictionaries(
    {"id": texts, "role": st.just("user"), "content": texts},
    optional=dict.fromkeys(("parent", "state", "meta", "error", "feedback", "created"), plain),
)
nearly_chats = st.fixed_dictionaries(
    {"messages": st.lists(nearly_messages, max_size=3)},
    optional=dict.fromkeys(("title", "leaf", "updated", "pinned"), plain),
)
nearly_parley = st.fixed_dictionaries(
    {
        "format": st.just("parley.chats"),
        "version": st.just(1),
        "chats": st.lists(nearly_chats, max_size=2),
    }
)


@settings(deadline=None, max_examples=200)
@given(plain | st.lists(wild_messages, max_size=3) | nearly_parley)
def test_any_json_is_imported_or_refused(value):
    store = Store.temporary()
    brought, code = (), None
    try:
        brought = store.import_chats(ANN, json.dumps(value))
    except StoreError as error:
        code = error.code
    assert code in (None, "bad_import")
    assert {chat.id for chat in brought} == set(everything(store))
    store.close()
