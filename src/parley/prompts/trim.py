"""Make a long conversation fit the context window by leaving out its oldest whole turns.

The system prompt and the last question always stay; a turn goes with the answer it got, so that
roles go on alternating. Pure: whoever calls it measures. Knows nothing of tokenizers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from parley.engines.base import Message

Measure = Callable[[Sequence[Message]], int]


def fit(
    messages: Sequence[Message], measure: Measure, limit: int
) -> tuple[tuple[Message, ...], int]:
    """The longest recent conversation that ``measure`` finds within ``limit`` tokens, and how many
    messages were left out of it. What cannot be made to fit comes back with only its last turn;
    it is for the caller to refuse."""
    system = [m for m in messages if m.role == "system"]
    rest = [m for m in messages if m.role != "system"]
    # Where the conversation may begin: at a question, the last one at the latest.
    starts = [i for i, m in enumerate(rest) if m.role == "user"] or [0]
    low, high = 0, len(starts) - 1
    while low < high:
        middle = (low + high) // 2
        if measure([*system, *rest[starts[middle] :]]) <= limit:
            high = middle
        else:
            low = middle + 1
    first = starts[low] if low else 0
    return (*system, *rest[first:]), first


def note(dropped: int, window: int) -> str:
    """What the person should know of it."""
    what = "The oldest message was" if dropped == 1 else f"The {dropped} oldest messages were"
    return (
        f"{what} left out: together with the rest they do not fit this model's context window of "
        f"{window:,} tokens."
    )
