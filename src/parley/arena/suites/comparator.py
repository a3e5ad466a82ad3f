"""Two models of a run as the JSON that LLM Comparator reads.

The format is Google PAIR's (Kahng et al., "LLM Comparator", 2024, arXiv:2402.10524; described in
the README of PAIR-code/llm-comparator): a positive score says that model A was better, scores go
from -1.5 to 1.5. Knows nothing of pages.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from parley.arena.suites.index import MISSED, PASSED, Index
from parley.arena.suites.judge import Judged, Verdict, verdicts
from parley.arena.suites.spec import Row
from parley.errors import SuiteError

WIN = 1.0
"""Of a score: a clear preference; beyond 0.3 the viewer counts a win."""

_SCORES: dict[Verdict, float] = {"left": WIN, "right": -WIN, "tie": 0.0, "abstain": 0.0}

_SCHEMA = [
    {"name": "id", "type": "string"},
    {"name": "expected", "type": "text"},
    {"name": "scored_by", "type": "category"},
    {"name": "tokens", "type": "per_model_number"},
    {"name": "tokens_per_second", "type": "per_model_number"},
    {"name": "passed", "type": "per_model_category"},
]


def to_comparator(index: Index, a: str, b: str) -> Iterator[str]:
    """The file in parts. The score is the reader's ratings, else the judge's verdict, else the
    checks, else 0. Rows that lack an answer are left out. Raises SuiteError("not_a_pair")."""
    if a == b or not {a, b} <= set(index.columns):
        raise SuiteError(
            "not_a_pair", "LLM Comparator compares two models.", "Choose two models of this run."
        )
    plan = index.plan
    judged = {v.row: _turned(v, a) for v in verdicts(index.folder) if {v.left, v.right} == {a, b}}
    head = {
        "metadata": {"source_path": f"{plan.suite} ({plan.id})", "custom_fields_schema": _SCHEMA},
        "models": [{"name": a}, {"name": b}],
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "examples": ['
    both = (r for r in range(len(index.rows)) if index.finished(a, r) and index.finished(b, r))
    between = "\n"
    for row, cells in index.read(both):
        example = _example(index, row, cells, a, b, judged.get(row.number))
        yield between + json.dumps(example, ensure_ascii=False)
        between = ",\n"
    yield "\n]}\n"


def _example(
    index: Index, row: Row, cells: dict[str, dict[str, Any]], a: str, b: str, judged: Judged | None
) -> dict[str, Any]:
    score, by = _score(index, row.number, a, b, judged)
    raters = []
    if judged:
        raters = [
            {"is_flipped": flipped, "score": _SCORES[verdict], "rationale": verdict}
            for flipped, verdict in ((False, judged.first), (True, judged.second))
        ]
    return {
        "input_text": "\n\n".join(row.turns),
        "tags": [row.category] if row.category else [],
        "output_text_a": "\n\n".join(cells[a]["answers"]),
        "output_text_b": "\n\n".join(cells[b]["answers"]),
        "score": score,
        "individual_rater_scores": raters,
        "custom_fields": {
            "id": row.id,
            "expected": row.check.expected if row.check else row.expected,
            "scored_by": by,
            "tokens": [cells[m].get("tokens") or 0 for m in (a, b)],
            "tokens_per_second": [round(cells[m].get("speed") or 0.0, 2) for m in (a, b)],
            "passed": [_passed(cells[m].get("passed")) for m in (a, b)],
        },
    }


def _score(index: Index, row: int, a: str, b: str, judged: Judged | None) -> tuple[float, str]:
    rated = [index.rating(model, row) for model in (a, b)]
    if all(rated):
        return WIN * (rated[0] - rated[1]) / 2, "reader"
    if judged and judged.verdict != "abstain":
        return _SCORES[judged.verdict], "judge"
    marks = [index.columns[model].marks[row] for model in (a, b)]
    if set(marks) <= {PASSED, MISSED}:
        return WIN * ((marks[0] == PASSED) - (marks[1] == PASSED)), "check"
    return 0.0, "nobody"


def _turned(judged: Judged, a: str) -> Judged:
    """The verdict with ``a`` as the left one."""
    if judged.left == a:
        return judged
    swap: dict[Verdict, Verdict] = {"left": "right", "right": "left"}
    said = [swap.get(v, v) for v in (judged.verdict, judged.first, judged.second)]
    return Judged(judged.row, judged.right, judged.left, *said)


def _passed(value: bool | None) -> str:
    return "not checked" if value is None else "passed" if value else "not passed"
