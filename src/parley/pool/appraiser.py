"""What is known of each configured checkpoint, looked up in the background and remembered.

Asks ``take_stock`` from threads of its own, so that neither the pool's owner nor a page ever waits
for a disk or for the Hub. Knows nothing of what is loaded.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from parley.catalog.spec import ModelSpec
from parley.engines.stock import Stock

log = logging.getLogger(__name__)

AT_ONCE = 2


class Appraiser:
    """``take`` looks at one checkpoint and may take seconds."""

    def __init__(self, take: Callable[[ModelSpec], Stock]) -> None:
        self._take = take
        self._known_lock = threading.Lock()  # guards the two below
        self._known: dict[str, Stock] = {}
        self._asking: dict[str, list[Callable[[], None]]] = {}
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="parley-stock")
        self._closed = False

    def stock(self, spec: ModelSpec) -> Stock | None:
        """The last answer; None before the first."""
        with self._known_lock:
            return self._known.get(_key(spec))

    def look(self, spec: ModelSpec, done: Callable[[], None] = lambda: None) -> None:
        """Look again; ``done`` is called from another thread when the answer is there."""
        key = _key(spec)
        with self._known_lock:
            waiting = self._asking.get(key)
            if waiting is not None:
                waiting.append(done)
                return
            if self._closed:
                return
            self._asking[key] = [done]
            self._threads.submit(self._look, spec, key)

    def survey(self, specs: Iterable[ModelSpec]) -> None:
        """Look at those that nobody has looked at yet."""
        for spec in specs:
            if self.stock(spec) is None:
                self.look(spec)

    def close(self) -> None:
        """Stop asking; an answer that is under way is not waited for."""
        with self._known_lock:
            self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _look(self, spec: ModelSpec, key: str) -> None:
        try:
            found = self._take(spec)
        except Exception:
            log.exception("what there is of %s could not be found out", spec.id)
            found = Stock()
        with self._known_lock:
            self._known[key] = found
            waiting = self._asking.pop(key, [])
        for done in waiting:
            done()


def _key(spec: ModelSpec) -> str:
    return f"{spec.source}@{spec.revision or ''}"
