"""Stop, and other people's prompts: how soon is the engine free, how long does anybody wait?

    python benchmarks/engine_stop.py [--quick] [--rounds 3] [--model 0.5B] [--dtype bfloat16]

1. An answer is cancelled while it reads a prompt of 8,000 tokens, and while it writes. At that
   moment a tiny question is asked: how much later than on an engine at rest does it begin? Until
   then the engine is not idle, whatever it says. Beside it when the cancelled answer's end is told.
2. An answer is being written when somebody asks with a prompt of 4,000 tokens: the longest pause
   in it while that prompt is read, and how long the reading takes. The same from the library's
   continuous batching.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from benchmarks.parts.asking import Ask, Ours, answer_of  # noqa: E402 - after the path
from benchmarks.parts.library import Library  # noqa: E402
from benchmarks.parts.options import bench, parser, say  # noqa: E402
from benchmarks.parts.plain_models import words  # noqa: E402
from benchmarks.parts.tables import most, spread, table  # noqa: E402

STOPPED, READ = 8000, 4000
TINY = 1
INTO_IT = 1.0
"""Seconds after which the reading of a prompt is stopped."""
FREE, PAUSE = most(0.2, " s"), most(0.5, " s")
OURS, CONTINUOUS = "Parley", "continuous batching"


def tiny(ours: Ours, seed: object) -> float:
    """Seconds to the first token of a tiny question asked now."""
    return ours.say(Ask((words(TINY, seed),), 1)).answer().ttft


def stopped(ours: Ours, prompt: int, number: int, *, writing: bool) -> tuple[float, float]:
    """Seconds until a question asked at the stop has its first token, and until the end is told."""
    hearing = ours.say(Ask((words(prompt, (prompt, number)),), 1000))
    if writing:
        hearing.until_tokens(10)
    else:
        hearing.until_started()
        time.sleep(INTO_IT)
        if hearing.pieces:
            raise SystemExit("The prompt was read before it could be stopped; it is too short.")
    asked = hearing.cancel()
    first = tiny(ours, ("after", prompt, number))
    hearing.until_ended()
    return first, hearing.ended - asked


def interrupted(ours: Ours, prompt: int, number: int) -> tuple[float, float, float]:
    """The longest pause while somebody's prompt is read, how long that takes, and a token's usual
    time before."""
    running = ours.say(Ask((words(32, ("running", number)),), 4000))
    running.until_tokens(12)
    before = answer_of(running.asked, list(running.pieces))
    other = ours.say(Ask((words(prompt, ("other", number)),), 1))
    read = other.answer()
    running.cancel()
    running.until_ended()
    times = [when for when, _ in running.pieces if when >= before.last]
    during = [read.asked, *(t for t in times if read.asked < t < read.first), read.first]
    return max(b - a for a, b in pairwise(during)), read.ttft, before.per_token


def interrupted_library(library: Library, prompt: int, number: int) -> tuple[float, float]:
    """The same of continuous batching; its answer goes on long enough after the other's prompt."""
    running = Ask((words(32, ("running", number)),), 60)
    other = Ask((words(prompt, ("other", number)),), 1, 0.5)
    long, read = library.run([running, other], "continuous")
    return long.gap, read.ttft


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--model", default="0.5B", choices=("0.1B", "0.5B"))
    options.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float32"))
    given = options.parse_args()
    name = "0.1B" if given.quick else given.model
    read = 1000 if given.quick else READ
    rounds = given.rounds or (1 if given.quick else 3)
    free: dict[str, list[float]] = defaultdict(list)
    told: dict[str, list[float]] = defaultdict(list)
    rest: list[float] = []
    pauses: dict[str, list[float]] = defaultdict(list)
    reads: dict[str, list[float]] = defaultdict(list)
    usual: list[float] = []
    with bench(given) as held:
        ours, paged = held.ours(name, given.dtype), held.library(name, given.dtype)
        for number in range(3):  # a warm-up
            tiny(ours, ("warm", number))
        ours.run([Ask((words(600, "warm"),), 4)])
        paged.run([Ask((words(600, "warm"),), 4)], "continuous")
        for number in range(rounds):
            held.machine.look()
            rest += [tiny(ours, ("rest", number, n)) for n in range(3)]
            normal = statistics.median(rest[-3:])
            for what, prompt, writing in (
                (f"reading {STOPPED} tokens", STOPPED, False),
                ("writing", 32, True),
            ):
                first, end = stopped(ours, prompt, number, writing=writing)
                free[what].append(first - normal)
                told[what].append(end)
            say(f"round {number + 1} of {rounds}, stopped")
            pause, took, token = interrupted(ours, read, number)
            pauses[OURS].append(pause)
            reads[OURS].append(took)
            usual.append(token)
            pause, took = interrupted_library(paged, read, number)
            pauses[CONTINUOUS].append(pause)
            reads[CONTINUOUS].append(took)
            say(f"round {number + 1} of {rounds}, interrupted")
        print(
            f"{held.machine}\n\n{name} {given.dtype}, medians of {rounds} rounds. A tiny question "
            f"on an engine at rest: first token after {spread(rest, 0, 1e3)} ms; a token of a lone "
            f"answer: {spread(usual, 0, 1e3)} ms. The worst round is judged."
        )
    table(
        ("stopped while", "free after, ms", "goal", "end told after, ms"),
        (
            (what, spread(v, 0, 1e3), FREE.judged(max(v)), spread(told[what], 0, 1e3))
            for what, v in free.items()
        ),
    )
    table(
        (f"while another's {read} tokens are read", "longest pause, s", "goal", "reading, s"),
        (
            (
                who,
                spread(pauses[who], 2),
                PAUSE.judged(max(pauses[who])) if who == OURS else PAUSE,
                spread(reads[who], 1),
            )
            for who in (OURS, CONTINUOUS)
        ),
    )


if __name__ == "__main__":
    main()
