"""Several models for one purpose: all at once where they fit together, else one after the other.

Whoever asks says nothing about memory; they hear which of the two it is, and use each lease as it
comes. Knows nothing of what they are used for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

from parley.catalog.spec import ModelSpec
from parley.errors import ParleyError
from parley.events import Loading, Queued
from parley.pool.pool import Pool
from parley.pool.slots import Lease, OneByOne, Ticket

News = Queued | Loading | Lease | OneByOne | ParleyError


class Together:
    """``listener(index, news)`` hears, for the model at ``index`` of ``specs``, Queued and Loading,
    then once a Lease or an error. Where the models do not fit together every index hears OneByOne
    first, and a lease comes when the one before it has been given back."""

    def __init__(
        self,
        pool: Pool,
        specs: Sequence[ModelSpec],
        listener: Callable[[int, News], None],
        *,
        insist: bool = False,
    ) -> None:
        self._pool = pool
        self._specs = tuple(specs)
        self._listener = listener
        self._insist = insist
        self._served = 0
        self._ticket_lock = threading.Lock()  # guards the two below
        self._closed = False
        self._ticket: Ticket | None = None
        self._take(pool.request_together(self._specs, self._all, insist=insist))

    def cancel(self) -> None:
        """Those that have no lease yet are not wanted any more."""
        if ticket := self._close():
            ticket.cancel()

    def leave(self) -> None:
        """Whoever asked has gone away; see ``Ticket.leave``."""
        if ticket := self._close():
            ticket.leave()

    def _close(self) -> Ticket | None:
        with self._ticket_lock:
            self._closed = True
            return self._ticket

    def _take(self, ticket: Ticket) -> None:
        with self._ticket_lock:
            # What the first has led to may be here before the first itself.
            if self._ticket is None or self._ticket.number < ticket.number:
                self._ticket = ticket
            if not self._closed:
                return
        ticket.cancel()

    def _all(self, news: News) -> None:
        if isinstance(news, Lease):
            self._served += 1
            self._listener(self._served - 1, news)
            return
        for index in range(len(self._specs)):
            self._listener(index, news)
        if isinstance(news, OneByOne):
            self._next(0)

    def _next(self, index: int) -> None:
        with self._ticket_lock:
            if self._closed or index == len(self._specs):
                return
        spec = self._specs[index]
        self._take(self._pool.request(spec, partial(self._one, index), insist=self._insist))

    def _one(self, index: int, news: News) -> None:
        if isinstance(news, Lease):
            news.then(partial(self._next, index + 1))
        self._listener(index, news)
        if isinstance(news, ParleyError):
            self._next(index + 1)  # one that fails does not keep the others from their turn
