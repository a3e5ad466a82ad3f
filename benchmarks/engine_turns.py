"""A long conversation: does the tenth turn read only what is new, and an edited one as well?

    python benchmarks/engine_turns.py [--quick] [--rounds 2] [--model 0.5B] [--dtype bfloat16]

A conversation is held turn by turn: a question is asked, the answer's own text becomes part of the
next prompt. The tenth turn adds a few tokens to a history of some 2,000. Its time to the first
token, by that of a conversation which has nothing but those few tokens. Then, in this order: the
same turn once more (Retry); an early question edited, and asked again from there; back on the first
branch, its tenth turn once more. Last a conversation of the same length that nobody has seen.

The library's continuous batching holds conversations of its own, with the pages of 32 tokens by
which it finds a history again; its plain ``generate`` always reads everything and is left out.
"""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from benchmarks.parts.asking import Answer, Ask  # noqa: E402 - after the path
from benchmarks.parts.options import bench, parser, say  # noqa: E402
from benchmarks.parts.plain_models import words  # noqa: E402
from benchmarks.parts.tables import most, ratio, spread, table  # noqa: E402

TURNS, HISTORY, NEW, TOKENS = 10, 2000, 40, 12
OURS, CONTINUOUS = "Parley", "continuous batching"
FRESH, TENTH, RETRY = "the new tokens alone", "turn 10", "turn 10 again"
EDITED, BACK, COLD = (
    "question 2 edited, turn 3 after it",
    "back on the first branch, turn 10",
    "cold",
)
GOAL = most(1.5, " ×")
WARM = (TENTH, RETRY, BACK)
"""What should take little longer than the new tokens alone."""
Reader = Callable[[Ask], Answer]
Figures = dict[tuple[str, str], list[Answer]]
"""Per side and moment, one a round."""


class Conversation:
    """Held with one side. ``seed`` makes it one that the side has not seen."""

    def __init__(self, ask: Reader, seed: object) -> None:
        self._ask = ask
        self._seed = seed
        self.turns: tuple[str, ...] = ()

    def question(self, tokens: int, *more: object) -> str:
        return words(tokens, (self._seed, len(self.turns), *more))

    def turn(self, question: str) -> Answer:
        answer = self._ask(Ask((*self.turns, question), TOKENS))
        self.turns = (*self.turns, question, answer.text)
        return answer

    def again(self, count: int, question: str) -> Answer:
        """Instead of what came after the first ``count`` turns; nothing is forgotten."""
        return self._ask(Ask((*self.turns[: 2 * count], question), TOKENS))


def hold(ask: Reader, side: str, number: int, history: int, found: Figures) -> None:
    fresh = Conversation(ask, (side, number, "fresh"))
    found[side, FRESH].append(fresh.turn(fresh.question(NEW)))
    talk = Conversation(ask, (side, number))
    each = history // (TURNS - 1) - TOKENS - 4  # the template's own tokens
    for _ in range(TURNS - 1):
        talk.turn(talk.question(each))
    last = talk.question(NEW)
    found[side, TENTH].append(talk.again(TURNS - 1, last))
    found[side, RETRY].append(talk.again(TURNS - 1, last))
    branch = Conversation(ask, (side, number, "branch"))
    branch.turns = talk.turns[:2]
    branch.turn(branch.question(each))
    found[side, EDITED].append(branch.turn(branch.question(NEW)))
    found[side, BACK].append(talk.again(TURNS - 1, last))
    cold = words(history, (side, number, "cold"))
    found[side, COLD].append(ask(Ask((cold,), TOKENS)))


def row(side: str, moment: str, found: Figures) -> list[str]:
    firsts = [a.ttft for a in found[side, moment]]
    times = ratio(firsts, [a.ttft for a in found[side, FRESH]])
    goal = ""
    if moment in WARM:
        goal = GOAL.judged(times) if side == OURS else str(GOAL)
    known = f"{statistics.median(a.cached for a in found[side, moment]):.0f}"
    return [
        f"{side}, {moment}",
        spread(firsts, 0, 1e3),
        f"{times:.2f} ×",
        goal,
        known if side == OURS else "",
        f"{statistics.median(a.per_token for a in found[side, moment]) * 1e3:.1f}",
    ]


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--model", default="0.5B", choices=("0.1B", "0.5B"))
    options.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float32"))
    given = options.parse_args()
    name = "0.1B" if given.quick else given.model
    history = 500 if given.quick else HISTORY
    rounds = given.rounds or (1 if given.quick else 2)
    found: Figures = defaultdict(list)
    with bench(given) as held:
        ours, paged = held.ours(name, given.dtype), held.library(name, given.dtype)
        sides: dict[str, Reader] = {
            OURS: lambda ask: ours.run([ask])[0],
            CONTINUOUS: lambda ask: paged.run([ask], "continuous")[0],
        }
        for side, ask in sides.items():  # a warm-up
            ask(Ask((words(NEW, side),), 4))
            ask(Ask((words(600, side),), 4))
        for number in range(rounds):
            held.machine.look()
            for side in list(sides) if number % 2 == 0 else list(sides)[::-1]:
                hold(sides[side], side, number, history, found)
                say(f"round {number + 1} of {rounds}, {side}")
        print(
            f"{held.machine}\n\n{name} {given.dtype}: {history} tokens of history in {TURNS - 1} "
            f"turns, {NEW} new ones, answers of {TOKENS}; medians of {rounds} rounds."
        )
    table(
        ("", "first token, ms", "by the new tokens alone", "goal", "known before", "ms/token"),
        (
            row(side, moment, found)
            for moment in (FRESH, TENTH, RETRY, EDITED, BACK, COLD)
            for side in sides
        ),
    )


if __name__ == "__main__":
    main()
