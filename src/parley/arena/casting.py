"""A vote as it is made: what a person said, what was looked at, and what stands in the way.

Pure but for the clock and the id. Knows nothing of rounds, or of where votes are kept.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from parley import __version__
from parley.arena import language, leaks
from parley.arena.ballots import OUTCOMES
from parley.arena.records import CATEGORIES, MOST_COMMENT, TAGS, Category, Side, Vote
from parley.errors import StoreError


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says with a vote besides its outcome, as it comes from a browser: what is no
    ``Tag`` is passed over. ``seconds`` since both answers had text; ``category`` None leaves the
    round's."""

    tags: Sequence[str] = ()
    comment: str = ""
    category: str | None = None
    seconds: float | None = None


def made(
    outcome: str,
    left: Side,
    right: Side,
    prompt: Sequence[Mapping[str, str]] = (),
    turn: int = 1,
    said: Said | None = None,
    names: Iterable[str] = (),
    category: Category = "general",
) -> Vote:
    """A blind vote by nobody on no round yet; it ranks unless an answer introduced its writer, by
    one of ``names`` or those that ``leaks`` knows. Raises StoreError("side_failed", "no_text_yet"
    or "bad_vote")."""
    if outcome not in OUTCOMES:
        raise bad_vote("This is no outcome of a vote.")
    for seat, side in (("left", left), ("right", right)):
        _require_answer(seat, side)
    said = said or Said()
    named = tuple(names)
    leaked = any(leaks.leak(side.text, named) for side in (left, right))
    asked = " ".join(message["content"] for message in prompt if message["role"] == "user")
    return Vote(
        id=uuid.uuid4().hex,
        round="",
        created=round(time.time(), 6),
        voter="",
        outcome=outcome,
        left=left,
        right=right,
        app_version=__version__,
        ranked=not leaked,
        identity_leak=leaked,
        tags=tuple(tag for tag in TAGS if tag in said.tags),
        comment=said.comment.strip()[:MOST_COMMENT],
        category=category_of(said.category, category),
        language=language.guess(asked),
        seconds=said.seconds,
        prompt=tuple(dict(message) for message in prompt),
        turn=turn,
    )


def category_of(value: str | None, otherwise: Category = "general") -> Category:
    """What a browser sent, if it is one; else ``otherwise``."""
    return value if value in CATEGORIES else otherwise  # type: ignore[return-value] # is one


def bad_vote(sentence: str) -> StoreError:
    return StoreError("bad_vote", sentence, "Reload the page, then vote again.")


def _require_answer(seat: str, side: Side) -> None:
    if side.error is not None:
        raise StoreError(
            "side_failed", f"The {seat} answer has failed.", "Retry that side, then vote."
        )
    if not side.text.strip():
        raise StoreError(
            "no_text_yet",
            f"The {seat} answer has no text yet.",
            "Wait until both answers have begun, then vote.",
        )
