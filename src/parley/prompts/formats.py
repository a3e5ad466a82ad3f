"""The one prompt format for models that bring none: a transcript.

Knows nothing of tokenizers or of chat templates.
"""

from __future__ import annotations

from collections.abc import Sequence

from parley.engines.base import Message

TRANSCRIPT_STOPS = ("\nUser:",)
_SPEAKERS = {"user": "User", "assistant": "Assistant"}


def transcript(messages: Sequence[Message]) -> str:
    """The conversation as two people's lines, ending where the model's line begins.

    A base model continues it; without the stop string it would go on to write the person's part.
    """
    lines = [
        f"{_SPEAKERS[m.role]}: {m.content}" if m.role in _SPEAKERS else f"{m.content}\n"
        for m in messages
    ]
    return "\n".join([*lines, "Assistant:"])
