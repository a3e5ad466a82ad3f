"""A block of code whose end has not arrived: shown while it grows, without parsing it again.

Knows only the lines of its own fence; the finished block is rendered like any other.
"""

from __future__ import annotations

import re

from parley.ui.markdown.figure import LivePaint, frame, language_of

# No pipe: with a row of dashes below it, the line would be a table's header.
_OPENING = re.compile(r" {0,3}(`{3,}(?=[^`\n]*\n)|~{3,})([^|\n]*)\n")


class OpenFence:
    """An open fence at the start of a growing text, which is handed in anew at each call."""

    def __init__(self, opening: re.Match[str]) -> None:
        mark, least = opening[1][0], len(opening[1])
        self._start = self._seen = opening.end()
        self._language = language_of(opening[2])
        self._closing = re.compile(rf"^ {{0,3}}{mark}{{{least},}}[ \t]*\n", re.MULTILINE)
        self._half_closing = re.compile(rf"^ {{0,3}}{mark}+[ \t]*\Z", re.MULTILINE)
        self._paint = LivePaint()

    @classmethod
    def at_start(cls, text: str) -> OpenFence | None:
        """The fence whose opening line, complete with its newline, `text` starts with."""
        opening = _OPENING.match(text)
        return None if opening is None else cls(opening)

    def closed_at(self, text: str) -> int | None:
        """Where the line after the closing fence starts, once that fence is complete."""
        found = self._closing.search(text, self._seen)
        self._seen = max(self._seen, text.rfind("\n") + 1)
        return None if found is None else found.end()

    def html(self, text: str) -> str:
        """The figure so far, without what may be the beginning of the closing fence."""
        half = self._half_closing.search(text, self._seen)
        code = text[self._start : half.start() if half else None]
        return frame(self._paint.paint(code, self._language), self._language)
