"""A model as judge: which of two answers is better, asked twice with the seats swapped.

A judge that prefers whichever answer it reads first (position bias: Zheng et al., "Judging
LLM-as-a-judge with MT-bench and Chatbot Arena", 2023, arXiv:2306.05685) contradicts itself when the
seats change; then it abstains. Its verdicts are kept apart from people's. Knows nothing of engines.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from parley.arena.suites import plan as plans
from parley.arena.suites.index import Index
from parley.arena.suites.journal import Journal, entries
from parley.arena.suites.spec import Row
from parley.catalog.spec import Sampling

Verdict = Literal["left", "right", "tie", "abstain"]
Weigh = Callable[[str], Awaitable[str | None]]

MOST_READ = 8_000
"""Characters of one answer that a judge is given: small windows have to hold two of them."""

_SAYS: dict[str, Verdict] = {"A": "left", "B": "right", "T": "tie"}
_SWAPPED: dict[Verdict, Verdict] = {"left": "right", "right": "left", "tie": "tie"}


@dataclass(frozen=True, slots=True)
class Pair:
    row: int
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Judged:
    """``first`` is what the judge said with the left answer read first, ``second`` what it said
    with the seats swapped, in terms of the same two models."""

    row: int
    left: str
    right: str
    verdict: Verdict
    first: Verdict
    second: Verdict


class Judge:
    """Decides the pairs of a run that nobody has decided yet."""

    def __init__(self, index: Index, journal: Journal) -> None:
        self._index = index
        self._journal = journal

    @staticmethod
    def sampling(defaults: Sampling) -> Sampling:
        """One letter, the likeliest: no judge, however small, can say anything else."""
        return replace(
            defaults, temperature=0.0, seed=0, max_new_tokens=4, regex="[ABT]", json_schema=None
        )

    def left(self) -> Iterator[Pair]:
        decided = {(v.row, v.left, v.right) for v in verdicts(self._index.folder)}
        for row in range(len(self._index.rows)):
            for left, right in combinations(self._index.plan.models, 2):
                both = self._index.finished(left, row) and self._index.finished(right, row)
                if both and (row, left, right) not in decided:
                    yield Pair(row, left, right)

    async def decide(self, pair: Pair, weigh: Weigh) -> None:
        """Nothing is kept where the judge could not be heard; the pair is then left over."""
        ((row, cells),) = self._index.read(iter([pair.row]))
        texts = [cells[model]["answers"] for model in (pair.left, pair.right)]
        said = await weigh(question(row, texts[0], texts[1]))
        again = await weigh(question(row, texts[1], texts[0]))
        if said is None or again is None:
            return
        first = _SAYS.get(said.strip()[:1], "abstain")
        second = _SWAPPED.get(_SAYS.get(again.strip()[:1], "abstain"), "abstain")
        self._journal.append(
            {
                "row": pair.row,
                "left": pair.left,
                "right": pair.right,
                "judge": self._index.plan.judge,
                "verdict": first if first == second else "abstain",
                "first": first,
                "second": second,
            }
        )


def verdicts(folder: Path) -> Iterator[Judged]:
    """What the judge of a run has decided so far, in its order."""
    for _, _, entry in entries(folder / plans.JUDGED):
        yield Judged(
            entry["row"],
            entry["left"],
            entry["right"],
            entry["verdict"],
            entry["first"],
            entry["second"],
        )


def question(row: Row, first: list[str], second: list[str]) -> str:
    """What the judge is asked: the first answer is A, the second B."""
    parts = ["Two assistants were asked the same thing. Judge which of them helps more.", ""]
    if row.expected:
        parts += ["[Expected answer]", row.expected, ""]
    for name, answers in (("A", first), ("B", second)):
        parts.append(f"[Conversation with {name}]")
        for turn, answer in zip(row.turns, answers, strict=False):
            parts += [f"User: {turn}", f"{name}: {answer[:MOST_READ]}"]
        parts.append("")
    parts.append(
        "Look at what is correct, complete and to the point; neither length nor order matters. "
        "Answer with one letter: A if A is better, B if B is better, T if they are equally good."
    )
    return "\n".join(parts)


def counts(folder: Path) -> dict[str, Any]:
    """How often the judge of a run decided at all, and how often for whom: ``pairs``, ``flips``,
    and ``wins``, ``losses``, ``ties`` by model."""
    found: dict[str, Any] = {"pairs": 0, "flips": 0, "wins": {}, "losses": {}, "ties": {}}
    for judged in verdicts(folder):
        found["pairs"] += 1
        if judged.verdict == "abstain":
            found["flips"] += 1
            continue
        for model, won in ((judged.left, "left"), (judged.right, "right")):
            what = "ties" if judged.verdict == "tie" else "losses"
            what = "wins" if judged.verdict == won else what
            found[what][model] = found[what].get(model, 0) + 1
    return found
