"""One exchange: what a person types and what the guide should say.

Knows nothing of where the words come from.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    user: str
    assistant: str
    category: str
    intent: str


@dataclass(frozen=True)
class Dialogue:
    """Turns in order, under an optional system prompt."""

    turns: tuple[Turn, ...]
    system: str | None = None

    def messages(self) -> list[dict[str, str]]:
        found = [{"role": "system", "content": self.system}] if self.system else []
        for turn in self.turns:
            found.append({"role": "user", "content": turn.user})
            found.append({"role": "assistant", "content": turn.assistant})
        return found
