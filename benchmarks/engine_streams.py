"""Several answers at once on one model: what do all of them get together?

    python benchmarks/engine_streams.py [--quick] [--rounds 2] [--static] [--folder FOLDER]

1, 2, 4 and 8 people ask at the same moment; the tokens per second of all together, from the
question to the last word, by those of one stream of the library's ``generate`` in the same number
format. Beside Parley's engine the library's continuous batching and, with ``--static``, one padded
batch of its ``generate``. All take turns, round by round, with prompts that nobody has seen.
"""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from benchmarks.parts.asking import Answer, Ask, median_ttft, rate  # noqa: E402 - after the path
from benchmarks.parts.options import Bench, bench, parser, say  # noqa: E402
from benchmarks.parts.plain_models import words  # noqa: E402
from benchmarks.parts.tables import Goal, least, ratio, table  # noqa: E402

AT_ONCE = (1, 2, 4, 8)
CASES = (("0.5B", "bfloat16"), ("0.1B", "float32"))
GOALS: dict[tuple[str, int], Goal] = {
    ("bfloat16", 1): least(1, " ×"),
    ("bfloat16", 2): least(2, " ×"),
    ("bfloat16", 4): least(4, " ×"),
    ("bfloat16", 8): least(5.5, " ×"),
    ("float32", 1): least(1, " ×"),
    ("float32", 2): least(1.1, " ×"),
    ("float32", 4): least(2.3, " ×"),
    ("float32", 8): least(4.2, " ×"),
}
PROMPT, TOKENS = 32, 48
OURS, CONTINUOUS, STATIC, ONE = "Parley", "continuous batching", "static batch", "one generate"
Side = Callable[[Sequence[Ask]], list[Answer]]


class Case:
    """One checkpoint and everybody who answers with it."""

    def __init__(self, held: Bench, name: str, dtype: str, static: bool) -> None:
        self.name, self.dtype = name, dtype
        ours, plain = held.ours(name, dtype), held.library(name, dtype)
        paged = held.library(name, dtype)
        self._engines = (ours, plain, paged)
        self.sides: dict[str, Side] = {
            OURS: ours.run,
            CONTINUOUS: lambda asks: paged.run(asks, "continuous"),
        }
        if static:
            self.sides[STATIC] = lambda asks: plain.run(asks, "static")
        self._one: Side = lambda asks: plain.run(asks, "generate")
        self.rates: dict[tuple[str, int], list[float]] = defaultdict(list)
        self.firsts: dict[tuple[str, int], list[float]] = defaultdict(list)

    def round(self, number: int, tokens: int) -> None:
        """Number -1 is a warm-up: nothing of it is kept."""
        order = list(self.sides.items())
        for people in AT_ONCE:
            for side, run in order if (number + people) % 2 else order[::-1]:
                self._measure(side, people, run, number, tokens)
            if people == 1:
                self._measure(ONE, 1, self._one, number, tokens)

    def _measure(self, side: str, people: int, run: Side, number: int, tokens: int) -> None:
        asks = [
            Ask((words(PROMPT, (self.name, side, number, people, n)),), tokens)
            for n in range(people)
        ]
        answers = run(asks)
        if number >= 0:
            self.rates[side, people].append(rate(answers))
            self.firsts[side, people].append(median_ttft(answers))

    def row(self, side: str, people: int) -> list[str]:
        rates, one = self.rates[side, people], self.rates[ONE, 1]
        times = ratio(rates, one)
        goal = GOALS[self.dtype, people]
        return [
            f"{self.name} {self.dtype}, {side}",
            str(people),
            f"{statistics.median(rates):.1f}",
            f"{times:.2f} ×",
            goal.judged(times) if side == OURS else str(goal),
            f"{statistics.median(self.firsts[side, people]) * 1e3:.0f}",
        ]

    def close(self) -> None:
        for engine in self._engines:
            engine.close()


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--static", action="store_true", help="one padded batch as well")
    given = options.parse_args()
    rounds = given.rounds or (1 if given.quick else 2)
    cases = (("0.1B", "bfloat16"),) if given.quick else CASES
    tokens = 8 if given.quick else TOKENS
    with bench(given) as held:
        done = []
        for name, dtype in cases:
            case = Case(held, name, dtype, given.static)
            for number in range(-1, rounds):
                held.machine.look()
                case.round(number, tokens if number >= 0 else 2)
                say(f"{name} {dtype}, round {number + 1} of {rounds}")
            case.close()
            done.append(case)
        print(
            f"{held.machine}\n\nPrompts of {PROMPT} tokens, answers of {tokens}; medians of "
            f"{rounds} rounds; × is by one stream of the library's generate."
        )
        for case in done:
            alone = statistics.median(case.rates[ONE, 1])
            print(f"\n{case.name} {case.dtype}: one stream of generate {alone:.1f} tokens/s")
            table(
                ("who", "at once", "tokens/s together", "×", "goal", "first token, ms"),
                (case.row(side, people) for people in AT_ONCE for side in case.sides),
            )


if __name__ == "__main__":
    main()
