"""A list, table or paragraph that has become long: only its end is rendered again.

The HTML of the part before a cut (the last item, the last row, the end of a word) is kept, and
that of what follows is spliced onto it. Good enough to look at while the block grows; the finished
block is rendered whole. Knows nothing of how text is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from parley.ui.markdown.repair import repair

_ITEM = r"(?:[-*+]|\d{1,9}[.)])[ \t]"
_LIST = re.compile(rf"( {{0,3}}){_ITEM}")
_TABLE = re.compile(r"\|[^\n]*\n[ \t]*\|[ \t|:\-]*\n")
_WORD_END = re.compile(r" |[。、！？]|\n")
_NO_PARAGRAPH = re.compile(r"[ \t>#|~`$\\]|\n[ \t]*\n")

_Render = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class GrowingBlock:
    """What is kept of a long block: its text up to `cut`, as the HTML `head` without its end."""

    cut: int
    head: str
    lead: str  # text that the rest needs before it to be read alike: a table's header
    opening: re.Pattern[str]  # what the HTML of the rest begins with, and the head already has

    @classmethod
    def of(cls, text: str, render: _Render) -> GrowingBlock | None:
        """The long block that `text` is, or None if it cannot be cut."""
        if start := _LIST.match(text):
            items = re.compile(rf"^{start[1]}{_ITEM}", re.MULTILINE)
            cut = max(item.start() for item in items.finditer(text))
            return cls._cut(text, cut, render, "</[uo]l>\n", "<[uo]l[^>]*>\n")
        if start := _TABLE.match(text):
            cut = text.rfind("\n") + 1
            opening, closing = r"(?s:.*?)<tbody>\n", r"</tbody>\n</table></div>\n"
            return cls._cut(text, cut, render, closing, opening, lead=start[0])
        if _NO_PARAGRAPH.match(text) or "\n\n" in text:
            return None
        ends = [end.end() for end in _WORD_END.finditer(text)]
        for cut in reversed(ends[-16:]):
            if repair(text[:cut]) == text[:cut]:  # nothing is open there
                joint = "<br>\n" if text[cut - 1] == "\n" else " " * (text[cut - 1] == " ")
                return cls._cut(text, cut, render, "</p>\n", '<p dir="auto">', joint=joint)
        return None

    @classmethod
    def _cut(
        cls,
        text: str,
        cut: int,
        render: _Render,
        closing: str,
        opening: str,
        lead: str = "",
        joint: str = "",
    ) -> GrowingBlock | None:
        end = re.compile(f"{closing}\\Z")
        html = render(text[:cut]) if cut > len(lead) else ""
        # Every closing tag is shorter than this; searching all of the HTML would be slow.
        found = end.search(html, max(0, len(html) - 40))
        if found is None:
            return None
        return cls(cut, html[: found.start()] + joint, lead, re.compile(opening))

    def html(self, text: str, render: _Render) -> str | None:
        """The HTML of the block, now grown to `text`; None if the rest does not read as its end."""
        rest = text[self.cut :]
        if not rest.strip():
            rest = ""
        html = render(repair(self.lead + rest))
        found = self.opening.match(html)
        return None if found is None else self.head + html[found.end() :]
