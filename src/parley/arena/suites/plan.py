"""What a run shall do, and the folder in which it is kept.

    run.json      the plan; written once
    suite.jsonl   the suite's rows, as they were when the run began
    cells.jsonl   one line for each finished answer
    ratings.jsonl what its reader thought of them
    judge.jsonl   what a model thought of them, apart from people's

A folder is all there is to a run: whoever opens it again goes on where it ended. Knows nothing of
models or engines.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from parley.arena.suites.spec import MOST_NAME, Row, from_line, to_line
from parley.errors import SuiteError

SCHEMA = 1
MOST_MODELS = 8

PLAN = "run.json"
ROWS = "suite.jsonl"
CELLS = "cells.jsonl"
RATINGS = "ratings.jsonl"
JUDGED = "judge.jsonl"


@dataclass(frozen=True, slots=True)
class Plan:
    """``models`` in the order in which they answer; ``judge`` is a model beside them, or None.
    ``temperature``, ``seed`` and ``max_new_tokens`` are the same for all, everything else is each
    model's own. ``rows`` and ``digest`` are of the suite as it was; ``created`` is seconds since
    the epoch. ``blind`` hides from the page which model wrote what."""

    suite: str
    models: tuple[str, ...]
    judge: str | None = None
    temperature: float = 0.0
    seed: int = 1
    max_new_tokens: int = 512
    blind: bool = False
    id: str = ""
    rows: int = 0
    digest: str = ""
    created: float = 0.0

    def asks_the_same(self, other: Plan) -> bool:
        """Whether a run of one is a run of the other."""
        return replace(self, id="", created=0.0) == replace(other, id="", created=0.0)


def new(folder: Path, plan: Plan, rows: Iterable[Row]) -> Plan:
    """Make the folder of a run that has not begun: all of it or, where a row is at fault, none.
    Raises SuiteError: what ``loading`` raises, few_models, too_many_models, model_twice,
    judge_contends, folder_refused."""
    _check(plan)
    made = folder.parent / f".{folder.name}-{uuid.uuid4().hex[:8]}"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made.mkdir(mode=0o700)
        digest, count = hashlib.sha256(), 0
        with (made / ROWS).open("wb") as stream:
            for row in rows:
                line = to_line(row).encode() + b"\n"
                stream.write(line)
                digest.update(line)
                count += 1
        plan = replace(
            plan,
            suite=plan.suite[:MOST_NAME],
            id=folder.name,
            rows=count,
            digest=digest.hexdigest(),
            created=time.time(),
        )
        text = json.dumps({"schema": SCHEMA, **asdict(plan)}, ensure_ascii=False, indent=2)
        (made / PLAN).write_text(text + "\n", encoding="utf-8")
        # An empty folder may be there already; one with files in it refuses.
        made.replace(folder)
    except OSError as error:
        remove(made)
        raise SuiteError(
            "folder_refused",
            f"The run cannot be written to {folder}: {error.strerror or error}.",
            "Give another folder, or make room on this disk.",
        ) from error
    except BaseException:
        remove(made)
        raise
    return plan


def opened(folder: Path) -> Plan:
    """The plan of the run in this folder. Raises SuiteError("no_such_run")."""
    try:
        found: dict[str, Any] = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        if found.pop("schema") != SCHEMA:
            raise ValueError("another schema")
        return Plan(**{**found, "models": tuple(found["models"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SuiteError(
            "no_such_run", "There is no run here that can be read.", "Begin a new one."
        ) from error


def remove(folder: Path) -> None:
    """The whole run, for good."""
    shutil.rmtree(folder, ignore_errors=True)


def rows(folder: Path) -> Iterator[Row]:
    """The suite as it was when the run began, row by row."""
    with (folder / ROWS).open(encoding="utf-8", newline="\n") as stream:
        for number, line in enumerate(stream):
            yield from_line(number, line)


def _check(plan: Plan) -> None:
    if not plan.models:
        raise SuiteError("few_models", "No model is chosen.", "Choose one at least.")
    if len(plan.models) > MOST_MODELS:
        raise SuiteError(
            "too_many_models",
            f"A run takes at most {MOST_MODELS} models.",
            "Choose fewer; a second run takes the others.",
        )
    twice = next((m for m in plan.models if plan.models.count(m) > 1), None)
    if twice is not None:
        raise SuiteError("model_twice", f"{twice} is chosen twice.", "Choose each model once.")
    if plan.judge in plan.models:
        raise SuiteError(
            "judge_contends",
            f"{plan.judge} cannot judge a run in which it answers.",
            "Choose another judge, or take it out of the line-up.",
        )
