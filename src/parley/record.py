"""Where an answer is kept while it is written, and at its end.

Knows nothing of engines or of who reads along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from parley.chats.store import EndState, Store
from parley.events import Failed, Finished


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


class StoredAnswer(Record):
    """In ``store``, under the id ``key``; ``write`` runs a write in its turn."""

    def __init__(
        self, store: Store, key: str, write: Callable[[Callable[[], object]], None]
    ) -> None:
        self._store = store
        self._key = key
        self._write = write

    def flush(self, text: str, thinking: str) -> None:
        store = self._store
        self._write(lambda: store.flush_answer(self._key, text, thinking))

    def end(
        self, event: Finished | Failed, text: str, thinking: str, meta: Mapping[str, Any]
    ) -> None:
        store = self._store
        failure = event if isinstance(event, Failed) else None
        reason = event.reason if isinstance(event, Finished) else None
        state: EndState = "failed" if failure else "stopped" if reason == "cancelled" else "done"
        kept = dict(meta)
        self._write(
            lambda: store.end_answer(
                self._key,
                state=state,
                content=text,
                thinking=thinking,
                reason=reason,
                meta=kept,
                error=failure,
            )
        )
