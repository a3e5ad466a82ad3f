"""The process of one model: loads it, answers, and ends when its pipe does.

``main`` is what the nursery runs. Knows nothing of the pool, the page or other models.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from huggingface_hub.utils import logging as hub_logging
from transformers.utils import logging as transformers_logging

from parley.catalog.spec import ModelSpec
from parley.engines.answer import CancelWatch, Job, answer
from parley.engines.base import Vitals
from parley.engines.failures import load_error
from parley.engines.footprint import Footprint
from parley.engines.hardware import usable_cores
from parley.engines.loading import Loaded, load
from parley.engines.outbox import Outbox
from parley.engines.wire import Cancel, Generate, LoadFailed, Said
from parley.events import EngineEvent, Stats

log = logging.getLogger(__name__)

# Answers computed at the same time, where the catalogue does not say; the pool lends no more.
AT_ONCE = 4

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
    threading.Thread(target=worker.load, name="load", daemon=True).start()
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
        self._threads = ThreadPoolExecutor(spec.concurrency or AT_ONCE, thread_name_prefix="answer")
        self._loaded: Loaded | None = None
        self._watch: CancelWatch | None = None
        self._came = 0.0
        self._arrival = threading.Event()  # set once the three above are there
        self._rendering = threading.Lock()  # guards the tokenizer's encoder
        self._waiting_lock = threading.Lock()  # guards the two below
        self._waiting: dict[int, Job] = {}
        self._running: dict[int, Job] = {}

    def load(self) -> None:
        try:
            loaded = load(self._spec, self._outbox.put, self._devices)
            self._watch = CancelWatch(loaded.model)
        except BaseException as error:
            said = load_error(self._spec, error)
            trace = error if said.code == "internal" else None
            log.warning("%s: %s", self._spec.id, said.sentence, exc_info=trace)
            self._outbox.put(LoadFailed(said))
            self._outbox.drain()
            os._exit(1)
        self._loaded = loaded
        self._came = time.perf_counter()
        self._outbox.put(loaded.ready)
        self._arrival.set()

    def pulse(self) -> None:
        """A sign of life every second, for as long as this process computes anything at all."""
        while True:
            time.sleep(PULSE)
            loaded = self._loaded
            memory = self._footprint.bytes(loaded) if loaded is not None else 0
            now = time.perf_counter()
            with self._waiting_lock:
                still = max((now - job.moved for job in self._running.values()), default=0.0)
            self._outbox.put(Vitals(memory, still))

    def generate(self, job: Job) -> None:
        with self._waiting_lock:
            self._waiting[job.number] = job
        self._threads.submit(self._run, job)

    def cancel(self, number: int) -> None:
        with self._waiting_lock:
            waiting = self._waiting.pop(number, None)
            running = self._running.get(number)
        if running is not None:
            running.cancelled = True
        if waiting is not None:
            self._say(waiting, waiting.ended("cancelled", Stats()))

    def _run(self, job: Job) -> None:
        self._arrival.wait()
        assert self._loaded is not None
        assert self._watch is not None
        with self._waiting_lock:
            if self._waiting.pop(job.number, None) is None:
                return  # cancelled while it waited
            job.moved = time.perf_counter()
            self._running[job.number] = job
        job.arrived = max(job.received, self._came)
        try:
            answer(
                self._loaded, job, self._watch, lambda event: self._say(job, event), self._rendering
            )
        finally:
            with self._waiting_lock:
                del self._running[job.number]

    def _say(self, job: Job, event: EngineEvent) -> None:
        job.moved = time.perf_counter()
        self._outbox.put(Said(job.number, event))


def _go_first() -> None:
    """Where memory runs out for the whole machine, Linux should end a model, not the page."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
