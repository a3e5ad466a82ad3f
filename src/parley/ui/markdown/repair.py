"""Half-received Markdown made whole, so that a live answer never flashes its markup.

A pure function on text: `**bo` becomes `**bo**`, `[text](http` becomes `text`. A guess at what
the model is about to write; the finished answer is rendered without it. Knows nothing of HTML.
"""

from __future__ import annotations

import re
from itertools import pairwise

_CONTAINER = r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*"
_FENCE = re.compile(rf"^{_CONTAINER}(`{{3,}}(?=[^`\n]*$)|~{{3,}})", re.MULTILINE)

# A last line that may yet become a list item, a heading, a rule, a fence, a table … or turn the
# paragraph above it into a heading: nothing to read in it so far.
_ONLY_MARKUP = re.compile(r"[-=+*_#>~`|:\[$\\ \t]+|[ \t>]*(?:\d{1,9}[.)]?|[-*+] \[[ xX]\]?)[ \t]*")

# Where inline markup cannot reach back: an empty line, a list item, a heading, a quote, a row.
_BOUNDARY = re.compile(
    r"\n[ \t]*(?=\n)|^[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?"
    r"|^[ \t>]*\#{1,6}[ \t]+|^[ \t]*>[ \t]?|^[ \t]*\|(?:.*\|)?(?=[^|\n]*\Z)",
    re.MULTILINE,
)

_ROW = re.compile(r"^[ \t]*\|.*(?:\n[ \t|:\-]*)?\Z", re.MULTILINE)
_DELIMITERS = re.compile(r"^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\||$)", re.MULTILINE)

# What decides the reading of a line: escapes, code, formulas, links, emphasis.
_MARK = re.compile(
    r"\\.|`+|\\\Z|\${2}|(?<![\w$])\$\Z|!?\[|\]|<https?://[^\s>]*\Z|\*+|_+|~~", re.DOTALL
)
_ADDRESS = re.compile(r"\((?:[^()\n\\]|\\.|\([^()\n]*\))*\)|\[[^\]\n]+\]")
_HALF_ADDRESS = re.compile(r"(?:\([^)\n]*|\[[^\]\n]*)?\Z")
_DISPLAY = re.compile(r"^[ \t>]*(\$\$|\\\[)", re.MULTILINE)
_CLOSER = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}


def repair(text: str) -> str:
    """`text` with what is open at its end closed, and what cannot be read yet left out."""
    fence = _open_fence(text)
    if fence is not None:
        # A closing fence arrives mark by mark.
        return re.sub(rf"\n[ \t>]*{re.escape(fence[0])}{{1,{len(fence) - 1}}}\Z", "\n", text)
    formula = _open_display(text)
    if formula is not None:
        return _source(text, formula)
    last_line = text.rfind("\n") + 1
    readable = text[:last_line] if _ONLY_MARKUP.fullmatch(text, last_line) else text
    if _open_fence(readable) is not None or _open_display(readable) is not None:
        return text  # the last line closed it
    text = _table(readable)
    start = 0
    for boundary in _BOUNDARY.finditer(text):
        start = boundary.end()
    return text[:start] + _inline(text[start:])


def _open_fence(text: str) -> str | None:
    """The marks of the fence that is still open at the end, if one is."""
    current: str | None = None
    for found in _FENCE.finditer(text):
        marks = found[1]
        if current is None:
            current = marks
        elif marks[0] == current[0] and len(marks) >= len(current):
            end = text.find("\n", found.end())
            if not text[found.end() : end if end >= 0 else None].strip():
                current = None
    return current


def _open_display(text: str) -> int | None:
    """Where a formula on lines of its own starts that is still open at the end, if one is."""
    at = text.rfind("\n\n") + 1  # no formula holds an empty line
    while found := _DISPLAY.search(text, at):
        end = text.find(_CLOSER[found[1]], found.end())
        if end < 0:
            return found.start(1)
        at = end + 2
    return None


def _table(text: str) -> str:
    """A header row without the row of dashes below it, as the table it is about to be."""
    begin = max(text.rfind("\n\n") + 2, 0) if "\n\n" in text else 0
    block = text[begin:]
    row = _ROW.search(block)
    if row is None or _has_delimiters(block):
        return text
    header = row[0].split("\n")[0].strip().strip("|")
    cells = re.split(r"(?<!\\)\|", header)
    cells[-1] = _inline(cells[-1])
    dashes = "|".join(["---"] * len(cells))
    return f"{text[: begin + row.start()]}|{'|'.join(cells)}|\n|{dashes}|\n"


def _has_delimiters(block: str) -> bool:
    lines = block.split("\n")
    return any(
        above.count("|") > 0 and _DELIMITERS.match(line) and line.count("|") >= above.count("|")
        for above, line in pairwise(lines)
    )


def _inline(text: str) -> str:
    """One run of inline Markdown, closed."""
    stack: list[tuple[str, int]] = []  # emphasis and brackets that are open, with their place
    at = 0
    while found := _MARK.search(text, at):
        mark, at = found[0], found.end()
        if mark in ("\\", "$"):
            text = text[: found.start()]  # half an escape, half of `\(` or of `$$`
        elif mark[0] == "`":
            close = re.compile(rf"(?<!`){mark}(?!`)").search(text, at)
            if close is None:
                return _close(_code(text, found.start(), at, mark), stack)
            at = close.end()
        elif mark in _CLOSER:
            end = text.find(_CLOSER[mark], at)
            if end < 0:
                return _close(_source(text, found.start()), stack)
            at = end + 2
        elif mark.startswith("<"):
            text = text[: found.start()] + mark[1:]
        elif mark in ("[", "!["):
            if not _index(text, found.start()):
                stack.append((mark, found.start()))
        elif mark == "]":
            text, at = _bracket(text, found.start(), stack)
        elif mark[0] in "*_~":
            text = _emphasis(text, found.start(), at, stack)
            at = min(at, len(text))
    return _close(text, stack)


def _code(text: str, start: int, inside: int, mark: str) -> str:
    """An open code span, closed; without content it is not shown yet."""
    content = text[inside:].rstrip("`").rstrip()
    return f"{text[:inside]}{content}{mark}" if content else text[:start]


def _source(text: str, start: int) -> str:
    """A formula that is still arriving, as code: its source cannot flicker between readings."""
    source = " ".join(text[start:].split())
    longest = max((len(run) for run in re.findall("`+", source)), default=0)
    ticks = "`" * (longest + 1)
    return f"{text[:start]}{ticks} {source} {ticks}" if len(source) > 2 else text[:start]


def _index(text: str, at: int) -> bool:
    """Whether a bracket is `a[i]` or `[1]`, more often what it looks like than a link."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    return (before.isascii() and before.isalnum()) or after.isdigit()


def _bracket(text: str, at: int, stack: list[tuple[str, int]]) -> tuple[str, int]:
    """The text after a `]`: a link whose address is still arriving is reduced to its label."""
    place = next((i for i in reversed(range(len(stack))) if "[" in stack[i][0]), None)
    if place is None:
        return text, at + 1
    mark, start = stack[place]
    if address := _ADDRESS.match(text, at + 1):
        del stack[place:]
        return text, address.end()
    if not _HALF_ADDRESS.match(text, at + 1):
        del stack[place:]
        return text, at + 1
    label = text[start + len(mark) : at]
    shown = f"\N{FRAME WITH PICTURE} {label}" if mark == "![" else label
    del stack[place]
    return text[:start] + shown, start + len(shown)


def _emphasis(text: str, start: int, end: int, stack: list[tuple[str, int]]) -> str:
    """Open or close emphasis on the stack, by CommonMark's flanking rules, simplified."""
    mark, last = text[start], end == len(text)
    before = text[start - 1] if start else " "
    after = " " if last else text[end]
    within_word = before.isalnum() and after.isalnum()
    left = end - start
    if mark == "_" and within_word:
        return text
    if not before.isspace():
        while left and stack and stack[-1][0][0] == mark and len(stack[-1][0]) <= left:
            left -= len(stack.pop()[0])
    if last:
        # Half of a closing mark, or an opening one with nothing behind it.
        return text[: end - left]
    if 0 < left <= 3 and not after.isspace() and not (within_word and left == 1):
        stack += [(mark * size, start) for size in {1: [1], 2: [2], 3: [2, 1]}[left]]
    return text


def _close(text: str, stack: list[tuple[str, int]]) -> str:
    """`text` with the marks on the stack closed, innermost first."""
    if not stack:
        return text
    text = text.rstrip(" \t")  # a mark after a space would not close
    closing = ""
    for mark, start in reversed(stack):
        if "[" in mark:
            text = text[:start] + text[start + len(mark) :]
        else:
            closing += mark
    return text + closing
