"""The process of one model: loads it, answers, and ends when its pipe does.

``main`` is what the nursery runs. Knows nothing of the pool, the page or other models.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from huggingface_hub.utils import logging as hub_logging
from transformers.utils import logging as transformers_logging

from parley.catalog.spec import ModelSpec
from parley.engines import cache_budget
from parley.engines.base import Vitals
from parley.engines.failures import load_error
from parley.engines.footprint import Footprint
from parley.engines.hardware import usable_cores
from parley.engines.job import Job
from parley.engines.loading import Loaded, load
from parley.engines.outbox import Outbox
from parley.engines.proof import choose
from parley.engines.scheduler import Scheduler
from parley.engines.stock_config import kv_values
from parley.engines.wire import Cancel, Generate, LoadFailed, Said
from parley.events import EngineEvent, Failed, Finished, Stats

log = logging.getLogger(__name__)

PULSE = 1.0
"""Seconds between two signs of life."""


def main(pipe: Connection, spec: ModelSpec, devices: tuple[str, ...] = ()) -> None:
    """Serve ``spec`` on ``devices`` until the other end of ``pipe`` is closed."""
    _go_first()
    hub_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(min(torch.get_num_threads(), usable_cores()))
    worker = Worker(spec, Outbox(pipe), devices)
    threading.Thread(target=worker.run, name="model", daemon=True).start()
    threading.Thread(target=worker.pulse, name="pulse", daemon=True).start()
    try:
        while True:
            match pipe.recv():
                case Generate(number, request):
                    worker.generate(Job(number, request, time.perf_counter()))
                case Cancel(number):
                    worker.cancel(number)
    except (EOFError, OSError):
        # Nobody listens any more. Not sys.exit: that would wait for the answers under way.
        os._exit(0)


class Worker:
    """A model, or one that is still coming, and the answers that want it."""

    def __init__(self, spec: ModelSpec, outbox: Outbox, devices: tuple[str, ...] = ()) -> None:
        self._spec = spec
        self._devices = devices
        self._footprint = Footprint()
        self._outbox = outbox
        self._lock = threading.Lock()  # guards everything below
        self._loaded: Loaded | None = None
        self._scheduler: Scheduler | None = None
        self._came = 0.0
        self._jobs: dict[int, Job] = {}

    def run(self) -> None:
        """Load, then answer for as long as the process lives."""
        try:
            loaded = load(self._spec, self._outbox.put, self._devices)
            scheduler = self._schedule(loaded)
        except BaseException as error:
            said = load_error(self._spec, error)
            trace = error if said.code == "internal" else None
            log.warning("%s: %s", self._spec.id, said.sentence, exc_info=trace)
            self._outbox.put(LoadFailed(said))
            self._outbox.drain()
            os._exit(1)
        with self._lock:
            self._loaded = loaded
            self._came = time.perf_counter()
            early = list(self._jobs.values())
            for job in early:
                job.arrived = self._came
                scheduler.submit(job)
            self._scheduler = scheduler
        scheduler.run()

    def _schedule(self, loaded: Loaded) -> Scheduler:
        decoding, runner = choose(loaded.model)
        at_once = self._spec.concurrency or cache_budget.AT_ONCE
        values = kv_values(loaded.model.config.to_dict())
        width = loaded.model.dtype.itemsize
        kept = cache_budget.tokens(loaded.window, at_once)
        budget = values * width * kept if values is not None else cache_budget.UNKNOWN
        scheduler = Scheduler(loaded, runner, budget, at_once, self._say, loaded.kernels)
        self._outbox.put(replace(loaded.ready, decoding=decoding))
        return scheduler

    def pulse(self) -> None:
        """A sign of life every second, for as long as this process computes anything at all."""
        while True:
            time.sleep(PULSE)
            loaded, scheduler = self._loaded, self._scheduler
            memory = self._footprint.bytes(loaded) if loaded is not None else 0
            self._outbox.put(Vitals(memory, scheduler.still() if scheduler is not None else 0.0))

    def generate(self, job: Job) -> None:
        with self._lock:
            self._jobs[job.number] = job
            if self._scheduler is not None:
                job.arrived = job.received
                self._scheduler.submit(job)

    def cancel(self, number: int) -> None:
        with self._lock:
            job = self._jobs.get(number)
            scheduler = self._scheduler
            if job is not None and scheduler is None:
                job.cancelled = True
                del self._jobs[number]
        if job is None:
            return
        if scheduler is not None:
            scheduler.cancel(job)
        else:
            self._say(job, job.ended("cancelled", Stats()))

    def _say(self, job: Job, event: EngineEvent) -> None:
        if isinstance(event, Finished | Failed):
            with self._lock:
                self._jobs.pop(job.number, None)
        self._outbox.put(Said(job.number, event))


def _go_first() -> None:
    """Where memory runs out for the whole machine, Linux should end a model, not the page."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
