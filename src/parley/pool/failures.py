"""Loads that failed, and how long they are left alone.

The wait doubles with every failure in a row and ends with a success or with somebody who insists.
Knows nothing of how a load fails.
"""

from __future__ import annotations

from dataclasses import dataclass

from parley.errors import ParleyError, PoolError
from parley.pool import words


@dataclass(frozen=True, slots=True)
class Failure:
    """``retry_at`` is a time of the pool's clock, 0 where nothing is gained by waiting."""

    error: ParleyError
    attempt: int
    retry_at: float


class Failures:
    """By model id. ``backoff`` is the first wait and the longest, in seconds."""

    def __init__(self, backoff: tuple[float, float]) -> None:
        self._backoff = backoff
        self._failures: dict[str, Failure] = {}
        self._attempts: dict[str, int] = {}

    def add(self, model_id: str, error: ParleyError, now: float) -> None:
        attempt = self._attempts.get(model_id, 0) + 1
        self._attempts[model_id] = attempt
        first, longest = self._backoff
        wait = min(longest, first * 2 ** min(attempt - 1, 30))
        retry_at = now + wait if error.code in words.PASSING else 0.0
        self._failures[model_id] = Failure(error, attempt, retry_at)

    def succeeded(self, model_id: str) -> None:
        """The next failure is a first one again."""
        self._attempts.pop(model_id, None)
        self.forget(model_id)

    def forget(self, model_id: str) -> None:
        """Somebody insists: try at once, and count on."""
        self._failures.pop(model_id, None)

    def get(self, model_id: str) -> Failure | None:
        return self._failures.get(model_id)

    def all(self) -> dict[str, Failure]:
        return dict(self._failures)

    def still(self, model_id: str, now: float) -> PoolError | None:
        """Why a request is refused without a try; None where it is worth one."""
        failure = self._failures.get(model_id)
        if failure is None or now >= failure.retry_at:
            return None
        return words.cooling_down(failure.error, failure.retry_at - now)
