"""What somebody brings to be imported: which kind it is, and that it can be taken at all.

The kinds themselves are read in ``chat_json.py`` and ``openai_messages.py``.
"""

from __future__ import annotations

import json
from typing import Any

from parley import sizes
from parley.chats.formats import chat_json, openai_messages, values
from parley.chats.records import Chat, ChatMessage

MOST_BYTES = 50_000_000

_KINDS = (
    "Import chats that Parley exported as JSON, or messages as OpenAI writes them, one "
    'conversation or one in each line: {"messages": [{"role": "user", "content": "..."}]}.'
)


def read_chats(text: str) -> tuple[tuple[Chat, tuple[ChatMessage, ...]], ...]:
    """The conversations in a file: Parley's own JSON, OpenAI's messages (an object, a bare list, or
    a list of either), or JSON Lines with OpenAI's messages in each. Without id and owner; 0 for a
    time that is not given. Raises StoreError("bad_import") with the place of what is wrong."""
    text = text.removeprefix("\ufeff")
    _measure(text)
    if lines := _lines(text):
        return tuple(openai_messages.from_value(_parse(line, n), f"line[{n}]") for n, line in lines)
    found = _parse(text)
    if isinstance(found, dict) and "format" in found:
        return chat_json.from_value(found)
    if isinstance(found, dict) and "messages" in found:
        return (openai_messages.from_value(found, ""),)
    if isinstance(found, list) and found:
        if isinstance(found[0], dict) and "role" in found[0]:
            return (openai_messages.from_value(found, ""),)
        if isinstance(found[0], list) or (isinstance(found[0], dict) and "messages" in found[0]):
            return tuple(openai_messages.from_value(item, f"[{n}]") for n, item in enumerate(found))
    raise values.bad("The file holds no conversation that Parley knows how to read.", _KINDS)


def _lines(text: str) -> list[tuple[int, str]]:
    """The lines of JSON Lines with their numbers; none where the file is something else. JSON that
    is written over several lines has no whole value in its first."""
    # Not splitlines(): a text may hold what that takes for the end of a line.
    lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) < 2 or not lines[0][1].lstrip().startswith(("{", "[")):
        return []
    try:
        json.loads(lines[0][1])
    except (ValueError, RecursionError):
        return []
    return lines


def _measure(text: str) -> None:
    # A character is four bytes at most: a short text need not be counted.
    if len(text) * 4 > MOST_BYTES and (length := len(text.encode("utf-8", "replace"))) > MOST_BYTES:
        raise values.bad(
            f"The file has {sizes.size(length)}, and {sizes.size(MOST_BYTES)} is the most that can "
            "be imported at once.",
            "Divide it into several files.",
        )


def _parse(text: str, line: int = 1) -> Any:
    """``line`` is where the text begins in its file."""
    try:
        return json.loads(text, parse_float=values.number, parse_constant=values.no_number)
    except json.JSONDecodeError as error:
        at = line + error.lineno - 1
        raise values.bad(
            f"The file is not JSON: {error.msg} in line {at}, column {error.colno}.", _KINDS
        ) from None
    except RecursionError:
        raise values.bad(
            "The file is nested too deep to be read.", "Export it again, or take that part out."
        ) from None
    except ValueError:
        raise values.bad(
            "The file holds a whole number of thousands of digits.",
            "Take it out, then import the file again.",
        ) from None
