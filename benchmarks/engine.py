"""One answer at a time: how fast is Parley's engine beside the library, and beside the memory?

    python benchmarks/engine.py [--quick] [--rounds 3] [--folder FOLDER]

The peer is ``model.generate`` with a ``TextIteratorStreamer`` in a thread, the way most pages
stream, in a process of its own with as many threads. They take turns, round by round, on the same
random-weight checkpoints and prompts; each reads its own answer. A step cannot take less than the
time to read every weight once: its bytes by the bandwidth that was measured meanwhile.

Both are greedy, so the text should be the same; where two scores are nearly equal, another order of
additions may choose the other one, in bfloat16 sooner than in float32. Reading 512 tokens is
compared with the library's quickest number format, not only with the same.
"""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from benchmarks.parts.asking import Answer, Ask  # noqa: E402 - after the path
from benchmarks.parts.options import Bench, bench, parser, say  # noqa: E402
from benchmarks.parts.plain_models import bytes_read, words  # noqa: E402
from benchmarks.parts.tables import least, most, ratio, spread, table  # noqa: E402

DTYPES = ("float32", "bfloat16")
SIZES = {"0.1B": 48, "0.5B": 32}
"""How many tokens the answers of each have."""
PROMPT, LONG = 64, 512
SPEED = least(1, " ×")
READING = most(1, " ×")
Figures = dict[tuple[str, str], list[float]]
"""Per dtype and side ("ours" or "library"), one a round."""


@dataclass(slots=True)
class Size:
    """All of one model: seconds a token takes, seconds to the first token of a long prompt, and the
    short answers' texts."""

    steps: Figures = field(default_factory=lambda: defaultdict(list))
    firsts: Figures = field(default_factory=lambda: defaultdict(list))
    texts: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))


def measure(held: Bench, name: str, tokens: int, rounds: int) -> Size:
    found = Size()
    ours = {dtype: held.ours(name, dtype) for dtype in DTYPES}
    libraries = {dtype: held.library(name, dtype) for dtype in DTYPES}

    def ask(dtype: str, side: str, what: Ask) -> Answer:
        if side == "ours":
            return ours[dtype].run([what])[0]
        return libraries[dtype].run([what], "generate")[0]

    for number in range(-1, rounds):  # the first one is a warm-up
        held.machine.look()
        for dtype in DTYPES:
            for side in ("ours", "library") if number % 2 else ("library", "ours"):
                short = Ask((words(PROMPT, (number, dtype)),), tokens if number >= 0 else 4)
                long = Ask((words(LONG, (number, dtype, "long")),), 2)
                answer, first = ask(dtype, side, short), ask(dtype, side, long).ttft
                if number >= 0:
                    found.steps[dtype, side].append(answer.per_token)
                    found.texts[dtype, side].append(answer.text)
                    found.firsts[dtype, side].append(first)
        say(f"{name}, round {number + 1} of {rounds}")
    for dtype in DTYPES:
        ours[dtype].close()
        libraries[dtype].close()
    return found


def stream_row(held: Bench, name: str, dtype: str, found: Size) -> list[str]:
    floor = bytes_read(held.checkpoint(name, dtype)) / held.machine.bandwidth
    ours, theirs = found.steps[dtype, "ours"], found.steps[dtype, "library"]
    texts = zip(found.texts[dtype, "ours"], found.texts[dtype, "library"], strict=True)
    same = [ours == theirs for ours, theirs in texts]
    times = ratio(theirs, ours)
    return [
        f"{name} {dtype}",
        spread(ours, scale=1e3),
        spread(theirs, scale=1e3),
        f"{1 / statistics.median(ours):.1f}",
        f"{times:.2f} ×",
        SPEED.judged(times),
        f"{floor * 1e3:.1f}",
        f"{statistics.median(ours) / floor:.2f}",
        f"{statistics.median(theirs) / floor:.2f}",
        f"{sum(same)} of {len(same)}",
    ]


def reading_row(name: str, dtype: str, firsts: Figures) -> list[str]:
    best = min(DTYPES, key=lambda d: statistics.median(firsts[d, "library"]))
    ours, theirs = firsts[dtype, "ours"], firsts[dtype, "library"]
    times = ratio(ours, firsts[best, "library"])
    return [
        f"{name} {dtype}",
        spread(ours, 0, 1e3),
        spread(theirs, 0, 1e3),
        f"{spread(firsts[best, 'library'], 0, 1e3)}, {best}",
        f"{times:.2f} ×",
        READING.judged(times),
    ]


def main() -> None:
    given = parser(__doc__).parse_args()
    sizes = {"0.1B": 12} if given.quick else SIZES
    rounds = given.rounds or (1 if given.quick else 3)
    with bench(given) as held:
        found = {name: measure(held, name, tokens, rounds) for name, tokens in sizes.items()}
        print(f"{held.machine}\n\nOne stream; medians of {rounds} rounds, lowest and highest.")
        table(
            (
                "model",
                "ms/token",
                "library",
                "tokens/s",
                "speed by the library's",
                "goal",
                "floor, ms",
                "by the floor",
                "library by it",
                "same text",
            ),
            (stream_row(held, n, d, size) for n, size in found.items() for d in DTYPES),
        )
        print(f"\nTime to the first token after a prompt of {LONG} tokens, ms.")
        table(
            ("model", "Parley", "library", "library's best", "Parley by the best", "goal"),
            (reading_row(n, d, size.firsts) for n, size in found.items() for d in DTYPES),
        )


if __name__ == "__main__":
    main()
