"""One answer on its way: from the pool to the engine, to the record, to whoever reads it.

Any number of readers may follow it, from any moment on; it goes on without one. When the engine has
said its last word, and not before, the lease is given back. Knows nothing of prompts, pages or SQL.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parley.catalog.spec import ModelSpec
from parley.chats.records import ChatMessage
from parley.engines.base import Generation, Ready, Request
from parley.errors import ParleyError
from parley.events import Delta, Event, Failed, Finished, Loading, Queued, Started, Stats
from parley.mailbox import Mailbox
from parley.pool.pool import Pool
from parley.pool.slots import Lease, OneByOne
from parley.record import Record

FLUSH_SECONDS = 0.4
"""At most this much of a running answer is lost when the whole process is killed."""


HEARTBEAT = 0.2
"""Seconds between signs of life: a reader that has left is noticed at the next one."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Events since the last one; none is a sign of life. ``meta`` comes with the last event."""

    events: Sequence[Event] = ()
    meta: Mapping[str, Any] | None = None

    @property
    def last(self) -> bool:
        return any(isinstance(event, Finished | Failed) for event in self.events)


class Answer:
    """``follow`` it to hear every event in order, the last is Finished or Failed; ``meta`` says how
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
        begins: ChatMessage | None = None,
        earlier: Mapping[str, Any] | None = None,
        counted: bool = True,
    ) -> None:
        """``begins`` is the answer as it stands in the store, which may have a text already;
        ``earlier`` are the stats of that text. What is not ``counted`` is no answer to the meters.
        """
        self.meta: dict[str, Any] = {"sampling": dataclasses.asdict(request.sampling)}
        self._request = request
        self._record = record
        self._on_end = on_end
        # Guards what a new reader is told first, and who is told what comes next.
        self._readers_lock = threading.Lock()
        self._readers: list[Mailbox[Event]] = []
        self._waits: Queued | Loading | None = None
        self._started: Started | None = None
        self._text = [begins.content] if begins and begins.content else []
        self._thinking = [begins.thinking] if begins and begins.thinking else []
        self._earlier = earlier or {}
        self._tokens = 0
        # When it began to think and when its text began, by time.monotonic.
        self._thought_from: float | None = None
        self._thought_until: float | None = None
        self._last: Finished | Failed | None = None
        self._flushed = time.monotonic()
        # Guards the hand-over from waiting to generating against a cancel from another thread.
        self._handover_lock = threading.Lock()
        self._lease: Lease | None = None
        self._generation: Generation | None = None
        self._cancelled = False
        self._ended = False
        self._model_id = spec.id
        self._meters = pool.meters
        self._counted = counted
        self._told_to_stop: float | None = None
        self._ticket = pool.request(spec, self._on_pool, insist=insist)

    @property
    def ended(self) -> bool:
        return self._ended

    @property
    def stopping(self) -> bool:
        """Somebody has stopped it, and it has not ended yet."""
        return self._is_cancelled() and not self._ended

    @property
    def thought(self) -> float:
        """Seconds it has thought so far, or did before its text began; 0 without a thought."""
        if self._thought_from is None:
            return 0.0
        return (self._thought_until or time.monotonic()) - self._thought_from

    def follow(self) -> Mailbox[Event]:
        """Everything from its beginning, what is past already drawn together."""
        mailbox: Mailbox[Event] = Mailbox()
        with self._readers_lock:
            if self._waits and not self._started:
                mailbox.put(self._waits)
            if self._started:
                mailbox.put(self._started)
            if self._text or self._thinking:
                mailbox.put(Delta("".join(self._text), "".join(self._thinking), self._tokens))
            if self._last:
                mailbox.put(self._last)
            self._readers.append(mailbox)
        return mailbox

    def unfollow(self, mailbox: Mailbox[Event]) -> None:
        with self._readers_lock:
            self._readers.remove(mailbox)

    async def batches(self) -> AsyncGenerator[Batch]:
        """The same for one reader that waits: what has come, at least every 0.2 s, to the end."""
        mailbox = self.follow()
        try:
            while True:
                batch = Batch(await mailbox.take(HEARTBEAT))
                if batch.last:
                    yield Batch(batch.events, dict(self.meta))
                    return
                yield batch
        finally:
            self.unfollow(mailbox)

    def _tell(self, event: Event) -> None:
        with self._readers_lock:
            match event:
                case Queued() | Loading():
                    self._waits = event
                case Started():
                    self._started = event
                case Delta():
                    self._text.append(event.text)
                    self._thinking.append(event.thinking)
                    self._tokens += event.tokens
                    if event.thinking and self._thought_from is None:
                        self._thought_from = time.monotonic()
                    if event.text and self._thought_until is None:
                        self._thought_until = time.monotonic()
                case Finished() | Failed():
                    self._last = event
            for mailbox in self._readers:
                mailbox.put(event)

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
            self._tell(news)

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
        if isinstance(event, Finished | Failed):
            event = self._end(event)
        elif isinstance(event, Started):
            self.meta["notes"] = list(event.notes)
        self._tell(event)
        now = time.monotonic()
        if isinstance(event, Delta) and now - self._flushed >= FLUSH_SECONDS:
            self._flushed = now
            self._record.flush("".join(self._text), "".join(self._thinking))

    def _end(self, event: Finished | Failed) -> Finished | Failed:
        self._ended = True
        lease = self._lease
        if isinstance(event, Finished):
            if lease is not None:
                stats = dataclasses.replace(event.stats, load_seconds=lease.load_seconds)
                event = dataclasses.replace(event, stats=stats)
            event = dataclasses.replace(event, stats=_added(event.stats, self._earlier))
            self.meta |= {
                "stats": dataclasses.asdict(event.stats),
                "seed": event.seed,
            }
            # One that was stopped in the queue has none, and may have had a text before.
            if event.token_ids:
                self.meta["token_ids"] = list(event.token_ids)
        cold = lease is not None and lease.load_seconds > 0
        if self._counted:
            self._meters.answered(self._model_id, event, cold=cold)
        if self._told_to_stop is not None and lease is not None:
            self._meters.stopped_after(time.monotonic() - self._told_to_stop)
        # Recorded first: when the page says done, it is on the disk or in its queue.
        self._record.end(event, "".join(self._text), "".join(self._thinking), self.meta)
        if lease is not None:
            lease.release()
        self._on_end()
        return event


def _added(stats: Stats, earlier: Mapping[str, Any]) -> Stats:
    """What a continued answer cost. Speed and first token are those of its last part."""
    summed = ("completion_tokens", "load_seconds", "total_seconds", "thinking_seconds")
    sums = {name: getattr(stats, name) + (earlier.get(name) or 0) for name in summed}
    return dataclasses.replace(stats, **sums)


def _provenance(ready: Ready) -> dict[str, Any]:
    return {
        "revision": ready.revision,
        "dtype": ready.dtype,
        "device": ready.device,
        "decoding": ready.decoding,
    }
