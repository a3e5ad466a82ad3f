"""A model in a process of its own, seen from the page's process.

Three threads never block a caller: the keeper starts the process and sends, the reader receives,
and the process computes. Knows nothing of torch, prompts or how a token is chosen.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import queue
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection

from parley.catalog.spec import ModelSpec
from parley.engines import notices
from parley.engines.base import Ready, Request, Vitals
from parley.engines.nursery import Child, Nursery
from parley.engines.wire import Cancel, Down, Generate, LoadFailed, Said, Up
from parley.errors import ParleyError
from parley.events import EngineEvent, Failed, Finished, Loading

log = logging.getLogger(__name__)

WORKER = "parley.engines.worker"
Sink = Callable[[EngineEvent], None]


class LocalEngine:
    """One model in one process, given up for good once that process is gone."""

    def __init__(self, spec: ModelSpec, nursery: Nursery, devices: tuple[str, ...] = ()) -> None:
        """``devices`` by torch's names, over which the weights are spread where there are several;
        none lets the process choose."""
        self._spec = spec
        self._devices = devices
        self._nursery = nursery
        self._outbox: queue.SimpleQueue[Down | None] = queue.SimpleQueue()
        self._numbers = itertools.count(1)
        self._state = threading.Lock()  # guards everything below
        self._load: _Load | None = None
        self._sinks: dict[int, Sink] = {}
        self._exits: list[Callable[[], None]] = []
        self._on_vitals: Callable[[Vitals], None] = lambda vitals: None
        self._why: ParleyError | None = None
        self._child: Child | None = None
        self._closing = False
        self._gone = False

    @property
    def model_id(self) -> str:
        return self._spec.id

    @property
    def pid(self) -> int | None:
        """The process's id, once there is a process."""
        with self._state:
            return self._child.pid if self._child else None

    @property
    def alive(self) -> bool:
        with self._state:
            return self._load is not None and not self._closing and not self._gone

    def load(
        self,
        on_progress: Callable[[Loading], None],
        on_ready: Callable[[Ready], None],
        on_failed: Callable[[ParleyError], None],
    ) -> None:
        load = _Load(on_progress, on_ready, on_failed)
        with self._state:
            if self._load is not None:
                raise RuntimeError("an engine is loaded once")
            self._load = load
            late = self._closing
        if late:
            _soon(on_failed, self._closed_while_loading())
            return
        threading.Thread(target=self._keep, name=f"keep {self._spec.id}", daemon=True).start()

    def generate(self, request: Request, sink: Sink) -> _Answer:
        number = next(self._numbers)
        with self._state:
            usable = self._load is not None and not self._closing and not self._gone
            if usable:
                self._sinks[number] = sink
        if usable:
            self._outbox.put(Generate(number, request))
        else:
            _soon(sink, self._death_notice())
        return _Answer(self, number)

    def cancel(self, number: int) -> None:
        with self._state:
            known = number in self._sinks
        if known:
            self._outbox.put(Cancel(number))

    def on_exit(self, callback: Callable[[], None]) -> None:
        with self._state:
            if not self._gone:
                self._exits.append(callback)
                return
        _soon(callback)

    def on_vitals(self, callback: Callable[[Vitals], None]) -> None:
        with self._state:
            self._on_vitals = callback

    def close(self, why: ParleyError | None = None) -> None:
        with self._state:
            if self._closing:
                return
            self._closing = True
            self._why = why
            child = self._child
        if child is not None:
            # No farewell: a process that is asked politely can be in the middle of a long step.
            child.kill()
        else:
            # The keeper kills what it finds in its hands later; nobody has to wait for that.
            _soon(self._bury)

    def wait_gone(self, timeout: float) -> bool:
        """Whether the process was gone, and its memory with it, within ``timeout`` seconds."""
        with self._state:
            child = self._child
        return child is None or child.wait(timeout)

    # ---- the keeper's thread -------------------------------------------------------------------

    def _keep(self) -> None:
        """Start the process, then send what is put in the outbox until it is gone."""
        try:
            child, pipe = self._nursery.start(WORKER, self._spec, self._devices)
        except Exception:
            log.exception("no process for %s", self._spec.id)
            self._bury()
            return
        with self._state:
            self._child = child
            closing = self._closing
        if closing:
            child.kill()
            pipe.close()
            return
        threading.Thread(
            target=self._read, args=(pipe,), name=f"read {self._spec.id}", daemon=True
        ).start()
        while (message := self._outbox.get()) is not None:
            # A broken pipe is the reader's to tell: it sees the end of the same pipe.
            with contextlib.suppress(OSError):
                pipe.send(message)

    # ---- the reader's thread -------------------------------------------------------------------

    def _read(self, pipe: Connection) -> None:
        try:
            while True:
                for message in pipe.recv():
                    self._receive(message)
        except (EOFError, OSError):
            pass
        except Exception:
            log.exception("what %s sent could not be understood", self._spec.id)
        finally:
            self._bury()
            pipe.close()

    def _receive(self, message: Up) -> None:
        load = self._load
        assert load is not None
        match message:
            case Said(number, event):
                with self._state:
                    ends = isinstance(event, Finished | Failed)
                    sink = self._sinks.pop(number, None) if ends else self._sinks.get(number)
                if sink is not None:
                    _call(sink, event)
            case Loading():
                _call(load.on_progress, message)
            case Vitals():
                _call(self._on_vitals, message)
            case Ready():
                if not load.settled:
                    load.settled = True
                    _call(load.on_ready, message)
            case LoadFailed(error):
                if not load.settled:
                    load.settled = True
                    _call(load.on_failed, error)

    def _bury(self) -> None:
        """The process is gone, or never came: tell everybody who waits for something."""
        with self._state:
            if self._gone:
                return
            self._gone = True
            child, load = self._child, self._load
            sinks, self._sinks = list(self._sinks.values()), {}
            exits, self._exits = self._exits, []
        self._outbox.put(None)
        if child is not None:
            # The pipe can end before the process does; nothing of it may outlive this call.
            child.kill()
            child.wait(5)
        if not self._closing:
            pid = child.pid if child is not None else None
            log.warning("the process of %s (pid %s) ended unexpectedly", self._spec.id, pid)
        notice = self._death_notice()
        if load is not None and not load.settled:
            load.settled = True
            _call(load.on_failed, self._load_notice())
        for sink in sinks:
            _call(sink, notice)
        for callback in exits:
            _call(callback)

    # ---- words ---------------------------------------------------------------------------------

    def _death_notice(self) -> Failed:
        name = self._spec.name
        gone = notices.taken_away if self._closing else notices.died_while_answering
        return (self._why or gone(name)).as_event()

    def _load_notice(self) -> ParleyError:
        if self._closing:
            return self._closed_while_loading()
        return notices.died_while_loading(self._spec.name)

    def _closed_while_loading(self) -> ParleyError:
        return self._why or notices.load_cancelled(self._spec.name)


class _Load:
    """Who waits for the load, and whether they have been told."""

    def __init__(
        self,
        on_progress: Callable[[Loading], None],
        on_ready: Callable[[Ready], None],
        on_failed: Callable[[ParleyError], None],
    ) -> None:
        self.on_progress = on_progress
        self.on_ready = on_ready
        self.on_failed = on_failed
        self.settled = False


class _Answer:
    """The handle of one answer."""

    def __init__(self, engine: LocalEngine, number: int) -> None:
        self._engine = engine
        self._number = number

    def cancel(self) -> None:
        self._engine.cancel(self._number)


def _call(callback: Callable[..., None], *args: object) -> None:
    """A faulty listener must not take the engine's thread with it."""
    try:
        callback(*args)
    except Exception:
        log.exception("a listener of an engine failed")


def _soon(callback: Callable[..., None], *args: object) -> None:
    """Call back from a thread of its own: the caller may hold a lock that the listener takes."""
    threading.Thread(target=_call, args=(callback, *args), daemon=True).start()
