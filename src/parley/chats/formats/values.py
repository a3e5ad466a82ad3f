"""Values out of a file that somebody brings: each is checked where it is read, and a bad one is
named with its place. Knows nothing of what the values mean."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping
from typing import Any

from parley.chats.records import storable
from parley.errors import StoreError

MOST_NESTED = 50
"""How deep lists and objects may stand in each other where anything is allowed."""

LATEST = 253402300799.0
"""Seconds since the epoch at the end of the year 9999, the last one with a date."""


def bad(sentence: str, fix: str) -> StoreError:
    return StoreError("bad_import", sentence, fix)


def wrong(where: str, value: object, wanted: str) -> StoreError:
    found = "missing" if value is None else reprlib.repr(value)
    return bad(f"{where} is {found}, not {wanted}.", f"Put {wanted} there, then import it again.")


def an_object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong(where, value, "an object")
    return value


def a_list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise wrong(where, value, "a list")
    return value


def text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise wrong(where, value, "a text")
    return storable(value)


def text_or_none(value: object, where: str) -> str | None:
    return None if value is None else text(value, where)


def one_of(value: object, where: str, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise wrong(where, value, "one of " + ", ".join(allowed))
    return value


def seconds(value: object, where: str) -> float:
    """A time; 0 where none is given."""
    if value is None:
        return 0.0
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not 0 <= value <= LATEST:  # type: ignore[operator] # good says it is a number
        raise wrong(where, value, "a time in seconds since 1970")
    return float(value)  # type: ignore[arg-type] # as above


def anything(value: object, where: str) -> dict[str, Any]:
    """An object with any content that is not nested too deep; empty where none is given."""
    if value is None:
        return {}
    found = an_object(value, where)
    level: list[object] = [found]
    for _ in range(MOST_NESTED):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return found
    raise bad(
        f"{where} is nested more than {MOST_NESTED} levels deep.",
        "Take it out, then import the file again.",
    )


def number(digits: str) -> float:
    """For ``json.loads``: what is too large for a number would come back as no JSON at all."""
    value = float(digits)
    if not math.isfinite(value):
        raise bad(
            f"The number {reprlib.repr(digits)} is too large.",
            "Take it out, then import the file again.",
        )
    return value


def no_number(name: str) -> float:
    """For ``json.loads``: NaN and Infinity, which Python reads and browsers do not."""
    raise bad(f"{name} is not a number in JSON.", "Write null there, then import the file again.")


def _inside(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else []
