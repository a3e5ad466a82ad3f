"""Parley's page and ``transformers serve``: the same questions over plain HTTP.

    python benchmarks/engine_serve.py [--quick] [--rounds 2] [--dtype float32]

1, 2 and 4 people ask a warm model of 0.1 B at the same moment, and 8 arrive 0.4 s apart; Parley
through its ``/chat`` endpoint, the other through ``/v1/chat/completions``, once as it comes and
once with ``--continuous-batching``. The servers take turns and only one runs at a time. Tokens per
second are those of all together, from the first question to the last word.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from benchmarks.parts import servers  # noqa: E402 - after the path
from benchmarks.parts.options import bench, parser, say  # noqa: E402
from benchmarks.parts.plain_models import words  # noqa: E402
from benchmarks.parts.tables import least, ratio, table  # noqa: E402

OURS, PLAIN, CONTINUOUS = "Parley", "serve", "serve, continuous batching"
CROWDS = ((1, 0.0), (2, 0.0), (4, 0.0), (8, 0.4))
"""How many people, and seconds between two arrivals."""
PROMPT, TOKENS = 64, 48
BATCHING = ("--continuous-batching", "--cb-block-size", "32", "--cb-num-blocks", "1024")
BATCHED = ("--cb-max-batch-tokens", "512")
GOAL = least(1, " ×")
Figures = dict[tuple[str, int], list[tuple[float, float, float]]]
"""Per server and crowd: tokens per second, first text in the middle and at worst; one a round."""


def ask_all(
    server: servers.Server, model: str, people: int, apart: float, tokens: int, seed: object
) -> tuple[float, float, float]:
    def one(who: int) -> tuple[servers.Heard, float]:
        time.sleep(who * apart)
        heard = server.ask(model, tokens, words(PROMPT, (seed, people, who)))
        if heard.trouble or heard.characters != tokens:
            raise SystemExit(
                f"{type(server).__name__}: {heard.characters} of {tokens} tokens. {heard.trouble}"
            )
        return heard, time.perf_counter()

    began = time.perf_counter()
    with ThreadPoolExecutor(people) as crowd:
        answers = list(crowd.map(one, range(people)))
    firsts = [heard.first for heard, _ in answers]
    took = max(ended for _, ended in answers) - began
    return people * tokens / took, statistics.median(firsts), max(firsts)


def row(found: Figures, side: str, people: int, apart: float) -> list[str]:
    rates, middles, worst = zip(*found[side, people], strict=True)
    best = ratio(rates, [r for r, *_ in found[CONTINUOUS, people]])
    return [
        f"{people}{f', {apart} s apart' if apart else ' at once'}, {side}",
        f"{statistics.median(rates):.1f}",
        f"{best:.2f} ×",
        GOAL.judged(best) if side == OURS else "",
        f"{statistics.median(middles):.2f}",
        f"{statistics.median(worst):.2f}",
    ]


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--dtype", default="float32", choices=("bfloat16", "float32"))
    given = options.parse_args()
    rounds = given.rounds or (1 if given.quick else 2)
    tokens = 8 if given.quick else TOKENS
    crowds = CROWDS[1:2] if given.quick else CROWDS
    servers.require_peer()
    found: Figures = defaultdict(list)
    with bench(given) as held, tempfile.TemporaryDirectory() as scratch:
        folder = held.checkpoint("0.1B", given.dtype)
        models, model = folder.parent, folder.name
        catalogue = Path(scratch) / "models.yaml"
        entry = {"id": model, "name": model, "path": str(folder), "dtype": given.dtype}
        catalogue.write_text(yaml.safe_dump({"models": [{**entry, "concurrency": 8}]}))
        starts: dict[str, Callable[[], AbstractContextManager[servers.Server]]] = {
            OURS: lambda: servers.parley(models, catalogue),
            PLAIN: lambda: servers.peer(models, 300, dtype=given.dtype),
            CONTINUOUS: lambda: servers.peer(models, 300, *BATCHING, *BATCHED, dtype=given.dtype),
        }
        for number in range(rounds):
            held.machine.look()
            for side in list(starts) if number % 2 == 0 else list(starts)[::-1]:
                with starts[side]() as server:
                    ask_all(server, model, 2, 0.0, 4, "warm-up")
                    for people, apart in crowds:
                        figures = ask_all(server, model, people, apart, tokens, number)
                        found[side, people].append(figures)
                say(f"round {number + 1} of {rounds}, {side}")
        print(
            f"{held.machine}\n\n0.1B {given.dtype}: prompts of {PROMPT} tokens, answers of "
            f"{tokens}; medians of {rounds} rounds."
        )
    table(
        ("", "tokens/s together", f"by {CONTINUOUS}", "goal", "first text, s", "worst, s"),
        (row(found, side, people, apart) for people, apart in crowds for side in starts),
    )


if __name__ == "__main__":
    main()
