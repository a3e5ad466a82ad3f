"""A run as it lies on the disk, made without any model."""

from __future__ import annotations

import json

from parley.arena.suites import plan as plans
from parley.arena.suites.index import Index
from parley.arena.suites.journal import Journal
from parley.arena.suites.loading import read_text
from parley.arena.suites.plan import Plan


def lines(*rows: dict) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def make(folder, rows, models=("a", "b"), **wishes) -> Plan:
    return plans.new(
        folder, Plan("test", tuple(models), **wishes), read_text("t.jsonl", lines(*rows))
    )


def answer(folder, row, model, text, **more) -> None:
    entry = {"row": row, "model": model, "answers": [text], "tokens": 10, "seconds": 1.0}
    with Journal(folder / plans.CELLS) as journal:
        journal.append(entry | {"speed": 20.0, "wait": 0.5} | more)


def index(folder) -> Index:
    found = Index(folder, plans.opened(folder))
    found.catch_up()
    return found
