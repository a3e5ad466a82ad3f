"""Two models that answer at the same time: does each get its fair half of the machine?

    python benchmarks/side_by_side.py [--quick] [--rounds 3] [--folder FOLDER]

A fair half is half the speed at which the same model answers alone. Parley runs a process per model
that takes fewer threads while it is kept off its cores; the peer is ``model.generate`` in two
processes with the library's own settings, and the same with threads that give their cores away as
soon as Parley's (``patient``). All take turns, round by round, on the same random-weight
checkpoints.
"""

from __future__ import annotations

import statistics
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from benchmarks.parts.asking import Answer, Ask  # noqa: E402 - after the path
from benchmarks.parts.options import Bench, bench, parser, say  # noqa: E402
from benchmarks.parts.plain_models import words  # noqa: E402
from benchmarks.parts.tables import least, ratio, spread, table  # noqa: E402

SIZES = {"0.1B": 64, "0.5B": 24}
"""How many tokens the answers of each have."""
DTYPE = "bfloat16"
PROMPT = 32
FAIR = least(0.85, " ×")
Side = Callable[[Ask], Answer]
Figures = dict[str, list[float]]
"""Tokens per second by who answered, one a round."""


def pair(sides: tuple[Side, Side], asks: tuple[Ask, Ask]) -> list[float]:
    """Both at the same moment; the tokens per second of each."""
    speeds = [0.0, 0.0]

    def run(index: int) -> None:
        speeds[index] = 1 / sides[index](asks[index]).per_token

    threads = [threading.Thread(target=run, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return speeds


def engines(held: Bench, name: str) -> dict[str, tuple[Side, Side]]:
    def ours() -> Side:
        engine = held.ours(name, DTYPE)
        return lambda ask: engine.run([ask])[0]

    def library(patient: bool) -> Side:
        process = held.library(name, DTYPE, patient=patient)
        return lambda ask: process.run([ask], "generate")[0]

    return {
        "Parley": (ours(), ours()),
        "generate": (library(False), library(False)),
        "generate, patient": (library(True), library(True)),
    }


def measure(held: Bench, name: str, tokens: int, rounds: int) -> tuple[Figures, Figures]:
    """Of each side alone, and of the slower of two at once."""
    alone: Figures = defaultdict(list)
    slower: Figures = defaultdict(list)
    made = engines(held, name)
    for number in range(-1, rounds):  # the first one is a warm-up
        held.machine.look()
        for who, sides in made.items():
            asks = [Ask((words(PROMPT, (who, number, n)),), tokens) for n in range(3)]
            one = 1 / sides[0](asks[0]).per_token
            two = pair(sides, (asks[1], asks[2]))
            if number >= 0:
                alone[who].append(one)
                slower[who].append(min(two))
        say(f"{name}, round {number + 1} of {rounds}")
    return alone, slower


def row(name: str, who: str, alone: list[float], slower: list[float]) -> list[str]:
    share = ratio(slower, [speed / 2 for speed in alone])
    return [
        f"{name} {DTYPE}, {who}",
        spread(alone),
        spread(slower),
        f"{share:.2f} ×",
        FAIR.judged(share) if who == "Parley" else str(FAIR),
        f"{2 * statistics.median(slower):.1f}",
    ]


def main() -> None:
    given = parser(__doc__).parse_args()
    sizes = {"0.1B": 16} if given.quick else SIZES
    rounds = given.rounds or (1 if given.quick else 3)
    with bench(given) as held:
        rows = []
        for name, tokens in sizes.items():
            alone, slower = measure(held, name, tokens, rounds)
            rows += [row(name, who, alone[who], slower[who]) for who in alone]
        print(f"{held.machine}\n\nMedians of {rounds} rounds.")
        table(
            (
                "",
                "tokens/s alone",
                "of the slower of two at once",
                "by a fair half",
                "goal",
                "both, at least",
            ),
            rows,
        )


if __name__ == "__main__":
    main()
