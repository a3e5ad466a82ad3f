"""One engine on its way up, watched and then asked something, as Parley's pool would do it."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable

from parley.catalog.spec import ModelSpec, Sampling
from parley.engines.base import Message, Ready, Request
from parley.engines.local import LocalEngine
from parley.engines.nursery import Nursery
from parley.errors import ParleyError
from parley.events import Delta, Failed, Finished, Loading

PATIENCE = 300
QUESTION = Request((Message("user", "Hello"),), Sampling(temperature=0, max_new_tokens=8))


class Broken(Exception):
    """A load or an answer did not end as it has to."""


class Load:
    """One engine on its way up; ``news`` is what it says, ``at`` when it said it."""

    def __init__(self, spec: ModelSpec, nursery: Nursery) -> None:
        self.engine = LocalEngine(spec, nursery)
        self.news: queue.Queue[Loading | Ready | ParleyError] = queue.Queue()
        self.at: dict[str, float] = {}
        self.began = time.perf_counter()
        self.engine.load(self.news.put, self.news.put, self.news.put)

    def until(self, wanted: Callable[[Loading], bool] = lambda _: False) -> Loading | Ready | None:
        """The first progress that is ``wanted``, or Ready; None when the load has ended badly."""
        while True:
            item = self.news.get(timeout=PATIENCE)
            if isinstance(item, Loading):
                self.at.setdefault(item.phase, self.age)
                if wanted(item):
                    return item
            else:
                return item if isinstance(item, Ready) else None

    @property
    def age(self) -> float:
        return time.perf_counter() - self.began

    def answered(self) -> float:
        """Bring it up and ask it something; seconds the load took."""
        if not isinstance(self.until(), Ready):
            raise Broken("a load failed")
        took = self.age
        said: queue.Queue = queue.Queue()
        self.engine.generate(QUESTION, said.put)
        tokens = 0
        while not isinstance(event := said.get(timeout=PATIENCE), Finished):
            if isinstance(event, Failed):
                raise Broken(f"an answer failed: {event.sentence}")
            tokens += event.tokens if isinstance(event, Delta) else 0
        if tokens != QUESTION.sampling.max_new_tokens:
            raise Broken(f"an answer had {tokens} tokens")
        return took

    def said_once(self) -> bool:
        """After a cancel: that the load did not succeed was told, once."""
        ends = []
        while True:
            try:
                item = self.news.get(timeout=0.1 if ends else 5)
            except queue.Empty:
                return len(ends) == 1 and isinstance(ends[0], ParleyError)
            if not isinstance(item, Loading):
                ends.append(item)
