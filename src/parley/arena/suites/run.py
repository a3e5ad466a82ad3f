"""A run: each model in turn answers all prompts of a suite, several at a time.

A finished cell is on the disk before it counts, and is never written again; whatever ends a run, it
is gone on with from its folder. Knows nothing of pages or of the command line.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parley import turns
from parley.arena.suites import plan as plans
from parley.arena.suites.checks import Checker
from parley.arena.suites.index import Index
from parley.arena.suites.journal import Journal
from parley.arena.suites.judge import Judge
from parley.arena.suites.plan import Plan
from parley.arena.suites.spec import Row
from parley.catalog.spec import ModelSpec, Sampling
from parley.engines.base import Message, Request
from parley.errors import ParleyError
from parley.events import Delta, Failed, Finished, Loading, Queued
from parley.playground import Playground

CROWDED = ("queue_full", "queue_timeout")
"""What a model is refused for that may have passed a little later."""
PATIENCE = 60
"""Times that a crowded pool is asked again."""
PAUSE = 2.0
"""Seconds in between."""


@dataclass(frozen=True, slots=True)
class Said:
    """What came of one request. ``begun`` is whether a loaded model had it."""

    text: str
    thinking: str
    end: Finished | Failed
    meta: dict[str, Any]

    @property
    def begun(self) -> bool:
        return "device" in self.meta


class NotLoaded(Exception):
    """A model did not come into memory; its cells stay as they are."""

    def __init__(self, why: Failed) -> None:
        super().__init__(why.sentence)
        self.why = why


class Run:
    """``run`` does what is left to do, ``stop`` ends it early, both once. ``at`` is who answers
    now, ``waiting`` what it waits for, ``unloaded`` why a model could not be had."""

    def __init__(self, playground: Playground, folder: Path, *, lanes: int) -> None:
        """``lanes`` is how many prompts of a model are in flight at once. Raises
        SuiteError("no_such_run") and what ``Playground.spec`` raises."""
        self.plan = plans.opened(folder)
        self.folder = folder
        self.index = Index(folder, self.plan)
        self.specs = {model: playground.spec(model) for model in self.plan.models}
        self.at: str | None = None
        self.waiting: Queued | Loading | None = None
        self.unloaded: dict[str, Failed] = {}
        self.error: ParleyError | None = None
        self._playground = playground
        self._judge = playground.spec(self.plan.judge) if self.plan.judge else None
        self._lanes = lanes
        self._stopped = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """From any thread: answers under way are dropped, their cells stay unfinished."""
        self._stopped = True
        loop, task = self._loop, self._task
        if loop is not None and task is not None and not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)

    async def run(self) -> None:
        """Returns when all is done that could be, or after ``stop``. Raises
        SuiteError("run_in_use")."""
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._all())
        try:
            await self._task
        except asyncio.CancelledError:
            if not self._stopped:
                raise
        finally:
            self.at, self.waiting = None, None

    async def _all(self) -> None:
        if self._stopped:
            return
        checker = Checker()
        try:
            with Journal(self.folder / plans.CELLS) as journal:
                self.index.catch_up()
                for model in self.plan.models:
                    await self._model(model, journal, checker)
            if self._judge is not None:
                await self._judge_all(self._judge)
        finally:
            checker.close()

    # -- one model --

    async def _model(self, model: str, journal: Journal, checker: Checker) -> None:
        spec = self.specs[model]
        left = (r for r in plans.rows(self.folder) if not self.index.finished(model, r.number))
        first = next(left, None)
        if first is None:
            return
        self.at = model
        asked = _Asked(self, spec, checker, journal)
        try:
            # Alone: the others would all wait for the same load, and fail with it.
            await asked.answer(first)
            await asked.all(left, self._lanes)
        except NotLoaded as error:
            self.unloaded[model] = error.why

    async def _judge_all(self, spec: ModelSpec) -> None:
        self.at = spec.id
        self.index.catch_up()
        with Journal(self.folder / plans.JUDGED) as journal:
            judge = Judge(self.index, journal)
            todo = judge.left()
            first = next(todo, None)
            if first is None:
                return
            sampling = judge.sampling(spec.sampling)

            async def weigh(prompt: str) -> str | None:
                said = await self.ask(spec, Request((Message("user", prompt),), sampling))
                return said.text if isinstance(said.end, Finished) else None

            try:
                await judge.decide(first, weigh)
                await _together(self._lanes, (judge.decide(pair, weigh) for pair in todo))
            except NotLoaded as error:
                self.unloaded[spec.id] = error.why

    # -- one request --

    async def ask(self, spec: ModelSpec, request: Request) -> Said:
        """Raises NotLoaded where no model took it."""
        for _ in range(PATIENCE):
            said = await self._once(spec, request)
            if said.begun or not isinstance(said.end, Failed):
                return said
            if said.end.code not in CROWDED:
                break
            await asyncio.sleep(PAUSE)
        assert isinstance(said.end, Failed)
        raise NotLoaded(said.end)

    async def _once(self, spec: ModelSpec, request: Request) -> Said:
        text: list[str] = []
        thinking: list[str] = []
        async with aclosing(self._playground.read(spec, request)) as batches:
            async for batch in batches:
                for event in batch.events:
                    match event:
                        case Queued() | Loading():
                            self.waiting = event
                        case Delta():
                            text.append(event.text)
                            thinking.append(event.thinking)
                        case Finished() | Failed():
                            self.waiting = None
                            return Said(
                                "".join(text), "".join(thinking), event, dict(batch.meta or {})
                            )
                        case _:
                            self.waiting = None
        raise RuntimeError("an answer has no end")


class _Asked:
    """One model's part of a run."""

    def __init__(self, run: Run, spec: ModelSpec, checker: Checker, journal: Journal) -> None:
        self._run = run
        self._spec = spec
        self._checker = checker
        self._journal = journal
        self._sampling = sampling(run.plan, spec.sampling)

    async def all(self, rows: Iterator[Row], lanes: int) -> None:
        await _together(lanes, (self.answer(row) for row in rows))

    async def answer(self, row: Row) -> None:
        """All turns of a row, and its check; on the disk when this returns."""
        system = self._spec.system_prompt if row.system is None else row.system
        messages = [Message("system", system)] if system.strip() else []
        said: list[Said] = []
        for turn in row.turns:
            messages.append(Message("user", turn))
            reply = await self._run.ask(self._spec, Request(tuple(messages), self._sampling))
            if isinstance(reply.end, Failed) and reply.end.code == "shutting_down":
                raise NotLoaded(reply.end)
            said.append(reply)
            if isinstance(reply.end, Failed):
                break
            messages.append(Message("assistant", reply.text))
        entry = cell(row, self._spec.id, said)
        if row.check and "error" not in entry:
            mark = await asyncio.to_thread(self._checker.mark, row.check, said[-1].text)
            entry["passed"] = mark.passed
            if mark.why:
                entry["why"] = mark.why
        self._journal.append(entry)
        self._run.index.catch_up()


def cell(row: Row, model: str, said: Sequence[Said]) -> dict[str, Any]:
    """The line that is kept. Tokens and seconds are summed over the turns; speed (tokens/s) and
    wait (seconds to the first token) are the last one's."""
    last, stats = said[-1], [s.end.stats for s in said if isinstance(s.end, Finished)]
    entry: dict[str, Any] = {
        "row": row.number,
        "model": model,
        "answers": [s.text for s in said],
        "at": round(time.time(), 3),
    }
    if any(s.thinking for s in said):
        entry["thinking"] = [s.thinking for s in said]
    if isinstance(last.end, Failed):
        return entry | {
            "error": {"code": last.end.code, "sentence": last.end.sentence, "fix": last.end.fix}
        }
    provenance = ("revision", "dtype", "device")
    return entry | {
        "reason": last.end.reason,
        "seed": last.end.seed,
        "prompt_tokens": sum(s.prompt_tokens for s in stats),
        "tokens": sum(s.completion_tokens for s in stats),
        "seconds": round(sum(s.total_seconds for s in stats), 4),
        "load": round(sum(s.load_seconds for s in stats), 4),
        "wait": stats[-1].ttft_seconds,
        "speed": stats[-1].tokens_per_second,
        **{name: last.meta[name] for name in provenance if last.meta.get(name)},
    }


def sampling(plan: Plan, defaults: Sampling) -> Sampling:
    """The model's own, but for what is the same for all. Raises PoolError("bad_setting")."""
    settings = {
        "temperature": plan.temperature,
        "seed": plan.seed,
        "max_new_tokens": plan.max_new_tokens,
    }
    return turns.sampling(defaults, settings)


async def _together(lanes: int, jobs: Iterator[Any]) -> None:
    """At most ``lanes`` of them at a time, begun in order; the first error ends them all."""

    async def lane() -> None:
        for job in jobs:
            await job

    tasks = [asyncio.create_task(lane()) for _ in range(max(1, lanes))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
