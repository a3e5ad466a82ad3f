"""On a GPU: how near do models of 7 and 8 B come to what the card itself can do?

    python benchmarks/engine_gpu.py [--quick] [--rounds 3] [--folder FOLDER]

Random-weight checkpoints in the shapes of Llama 3 8B and Mistral 7B, bfloat16, some 31 GB in the
folder and as much of the card's memory. For each: one stream by the memory's limit (bytes of
weights by the bandwidth that was measured), 32 streams by one, the reading of a long prompt by the
rate of a large matrix product, and how fast the weights come from the page cache, which the first
of two loads has filled. Then both at once, each by half of what it has alone.

Where there is no GPU it says so and measures nothing.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from benchmarks.parts.asking import Ask, Ours, rate  # noqa: E402 - after the path
from benchmarks.parts.options import Bench, bench, parser, say  # noqa: E402
from benchmarks.parts.plain_models import bytes_read, words  # noqa: E402
from benchmarks.parts.tables import Goal, least, spread, table  # noqa: E402

MODELS = ("llama-8B", "mistral-7B")
SMALL = ("tiny", "mistral-tiny")
DTYPE = "bfloat16"
STREAMS, PROMPT, LONG = 32, 64, 4096
ONE = least(0.7, " of the limit")
MANY = least(12, " ×")
READING = least(0.4, " of the rate")
LOADING = least(2, " GB/s")
FAIR = least(0.9, " of its half")


@dataclass(slots=True)
class Card:
    """What was seen of one model, one figure a round."""

    name: str
    ours: Ours
    limit: float
    """Tokens per second of one stream, were reading the weights all."""
    loads: float
    alone: list[float] = field(default_factory=list)
    together: list[float] = field(default_factory=list)
    reading: list[float] = field(default_factory=list)
    shared: list[float] = field(default_factory=list)

    def asks(self, count: int, tokens: int, *seed: object) -> list[Ask]:
        return [Ask((words(PROMPT, (self.name, *seed, n)),), tokens) for n in range(count)]

    def round(self, number: int, tokens: int, long: int) -> None:
        alone = self.ours.run(self.asks(1, tokens, number, "one"))
        self.alone.append(1 / alone[0].per_token)
        self.together.append(rate(self.ours.run(self.asks(STREAMS, tokens, number, "many"))))
        read = self.ours.run([Ask((words(long, (self.name, number)),), 1)])
        self.reading.append(long / read[0].ttft)


def opened(held: Bench, name: str) -> Card:
    """Loaded twice: the first time brings the files into the page cache."""
    held.ours(name, DTYPE, STREAMS).close()
    ours = held.ours(name, DTYPE, STREAMS)
    size = bytes_read(held.checkpoint(name, DTYPE))
    card = Card(
        name, ours, held.machine.bandwidth / size, ours.ready.footprint / ours.ready.seconds
    )
    ours.run(card.asks(STREAMS, 4, "warm-up"))
    return card


def both(cards: Sequence[Card], number: int, tokens: int) -> None:
    with ThreadPoolExecutor(len(cards)) as threads:
        waiting = [threads.submit(c.ours.run, c.asks(1, tokens, number, "both")) for c in cards]
        for card, answers in zip(cards, waiting, strict=True):
            card.shared.append(1 / answers.result()[0].per_token)


def rows(card: Card, weights: int, matrix_rate: float) -> list[list[str]]:
    alone = statistics.median(card.alone)
    peak = matrix_rate / (2 * weights)  # tokens per second
    shown: list[tuple[str, list[float], float, Goal]] = [
        ("one stream, tokens/s", card.alone, card.limit, ONE),
        (f"{STREAMS} streams together, tokens/s", card.together, alone, MANY),
        ("reading a prompt, tokens/s", card.reading, peak, READING),
        ("beside the other model, tokens/s", card.shared, alone / 2, FAIR),
    ]
    figures = []
    for what, values, by, goal in shown:
        share = statistics.median(values) / by
        figures.append(
            [
                f"{card.name}, {what}",
                spread(values),
                f"{by:.1f}",
                f"{share:.2f}",
                goal.judged(share),
            ]
        )
    speed = card.loads / 1e9
    return [
        *figures,
        [f"{card.name}, loading, GB/s", f"{speed:.1f}", "", "", LOADING.judged(speed)],
    ]


def main() -> None:
    given = parser(__doc__).parse_args()
    rounds = given.rounds or (1 if given.quick else 3)
    tokens, long = (16, 256) if given.quick else (128, LONG)
    with bench(given, gpu=True) as held:
        if not held.machine.about["device"]:
            print("There is no GPU that torch can use here; nothing was measured.")
            return
        cards = []
        for name in SMALL if given.quick else MODELS:
            cards.append(opened(held, name))
            say(f"{name} is loaded")
        rates = []
        for number in range(rounds):
            held.machine.look()
            rates.append(held.machine.matrix_rate())
            for card in cards:
                card.round(number, tokens, long)
            both(cards, number, 2 * tokens)
            say(f"round {number + 1} of {rounds}")
        best = max(rates)
        print(
            f"{held.machine}\n\nA large matrix product: {best / 1e12:.0f} TFLOP/s. Prompts of "
            f"{PROMPT} tokens, the long one {long}, answers of {tokens}; medians of {rounds} "
            "rounds."
        )
        table(
            ("", "Parley", "by", "is", "goal"),
            (
                row
                for card in cards
                for row in rows(card, bytes_read(held.checkpoint(card.name, DTYPE)) // 2, best)
            ),
        )


if __name__ == "__main__":
    main()
