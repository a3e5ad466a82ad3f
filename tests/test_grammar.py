"""The grammar of what is asked for: broken forms are told, and JSON has little room for spaces."""

import json

import pytest

from parley.catalog.spec import Sampling
from parley.grammar import fault, grammar, refusal


def test_free_text_has_no_grammar_and_no_fault():
    assert grammar(Sampling()) is None
    assert fault(Sampling()) is None


@pytest.mark.parametrize(
    "form",
    [
        {"json_schema": "{}"},
        {"json_schema": '{"type": "array", "items": {"type": "string", "format": "date"}}'},
        {"json_schema": '{"$defs": {"a": {"type": "null"}}, "$ref": "#/$defs/a"}'},
        {"regex": ""},
        {"regex": r"^\p{L}+ / \d{1,3}$"},
    ],
    ids=str,
)
def test_what_can_be_followed_has_no_fault(form):
    assert fault(Sampling(**form)) is None
    assert grammar(Sampling(**form))


def test_a_schema_cannot_ask_for_room_for_spaces_without_end():
    schema = {"type": "object", "x-guidance": {"whitespace_pattern": r"\s*", "lenient": True}}
    made = json.loads(grammar(Sampling(json_schema=json.dumps(schema))))
    options = made["grammars"][0]["json_schema"]["x-guidance"]
    assert options["whitespace_pattern"] == r"\n {0,16}| "
    assert options["lenient"] is False


def test_a_schema_is_read_from_here_alone():
    asked = Sampling(json_schema='{"$ref": "http://localhost/schema.json"}')
    assert "not present" in fault(asked)[0]


def test_a_reason_is_told_without_its_picture_of_the_place():
    words = (
        'at 1(8): invalid regex "(" (in regex): regex parse error:\n    (\n    ^\nerror: unclosed'
    )
    assert refusal(Sampling(regex="("), words)[0] == "This regex cannot be followed: unclosed."
