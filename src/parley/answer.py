"""One answer on its way: from the pool to the engine, to the record, to whoever reads it.

It lives on when its reader leaves, until the engine has said its last word; exactly then the lease
is given back. Knows nothing of prompts, pages or SQL.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from parley.catalog.spec import ModelSpec
from parley.engines.base import Generation, Ready, Request
from parley.errors import ParleyError
from parley.events import Delta, Event, Failed, Finished, Loading, Queued, Started
from parley.mailbox import Mailbox
from parley.pool.pool import Pool
from parley.pool.slots import Lease, OneByOne

FLUSH_SECONDS = 0.4
"""At most this much of a running answer is lost when the whole process is killed."""


class Record(Protocol):
    """Where an answer is kept. Calls return at once and never raise."""

    def flush(self, text: str, thinking: str) -> None: ...

    def end(
        self, event: Finished | Failed, text: str, thinking: str, meta: Mapping[str, Any]
    ) -> None: ...


class NoRecord:
    """An answer that is not kept."""

    def flush(self, text: str, thinking: str) -> None: ...

    def end(
        self, event: Finished | Failed, text: str, thinking: str, meta: Mapping[str, Any]
    ) -> None: ...


class Answer:
    """``mailbox`` holds every event in order, the last is Finished or Failed; ``meta`` says how
    the answer came to be and is complete once that has been taken."""

    def __init__(
        self,
        pool: Pool,
        spec: ModelSpec,
        request: Request,
        record: Record,
        on_end: Callable[[], None],
        *,
        insist: bool = False,
    ) -> None:
        self.mailbox: Mailbox[Event] = Mailbox()
        self.meta: dict[str, Any] = {"sampling": dataclasses.asdict(request.sampling)}
        self._request = request
        self._record = record
        self._on_end = on_end
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._flushed = time.monotonic()
        # Guards the hand-over from waiting to generating against a cancel from another thread.
        self._handover_lock = threading.Lock()
        self._lease: Lease | None = None
        self._generation: Generation | None = None
        self._cancelled = False
        self._ended = False
        self._model_id = spec.id
        self._meters = pool.meters
        self._told_to_stop: float | None = None
        self._ticket = pool.request(spec, self._on_pool, insist=insist)

    @property
    def ended(self) -> bool:
        return self._ended

    def cancel(self) -> None:
        """Somebody has stopped it, wherever it is; idempotent, from any thread."""
        self._stop(explicit=True)

    def leave(self) -> None:
        """The reader has gone. It stops as well, but a load that has come far is finished."""
        self._stop(explicit=False)

    def _stop(self, *, explicit: bool) -> None:
        with self._handover_lock:
            if self._cancelled or self._ended:
                return
            self._cancelled = True
            self._told_to_stop = time.monotonic()
            lease, generation = self._lease, self._generation
        if explicit:
            self._ticket.cancel()
        else:
            self._ticket.leave()
        if generation is not None:
            generation.cancel()
        elif lease is None:
            self._on_event(Finished("cancelled"))

    def _on_pool(self, news: Queued | Loading | Lease | OneByOne | ParleyError) -> None:
        if isinstance(news, ParleyError):
            self._on_event(news.as_event())
        elif isinstance(news, Lease):
            self._begin(news)
        elif not self._ended and not isinstance(news, OneByOne):
            self.mailbox.put(news)

    def _begin(self, lease: Lease) -> None:
        with self._handover_lock:
            if self._cancelled:
                lease.release()
                return
            self._lease = lease
        self.meta |= _provenance(lease.ready)
        generation = lease.engine.generate(self._request, self._on_event)
        with self._handover_lock:
            self._generation = generation
        if self._is_cancelled():
            generation.cancel()

    def _is_cancelled(self) -> bool:
        with self._handover_lock:
            return self._cancelled

    def _on_event(self, event: Event) -> None:
        """Called from the engine's or the pool's thread; never at the same time from both."""
        if self._ended:
            return
        if isinstance(event, Delta):
            self._text.append(event.text)
            self._thinking.append(event.thinking)
            now = time.monotonic()
            if now - self._flushed >= FLUSH_SECONDS:
                self._flushed = now
                self._record.flush("".join(self._text), "".join(self._thinking))
        elif isinstance(event, Started):
            self.meta["notes"] = list(event.notes)
        elif isinstance(event, Finished | Failed):
            event = self._end(event)
        self.mailbox.put(event)

    def _end(self, event: Finished | Failed) -> Finished | Failed:
        self._ended = True
        lease = self._lease
        if isinstance(event, Finished):
            if lease is not None:
                stats = dataclasses.replace(event.stats, load_seconds=lease.load_seconds)
                event = dataclasses.replace(event, stats=stats)
            self.meta |= {"stats": dataclasses.asdict(event.stats), "seed": event.seed}
        cold = lease is not None and lease.load_seconds > 0
        self._meters.answered(self._model_id, event, cold=cold)
        if self._told_to_stop is not None and lease is not None:
            self._meters.stopped_after(time.monotonic() - self._told_to_stop)
        # Recorded first: when the page says done, it is on the disk or in its queue.
        self._record.end(event, "".join(self._text), "".join(self._thinking), self.meta)
        if lease is not None:
            lease.release()
        self._on_end()
        return event


def _provenance(ready: Ready) -> dict[str, Any]:
    return {
        "revision": ready.revision,
        "dtype": ready.dtype,
        "device": ready.device,
        "decoding": ready.decoding,
    }
