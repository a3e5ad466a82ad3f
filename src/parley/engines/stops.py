"""Stop strings: found across token borders, never shown, not even half of one.

Pure text in, text out. Knows nothing of tokens or of why a string should stop an answer.
"""

from __future__ import annotations

from collections.abc import Sequence


class StopStrings:
    """Passes text through until one of ``strings`` has been seen; ``hit`` tells."""

    def __init__(self, strings: Sequence[str]) -> None:
        self._strings = tuple(s for s in strings if s)
        self._held = ""
        self.hit = False

    def push(self, text: str) -> str:
        """What may be shown of everything so far that has not been shown yet."""
        if self.hit:
            return ""
        if not self._strings:
            return text
        text = self._held + text
        found = [(at + len(s), at) for s in self._strings if (at := text.find(s)) >= 0]
        if found:
            self.hit = True
            self._held = ""
            # The one that is complete first: so it is the same however the text is cut up.
            return text[: min(found)[1]]
        keep = longest_overlap(text, self._strings)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def flush(self) -> str:
        """What was held back in case a stop string had been beginning."""
        held, self._held = self._held, ""
        return held


def longest_overlap(text: str, strings: Sequence[str]) -> int:
    """How many characters at the end of ``text`` might be the beginning of one of ``strings``."""
    longest = max((len(s) for s in strings), default=0) - 1
    for size in range(min(longest, len(text)), 0, -1):
        end = text[-size:]
        if any(s.startswith(end) for s in strings):
            return size
    return 0
