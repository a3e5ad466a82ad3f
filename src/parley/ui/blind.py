"""An answer whose writer is not to be known: what would give the model away is taken out.

Its name, its speed, how many tokens it took, whether it had to be loaded: any of them tells a small
model from a large one. Pure; knows nothing of rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parley.speech import Said

QUIET: Mapping[str, Any] = {
    "model": "",
    "stats": "",
    "figures": None,
    "status": "",
    "progress": None,
    "waits_for": "",
    "notes": [],
    "beside": [],
    "changes": [],
    "thinking_label": "",
}


REFUSAL = {
    "sentence": Said("This side could not answer."),
    "fix": Said("Retry it; if that fails too, begin another round."),
}
"""Of a failure; the sentence itself would name the model."""


def masked(message: dict[str, Any], side: str) -> dict[str, Any]:
    """The message as it may be shown before the vote, whole or as one update of a stream."""
    if message.get("role") != "assistant":
        return message
    hidden = message | {name: value for name, value in QUIET.items() if name in message}
    hidden["model_name"] = side
    if message.get("error"):
        hidden["error"] = REFUSAL
    return hidden
