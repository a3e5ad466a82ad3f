"""A mailbox between the threads that produce events and the one reader that shows them.

Any thread may put; one coroutine takes. Knows nothing of what the items mean.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Unbounded and ordered. Producers never block: an engine must not wait for a browser."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._items_lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._arrived: asyncio.Event | None = None

    def put(self, item: T) -> None:
        with self._items_lock:
            self._items.append(item)
            loop, arrived = self._loop, self._arrived
        if loop is not None and arrived is not None:
            try:
                loop.call_soon_threadsafe(arrived.set)
            except RuntimeError:
                # The reader's loop is closed: nobody is left to wake, the items stay takeable.
                return

    def take_nowait(self) -> list[T]:
        """Everything that waits, oldest first; empty when nothing does."""
        with self._items_lock:
            items = list(self._items)
            self._items.clear()
        return items

    async def take(self, timeout: float) -> list[T]:
        """Everything that waits, or an empty list after ``timeout`` seconds."""
        with self._items_lock:
            if self._arrived is None:
                self._loop, self._arrived = asyncio.get_running_loop(), asyncio.Event()
            arrived = self._arrived
            arrived.clear()
            if self._items:
                items = list(self._items)
                self._items.clear()
                return items
        try:
            await asyncio.wait_for(arrived.wait(), timeout)
        except TimeoutError:
            return []
        return self.take_nowait()
