"""What an answer has to look like, as a grammar: a JSON schema or a regular expression.

A request is checked with it before anything is stored, and the model's process guides the answer
with it. Knows nothing of tokens.
"""

from __future__ import annotations

import json
import re
from typing import Any

from parley.catalog.spec import Sampling

# Between two parts of JSON one line break with some indentation, or one space: room for the layout
# a model likes, none for a small model that has nothing to say and writes spaces for ever.
_WHITESPACE = r"\n {0,16}| "


def grammar(sampling: Sampling) -> str | None:
    """The grammar of what is asked for, which may still be at fault; None for free text."""
    # Imported where it is needed: most answers are free text, and this costs a start 50 ms.
    from llguidance import LLMatcher

    if sampling.json_schema is not None:
        options: Any = {"whitespace_pattern": _WHITESPACE, "lenient": False, "coerce_one_of": False}
        return LLMatcher.grammar_from_json_schema(sampling.json_schema, overrides=options)
    if sampling.regex is not None:
        return LLMatcher.grammar_from_regex(sampling.regex)
    return None


def fault(sampling: Sampling) -> tuple[str, str] | None:
    """Why an answer cannot be held to what is asked for, and what to do; None where it can."""
    from llguidance import LLMatcher

    if sampling.json_schema is not None and (broken := _not_a_schema(sampling.json_schema)):
        return broken
    try:
        asked = grammar(sampling)
        wrong, words = LLMatcher.validate_grammar_with_warnings(asked) if asked else (False, [])
    except ValueError as error:  # such as options inside the schema that are none
        wrong, words = True, [str(error)]
    return refusal(sampling, words[0]) if wrong else None


def refusal(sampling: Sampling, reason: str) -> tuple[str, str]:
    """The library's reason as a sentence, and what to do."""
    if sampling.regex is not None:
        return (
            f"This regex cannot be followed: {_plain(reason)}.",
            "Write it without lookaround, word boundaries and backreferences; the whole answer "
            "has to match, so ^ and $ are not needed.",
        )
    return (
        f"This JSON schema cannot be followed: {_plain(reason)}.",
        "Take that part out, or say it in another way.",
    )


def _plain(words: str) -> str:
    """Without the picture of the place, and without advice meant for programmers."""
    if keys := re.search(r"Unimplemented keys: \[(.*?)\]", words):
        return f"{keys[1]} cannot be enforced"
    for before in ("error: ", "(in regex): ", "regex: "):
        words = words.rpartition(before)[2]
    first = words.strip().partition("\n")[0]
    first = re.sub(r" at line \d+ column \d+$", "", first)
    return re.split(r"\. |; ", first)[0].rstrip(" .") or "it is not valid"


def _not_a_schema(text: str) -> tuple[str, str] | None:
    try:
        schema = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        return (
            f"The JSON schema is not JSON: line {error.lineno}, column {error.colno}: {error.msg}.",
            'Write an object such as {"type": "object"}.',
        )
    except ValueError as error:
        return f"The JSON schema is not JSON: {error}.", "Use numbers that JSON has."
    except RecursionError:
        return "The JSON schema is nested too deeply.", "Make it simpler."
    if not isinstance(schema, dict):
        return (
            "The JSON schema is not an object.",
            'Write one such as {"type": "object"}.',
        )
    return None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of it")  # Python would take NaN and Infinity
