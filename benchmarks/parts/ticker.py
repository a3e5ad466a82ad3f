"""Stands in for a model's process: says the time, at a given pace, through the real pipe.

``main`` is what the nursery runs in place of Parley's worker. Each token is the clock's reading at
the moment it was made, so that its reader can tell how long it was on its way.
"""

from __future__ import annotations

import os
import threading
import time
from multiprocessing.connection import Connection

from parley.catalog.spec import ModelSpec
from parley.engines.base import Ready, Request
from parley.engines.outbox import Outbox
from parley.engines.wire import Generate, Said
from parley.events import Delta, Finished, Started

END = ";"


def main(pipe: Connection, spec: ModelSpec, devices: tuple[str, ...] = ()) -> None:
    outbox = Outbox(pipe)
    outbox.put(Ready("float32", "cpu", None, 0, None, True, 0.0))
    try:
        while True:
            if isinstance(message := pipe.recv(), Generate):
                threading.Thread(target=_tick, args=(outbox, message.id, message.request)).start()
    except (EOFError, OSError):
        os._exit(0)


def _tick(outbox: Outbox, number: int, request: Request) -> None:
    """The last message of the request is how many tokens a second."""
    pause = 1 / float(request.messages[-1].content)
    outbox.put(Said(number, Started(1)))
    due = time.perf_counter()
    for _ in range(request.sampling.max_new_tokens):
        due += pause
        time.sleep(max(0.0, due - time.perf_counter()))
        outbox.put(Said(number, Delta(f"{time.perf_counter()}{END}", tokens=1)))
    outbox.put(Said(number, Finished("length")))
