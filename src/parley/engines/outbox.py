"""What a model's process has to say, put on the pipe in few and larger pieces.

Answers put an event per token; a reader gains nothing from more than some forty messages a second,
and each costs both processes time in which they hold their interpreter lock. Knows nothing of what
the events mean beyond which of them may be merged.
"""

from __future__ import annotations

import contextlib
import threading
from multiprocessing.connection import Connection

from parley.engines.wire import Said, Up
from parley.events import Delta, Failed, Finished, Loading

# Seconds between two sendings, except of first and last words.
PAUSE = 0.025


class Outbox:
    """Sends from a thread of its own, so that no answer waits for the pipe."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._changed = threading.Condition()  # guards everything below
        self._pending: list[Up] = []
        self._urgent = False
        self._sending = False
        self._speaking: set[int] = set()  # answers whose first word has been put
        threading.Thread(target=self._send, name="outbox", daemon=True).start()

    def put(self, message: Up) -> None:
        with self._changed:
            merged = _merge(self._pending[-1], message) if self._pending else None
            if merged is not None:
                self._pending[-1] = merged
            else:
                self._pending.append(message)
            self._urgent = self._urgent or self._is_news(message)
            self._changed.notify_all()

    def _is_news(self, message: Up) -> bool:
        """Text and progress can wait for more of the same; a first word and all else cannot."""
        if isinstance(message, Loading):
            return False
        if not isinstance(message, Said):
            return True
        if isinstance(message.event, Delta):
            first = message.id not in self._speaking
            self._speaking.add(message.id)
            return first
        if isinstance(message.event, Finished | Failed):
            self._speaking.discard(message.id)
        return True

    def drain(self) -> None:
        """Returns when everything put so far is on the pipe."""
        with self._changed:
            self._changed.wait_for(lambda: not self._pending and not self._sending)

    def _send(self) -> None:
        while True:
            with self._changed:
                self._sending = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._pending)
                batch, self._pending = self._pending, []
                self._urgent = False
                self._sending = True
            # A broken pipe is the main thread's to notice: it reads from the same one.
            with contextlib.suppress(OSError):
                for message in batch:
                    self._pipe.send(message)
            with self._changed:
                self._sending = bool(self._pending)
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._urgent, timeout=PAUSE)


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
        ),
    )
