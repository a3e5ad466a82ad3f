"""A vote on two answers: everything that it takes to judge it later, as frozen, plain values.

The words that may stand in a vote are types, and their legal values are read from the types. Knows
nothing of where votes are kept, nor of how models are ranked by them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from parley.arena.ballots import OUTCOMES, Outcome
from parley.chats.formats.values import a_list, an_object, anything, bad, one_of, text, wrong

SCHEMA = 1
"""Of the record, in every exported line. A reader that knows another one says so."""

Mode = Literal["blind", "open"]
Seat = Literal["left", "right"]
Category = Literal[
    "general", "writing", "coding", "maths", "reasoning", "knowledge", "translation", "other"
]
Tag = Literal[
    "correct",
    "complete",
    "clear",
    "creative",
    "concise",
    "wrong",
    "made_up",
    "superficial",
    "too_long",
    "ignored_instructions",
    "refused",
]

MODES: tuple[str, ...] = get_args(Mode)
SEATS: tuple[Seat, ...] = get_args(Seat)
CATEGORIES: tuple[str, ...] = get_args(Category)
TAGS: tuple[str, ...] = get_args(Tag)

HUMAN = "human"
"""The judge of a person's vote; any other judge is the id of a model."""

MOST_COMMENT = 2000
"""Characters of what a person writes beside a vote; the rest is cut."""

MOST_TEXT = 400_000
"""Characters of one answer in a file that somebody brings."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two answers and how it came to be. Times are seconds, counts are tokens;
    ``headers``, ``lists`` and ``bold`` count Markdown; None is what nobody measured."""

    model: str
    text: str
    repo: str | None = None
    revision: str | None = None
    engine: str | None = None
    dtype: str | None = None
    device: str | None = None
    prompt_format: str | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    thinking_tokens: int | None = None
    finish_reason: str | None = None
    load_seconds: float | None = None
    ttft_seconds: float | None = None
    tokens_per_second: float | None = None
    thinking_seconds: float | None = None
    total_seconds: float | None = None
    headers: int = 0
    lists: int = 0
    bold: int = 0
    error: str | None = None

    @property
    def style(self) -> tuple[int, int, int, int]:
        """Tokens, headers, list items and bold passages: what may please by itself."""
        return (self.completion_tokens or 0, self.headers, self.lists, self.bold)


@dataclass(frozen=True, slots=True)
class Vote:
    """What ``voter``, or a model as ``judge``, thought of two answers to the same ``prompt``.

    ``voter`` is a salted hash. ``round`` is what can be voted on once. ``created`` is seconds since
    the epoch, ``seconds`` those from the first moment a vote was possible to the vote. ``ranked``
    is False where the voter may have known a model: in open mode and after an identity leak.
    ``prompt`` are the messages that both models were given, the system prompt included; ``turn``
    counts its questions. ``imported`` votes were cast elsewhere.
    """

    id: str
    round: str
    created: float
    voter: str
    outcome: Outcome
    left: Side
    right: Side
    app_version: str = ""
    judge: str = HUMAN
    mode: Mode = "blind"
    ranked: bool = True
    identity_leak: bool = False
    tags: tuple[str, ...] = ()
    comment: str = ""
    category: Category = "general"
    language: str = "other"
    seconds: float | None = None
    prompt: tuple[Mapping[str, str], ...] = ()
    turn: int = 1
    imported: bool = False


_RENAMED = {
    "id": "vote_id",
    "round": "pair_id",
    "voter": "session_hash",
    "seconds": "seconds_to_vote",
}
"""Fields whose names in a file say more than they need to here."""

_TEXTS = {f.name for f in fields(Side) if f.type in ("str", "str | None")}
_WHOLE = {f.name for f in fields(Side) if f.type in ("int", "int | None")}


def as_plain(vote: Vote) -> dict[str, Any]:
    """The vote as JSON can hold it, with the time in words; ``from_plain`` loses nothing."""
    values = asdict(vote) | {"tags": list(vote.tags), "prompt": [dict(m) for m in vote.prompt]}
    created = datetime.fromtimestamp(vote.created, UTC).isoformat(timespec="microseconds")
    head = {"schema": SCHEMA, "ts_utc": created.replace("+00:00", "Z")}
    del values["created"]
    return head | {_RENAMED.get(name, name): value for name, value in values.items()}


def from_plain(value: object) -> Vote:
    """A vote out of JSON, every part of it checked; what is not known is passed over. Raises
    StoreError("bad_import")."""
    given = an_object(value, "The vote")
    if given.get("schema") != SCHEMA:
        raise wrong("schema", given.get("schema"), str(SCHEMA))
    seconds = given.get("seconds_to_vote")
    left, right = (_side(given.get(seat), seat) for seat in SEATS)
    if left.model == right.model:
        raise bad(
            "Both answers are by the same model.", "Take the vote out, then import the file again."
        )
    return Vote(
        id=_name(given.get("vote_id"), "vote_id"),
        round=_name(given.get("pair_id"), "pair_id"),
        created=_time(given.get("ts_utc")),
        voter=text(given.get("session_hash"), "session_hash")[:64],
        outcome=one_of(given.get("outcome"), "outcome", OUTCOMES),  # type: ignore[arg-type] # is one
        left=left,
        right=right,
        app_version=text(given.get("app_version", ""), "app_version")[:40],
        judge=_name(given.get("judge", HUMAN), "judge"),
        mode=one_of(given.get("mode"), "mode", MODES),  # type: ignore[arg-type] # is one
        ranked=_truth(given.get("ranked"), "ranked"),
        identity_leak=_truth(given.get("identity_leak", False), "identity_leak"),
        tags=tuple(one_of(tag, "A tag", TAGS) for tag in a_list(given.get("tags", []), "tags")),
        comment=text(given.get("comment", ""), "comment")[:MOST_COMMENT],
        category=one_of(given.get("category", "other"), "category", CATEGORIES),  # type: ignore[arg-type] # is one
        language=text(given.get("language", "other"), "language")[:20],
        seconds=None if seconds is None else _measure(seconds, "seconds_to_vote"),
        prompt=tuple(_message(m) for m in a_list(given.get("prompt", []), "prompt")),
        turn=_count(given.get("turn", 1), "turn"),
        imported=_truth(given.get("imported", False), "imported"),
    )


def _side(value: object, seat: str) -> Side:
    given = an_object(value, seat)
    found: dict[str, Any] = {}
    for name in (f.name for f in fields(Side)):
        here, part = f"{seat}.{name}", given.get(name)
        if name == "model":
            found[name] = _name(part, here)
        elif name == "sampling":
            found[name] = anything(part, here)
        elif part is None and name != "text":
            continue
        elif name in _TEXTS:
            found[name] = text(part, here)
        elif name == "seed" or name in _WHOLE:
            found[name] = _count(part, here)
        else:
            found[name] = _measure(part, here)
    if len(found["text"]) > MOST_TEXT:
        raise wrong(f"{seat}.text", found["text"], f"a text of at most {MOST_TEXT:,} characters")
    return Side(**found)


def _message(value: object) -> Mapping[str, str]:
    given = an_object(value, "A message of the prompt")
    role = one_of(given.get("role"), "A role", ("system", "user", "assistant"))
    return {"role": role, "content": text(given.get("content"), "A message's content")}


def _name(value: object, where: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise wrong(where, value, "a text of 1 to 200 characters")
    return text(value, where)


def _truth(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise wrong(where, value, "true or false")
    return value


def _count(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise wrong(where, value, "a whole number")
    return value


def _measure(value: object, where: str) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not good or not 0 <= value < 1e12:  # type: ignore[operator] # good says it is a number
        raise wrong(where, value, "a number from 0 on")
    return float(value)  # type: ignore[arg-type] # as above


def _time(value: object) -> float:
    try:
        return datetime.fromisoformat(text(value, "ts_utc")).timestamp()
    except (ValueError, OverflowError, OSError):
        raise wrong("ts_utc", value, "a time like 2026-01-31T12:00:00Z") from None
