r"""LaTeX between `$$ $$`, `\[ \]` and `\( \)`: two markdown-it rules, and MathML out of LaTeX.

A single dollar is never a delimiter, so prices stay prices. A formula holds no blank line: that
keeps every decision local, which the streaming renderer depends on. Knows nothing of the page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape, unescape
from xml.etree.ElementTree import tostring

from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

# Converting 4,000 characters takes up to 0.07 s; no formula a person can read is longer.
MAX_LATEX = 4_000
# A block formula is searched for its end this far; unclosed ones would make the search quadratic.
MAX_LINES = 64

# A formula ends at its own closer and never contains another opener: each character is looked at
# once, however many openers are left unclosed. `\\` is a pair, so `\\]` does not close.
_FORMULA = {
    "$$": re.compile(r"(?<!\$)\$\$(?!\$)((?:\\.|\$(?!\$)|[^$\\])+)\$\$(?!\$)", re.DOTALL),
    "\\[": re.compile(r"\\\[((?:\\[^\[\]]|[^\\])+)\\\]", re.DOTALL),
    "\\(": re.compile(r"\\\(((?:\\[^()]|[^\\])+)\\\)", re.DOTALL),
}
_CLOSER = {"$$": "$$", "\\[": "\\]", "\\(": "\\)"}

# latex2mathml has no *ed environments, and numbers the unstarred ones, which nothing refers to.
_ENVIRONMENT = re.compile(r"(\\(?:begin|end)\{)(aligned|gathered|align|gather|equation)\}")
_ENVIRONMENTS = {
    "aligned": "align*",
    "align": "align*",
    "gathered": "gather*",
    "gather": "gather*",
    "equation": "equation*",
}
_ROW_SPACE = re.compile(r"(\\\\)\s*\[\s*-?[\d.]+\s*[a-z]{2}\s*\]")  # `\\[4pt]`, unknown to it too


def maths(md: MarkdownIt) -> None:
    """A markdown-it plugin: formulas as tokens of their own."""
    md.inline.ruler.before("escape", "maths_inline", _inline)
    md.block.ruler.before(
        "table",
        "maths_block",
        _block,
        {"alt": ["paragraph", "reference", "blockquote", "list"]},
    )
    md.add_render_rule("maths_inline", _render_inline)
    md.add_render_rule("maths_block", _render_block)


@lru_cache(maxsize=512)
def mathml(latex: str, display: bool) -> str:
    """MathML for `latex`, or its source marked as an error; never an exception."""
    latex = latex.strip()
    if len(latex) <= MAX_LATEX:
        source = _ENVIRONMENT.sub(lambda m: f"{m[1]}{_ENVIRONMENTS[m[2]]}}}", latex)
        source = _ROW_SPACE.sub(r"\1", source)
        try:
            root = convert_to_element(source, display="block" if display else "inline")
            # The converter leaves character references in the text; resolved first, they and any
            # `<` from \text{} are escaped by the serialiser. Its own `convert` unescapes instead.
            for node in root.iter():
                node.text = unescape(node.text) if node.text else node.text
            return tostring(root, encoding="unicode")
        except Exception:  # foreign parser, untrusted text: also RecursionError and IndexError
            pass
    return f'<code class="math-error">{escape(latex)}</code>'


def _inline(state: StateInline, silent: bool) -> bool:
    opener = state.src[state.pos : state.pos + 2]
    if opener not in _FORMULA:
        return False
    found = _FORMULA[opener].match(state.src, state.pos, state.posMax)
    if found is None or not found[1].strip():
        return False
    if not silent:
        token = state.push("maths_inline", "math", 0)
        token.content = found[1]
        token.markup = opener
    state.pos = found.end()
    return True


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    first = state.bMarks[start] + state.tShift[start]
    opener = state.src[first : first + 2]
    if opener not in ("$$", "\\["):
        return False
    last = _last_line(state, start, end, _CLOSER[opener])
    if last is None:
        return False
    text = state.getLines(start, last + 1, state.blkIndent, False).strip()
    found = _FORMULA[opener].fullmatch(text)
    if found is None or not found[1].strip():
        return False
    if not silent:
        state.line = last + 1
        token = state.push("maths_block", "math", 0)
        token.block = True
        token.content = found[1]
        token.markup = opener
        token.map = [start, last + 1]
    return True


def _last_line(state: StateBlock, start: int, end: int, closer: str) -> int | None:
    """The line that ends in `closer`, before any blank line and inside the same container."""
    for line in range(start, min(end, start + MAX_LINES)):
        begin = state.bMarks[line] + state.tShift[line]
        if state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            return None
        if line == start:
            begin += 2  # past the opener, which may look like the closer
        if state.src[begin : state.eMarks[line]].rstrip().endswith(closer):
            return line
    return None


def _render_inline(
    _: RendererProtocol, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    token = tokens[at]
    if token.markup == "\\(":
        return mathml(token.content, False)
    return f'<span class="math-block">{mathml(token.content, True)}</span>'


def _render_block(
    _: RendererProtocol, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    return f'<div class="math-block">{mathml(tokens[at].content, True)}</div>\n'
