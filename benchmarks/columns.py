"""Two, three and four columns at once: does a quick one end in its own time beside slow ones?

    python benchmarks/columns.py [--quick] [--rounds 3] [--folder FOLDER]

Each column is a model in a process of its own, as in a comparison on the page: a small model with a
short answer and one, two or three larger ones with long ones, first each alone, then all at once.
With cores for everybody a column would take its time alone; where they share cores, that times the
number of columns. The counter-figure is how a page that asks its columns for a piece each in turn
would have shown the very same answers, computed from the moments at which their pieces came: a
piece is seen when it is there and the one that is asked for before it was seen.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from benchmarks.parts.asking import Ask, Hearing, Ours  # noqa: E402 - after the path
from benchmarks.parts.options import bench, parser, say  # noqa: E402
from benchmarks.parts.plain_models import words  # noqa: E402
from benchmarks.parts.tables import spread, table  # noqa: E402

DTYPE = "bfloat16"
PROMPT = 32
SHORT, LONG = 32, 64
"""Tokens of the quick column's answer and of the others'."""


def took(hearing: Hearing) -> float:
    return hearing.pieces[-1][0] - hearing.asked


def in_turn(hearings: Sequence[Hearing]) -> list[float]:
    """When each column would have ended for who asks them for a piece in turn, in seconds."""
    began = min(hearing.asked for hearing in hearings)
    seen, ended = began, [0.0] * len(hearings)
    for number in range(max(len(hearing.pieces) for hearing in hearings)):
        for index, hearing in enumerate(hearings):
            if number < len(hearing.pieces):
                seen = max(seen, hearing.pieces[number][0])
                ended[index] = seen - began
    return ended


def together(engines: Sequence[Ours], asks: Sequence[Ask]) -> list[Hearing]:
    hearings = [engine.say(ask) for engine, ask in zip(engines, asks, strict=True)]
    for hearing in hearings:
        hearing.answer()
    return hearings


def main() -> None:
    given = parser(__doc__).parse_args()
    rounds = given.rounds or (1 if given.quick else 3)
    with bench(given) as held:
        others = "0.1B" if given.quick else "0.5B"
        engines = [held.ours("0.1B", DTYPE), *(held.ours(others, DTYPE) for _ in range(3))]
        rows = []
        for count in (2, 3, 4):
            alone: list[float] = []
            beside: list[float] = []
            slow: list[float] = []
            slow_alone: list[float] = []
            turns: list[float] = []
            for number in range(-1, rounds):  # the first one is a warm-up
                held.machine.look()
                asks = [
                    Ask((words(PROMPT, ("columns", count, number, n)),), LONG if n else SHORT)
                    for n in range(count)
                ]
                again = [
                    Ask((words(PROMPT, ("alone", count, number, n)),), ask.tokens)
                    for n, ask in enumerate(asks)
                ]
                one = [
                    together([engine], [ask])[0]
                    for engine, ask in zip(engines, again, strict=False)
                ]
                hearings = together(engines[:count], asks)
                if number < 0:
                    continue
                alone.append(took(one[0]))
                slow_alone.append(statistics.median(took(h) for h in one[1:]))
                beside.append(took(hearings[0]))
                slow.append(max(took(h) for h in hearings[1:]))
                turns.append(in_turn(hearings)[0])
            say(f"{count} columns")
            quick = statistics.median(beside) / statistics.median(alone)
            rows.append(
                [
                    str(count),
                    spread(alone),
                    spread(beside),
                    f"{quick:.2f} × ({quick / count:.2f} × of {count})",
                    spread(turns),
                    spread(slow_alone),
                    spread(slow),
                ]
            )
        print(f"{held.machine}\n\nSeconds; medians of {rounds} rounds, {SHORT} and {LONG} tokens.")
        table(
            (
                "columns",
                "short, alone",
                "short, beside the others",
                "by alone (by a fair share)",
                "short, if asked in turn",
                "long, alone",
                "the last of the long ones",
            ),
            rows,
        )


if __name__ == "__main__":
    main()
