"""What a model's process has to say, put on the pipe in few and larger pieces.

A token is on its way within a millisecond or two. What is said meanwhile, by any number of
answers, goes together: a sending costs both processes time in which they hold their interpreter
lock, and a fast model says thousands of things a second. Knows nothing of what the events mean
beyond which of them may be merged.
"""

from __future__ import annotations

import contextlib
import threading
import time
from multiprocessing.connection import Connection

from parley.engines.wire import Said, Up
from parley.events import Delta, Loading

PAUSE = 0.002
"""Seconds between the beginnings of two sendings."""


class Outbox:
    """Sends lists of messages from a thread of its own, so that no answer waits for the pipe."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._changed = threading.Condition()  # guards everything below
        self._pending: list[Up] = []
        self._latest: dict[int, int] = {}  # where in it an answer's last message is
        self._sending = False
        threading.Thread(target=self._send, name="outbox", daemon=True).start()

    def put(self, message: Up) -> None:
        with self._changed:
            place = len(self._pending) - 1
            if isinstance(message, Said):
                place = self._latest.get(message.id, -1)
            merged = _merge(self._pending[place], message) if place >= 0 else None
            if merged is not None:
                self._pending[place] = merged
                return
            if isinstance(message, Said):
                self._latest[message.id] = len(self._pending)
            self._pending.append(message)
            if len(self._pending) == 1:
                self._changed.notify_all()

    def drain(self) -> None:
        """Returns when everything put so far is on the pipe."""
        with self._changed:
            self._changed.wait_for(lambda: not self._pending and not self._sending)

    def _send(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending)
                batch, self._pending = self._pending, []
                self._latest.clear()
                self._sending = True
            began = time.monotonic()
            # A broken pipe is the main thread's to notice: it reads from the same one.
            with contextlib.suppress(OSError):
                self._pipe.send(batch)
            with self._changed:
                self._sending = False
                self._changed.notify_all()
            if (spare := began + PAUSE - time.monotonic()) > 0:
                time.sleep(spare)


def _delta(message: Up) -> Delta | None:
    if isinstance(message, Said) and isinstance(message.event, Delta):
        return message.event
    return None


def _merge(old: Up, new: Up) -> Up | None:
    """One message that says both, where there is one."""
    if isinstance(old, Loading) and isinstance(new, Loading) and old.phase == new.phase:
        return new
    before, after = _delta(old), _delta(new)
    if before is None or after is None:
        return None
    assert isinstance(old, Said)
    assert isinstance(new, Said)
    if old.id != new.id or (before.text and after.thinking):
        return None
    return Said(
        old.id,
        Delta(
            before.text + after.text,
            before.thinking + after.thinking,
            before.tokens + after.tokens,
            before.scores + after.scores,
        ),
    )
