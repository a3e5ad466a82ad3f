"""A run as a file to take along: CSV for spreadsheets, JSONL for programs, Markdown for people.

Each is written in parts, so that a long run is never in memory as a whole. Knows nothing of where
the parts go.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from parley.arena.suites.columns import number
from parley.arena.suites.index import Index
from parley.arena.suites.results import Result, results
from parley.arena.suites.spec import Row

RATED = {1: "good", -1: "bad", 0: ""}


def to_csv(index: Index) -> Iterator[str]:
    """A line for each row; for each model its answer, whether it passed, what was thought of it,
    tokens and tokens per second. With a byte order mark, by which spreadsheets know UTF-8."""
    columns = ("answer", "passed", "rating", "tokens", "tokens_per_second", "error")
    models = list(index.columns)
    yield "\ufeff" + _line(
        ["id", "category", "prompt", "expected", *(f"{m}: {c}" for m in models for c in columns)]
    )
    for row, cells in index.read(index.chosen()):
        values: list[Any] = [row.id, row.category, "\n\n".join(row.turns), _expected(row)]
        for model in models:
            found = cells.get(model, {})
            values += [
                "\n\n".join(found.get("answers", [])),
                _yes(found.get("passed")),
                RATED[index.rating(model, row.number)],
                found.get("tokens", ""),
                round(found["speed"], 2) if found.get("speed") else "",
                found.get("error", {}).get("sentence", ""),
            ]
        yield _line(values)


def to_jsonl(index: Index) -> Iterator[str]:
    """The plan, then each row with everything that is known of its cells."""
    plan = index.plan
    head = {
        "suite": plan.suite,
        "models": list(plan.models),
        "judge": plan.judge,
        "temperature": plan.temperature,
        "seed": plan.seed,
        "max_new_tokens": plan.max_new_tokens,
        "created": plan.created,
        "digest": plan.digest,
    }
    yield json.dumps({"run": head}, ensure_ascii=False) + "\n"
    for row, cells in index.read(index.chosen()):
        entry: dict[str, Any] = {"id": row.id, "category": row.category, "turns": list(row.turns)}
        if _expected(row):
            entry["expected"] = _expected(row)
        if row.check:
            entry["check"] = row.check.kind
        entry["cells"] = [
            {k: v for k, v in cell.items() if k != "row"}
            | {"rating": RATED[index.rating(model, row.number)] or None}
            for model, cell in cells.items()
        ]
        yield json.dumps(entry, ensure_ascii=False) + "\n"


def to_markdown(index: Index) -> Iterator[str]:
    """The summary as a table, then the rows with their answers."""
    plan = index.plan
    yield f"# {_inline(plan.suite)}\n\n"
    yield f"{plan.rows} prompts, temperature {plan.temperature:g}, seed {plan.seed}, "
    yield f"at most {plan.max_new_tokens} tokens.\n\n"
    yield "| Model | Answers | Passed | 95 % interval | Tokens/s | First token | Tokens |\n"
    yield "|---|---:|---:|---:|---:|---:|---:|\n"
    for result in results(index):
        yield _summary(result)
    for row, cells in index.read(index.chosen()):
        yield f"\n## {_inline(row.id)}{f' · {_inline(row.category)}' if row.category else ''}\n\n"
        for turn in row.turns:
            yield _quoted(turn)
        if _expected(row):
            yield f"Expected: `{_inline(_expected(row))[:500]}`\n\n"
        for model, cell in cells.items():
            verdict = {"yes": " · passed", "no": f" · not passed: {cell.get('why', '')}"}
            rated = RATED[index.rating(model, row.number)]
            yield f"**{_inline(model)}**{verdict.get(_yes(cell.get('passed')), '')}"
            yield f"{f' · rated {rated}' if rated else ''}\n\n"
            if "error" in cell:
                yield f"*{_inline(cell['error']['sentence'])}*\n\n"
            for answer in cell["answers"]:
                yield answer.strip() + "\n\n"


WRITERS: dict[str, Callable[[Index], Iterator[str]]] = {
    "csv": to_csv,
    "jsonl": to_jsonl,
    "markdown": to_markdown,
}


def _summary(r: Result) -> str:
    interval = "" if r.low is None or r.high is None else f"{r.low:.0%} to {r.high:.0%}"
    values = [
        _inline(r.model),
        f"{r.done}{f' ({r.failed} failed)' if r.failed else ''}",
        "" if r.rate is None else f"{r.passed} of {r.checked} ({r.rate:.0%})",
        interval,
        "" if r.speed is None else f"{r.speed:.1f}",
        "" if r.wait is None else f"{r.wait:.2f} s",
        "" if r.tokens is None else f"{r.tokens:.0f}",
    ]
    return "| " + " | ".join(values) + " |\n"


def _line(values: list[Any]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerow([_tame(value) for value in values])
    return stream.getvalue()


def _tame(value: Any) -> Any:
    """A spreadsheet takes what begins so for a formula and may run it; an apostrophe makes it
    text. Numbers stay numbers."""
    if isinstance(value, str) and value[:1] in set("=+-@\t\r") and number(value) is None:
        return "'" + value
    return value


def _expected(row: Row) -> str:
    return row.check.expected if row.check else row.expected


def _yes(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _inline(text: str) -> str:
    return re.sub(r"([|*`_<])", r"\\\1", " ".join(text.split()))


def _quoted(text: str) -> str:
    return "".join(f"> {line}\n" for line in text.splitlines()) + "\n"
