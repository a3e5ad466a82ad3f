"""How much KV cache a model may have: the engine keeps to it, and the pool reckons with it.

Imports no torch. Knows nothing of what is in a cache.
"""

from __future__ import annotations

CONVERSATION = 8192
"""Tokens that are reckoned with for a conversation, where the model's window is not smaller: few
use a window of 128,000, and one that does may have what it needs while it is alone."""

CONVERSATIONS = 2
"""Conversations of that length that are reckoned with, where the model may not have fewer."""

UNKNOWN = 512 * 2**20
"""Bytes, where a model's configuration does not say what a token takes."""

AT_ONCE = 8
"""Answers written at the same time, where the catalogue does not say."""


def tokens(window: int | None, at_once: int) -> int:
    """Of all conversations together."""
    return min(window or CONVERSATION, CONVERSATION) * min(at_once, CONVERSATIONS)
