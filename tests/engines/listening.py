"""Asking an engine and hearing what it says."""

from __future__ import annotations

import queue
import time

from parley.catalog.spec import Sampling
from parley.engines.base import Message, Request
from parley.events import Delta, Failed, Finished


class Listener:
    """Collects what an engine says, in order."""

    PATIENCE = 60

    def __init__(self):
        self.inbox = queue.SimpleQueue()
        self.heard = []

    def __call__(self, event):
        self.inbox.put((time.perf_counter(), event))

    def until(self, *kinds):
        """Everything up to the first event of one of ``kinds``, which is returned."""
        while True:
            _, event = self.inbox.get(timeout=self.PATIENCE)
            self.heard.append(event)
            if isinstance(event, kinds):
                return event
            assert not isinstance(event, Finished | Failed), event

    def end(self):
        return self.until(Finished, Failed)

    @property
    def text(self):
        return "".join(e.text for e in self.heard if isinstance(e, Delta))

    @property
    def tokens(self):
        return sum(e.tokens for e in self.heard if isinstance(e, Delta))


def request(*texts, **sampling):
    """A conversation that alternates, the person first."""
    roles = ("user", "assistant")
    sampling.setdefault("temperature", 0.0)
    messages = tuple(Message(roles[i % 2], text) for i, text in enumerate(texts))
    return Request(messages, Sampling(**sampling))


def ask(engine, *texts, **sampling):
    """Generate and wait: the listener, with its last event."""
    listener = Listener()
    engine.generate(request(*texts, **sampling), listener)
    return listener, listener.end()
