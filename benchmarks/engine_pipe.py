"""Between the engine's token and its reader: how long on the way, at what cost?

    python benchmarks/engine_pipe.py [--quick] [--rounds 3] [--folder FOLDER]

1. A stand-in for the model's process says the time at a steady pace through the real outbox, pipe
   and reader; the reader compares it with its own clock, which is the same one on one machine. The
   processor time of the reading process is by the second and by the stream.
2. The real engine on a model so small that a token is nearly all overhead, beside the barest loop
   over the same model: forward, largest score, again. And by how much
   the times its reader takes exceed those the engine tells, up to the first token and to the end.
3. The reading process's processor time beside a model of 0.1 B, alone and with 8 answers at once.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from benchmarks.parts import ticker  # noqa: E402 - after the path
from benchmarks.parts.asking import Ask, Hearing, Ours  # noqa: E402
from benchmarks.parts.options import Bench, bench, parser, say  # noqa: E402
from benchmarks.parts.plain_models import words  # noqa: E402
from benchmarks.parts.tables import most, spread, table  # noqa: E402
from parley.engines import local  # noqa: E402

PACES = ((10, 1), (30, 1), (100, 1), (10, 8), (30, 8))
"""Tokens per second of a stream, and how many streams."""
WAY, OVERHEAD, COST = most(1, " ms"), most(1, " ms"), most(10, " %")


def heard(ours: Ours, asks: Sequence[Ask]) -> tuple[list[Hearing], float]:
    """All at once; and the share of a core that each cost this process, in percent."""
    began, spent = time.perf_counter(), time.process_time()
    hearings = [ours.say(ask) for ask in asks]
    for hearing in hearings:
        hearing.answer()
    spent = time.process_time() - spent
    return hearings, 100 * spent / (time.perf_counter() - began) / len(asks)


def delays(hearing: Hearing) -> list[float]:
    """Milliseconds each token was on its way."""
    return [
        (when - float(said)) * 1e3
        for (when, _), text in zip(hearing.pieces, hearing.texts, strict=True)
        for said in text.split(ticker.END)[:-1]
    ]


def on_the_way(held: Bench, seconds: float) -> list[list[str]]:
    real, local.WORKER = local.WORKER, ticker.__name__
    try:
        ours = held.ours("tiny", "float32")
    finally:
        local.WORKER = real
    rows = []
    heard(ours, [Ask(("100",), 50)])  # a warm-up
    for pace, streams in PACES:
        hearings, cost = heard(ours, [Ask((str(pace),), round(pace * seconds))] * streams)
        ways = sorted(way for hearing in hearings for way in delays(hearing))
        mean = statistics.mean(ways)
        rows.append(
            [
                f"{pace} tokens/s, {streams} at once",
                f"{mean:.2f}",
                WAY.judged(mean),
                f"{ways[len(ways) * 95 // 100]:.2f}",
                f"{ways[-1]:.2f}",
                f"{cost:.1f} %",
                COST.judged(cost),
            ]
        )
    ours.close()
    return rows


def overhead(held: Bench, tokens: int, rounds: int) -> list[list[str]]:
    ours, library = held.ours("tiny", "float32"), held.library("tiny", "float32", patient=True)
    ours.run([Ask((words(32, "warm"),), tokens)])
    library.bare_step(tokens)
    steps, bare, first, end = [], [], [], []
    for number in range(rounds):
        hearing = ours.say(Ask((words(32, number),), tokens))
        answer = hearing.answer()
        stats = hearing.stats
        steps.append(answer.per_token * 1e3)
        bare.append(library.bare_step(tokens) * 1e3)
        first.append((answer.ttft - (stats.ttft_seconds or 0)) * 1e3)
        end.append((hearing.ended - hearing.asked - stats.total_seconds) * 1e3)
    more = statistics.median(s - b for s, b in zip(steps, bare, strict=True))
    ours.close()
    library.close()
    return [
        ["a token of the engine, ms", spread(steps, 2), ""],
        ["a step of the barest loop, ms", spread(bare, 2), ""],
        ["the engine's own part of a token, ms", f"{more:.2f}", OVERHEAD.judged(more)],
        [
            "question and first token between the two processes, ms",
            spread(first, 2),
            WAY.judged(statistics.median(first)),
        ],
        [
            "question and end between them, ms",
            spread(end, 2),
            WAY.judged(statistics.median(end)),
        ],
    ]


def reading(held: Bench, tokens: int) -> list[list[str]]:
    ours = held.ours("0.1B", "bfloat16")
    heard(ours, [Ask((words(32, n),), 4) for n in range(8)])
    rows = []
    for streams in (1, 8):
        hearings, cost = heard(
            ours, [Ask((words(32, (streams, n)),), tokens) for n in range(streams)]
        )
        pace = statistics.median(1 / hearing.answer().per_token for hearing in hearings)
        rows.append([str(streams), f"{pace:.1f}", f"{cost:.2f} %", COST.judged(cost)])
    ours.close()
    return rows


def main() -> None:
    given = parser(__doc__).parse_args()
    rounds = given.rounds or 3
    with bench(given) as held:
        rows = on_the_way(held, 1 if given.quick else 6)
        say("on the way")
        small = overhead(held, 100 if given.quick else 300, rounds)
        say("overhead")
        read = reading(held, 8 if given.quick else 64)
        print(held.machine)
        table(
            ("a stand-in says", "on the way, mean ms", "goal", "95 %", "worst", "a core", "goal"),
            rows,
        )
        table((f"a tiny model, {rounds} rounds", "", "goal"), small)
        table(("0.1B answers at once", "tokens/s each", "a core, each", "goal"), read)


if __name__ == "__main__":
    main()
