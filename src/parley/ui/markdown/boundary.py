"""Which blocks of a growing Markdown text are final: no text that follows can change them.

Block structure depends on what comes next (a list goes on after an empty line, a formula may still
close around what looks like other blocks), so each kind of block has its rule here. Errs on the
late side only. Knows nothing of HTML.
"""

from __future__ import annotations

from dataclasses import dataclass

from parley.ui.markdown.document import parser

# May go on after an empty line.
_SPANS_BLANKS = {"bullet_list", "ordered_list", "code_block", "fence"}
# May have started a formula that swallows the blocks after it, up to an empty line.
_FORMULA_OPENERS = ("$$", "\\[")


@dataclass(frozen=True, slots=True)
class Block:
    """A top-level block: markdown-it's name for it, and its lines `[start, end)`."""

    kind: str
    start: int
    end: int
    markup: str


def top_level(text: str) -> list[Block]:
    """The top-level blocks of `text`; link definitions make none."""
    md = parser()
    return [
        Block(token.type.removesuffix("_open"), token.map[0], token.map[1], token.markup)
        for token in md.block.parse(text, md, {}, []) or []
        if token.level == 0 and token.nesting >= 0 and token.map
    ]


def final_lines(blocks: list[Block], lines: list[str], prose: bool) -> int:
    """How many lines, from the first on, hold only final blocks.

    `lines` are the text split at newlines, so the last of them is still growing; `prose` says that
    it already shows itself to be neither blank nor a list item, nor indented.
    """
    final = 0
    for at, block in enumerate(blocks):
        following = blocks[at + 1] if at + 1 < len(blocks) else None
        if not _is_final(block, following, lines, prose):
            break
        final = block.end
    return final


def _is_final(block: Block, following: Block | None, lines: list[str], prose: bool) -> bool:
    complete = len(lines) - 1
    own = lines[block.start : block.end]
    may_be_formula = any(opener in line for line in own for opener in _FORMULA_OPENERS)
    if block.kind in ("hr", "maths_block") or _is_closed_fence(block, lines):
        return block.end <= complete
    if block.kind == "heading" and not (may_be_formula and len(own) > 1):
        # A line with a pipe is a table's header instead if a row of dashes follows.
        return block.end + ("|" in own[-1]) <= complete
    end = block.end
    while end > block.start and _is_blank(lines[end - 1]):
        end -= 1
    blank_follows = end < complete and _is_blank(lines[end])
    if blank_follows and block.kind not in _SPANS_BLANKS:
        return True
    if following is None:
        return False
    if blank_follows:
        return following.start < complete or prose
    # The next block interrupts this one. What makes it one must be whole: `#` may become `#tag`,
    # a table needs its row of dashes and a formula its end.
    needed = {"table": 2, "maths_block": following.end - following.start}.get(following.kind, 1)
    return following.start + needed <= complete and not may_be_formula


def _is_closed_fence(block: Block, lines: list[str]) -> bool:
    if block.kind != "fence" or block.end - block.start < 2:
        return False
    last = lines[block.end - 1].strip(" \t")
    return last.startswith(block.markup) and not last.strip(block.markup[0])


def _is_blank(line: str) -> bool:
    return not line.strip(" \t")
