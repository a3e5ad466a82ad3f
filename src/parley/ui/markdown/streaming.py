"""An answer rendered while it arrives: each finished block once, and only the open end again.

`blocks` grows and is never changed, so a browser is sent every block once; `tail` is the HTML of
what is still open. After `finish` the blocks together are `render` of the whole text. The one
exception is a link definition that comes after its use, `[1]: https://…` under the text: only
`finish` can know, and it says so in `replaced`. Knows nothing of browsers, pacing or tokens.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from parley.ui.markdown.boundary import final_lines, top_level
from parley.ui.markdown.document import INLINE, LIVE, render_with
from parley.ui.markdown.figure import LivePaint
from parley.ui.markdown.growing import GrowingBlock
from parley.ui.markdown.openfence import OpenFence
from parley.ui.markdown.repair import repair
from parley.ui.markdown.sanitise import valid_unicode

# A block longer than this is rendered whole only now and then, its end each time (`GrowingBlock`).
LONG_BLOCK = 2_000
# Where that is not possible (a quote, a model caught in a loop), what arrives is shown as plain
# text until the block has grown by a sixteenth: a constant cost per character, amortised.
LONG_TAIL = 12_000
LEAST_GROWTH = 750

_BLANKS = re.compile(r"(?:[ \t]*\n)+")
# A line that can neither continue a list nor become one: known before its end has arrived.
_PROSE = re.compile(r"(?:\*\*)?[^\W\d_]")
# A line that most likely only makes a list or a table longer; it is parsed, but not at once.
_MORE = re.compile(r"[ \t]*\Z|[ \t]{2,}(?!```|~~~)|[-*+][ \t]|\d{1,9}[.)][ \t]|\|")
_GROWING = {"bullet_list", "ordered_list", "table"}
_INNERMOST = re.compile(r"(?:</(?:p|li|ul|ol|blockquote|em|strong)>\s*)*\Z")
_MARKS = str.maketrans("", "", "*`")


class StreamingMarkdown:
    """Feed it text; send `blocks[n:]` once and `tail` each time. Not for several threads."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.tail = ""
        self.replaced = False
        """Set by `finish` if blocks already sent had to change; send them all again then."""
        self._sources: list[str] = []  # of each block, for `finish`
        self._text = ""  # the source of the tail
        self._addresses: dict[str, str] = {}  # of the links that the tail was rendered with
        self._references: dict[str, Any] = {}  # link definitions of the finished blocks
        self._half_newline = False  # a \r was held back: its \n may follow
        self._fence: OpenFence | None = None
        self._new_lines = 0  # where in the tail the lines begin that no parse has seen
        self._prose_seen = False  # the unfinished last line is known to start a paragraph
        self._parsed = 0  # the size of the tail when it was last parsed for final blocks
        self._one_growing = False  # the last parse found a single list or table
        self._rendered = 0  # how many characters of the tail `_rendered_html` shows
        self._rendered_html = ""
        self._growing: GrowingBlock | None = None
        self._live = LivePaint()
        self._inline: dict[str, str] = {}  # the HTML of the tail's inline runs, by source
        self._finished = False

    def feed(self, delta: str) -> None:
        """Take the next piece of text; pieces may be split anywhere, inside a \\r\\n too."""
        if self._finished:
            raise RuntimeError("fed after finish")
        delta = self._newlines(valid_unicode(delta))
        if not delta:
            return
        self._text += delta
        if self._fence is not None or "\n" in delta or self._prose_begins():
            self._advance()
        if self._fence is not None:
            self.tail = self._fence.html(self._text)
        else:
            self._render_tail()

    def finish(self) -> None:
        """The text is complete: the tail becomes blocks, and late link definitions take effect."""
        if self._finished:
            return
        self._finished = True
        if self._half_newline:
            self._text += "\n"
        if self._text.strip(" \t\n"):
            self._append(len(self._text))
        self.tail = ""
        for at, source in enumerate(self._sources if self._references else ()):
            # With all definitions known, whichever way round they came.
            html = render_with(source, {"references": self._references})
            if html != self.blocks[at]:
                self.blocks[at] = html
                self.replaced = True

    def _newlines(self, delta: str) -> str:
        if self._half_newline:
            delta = "\r" + delta
        self._half_newline = delta.endswith("\r")
        if self._half_newline:
            delta = delta[:-1]
        return delta.replace("\r\n", "\n").replace("\r", "\n")

    def _prose_begins(self) -> bool:
        """Whether the unfinished line has just become recognisable as a paragraph's."""
        if self._prose_seen:
            return False
        self._prose_seen = bool(_PROSE.match(self._text, self._text.rfind("\n") + 1))
        return self._prose_seen

    def _advance(self) -> None:
        """Move what no further text can change from the tail to `blocks`."""
        while True:
            if self._fence is not None:
                end = self._fence.closed_at(self._text)
                if end is None:
                    return
                self._fence = None
                self._append(end)
            self._append_final_blocks()
            self._fence = OpenFence.at_start(self._text)
            if self._fence is None:
                return

    def _append_final_blocks(self) -> None:
        if self._is_long() and not self._is_due():
            return
        last_line = self._text.rfind("\n") + 1
        new_lines = self._text[self._new_lines : last_line].split("\n")
        self._new_lines = last_line
        self._prose_seen = bool(_PROSE.match(self._text, last_line))
        only_more = not self._prose_seen and all(map(_MORE.match, new_lines))
        if self._one_growing and only_more and len(self._text) - self._parsed < LEAST_GROWTH:
            return
        self._parsed = len(self._text)
        blocks = top_level(self._text)
        lines = self._text.split("\n")
        final = final_lines(blocks, lines, prose=self._prose_seen)
        self._one_growing = len(blocks) == 1 and not final and blocks[0].kind in _GROWING
        if final:
            self._append(sum(len(line) + 1 for line in lines[:final]))

    def _append(self, size: int) -> None:
        """Make the first `size` characters of the tail a finished block."""
        source = self._text[:size]
        self.blocks.append(render_with(source, {"references": self._references}))
        self._sources.append(source)
        blank = _BLANKS.match(self._text, size)
        self._text = self._text[blank.end() if blank else size :]
        self._new_lines = self._text.rfind("\n") + 1
        self._parsed = 0
        self._one_growing = False
        self._rendered = 0
        self._growing = None
        self._live = LivePaint()
        self._inline = {}

    def _is_long(self) -> bool:
        return self._rendered > LONG_TAIL

    def _is_due(self) -> bool:
        return len(self._text) - self._rendered > max(LEAST_GROWTH, self._rendered // 16)

    def _render_tail(self) -> None:
        if self._growing is not None and not self._is_due():
            html = self._growing.html(self._text, self._render_part)
            if html is not None:
                self.tail = html
                return
        elif self._is_long() and not self._is_due():
            self.tail = self._with_plain(self._text[self._rendered :])
            return
        text = repair(self._text)
        env = self._tail_env()
        self.tail = render_with(text, env)
        if self._inline and _addresses(env) != self._addresses:
            env = self._tail_env(remembered=False)  # a definition arrived: old readings are void
            self.tail = render_with(text, env)
        self._addresses = _addresses(env)
        self._inline = env[INLINE]
        self._rendered, self._rendered_html = len(self._text), self.tail
        self._growing = None
        if self._rendered > LONG_BLOCK:
            self._growing = GrowingBlock.of(self._text, self._render_part)

    def _render_part(self, text: str) -> str:
        return render_with(text, self._tail_env())

    def _with_plain(self, added: str) -> str:
        """The last full rendering, with text inside its last element."""
        html = self._rendered_html
        end = _INNERMOST.search(html, max(0, len(html) - 200))
        at = end.start() if end else len(html)
        return html[:at] + escape(added.translate(_MARKS)).replace("\n", "<br>") + html[at:]

    def _tail_env(self, remembered: bool = True) -> dict[str, Any]:
        known = self._inline if remembered else {}
        return {"references": dict(self._references), INLINE: known, LIVE: self._live}


def _addresses(env: dict[str, Any]) -> dict[str, str]:
    return {label: link["href"] for label, link in env["references"].items()}
