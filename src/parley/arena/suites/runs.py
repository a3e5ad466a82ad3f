"""Everybody's runs: begun, stopped, gone on with, and looked at, each by its owner alone.

A run works in a thread of its own and needs no reader; its folder outlives this process. What is
looked at is read from the folder, so that a run is seen the same while it works and after. Knows
nothing of pages.
"""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from parley.arena.suites import plan as plans
from parley.arena.suites.index import Index
from parley.arena.suites.plan import Plan
from parley.arena.suites.run import Run, sampling
from parley.arena.suites.spec import Row
from parley.errors import ParleyError, SuiteError
from parley.events import Failed, Loading, Queued
from parley.playground import Playground

log = logging.getLogger(__name__)

T = TypeVar("T")
State = Literal["running", "interrupted", "done"]

MOST_RUNS = 40
"""Of one owner; on a public page the disk is everybody's."""

MOST_AT_ONCE = 4
"""Runs of all owners that work at the same time."""

OPEN = 12
"""Indexes that are kept: the runs that somebody looks at now."""

_ID = re.compile(r"[0-9a-f]{12}")
_OWNER = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Status:
    """How far a run is, in cells. ``at`` is the model at work and ``waiting`` what it waits for;
    ``unloaded`` says of models why they could not be had, ``error`` why the run could not work."""

    plan: Plan
    state: State
    settled: int
    failed: int
    total: int
    at: str | None = None
    waiting: Queued | Loading | None = None
    unloaded: tuple[tuple[str, Failed], ...] = ()
    error: ParleyError | None = None


class Runs:
    """In ``folder``, a folder for each owner. Methods may take as long as reading a run does: not
    for an event loop. All raise SuiteError; no_such_run for what is somebody else's too."""

    def __init__(self, playground: Playground, folder: Path) -> None:
        self._playground = playground
        self._folder = folder
        self._working_lock = threading.Lock()  # guards the next two
        self._working: dict[Path, Run] = {}
        self._ended: dict[Path, Run] = {}
        self._open_lock = threading.Lock()  # guards the next, and every index in it
        self._open: OrderedDict[Path, Index] = OrderedDict()

    def begin(self, owner: str, plan: Plan, rows: Iterable[Row]) -> Plan:
        """Raises also too_many_runs, busy, and what ``plan.new`` and ``Playground.spec`` do;
        nothing is left then."""
        for model in (*plan.models, *([plan.judge] if plan.judge else ())):
            sampling(plan, self._playground.spec(model).sampling)
        home = self._home(owner)
        if len(self._folders(owner)) >= MOST_RUNS:
            raise SuiteError(
                "too_many_runs",
                f"There are {MOST_RUNS} runs already.",
                "Delete one that is not needed any more.",
            )
        self._room(owner)
        made = plans.new(home / uuid.uuid4().hex[:12], plan, rows)
        self._work(home / made.id)
        return made

    def resume(self, owner: str, id: str) -> None:
        """Go on with what is not finished, cells that failed included; nothing happens to a run
        that works. Raises also busy."""
        folder = self._of(owner, id)
        if folder not in self._working:
            self._room(owner)
            self._work(folder)

    def stop(self, owner: str, id: str) -> None:
        run = self._working.get(self._of(owner, id))
        if run is not None:
            run.stop()

    def remove(self, owner: str, id: str) -> None:
        """For good; one that works is stopped first."""
        folder = self._of(owner, id)
        self.stop(owner, id)
        with self._open_lock:
            self._open.pop(folder, None)
        plans.remove(folder)

    def wipe(self, owner: str) -> None:
        """All that is this owner's, for good."""
        for folder in self._folders(owner):
            self.remove(owner, folder.name)
        shutil.rmtree(self._home(owner), ignore_errors=True)

    def listed(self, owner: str) -> list[Status]:
        """The newest first; a folder that cannot be read is passed over."""
        found = []
        for folder in self._folders(owner):
            try:
                found.append(self.status(owner, folder.name))
            except SuiteError:
                continue
        return sorted(found, key=lambda status: status.plan.created, reverse=True)

    def status(self, owner: str, id: str) -> Status:
        folder = self._of(owner, id)
        run = self._working.get(folder)
        settled, failed, total = self.look(owner, id, _counts)
        last = run or self._ended.get(folder)
        state: State = "running" if run else "done" if settled == total else "interrupted"
        return Status(
            plans.opened(folder),
            state,
            settled,
            failed,
            total,
            run.at if run else None,
            run.waiting if run else None,
            tuple(last.unloaded.items()) if last else (),
            last.error if last else None,
        )

    def look(self, owner: str, id: str, at: Callable[[Index], T]) -> T:
        """What ``at`` finds in the run's index, which is up to date and nobody else's meanwhile."""
        folder = self._of(owner, id)
        with self._open_lock:
            index = self._open.pop(folder, None) or Index(folder, plans.opened(folder))
            index.catch_up()
            self._open[folder] = index
            while len(self._open) > OPEN:
                self._open.popitem(last=False)
            return at(index)

    def close(self) -> None:
        """Stop what works; it is gone on with another time."""
        for run in list(self._working.values()):
            run.stop()

    # -- at work --

    def _room(self, owner: str) -> None:
        with self._working_lock:
            mine = any(folder.parent == self._home(owner) for folder in self._working)
            if mine or len(self._working) >= MOST_AT_ONCE:
                raise SuiteError(
                    "busy",
                    "Another run is under way." if mine else "Several runs are under way.",
                    "Wait until it has ended, or stop it first."
                    if mine
                    else "Try again when one of them has ended.",
                )

    def _work(self, folder: Path) -> None:
        # One lane stays free, for whoever talks to the model meanwhile.
        lanes = max(1, self._playground.pool.limits.lanes - 1)
        run = Run(self._playground, folder, lanes=lanes)
        with self._working_lock:
            if folder in self._working:
                return
            self._working[folder] = run

        def work() -> None:
            try:
                asyncio.run(run.run())
            except ParleyError as error:
                run.error = error
            except Exception:
                log.exception("a run of a suite ended by an error")
                run.error = SuiteError(
                    "run_broke",
                    "The run ended by an error of Parley's.",
                    "Press Resume; the log of Parley says more.",
                )
            finally:
                with self._working_lock:
                    del self._working[folder]
                    self._ended[folder] = run

        threading.Thread(target=work, name="parley-suite", daemon=True).start()

    # -- places --

    def _home(self, owner: str) -> Path:
        if not _OWNER.fullmatch(owner):
            raise _unknown()
        return self._folder / owner

    def _of(self, owner: str, id: str) -> Path:
        folder = self._home(owner) / id
        if not _ID.fullmatch(id) or not (folder / plans.PLAN).is_file():
            raise _unknown()
        return folder

    def _folders(self, owner: str) -> list[Path]:
        try:
            return [f for f in self._home(owner).iterdir() if _ID.fullmatch(f.name)]
        except FileNotFoundError:
            return []


def _counts(index: Index) -> tuple[int, int, int]:
    return index.settled, index.failed, index.total


def _unknown() -> SuiteError:
    return SuiteError("no_such_run", "This run is not there.", "Open another one, or begin anew.")
