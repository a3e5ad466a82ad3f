"""How the page asks: what every question checks, and how it fails.

Every payload comes from a browser. A ``ParleyError`` becomes a sentence and a fix; anything else is
logged under a number that the page shows. What is said leaves in the page's language. Knows no
question in particular.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

from parley import speech
from parley.chats.records import owner_of
from parley.errors import ParleyError, StoreError
from parley.ui import views

log = logging.getLogger(__name__)

Payload = dict[str, Any]
Question = Callable[[Payload], Coroutine[Any, Any, Payload]]


def guarded(method: Question) -> Question:
    """The question as ``gr.HTML`` can offer it: it always answers, by its own name."""

    # A plain function: Gradio marks the functions it offers, which a bound method does not allow.
    async def question(data: Payload) -> Payload:
        given = data if isinstance(data, dict) else {}
        try:
            reply = await method(given)
        except ParleyError as error:
            reply = {"error": views.refusal(error)}
        except Exception:
            reply = {"error": views.refusal(unexpected())}
        return in_words(given, reply)

    question.__name__ = method.__name__
    return question


def owner(data: Payload) -> str:
    """Who asks. Raises StoreError("no_identity")."""
    browser = data.get("owner")
    if not isinstance(browser, str) or not re.fullmatch(r"[0-9a-f]{32}", browser):
        raise StoreError("no_identity", "This page has lost its identity.", "Reload the page.")
    return owner_of(browser)


def in_words(data: Payload, reply: Payload) -> Payload:
    """The reply in the language that the page speaks."""
    spoken: Payload = speech.spoken(reply, speech.language_of(data.get("speaks")))
    return spoken


def text(data: Payload, key: str) -> str | None:
    value = data.get(key)
    return value if isinstance(value, str) else None


def wishes(data: Payload) -> tuple[dict[str, Any], bool | None]:
    """The settings that somebody chose, and whether the model shall think; None is the model's."""
    given = data.get("settings")
    settings = dict(given) if isinstance(given, dict) else {}
    thinking = settings.pop("thinking", None)
    return settings, thinking if isinstance(thinking, bool) else None


def unexpected() -> ParleyError:
    """For an exception that nothing foresaw: logged in full under a number that the page shows."""
    number = uuid.uuid4().hex[:8]
    log.exception("Unexpected error %s", number)
    return ParleyError(
        "internal",
        f"Something unexpected went wrong (error {number}).",
        "Try again; the log of Parley says more under that number.",
    )
