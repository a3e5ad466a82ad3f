"""Votes as files: to take away, and to bring from elsewhere.

JSON Lines is the record itself and loses nothing. CSV is a table for a spreadsheet: without the
messages. Read are JSON Lines of this kind and the cleaned battles of FastChat (a JSON list, or one
object a line). A bad line is told in one sentence and does not keep the others out. Knows nothing
of where votes are kept.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from parley.arena.ballots import Outcome
from parley.arena.records import SEATS, Vote, as_plain, from_plain
from parley.arena.sides import markdown_counts
from parley.chats.formats.values import a_list, an_object, bad, no_number, number, text, wrong
from parley.errors import StoreError

MOST_BYTES = 50_000_000
"""Of a file that is read."""

MOST_PROBLEMS = 20
"""Bad lines that are told; of the others only how many."""

_HEAD = (
    *("ts_utc", "vote_id", "pair_id", "session_hash", "judge", "mode", "ranked", "identity_leak"),
    *("outcome", "tags", "comment", "category", "language", "seconds_to_vote", "turn"),
    *("app_version", "imported"),
)
_OF_A_SIDE = (
    *("model", "repo", "revision", "dtype", "device", "seed", "prompt_tokens"),
    *("completion_tokens", "thinking_tokens", "finish_reason", "load_seconds", "ttft_seconds"),
    *("tokens_per_second", "thinking_seconds", "total_seconds", "headers", "lists", "bold"),
)
COLUMNS = (*_HEAD, *(f"{seat}_{name}" for seat in SEATS for name in _OF_A_SIDE))

_WINNERS: dict[str, Outcome] = {
    "model_a": "left",
    "model_b": "right",
    "tie": "tie",
    "tie (bothbad)": "both_bad",
}

_LANGUAGES = {
    **{"English": "en", "German": "de", "French": "fr", "Spanish": "es", "Portuguese": "pt"},
    **{"Italian": "it", "Dutch": "nl", "Polish": "pl", "Swedish": "sv", "Turkish": "tr"},
    **{"Vietnamese": "vi", "Indonesian": "id", "Czech": "cs", "Japanese": "ja", "Chinese": "zh"},
    **{"Korean": "ko", "Russian": "ru", "Ukrainian": "uk", "Arabic": "ar", "Persian": "fa"},
    **{"Hebrew": "he", "Greek": "el", "Hindi": "hi", "Thai": "th"},
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file held: its votes, and a sentence for each line that is none, at most
    ``MOST_PROBLEMS`` of them; ``bad`` counts all."""

    votes: tuple[Vote, ...]
    problems: tuple[str, ...]
    bad: int


def to_jsonl(votes: Iterable[Vote]) -> Iterator[str]:
    """A line for each vote, its end included."""
    for vote in votes:
        yield json.dumps(as_plain(vote), ensure_ascii=False) + "\n"


def to_csv(votes: Iterable[Vote]) -> Iterator[str]:
    """The heading, then a row for each vote."""
    yield _row(COLUMNS)
    for vote in votes:
        plain = as_plain(vote)
        plain["tags"] = " ".join(plain["tags"])
        head = [plain[name] for name in _HEAD]
        yield _row([*head, *(plain[seat][name] for seat in SEATS for name in _OF_A_SIDE)])


def read(file: str) -> Reading:
    """The votes of a file. Raises StoreError("bad_import") where nothing in it can be one."""
    if len(file) > MOST_BYTES:
        raise bad(
            f"The file is larger than {MOST_BYTES // 1_000_000} MB.", "Split it, then import both."
        )
    votes: list[Vote] = []
    problems: list[str] = []
    for place, parse in _entries(file):
        try:
            votes.append(_vote(parse()))
        except StoreError as error:
            problems.append(f"{place}: {error.sentence}")
        except (json.JSONDecodeError, RecursionError):
            problems.append(f"{place}: This is no JSON.")
    if not votes and not problems:
        raise bad("The file is empty.", "Choose a file of votes: JSON Lines, one vote a line.")
    if not votes:
        raise bad(
            f"There is no vote in this file. {problems[0]}",
            "Choose a file that was exported from a leaderboard, or FastChat's cleaned battles.",
        )
    return Reading(tuple(votes), tuple(problems[:MOST_PROBLEMS]), len(problems))


def _entries(file: str) -> Iterator[tuple[str, Any]]:
    """Where each entry stands, and how to have it."""
    if file.lstrip("\ufeff \t\r\n").startswith("["):
        try:
            listed = _json(file.lstrip("\ufeff"))
        except (json.JSONDecodeError, RecursionError) as error:
            raise bad("The file is no JSON.", "Export it again, then import it.") from error
        for n, entry in enumerate(listed, 1):
            yield f"Entry {n}", lambda entry=entry: entry
        return
    # Not splitlines(): a text may hold what it takes for the end of a line.
    for n, line in enumerate(file.lstrip("\ufeff").split("\n"), 1):
        if line.strip():
            yield f"Line {n}", lambda line=line: _json(line)


def _json(written: str) -> Any:
    return json.loads(written, parse_float=number, parse_constant=no_number)


def _vote(value: object) -> Vote:
    given = an_object(value, "The vote")
    return _battle(given) if "winner" in given and "model_a" in given else from_plain(given)


def _battle(given: Mapping[str, Any]) -> Vote:
    """A cleaned battle of FastChat. What it does not know stays open; its id is made of what it
    says, so that the same battle is the same vote."""
    winner = text(given.get("winner"), "winner")
    if winner not in _WINNERS:
        raise wrong("winner", winner, "one of " + ", ".join(_WINNERS))
    anonymous = given.get("anony", True) is not False
    names = [text(given.get(f"model_{seat}"), f"model_{seat}") for seat in "ab"]
    talks = [_messages(given.get(f"conversation_{seat}"), seat) for seat in "ab"]
    same = json.dumps([given.get(name) for name in ("question_id", "tstamp", "judge")] + names)
    key = hashlib.sha256(same.encode("utf-8", "replace")).hexdigest()[:32]
    plain: dict[str, Any] = {
        "schema": 1,
        "vote_id": key,
        "pair_id": str(given.get("question_id") or key)[:200],
        "session_hash": str(given.get("judge") or ""),
        "outcome": _WINNERS[winner],
        "mode": "blind" if anonymous else "open",
        "ranked": anonymous,
        "category": "other",
        "language": _LANGUAGES.get(str(given.get("language")), "other"),
        "prompt": talks[0][:-1],
        "turn": given.get("turn", 1),
        "ts_utc": "1970-01-01T00:00:00Z",
        **{seat: _side(name, talk) for seat, name, talk in zip(SEATS, names, talks, strict=True)},
    }
    vote = from_plain(plain)
    when = given.get("tstamp", 0)
    if isinstance(when, bool) or not isinstance(when, int | float) or not 0 <= when < 2.5e11:
        raise wrong("tstamp", when, "a time in seconds since 1970")
    return replace(vote, created=round(float(when), 6))


def _messages(value: object, seat: str) -> list[dict[str, Any]]:
    where = f"conversation_{seat}"
    found = [an_object(message, where) for message in a_list(value, where)]
    if not found or found[-1].get("role") != "assistant":
        raise bad(f"{where} does not end with an answer.", "Take it out, then import it again.")
    return [
        {"role": m.get("role"), "content": text(m.get("content"), where)}
        | ({"num_tokens": m["num_tokens"]} if "num_tokens" in m else {})
        for m in found
    ]


def _side(model: str, talk: list[dict[str, Any]]) -> dict[str, Any]:
    answer = talk[-1]["content"]
    headers, lists, bold = markdown_counts(answer)
    return {
        "model": model,
        "text": answer,
        "completion_tokens": talk[-1].get("num_tokens"),
        **{"headers": headers, "lists": lists, "bold": bold},
    }


def _row(cells: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([_cell(cell) for cell in cells])
    return out.getvalue()


def _cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula is marked as a text."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value
