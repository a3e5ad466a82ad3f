"""People who arrive one by one with prompts of all lengths: how fast, and how soon for each?

    python benchmarks/engine_mixed.py [--quick] [--rounds 1] [--model 0.5B] [--dtype bfloat16]

Eight people arrive 0.4 s apart with prompts of 30 to 400 tokens and want 48 tokens each. Parley's
engine, the library's continuous batching, and its ``generate`` with whoever is first in a queue
are given the same lengths, each in texts of its own, and take turns.
"""

from __future__ import annotations

import random
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from benchmarks.parts.asking import Answer, Ask, median_ttft, rate  # noqa: E402 - after the path
from benchmarks.parts.options import bench, parser, say  # noqa: E402
from benchmarks.parts.plain_models import words  # noqa: E402
from benchmarks.parts.tables import Goal, least, most, ratio, table  # noqa: E402

PEOPLE, APART, TOKENS = 8, 0.4, 48
SHORTEST, LONGEST = 30, 400
OURS, CONTINUOUS, QUEUE = "Parley", "continuous batching", "one at a time"
SPEED, FIRST = least(1, " ×"), most(1, " ×")
Side = Callable[[Sequence[Ask]], list[Answer]]


def crowd(side: str, number: int, tokens: int) -> list[Ask]:
    """The lengths are the round's; the texts are the side's own."""
    lengths = random.Random(number)
    return [
        Ask(
            (words(lengths.randint(SHORTEST, LONGEST), (side, number, who)),),
            tokens,
            who * APART,
        )
        for who in range(PEOPLE)
    ]


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--model", default="0.5B", choices=("0.1B", "0.5B"))
    options.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float32"))
    given = options.parse_args()
    name = "0.1B" if given.quick else given.model
    tokens = 8 if given.quick else TOKENS
    rounds = given.rounds or 1
    heard: dict[str, list[list[Answer]]] = defaultdict(list)
    with bench(given) as held:
        ours = held.ours(name, given.dtype, PEOPLE)
        paged, plain = held.library(name, given.dtype), held.library(name, given.dtype)
        sides: dict[str, Side] = {
            OURS: ours.run,
            CONTINUOUS: lambda asks: paged.run(asks, "continuous"),
            QUEUE: lambda asks: plain.run(asks, "generate"),
        }
        for side, run in sides.items():  # a warm-up
            run([Ask((words(LONGEST, (side, who)),), 2) for who in range(2)])
        for number in range(rounds):
            held.machine.look()
            order = list(sides)
            for side in order if number % 2 == 0 else order[::-1]:
                heard[side].append(sides[side](crowd(side, number, tokens)))
                say(f"round {number + 1} of {rounds}, {side}")
        print(
            f"{held.machine}\n\n{name} {given.dtype}: {PEOPLE} people {APART} s apart, prompts of "
            f"{SHORTEST} to {LONGEST} tokens, answers of {tokens}; medians of {rounds} rounds."
        )
    rates = {side: [rate(answers) for answers in heard[side]] for side in sides}
    middles = {side: [median_ttft(answers) for answers in heard[side]] for side in sides}
    worst = {side: [max(a.ttft for a in answers) for answers in heard[side]] for side in sides}
    gaps = {side: [max(a.gap for a in answers) for answers in heard[side]] for side in sides}

    def figures(what: str, of: dict[str, list[float]], form: str, goal: Goal) -> list[str]:
        times = ratio(of[OURS], of[CONTINUOUS])
        cells = [format(statistics.median(of[side]), form) for side in sides]
        return [what, *cells, f"{times:.2f} ×", goal.judged(times)]

    table(
        ("", *sides, f"{OURS} by {CONTINUOUS}", "goal"),
        (
            figures("tokens/s of all together", rates, ".1f", SPEED),
            figures("first token, median, s", middles, ".2f", FIRST),
            figures("first token, worst, s", worst, ".2f", FIRST),
            figures("longest pause within an answer, s", gaps, ".2f", FIRST),
        ),
    )


if __name__ == "__main__":
    main()
