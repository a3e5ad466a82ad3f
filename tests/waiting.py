"""Waiting for what another thread or process does in its own time."""

from __future__ import annotations

import time


def eventually(condition, patience: float = 60.0):
    """Whether ``condition`` came true before a wait counts as a hang."""
    end = time.monotonic() + patience
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()
