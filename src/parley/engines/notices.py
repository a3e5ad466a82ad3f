"""How the end of an engine is told: a code, one sentence, one fix.

Pure. Knows nothing of why a load fails on its own account; that is ``failures``.
"""

from __future__ import annotations

from parley.errors import GenerationError, LoadError


def load_cancelled(name: str) -> LoadError:
    return LoadError(
        "load_cancelled",
        f"Loading {name} was stopped.",
        "Send a message or press Load now to start again.",
    )


def died_while_loading(name: str) -> LoadError:
    return LoadError(
        "engine_died",
        f"The process that was loading {name} ended unexpectedly; "
        "the machine may have run out of memory.",
        "Press Retry, or pick a smaller model.",
    )


def died_while_answering(name: str) -> GenerationError:
    return GenerationError(
        "engine_died",
        f"The process that runs {name} ended unexpectedly; it may have run out of memory.",
        "Press Retry to start it again.",
    )


def taken_away(name: str) -> GenerationError:
    return GenerationError(
        "engine_closed",
        f"{name} was taken out of memory before this answer was complete.",
        "Press Retry to load it again.",
    )


def hung(name: str, seconds: float) -> GenerationError:
    return GenerationError(
        "engine_hung",
        f"{name} has not moved for {round(seconds)} s and was ended.",
        "Press Retry to start it again.",
    )
