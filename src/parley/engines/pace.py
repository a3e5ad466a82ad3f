"""How many prompt tokens a step may compute without others noticing.

Learns how long steps take on this machine. Knows nothing of what is computed.
"""

from __future__ import annotations

GAP = 0.3
"""Seconds for which a prompt may hold up those who are reading."""

MOST = 640
"""Tokens of prompts in a step. Above it little is gained, and what a pass needs beside the cache
grows with it."""

LEAST = 16
"""Else a prompt would never come to its end on a slow machine."""

FIRST = 64
"""While nothing is known."""


class Pace:
    """Seconds of a step as ``base + each * tokens``, from the steps so far."""

    def __init__(self) -> None:
        self._each: float | None = None
        self._base = 0.0

    def tokens(self, *, company: bool) -> int:
        """How many prompt tokens to compute now; ``company`` is whether somebody else reads."""
        if not company:
            return MOST
        if self._each is None:
            return FIRST
        fitting = int((GAP - self._base) / self._each)
        return max(LEAST, min(MOST, fitting // LEAST * LEAST))

    def learn(self, prompt_tokens: int, seconds: float) -> None:
        """A step with this many prompt tokens took so long."""
        if prompt_tokens < LEAST:
            if not prompt_tokens:
                self._base += 0.2 * (seconds - self._base)
            return
        each = max(1e-6, (seconds - self._base) / prompt_tokens)
        # Longer contexts make a token dearer: a rise is believed at once.
        old = self._each or each
        self._each = each if each > old else old + 0.3 * (each - old)
