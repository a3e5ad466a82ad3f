"""The pool's refusals, as a person should hear of them: a code, one sentence, one fix.

Pure. Knows nothing of when they are due.
"""

from __future__ import annotations

from parley.errors import LoadError, ParleyError, PoolError
from parley.sizes import size

PASSING = frozenset(
    {
        *("oom_load", "offline", "rate_limited", "hub_error", "load_stalled", "engine_died"),
        *("engine_hung", "disk_full", "internal"),
    }
)
"""Failures that may be gone a while later: not tried again at once, unless somebody insists. The
others last until something is put right, and the next request finds out whether it has been."""


def too_large(name: str, need: int, has: int, pinned: tuple[str, ...]) -> PoolError:
    if pinned:
        stay = ", ".join(pinned)
        return PoolError(
            "too_large",
            f"{name} needs about {size(need)} of memory, and pinned models hold it: {stay}.",
            "Unpin one of them under Machine, or choose a smaller model.",
        )
    return PoolError(
        "too_large",
        f"{name} needs about {size(need)} of memory; {size(has)} can be used here.",
        "Choose a smaller model, or set dtype: bfloat16 in its entry.",
    )


def queue_full(position: int) -> PoolError:
    return PoolError(
        "queue_full",
        f"Too many requests are waiting: this would be number {position}.",
        "Try again in a while, or choose a model that is in memory.",
    )


def queue_timeout(name: str, seconds: float) -> PoolError:
    return PoolError(
        "queue_timeout",
        f"{name} did not get its turn within {round(seconds)} s: the models in memory are in use.",
        "Press Retry to wait again, or choose a model that is in memory.",
    )


def shutting_down() -> PoolError:
    return PoolError("shutting_down", "Parley is shutting down.", "Start it again and retry.")


def load_stalled(name: str, seconds: float) -> LoadError:
    return LoadError(
        "load_stalled",
        f"Loading {name} made no progress for {round(seconds)} s and was stopped.",
        "Press Retry: a download goes on where it was. If it happens again, look at the disk and "
        "the network.",
    )


def cooling_down(error: ParleyError, seconds: float) -> PoolError:
    """The failure once more, and when it is worth another try."""
    return PoolError(
        "cooldown",
        error.sentence,
        f"{error.fix} After a failure it is left alone, for another {max(1, round(seconds))} s; "
        "Retry tries at once.",
    )


def internal(name: str) -> PoolError:
    return PoolError(
        "internal",
        f"{name} could not be started.",
        "Press Retry; if it happens again, the log has the details.",
    )
