"""Parley's pool against ``transformers serve``: the same checkpoints, the same requests, one run.

    python benchmarks/peer_pool.py [--rounds 3] [--idle 5] [--millions 105] [--stored bfloat16]

Two random-weight Llama-style checkpoints, greedy answers, one question at a time unless said
otherwise. Both compute in float32. Stored as bfloat16, as most checkpoints on the Hub are, the
weights are in memory of the process's own; stored as float32 they stay pages of their file, which
a second copy of the model shares with the first. Both servers give an idle model up after
``--idle`` seconds; they take turns, and only one runs at a time. Parley is asked through its
``/chat`` endpoint, the other through its ``/v1/chat/completions``; both stream, over plain HTTP.

1. Time to first token: a cold model on a server at rest, a warm one, and once more after the model
   was given up. Memory at rest, with the model, and after it was given up.
2. An answer that takes more than twice the idle time: whether all of it comes, and how soon the
   next question, asked at its end, is answered: is the model still there?
3. The same, with a short question to the same model in the middle of it: how long that waits, how
   long the first answer stands still meanwhile, and the highest memory: is there a second copy?
4. Two models in turn. Parley once with room for both and once with ``PARLEY_MEMORY`` for one; the
   other server has no such limit.

Memory counts each page once over the server's processes (see ``parts/memory.py``); the resident
sets (RSS) added up stand beside it.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from benchmarks.parts import large_checkpoint, servers  # noqa: E402 - after the path
from benchmarks.parts.comparison import (  # noqa: E402
    Results,
    Row,
    counts,
    memory,
    seconds,
    speeds,
    table,
    verdict,
    whole,
)
from benchmarks.parts.memory import Use, megabytes, require_linux  # noqa: E402

MODELS = ("first", "second")
SHORT = 17
WARM = 5
TURNS = 3
LONGER = 2.5
"""Times the idle time that the long answer is to take."""
SHARE_OF_TWO = 1.85
"""Weights of one model times this is room for one with its cache and workspace, not for two."""
BUDGETED = "Parley, room for one"


@contextmanager
def highest(server: servers.Server) -> Iterator[list[Use]]:
    """The moment of most memory during the block, alone in the list after it."""
    seen: list[Use] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            seen.append(server.now())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
        seen[:] = [max(seen, key=lambda u: u.pss)]


class Walk:
    """One server's round. ``weights`` is a model's size in memory."""

    def __init__(
        self, server: servers.Server, results: Results, column: str, weights: int, idle: int
    ) -> None:
        self._server = server
        self._results = results
        self._column = column
        self._weights = weights
        self._idle = idle

    def note(self, row: str, value: object) -> None:
        self._results.add(row, self._column, value)

    def first_tokens(self) -> float:
        """Cold, warm, given up, cold again; the speed of a warm answer."""
        rest = self._server.at_rest()
        self.note("memory at rest", rest)
        self.note("cold", self.ask(SHORT).first)
        warm = [self.ask(SHORT) for _ in range(WARM)]
        ended = time.perf_counter()
        self._results.get("warm", self._column).extend(heard.first for heard in warm)
        speed = statistics.median(heard.speed for heard in warm)
        self.note("speed", speed)
        self.note("memory loaded", self._server.now())
        self.note("given up after", self._until_gone(rest) - ended)
        time.sleep(1)
        self.note("memory given up", self._server.now())
        self.note("cold again", self.ask(SHORT).first)
        return speed

    def ask(self, tokens: int, model: str = MODELS[0]) -> servers.Heard:
        heard = self._server.ask(model, tokens)
        if heard.trouble or heard.characters != tokens:
            raise SystemExit(
                f"{self._column}: {heard.characters} of {tokens} tokens. {heard.trouble}"
            )
        return heard

    def _until_gone(self, rest: Use) -> float:
        """When the weights had left the memory; what else a load leaves behind is less than half
        of them."""
        end = time.perf_counter() + self._idle + 30
        while self._server.now().own > rest.own + 0.5 * self._weights:
            if time.perf_counter() > end:
                raise SystemExit(f"{self._column} did not give up its idle model.")
            time.sleep(0.05)
        return time.perf_counter()

    def long_answer(self, tokens: int) -> None:
        self.ask(SHORT)
        loads = self._server.loads()
        heard = self._server.ask(MODELS[0], tokens)
        self._long("long answer", heard, tokens)
        self.note("question after it", self.ask(SHORT).first)
        self.note("loads after it", self._server.loads() - loads)

    def question_within(self, tokens: int) -> None:
        self.ask(SHORT)
        loads = self._server.loads()
        with highest(self._server) as most, ThreadPoolExecutor(1) as other:
            long = other.submit(self._server.ask, MODELS[0], tokens)
            time.sleep(1.4 * self._idle)
            self.note("question within", self.ask(SHORT).first)
            heard = long.result()
        self._long("long answer, asked within", heard, tokens)
        self.note("silence", heard.silence)
        self.note("memory, asked within", most[0])
        self.note("loads, asked within", self._server.loads() - loads)

    def _long(self, row: str, heard: servers.Heard, tokens: int) -> None:
        self.note(row, (heard.characters, tokens, heard.total, heard.trouble))

    def in_turn(self) -> None:
        with highest(self._server) as most:
            for model in MODELS:  # both are known, neither counts
                self.ask(SHORT, model)
            loads = self._server.loads()
            for _ in range(TURNS):
                for model in MODELS:
                    heard = self.ask(SHORT, model)
                    self._results.get("in turn", self._column).append(heard.first)
                    self._server.loads()  # looks at what is there just now
        self.note("loads in turn", self._server.loads() - loads)
        self.note("memory in turn", most[0])


ROWS: tuple[Row, ...] = (
    ("cold", "first token, model cold, server at rest", seconds),
    ("warm", "first token, model warm", seconds),
    ("cold again", "first token, cold again after it was given up", seconds),
    ("speed", "speed of a warm answer", speeds),
    ("memory at rest", "memory at rest, nothing loaded yet", memory),
    ("memory loaded", "memory with one model, after its answers", memory),
    ("given up after", "idle model given up after", seconds),
    ("memory given up", "memory after that", memory),
    ("long answer", "answer longer than the idle time", whole),
    ("question after it", "first token of a question right after it", seconds),
    ("loads after it", "loads for that question", counts),
    ("long answer, asked within", "such an answer, asked something else within", whole),
    ("question within", "first token of the question within", seconds),
    ("silence", "longest silence in the long answer", seconds),
    ("loads, asked within", "loads for that question", counts),
    ("memory, asked within", "highest memory meanwhile", memory),
    ("in turn", "two models in turn: first token", seconds),
    ("loads in turn", f"two models in turn: loads for {2 * TURNS} answers", counts),
    ("memory in turn", "two models in turn: highest memory", memory),
)


def judge(results: Results) -> bool:
    """What Parley promises of all this."""
    ours = servers.Parley.name
    long = [*results.get("long answer", ours), *results.get("long answer, asked within", ours)]
    again = [*results.get("loads after it", ours), *results.get("loads, asked within", ours)]
    most = max(u.own for u in results.get("memory in turn", BUDGETED))
    both = min(u.own for u in results.get("memory in turn", ours))
    print()
    return all(
        [
            verdict(
                "every answer longer than the idle time was whole",
                all(came == wanted and not trouble for came, wanted, _, trouble in long),
            ),
            verdict("no model was loaded again while it answered or right after", not any(again)),
            verdict(
                f"with room for one, two models were never in memory together: at most "
                f"{megabytes(most)} of its own, against {megabytes(both)} with room for both",
                most < both and all(n == 2 * TURNS for n in results.get("loads in turn", BUDGETED)),
            ),
        ]
    )


def catalogue(file: Path, models: Path, idle: int, context: int) -> Path:
    """A models.yaml. ``context`` bounds the cache a model is counted with."""
    entries = [
        {
            "id": name,
            "name": name.title(),
            "path": str(models / name),
            "context": context,
            "idle_ttl": idle,
        }
        for name in MODELS
    ]
    file.write_text(yaml.safe_dump({"models": entries}))
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", type=int, default=5, help="seconds until an idle model goes")
    parser.add_argument("--millions", type=int, default=105, help="parameters of each model")
    parser.add_argument("--stored", choices=("bfloat16", "float32"), default="bfloat16")
    parser.add_argument("--budget", type=int, help="megabytes that are room for one model")
    given = parser.parse_args()
    require_linux()
    servers.require_peer()
    # So that the servers are ended as well when somebody ends this script.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    results = Results()
    with tempfile.TemporaryDirectory() as scratch:
        models = Path(scratch) / "models"
        for seed, name in enumerate(MODELS, start=1):
            large_checkpoint.build(models / name, given.millions, given.stored, seed)
        weights = large_checkpoint.parameters(models / MODELS[0]) * 4
        budget = given.budget or int(SHARE_OF_TWO * weights / 1e6)
        roomy = catalogue(Path(scratch) / "roomy.yaml", models, given.idle, large_checkpoint.WINDOW)
        tight = catalogue(Path(scratch) / "tight.yaml", models, given.idle, 512)
        starts: list[Callable] = [
            lambda: servers.parley(models, roomy),
            lambda: servers.peer(models, given.idle),
        ]
        long = 0
        for number in range(given.rounds):
            for start in starts if number % 2 == 0 else starts[::-1]:
                with start() as server:
                    print(f"round {number + 1}, {server.name}", file=sys.stderr, flush=True)
                    walk = Walk(server, results, server.name, weights, given.idle)
                    speed = walk.first_tokens()
                    # The same length for everybody, from then on.
                    long = long or min(int(LONGER * given.idle * speed), 3500)
                    walk.long_answer(long)
                    walk.question_within(long)
                    walk.in_turn()
            with servers.parley(models, tight, PARLEY_MEMORY=f"{budget}MB") as server:
                print(f"round {number + 1}, {BUDGETED}", file=sys.stderr, flush=True)
                server.at_rest()
                Walk(server, results, BUDGETED, weights, given.idle).in_turn()
    print(
        f"Two models of {megabytes(weights)} in memory (float32; stored as {given.stored}), idle "
        f"time {given.idle} s, long answer {long} tokens, room for one {budget} MB; medians of "
        f"{given.rounds} rounds, in brackets the lowest and the highest."
    )
    table(results, (servers.Parley.name, BUDGETED, servers.Peer.name), ROWS)
    if not judge(results):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
