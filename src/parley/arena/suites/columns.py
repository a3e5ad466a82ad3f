"""The columns of a row, by name: what each may hold, and the row that they make together.

CSV and JSONL share them; in CSV every value is text. Knows nothing of files.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, get_args

from parley.arena.suites import mistakes
from parley.arena.suites.spec import (
    KINDS,
    MOST_NAME,
    MOST_PATTERN,
    MOST_TEXT,
    MOST_TURNS,
    Check,
    CheckKind,
    Row,
)

COLUMNS = ("id", "category", "prompt", "turns", "system", "expected", "check", "tolerance")

OF_MT_BENCH = {
    "question_id": "id",
    "category": "category",
    "turns": "turns",
    "reference": "expected",
}
"""What MT-bench calls a row's parts, and what they are called here."""

_TURN = re.compile(r"prompt_([2-9])")


def row_of(number: int, line: int, fields: Mapping[str, Any]) -> Row:
    """The row on ``line`` (from 1) from its fields. Raises SuiteError("bad_row")."""
    unknown = [name for name in fields if name not in COLUMNS and not _TURN.fullmatch(name)]
    if unknown:
        raise mistakes.at(
            line,
            f"there is no column {unknown[0]!r:.{MOST_NAME}}.",
            f"Known are: {', '.join(COLUMNS)}, and prompt_2, prompt_3 and so on in CSV.",
        )
    expected = _plain(line, "expected", fields.get("expected"), MOST_TEXT)
    system = fields.get("system")
    return Row(
        number,
        _plain(line, "id", fields.get("id"), MOST_NAME) or str(number + 1),
        _turns(line, fields),
        _plain(line, "category", fields.get("category"), MOST_NAME),
        expected,
        None if system is None else _text(line, "system", system, MOST_TEXT),
        _check(line, fields, expected),
    )


def _turns(line: int, fields: Mapping[str, Any]) -> tuple[str, ...]:
    more = {int(found[1]): v for n, v in fields.items() if (found := _TURN.fullmatch(n))}
    listed = fields.get("turns")
    if listed is not None and ("prompt" in fields or more):
        raise mistakes.at(line, "it has both a prompt and turns.", "Leave one of them out.")
    if listed is None:
        if sorted(more) != list(range(2, len(more) + 2)):
            raise mistakes.at(
                line, "a turn is missing between two others.", "Fill prompt_2 before prompt_3."
            )
        listed = [fields.get("prompt", ""), *(more[n] for n in sorted(more))]
    elif isinstance(listed, str):  # a CSV that was made of JSONL
        try:
            listed = json.loads(listed)
        except (ValueError, RecursionError):
            listed = None
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_TURNS:
        raise mistakes.at(
            line, f"turns is not a list of 1 to {MOST_TURNS} texts.", 'Write ["first", "second"].'
        )
    said = tuple(_text(line, "prompt", turn, MOST_TEXT) for turn in listed)
    if not all(turn.strip() for turn in said):
        raise mistakes.at(line, "the prompt is empty.", "Write what the models shall be asked.")
    return said


def _check(line: int, fields: Mapping[str, Any], expected: str) -> Check | None:
    kind = _plain(line, "check", fields.get("check"), MOST_NAME).strip().lower()
    tolerance = fields.get("tolerance")
    if not kind:
        if tolerance is not None:
            raise mistakes.at(
                line, "it has a tolerance, and nothing is checked.", "Add the check number."
            )
        return None
    if kind not in KINDS:
        raise mistakes.at(
            line, f"there is no check {kind!r}.", f"Choose one of: {', '.join(KINDS)}."
        )
    if not expected.strip():
        raise mistakes.at(
            line, f"the check {kind} has nothing to check against.", "Fill the column expected."
        )
    if tolerance is not None and kind != "number":
        raise mistakes.at(line, f"the check {kind} takes no tolerance.", "Leave it out.")
    known: CheckKind = next(k for k in get_args(CheckKind) if k == kind)
    if known == "number":
        if number(expected) is None:
            raise mistakes.at(line, f"{expected!r:.40} is not a number.", "Write it like 12.5.")
        return Check(known, expected.strip(), *_tolerance(line, tolerance))
    if known == "regex":
        _pattern(line, expected)
    elif known == "json_schema":
        _schema(line, expected)
    return Check(known, expected)


def _tolerance(line: int, value: object) -> tuple[float, bool]:
    if value is None:
        return 0.0, False
    said = str(value).strip()
    relative = said.endswith("%")
    found = number(said.removesuffix("%"))
    if found is None or found < 0:
        raise mistakes.at(
            line, f"the tolerance {said!r:.40} is not a number.", "Write it like 0.5 or 2%."
        )
    return (found / 100 if relative else found), relative


def _pattern(line: int, pattern: str) -> None:
    if len(pattern) > MOST_PATTERN:
        raise mistakes.at(
            line,
            f"the regex is {len(pattern):,} characters long.",
            f"Use at most {MOST_PATTERN:,} characters.",
        )
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise mistakes.at(
            line, f"the regex cannot be read: {error}.", "Try it in Python's re module."
        ) from error


def _schema(line: int, schema: str) -> None:
    # Imported where it is needed: most suites have none, and this costs a start 100 ms.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(json.loads(schema))
    except SchemaError as error:
        what = f"the JSON schema is not one: {error.message:.200}."
        raise mistakes.at(line, what, "Write it by JSON Schema, draft 2020-12.") from error
    except (ValueError, RecursionError) as error:
        raise mistakes.at(
            line, "the JSON schema is not JSON.", "Write the schema as JSON text, in quotes."
        ) from error


def number(text: str) -> float | None:
    """A finite number as people write one; None for anything else."""
    try:
        found = float(text.replace(",", "").strip())
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _plain(line: int, name: str, value: object, most: int) -> str:
    """Also what JSON has as a number, an object or a list: a schema, or an id."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return _text(line, name, str(value), most)


def _text(line: int, name: str, value: object, most: int) -> str:
    if not isinstance(value, str):
        raise mistakes.at(line, f"{name} is not text.", "Write it between quotes.")
    if len(value) > most:
        raise mistakes.at(
            line, f"{name} is {len(value):,} characters long.", f"Use at most {most:,} characters."
        )
    # Half a surrogate pair, which JSON can hold, has no place in UTF-8.
    return value.encode("utf-8", "replace").decode()
