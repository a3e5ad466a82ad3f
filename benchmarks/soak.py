"""Eight people, six models, room for two, and trouble: does anything get lost, mixed up or stuck?

    python benchmarks/soak.py [--minutes 10] [--seed 1]        (make soak)

Real checkpoints (tiny, of different architectures), real engine processes, a real database; the
people are coroutines that use Parley as the page does. Each draws at random what to do next: send
and read to the end, press Stop, close the tab (also while the model loads) and come back to what
was written meanwhile, retry, load without asking. Meanwhile models are unloaded, pinned and
unpinned, engine processes are killed and frozen, and pairs of models are asked for together.

Every model answers every prompt greedily, so what it must say is known: an answer that has ended
must be that text, one that was stopped or has failed must be the beginning of it, on the page and
in the database alike. At the end everything is unloaded, and processes, threads, file descriptors,
leases and memory must be where they were. Ends with status 1 where they are not.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import math
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

import psutil  # noqa: E402 - after the path

from parley.catalog.spec import Catalogue, ModelSpec, Sampling  # noqa: E402
from parley.chats.store import Store  # noqa: E402
from parley.engines.local import LocalEngine  # noqa: E402
from parley.engines.nursery import Nursery  # noqa: E402
from parley.engines.stock import take_stock  # noqa: E402
from parley.errors import StoreError  # noqa: E402
from parley.events import Delta, Failed, Finished  # noqa: E402
from parley.playground import Opened, Playground  # noqa: E402
from parley.pool.appraiser import Appraiser  # noqa: E402
from parley.pool.limits import Limits  # noqa: E402
from parley.pool.memory import cpu_machine  # noqa: E402
from parley.pool.pool import Pool  # noqa: E402
from parley.pool.slots import Lease, OneByOne  # noqa: E402
from parley.pool.together import Together  # noqa: E402
from parley.turns import Turn  # noqa: E402
from tests import checkpoints  # noqa: E402

PEOPLE = 8
ROOM = 2
MODELS = {
    "llama": "llama",
    "mistral": "mistral",
    "mixtral": "mixtral",
    "falcon": "falcon-7b",
    "olmo": "olmo2",
    "qwen": "qwen3",
}
PROMPTS = ("Hello there", "Tell me of a fox", "What is Parley?", "こんにちは", "def main():")
LENGTH = 160
"""Tokens of an answer: long enough to be stopped, killed and waited for."""
HANG = 6.0
"""Seconds after which a frozen engine is replaced; thirty outside of this script."""
STALL = 20.0
"""Seconds without progress after which a load is given up; 120 outside of this script."""
STUCK = 90.0
"""Seconds after which an answer without an end counts as a hang."""
ALLOWED = {
    *("engine_died", "engine_closed", "engine_hung", "load_cancelled"),  # we did that
    *("cooldown", "queue_full", "queue_timeout"),  # and this is what it leads to
}


class Shelf:
    """A catalogue that never changes."""

    error = None

    def __init__(self, models: list[ModelSpec]) -> None:
        self.catalogue = Catalogue(tuple(models))


@dataclass
class Tally:
    """What happened, and everything that should not have."""

    actions: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def wrong(self, what: str) -> None:
        self.faults.append(what)
        print(f"  WRONG: {what}", flush=True)


@dataclass(frozen=True)
class Level:
    """What this program holds. ``private`` is bytes of this process and of the fork server."""

    processes: int
    threads: int
    descriptors: int
    private: int


def level() -> Level:
    gc.collect()
    own = psutil.Process()
    children = own.children(recursive=True)
    private = own.memory_full_info().uss
    for child in children:
        with contextlib.suppress(psutil.Error):
            private += child.memory_full_info().uss
    return Level(len(children), threading.active_count(), own.num_fds(), private)


class Soak:
    """One house with its people. ``expected`` is what each model says to each prompt."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.tally = Tally()
        self.engines: list[LocalEngine] = []
        self.nursery = Nursery()
        self.expected: dict[tuple[str, str], str] = {}
        self.frozen: dict[str, float] = {}
        specs = []
        for number, (name, family) in enumerate(MODELS.items()):
            path = checkpoints.endless(folder / name, family, seed=number + 1)
            specs.append(
                ModelSpec(
                    id=name,
                    name=name.title(),
                    path=path,
                    idle_ttl=3.0 if number == 5 else None,
                    sampling=Sampling(temperature=0.0, max_new_tokens=LENGTH),
                )
            )
        self.pool = Pool(
            self._engine,
            Appraiser(partial(take_stock, ask_hub=False)),
            cpu_machine(os.environ),
            limits=Limits(
                max_loaded=ROOM, hang=HANG, stall=STALL, fairness_window=3.0, backoff=(0.5, 2.0)
            ),
        )
        self.pool.start()
        self.playground = Playground(Shelf(specs), self.pool, Store(folder / "data"))  # type: ignore[arg-type] # stands in for it

    def _engine(self, spec: ModelSpec, devices: tuple[str, ...]) -> LocalEngine:
        self.engines = [e for e in self.engines if not e.wait_gone(0)]
        self.engines.append(LocalEngine(spec, self.nursery, devices))
        return self.engines[-1]

    # -- the people --

    async def learn(self) -> None:
        """What every model says when nothing else happens."""
        for model in MODELS:
            for prompt in PROMPTS:
                text, end = "", None
                async with aclosing(self.playground.complete(Turn("", model, prompt))) as stream:
                    async for batch in stream:
                        for event in batch.events:
                            text += event.text if isinstance(event, Delta) else ""
                            end = event
                assert isinstance(end, Finished), end
                self.expected[model, prompt] = text
            self.pool.unload(model)

    async def person(self, number: int, until: float) -> None:
        owner = f"person-{number}"
        chance = random.Random(self.random.random())
        while time.monotonic() < until:
            model, prompt = chance.choice(list(MODELS)), chance.choice(PROMPTS)
            action = chance.choices(("read", "stop", "leave", "retry", "load"), (10, 4, 4, 2, 1))[0]
            self.tally.actions[action] += 1
            patience = chance.choice((0.0, 0.05, 0.3, 1.0, 3.0))
            try:
                async with asyncio.timeout(STUCK):
                    if action == "load":
                        self.playground.load_now(model)
                    else:
                        await self.turn(Turn(owner, model, prompt), prompt, action, patience)
            except TimeoutError:
                self.tally.wrong(
                    f"no end within {STUCK:.0f} s: {action} {model}; {self.pool.view()}"
                )
            await asyncio.sleep(chance.random() * 0.3)

    async def turn(self, turn: Turn, prompt: str, action: str, patience: float) -> None:
        seen, opened, end = "", None, None
        began = time.monotonic()
        async with aclosing(self.playground.ask(turn)) as stream:
            async for news in stream:
                if isinstance(news, Opened):
                    opened = news
                    continue
                for event in news.events:
                    if isinstance(event, Delta):
                        if not seen:
                            self.tally.waits.append(time.monotonic() - began)
                        seen += event.text
                    elif isinstance(event, Finished | Failed):
                        end = event
                waited = time.monotonic() - began
                if action == "stop" and waited >= patience and opened is not None:
                    self.playground.stop(opened.answer.id)
                    patience = STUCK
                if action == "leave" and waited >= patience:
                    break
        assert opened is not None
        if end is None:
            seen, end = await self.come_back(turn, opened, seen)
        await self.check(turn, prompt, opened, seen, end)
        if action == "retry" and isinstance(end, Finished | Failed):
            again = Turn(turn.owner, turn.model, chat=opened.chat.id, retry_of=opened.answer.id)
            await self.turn(again, prompt, "read", patience)

    async def come_back(
        self, turn: Turn, opened: Opened, seen: str
    ) -> tuple[str, Finished | Failed | None]:
        """To an answer that went on meanwhile: all of it, from its beginning."""
        text, end = "", None
        try:
            stream = self.playground.follow(turn.owner, opened.chat.id, opened.answer.id)
            async with aclosing(stream) as followed:
                async for news in followed:
                    for event in () if isinstance(news, Opened) else news.events:
                        if isinstance(event, Delta):
                            text += event.text
                        elif isinstance(event, Finished | Failed):
                            end = event
        except StoreError:  # it has ended
            return seen, None
        return text, end

    async def check(
        self, turn: Turn, prompt: str, opened: Opened, seen: str, end: Finished | Failed | None
    ) -> None:
        """What was said against what had to be said, on the page and in the database."""
        full = self.expected[turn.model, prompt]
        name = f"{turn.model} {prompt!r}"
        if isinstance(end, Failed):
            self.tally.ends[end.code] += 1
            # One that was frozen before its first sign of life is only missed when nothing comes.
            frozen = time.monotonic() - self.frozen.get(turn.model, -math.inf) < 2 * STALL
            if end.code not in ALLOWED and not (end.code == "load_stalled" and frozen):
                self.tally.wrong(f"{name} failed: {end}")
        else:
            self.tally.ends[end.reason if end else "left"] += 1
        if not full.startswith(seen):
            self.tally.wrong(f"{name} said what it should not: {seen!r}")
        if isinstance(end, Finished) and end.reason != "cancelled" and seen != full:
            self.tally.wrong(f"{name} ended early: {seen!r}")
        _, messages = self.playground.store.chat(turn.owner, opened.chat.id)
        await self.playground.settled(messages, patience=20)
        _, messages = self.playground.store.chat(turn.owner, opened.chat.id)
        kept = next(m for m in messages if m.id == opened.answer.id)
        if kept.state == "streaming":
            self.tally.wrong(f"{name} is still being written in the database")
        if not full.startswith(kept.content) or not kept.content.startswith(seen):
            self.tally.wrong(f"{name}: seen {seen!r}, kept {kept.content!r}")

    # -- trouble --

    async def trouble(self, until: float) -> None:
        while time.monotonic() < until:
            await asyncio.sleep(self.random.uniform(0.5, 2.0))
            model = self.random.choice(list(MODELS))
            what = self.random.choices(
                ("unload", "kill", "freeze", "pin", "pair"), (5, 5, 1, 2, 3)
            )[0]
            self.tally.actions[what] += 1
            if what == "unload":
                self.playground.unload(model)
            elif what == "pin":
                self.playground.pin(model, True)
                await asyncio.sleep(1.0)
                self.playground.pin(model, False)
            elif what == "pair":
                await self.pair()
            else:
                self.strike(signal.SIGKILL if what == "kill" else signal.SIGSTOP)

    def strike(self, number: signal.Signals) -> None:
        alive = [(e.model_id, e.pid) for e in self.engines if e.alive and e.pid]
        if alive:
            model, pid = self.random.choice(alive)
            if number == signal.SIGSTOP:
                self.frozen[model] = time.monotonic()
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    async def pair(self) -> None:
        """Two models for one comparison: both at once, or, pinned ones in the way, in turn."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        ended: set[int] = set()

        def hear(index: int, news: object) -> None:
            if isinstance(news, Lease):
                loop.call_soon_threadsafe(loop.call_later, 0.2, news.release)
            if isinstance(news, Exception | Lease):
                ended.add(index)
            if isinstance(news, OneByOne):
                self.tally.ends["one by one"] += 1
            if len(ended) == 2:
                loop.call_soon_threadsafe(over.set)

        specs = [self.playground.spec(m) for m in self.random.sample(list(MODELS), 2)]
        both = Together(self.pool, specs, hear)
        try:
            await asyncio.wait_for(over.wait(), STUCK)
        except TimeoutError:
            self.tally.wrong(f"a pair had no end within {STUCK:.0f} s")
            both.cancel()

    async def quiet(self) -> None:
        """Everything is unloaded, and everybody has gone."""
        for model in MODELS:
            self.playground.pin(model, False)
            self.playground.unload(model)
        for _ in range(200):
            if not any(m.state not in ("cold", "failed") for m in self.pool.view().models.values()):
                break
            for model in MODELS:
                self.playground.unload(model)
            await asyncio.sleep(0.1)
        await asyncio.sleep(1.0)

    def close(self) -> None:
        self.playground.close()
        self.nursery.close()


async def fill_threads(soak: Soak) -> None:
    """Every thread that will use the database is there at once, so that each has opened a
    connection: they are kept for the next user, and would count as leaked if they came later."""
    everybody = threading.Barrier(PEOPLE, timeout=STUCK)

    def read() -> None:
        with soak.playground.store._database.read():
            everybody.wait()

    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(PEOPLE))
    await asyncio.gather(*(asyncio.to_thread(read) for _ in range(PEOPLE)))


async def rounds(soak: Soak, seconds: float) -> tuple[Level, Level]:
    await fill_threads(soak)
    await soak.learn()
    # Once through everything, so that caches and pools of threads are at their working size.
    warm = time.monotonic() + min(15.0, seconds / 4)
    await asyncio.gather(*(soak.person(n, warm) for n in range(PEOPLE)), soak.trouble(warm))
    await soak.quiet()
    before = level()
    until = time.monotonic() + seconds
    await asyncio.gather(*(soak.person(n, until) for n in range(PEOPLE)), soak.trouble(until))
    await soak.quiet()
    return before, level()


def run(seconds: float, seed: int) -> tuple[Tally, Level, Level]:
    """The whole of it; what is wrong is in the tally."""
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder), seed)
        try:
            before, after = asyncio.run(rounds(soak, seconds))
            view = soak.pool.view()
            if any(m.leases or m.waiting for m in view.models.values()) or view.queue_depth:
                soak.tally.wrong(f"leases or requests are left: {view}")
            if soak.pool.owner_age() > 5:
                soak.tally.wrong("the pool's owner is stuck")
            compare(soak.tally, before, after)
        finally:
            soak.close()
        left = [p for p in psutil.Process().children(recursive=True) if is_engine(p)]
        if left:
            soak.tally.wrong(f"processes are left after closing: {left}")
        return soak.tally, before, after


def is_engine(process: psutil.Process) -> bool:
    """A child of the fork server, not that server or the standard library's helper beside it."""
    with contextlib.suppress(psutil.Error):
        return process.ppid() != os.getpid() and process.status() != psutil.STATUS_ZOMBIE
    return False


def compare(tally: Tally, before: Level, after: Level) -> None:
    if after.processes > before.processes:
        tally.wrong(f"{after.processes - before.processes} processes leaked")
    # Pools of threads grow with need up to their limits, and stay.
    if after.threads > before.threads + 4:
        tally.wrong(f"{after.threads - before.threads} threads leaked")
    if after.descriptors > before.descriptors + 4:
        tally.wrong(f"{after.descriptors - before.descriptors} file descriptors leaked")
    if abs(after.private / before.private - 1) > 0.05:
        tally.wrong(f"memory went from {before.private:,} to {after.private:,} bytes")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    tally, before, after = run(given.minutes * 60, given.seed)
    waits = sorted(tally.waits)
    print(f"\n{PEOPLE} people, {len(MODELS)} models, room for {ROOM}, {given.minutes:g} minutes\n")
    print("| | |\n|---|---:|")
    print(f"| actions | {sum(tally.actions.values()):,} |")
    for name, count in tally.actions.most_common():
        print(f"| … {name} | {count:,} |")
    print(f"| answers and how they ended | {sum(tally.ends.values()):,} |")
    for name, count in tally.ends.most_common():
        print(f"| … {name} | {count:,} |")
    if waits:
        print(f"| wait for the first word, median | {statistics.median(waits):.2f} s |")
        print(f"| … 95 % within | {waits[int(len(waits) * 0.95)]:.2f} s |")
        print(f"| … longest | {waits[-1]:.2f} s |")
    for name in ("processes", "threads", "descriptors"):
        print(f"| {name} before and after | {getattr(before, name)} → {getattr(after, name)} |")
    print(
        f"| private memory before and after | {before.private / 1e6:.1f} → "
        f"{after.private / 1e6:.1f} MB ({after.private / before.private - 1:+.1%}) |"
    )
    print(f"| lost, mixed, stuck or leaked | {len(tally.faults)} |")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
