"""A block of code as a figure: language, Copy button, coloured tokens.

Knows nothing of Markdown. Colours are classes; the style sheet `prose.css` gives them values.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from html import escape
from time import perf_counter

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType

from parley import labels
from parley.ui.markdown.sanitise import sanitise

# Beyond these the rest of the block stays uncoloured: 20,000 characters cost about 0.07 s.
MAX_COLOURED = 20_000
MAX_LINE = 1_000
# Lexers are regular expressions, and text that is not what its fence says can make them quadratic
# (10,000 characters of `a a a` cost Java's 2.4 s). A block that takes this long stays plain.
MAX_SECONDS = 0.5

NO_LANGUAGE = "text"

# The languages that are coloured, by the names that models give them. A list of our own, because
# among Pygments' 560 lexers some hang on a few hundred characters, where no deadline is looked at.
_NAMES = """
    asm awk bash bat batch c c# c++ clj clojure cmake console cpp cs csharp css dart diff docker
    dockerfile elixir erlang ex f# fortran fsharp go golang graphql groovy haskell hs html http
    ini java javascript jinja jl js json jsx julia kotlin latex less lisp lua make makefile
    markdown matlab md nasm nginx nim objc objective-c ocaml octave perl php pl postgresql
    powershell prolog properties proto protobuf ps1 pwsh py pycon python python3 r rb rs rst ruby
    rust sass scala scheme scss sh shell solidity sql sqlite3 swift tcl terraform tex tf toml ts
    tsx typescript verilog vhdl vim vue xml yaml yml zig zsh
"""
LANGUAGES = frozenset(_NAMES.split())

_CLASS_OF: dict[_TokenType, str] = {
    Token.Comment: "c",
    Token.Keyword: "k",
    Token.Keyword.Constant: "m",
    Token.Literal.String: "s",
    Token.Literal.Number: "m",
    Token.Operator: "o",
    Token.Operator.Word: "k",
    Token.Name.Function: "nf",
    Token.Name.Class: "nc",
    Token.Name.Namespace: "nc",
    Token.Name.Exception: "nc",
    Token.Name.Builtin: "nb",
    Token.Name.Tag: "nt",
    Token.Name.Attribute: "na",
    Token.Name.Decorator: "nd",
    Token.Name.Variable: "nv",
    Token.Name.Constant: "m",
    Token.Generic.Inserted: "gi",
    Token.Generic.Deleted: "gd",
    Token.Generic.Heading: "gh",
    Token.Generic.Subheading: "gh",
    Token.Generic.Prompt: "c",
}


def figure(code: str, info: str) -> str:
    """The whole figure for a finished block; `info` is what followed the opening fence."""
    language = language_of(info)
    return frame(highlight(code, language), language)


def frame(painted: str, language: str) -> str:
    """The figure around code that is already HTML."""
    label = escape(language)
    return (
        f'<figure class="code" data-lang="{label}" dir="ltr">'
        f"<figcaption><span>{label}</span>"
        f'<button type="button" class="copy-code">{escape(labels.COPY)}</button></figcaption>'
        f"<pre><code>{painted}</code></pre></figure>\n"
    )


def language_of(info: str) -> str:
    """The language named by a fence's info string: its first word, in lower case."""
    word = re.match(r"[\s{.]*([\w+#.\-]{1,30})", info)
    return word[1].lower() if word else NO_LANGUAGE


@lru_cache(maxsize=64)
def highlight(code: str, language: str) -> str:
    """`code` as HTML, coloured as far as its language is known and its size allows."""
    lexer = _lexer(language)
    if lexer is None:
        return escape(code)
    coloured = code[: _colourable(code)]
    tokens: list[tuple[_TokenType, str]] = []
    deadline = perf_counter() + MAX_SECONDS
    try:
        for token in lexer.get_tokens(coloured):
            if perf_counter() > deadline:
                return escape(code)
            tokens.append(token)
    except Exception:  # a lexer's bug must cost the colours, never the answer
        return escape(code)
    if "".join(value for _, value in tokens) != coloured:
        return escape(code)  # a lexer that rewrites its input would show what the model never wrote
    return "".join(_spans(tokens)) + escape(code[len(coloured) :])


class LivePaint:
    """Colours a block of code that is still growing, at a cost proportional to its growth.

    The coloured part is renewed when the block has grown by a quarter; what came after is plain
    until then. So all renewals together cost about five times the last one, however many feeds.
    """

    _LEAST_GROWTH = 400

    def __init__(self) -> None:
        self._language = ""
        self._source = ""
        self._html = ""

    def paint(self, code: str, language: str) -> str:
        """`code` as HTML that needs no further sanitising."""
        grown = len(code) - len(self._source)
        same = language == self._language and code.startswith(self._source)
        if not same or grown > max(self._LEAST_GROWTH, len(self._source) // 4):
            whole_lines = code[: code.rfind("\n") + 1]
            self._language, self._source = language, whole_lines
            self._html = sanitise(highlight(whole_lines, language))
        return self._html + escape(code[len(self._source) :])


def _spans(tokens: list[tuple[_TokenType, str]]) -> list[str]:
    """Tokens as spans, neighbours of one colour merged and uncoloured text bare: fewer nodes."""
    out: list[str] = []
    current, text = "", ""
    for kind, value in tokens:
        name = _class_of(kind)
        if name != current and value.strip():
            out.append(_span(current, text))
            current, text = name, ""
        text += value
    out.append(_span(current, text))
    return out


def _span(name: str, text: str) -> str:
    return f'<span class="{name}">{escape(text)}</span>' if name and text else escape(text)


@cache
def _class_of(kind: _TokenType) -> str:
    family = reversed(kind.split())  # from the token type itself up to `Token`
    return next((_CLASS_OF[one] for one in family if one in _CLASS_OF), "")


@lru_cache(maxsize=128)
def _lexer(language: str) -> Lexer | None:
    if language not in LANGUAGES:
        return None
    return get_lexer_by_name(language, stripnl=False, ensurenl=False)


def _colourable(code: str) -> int:
    """How much of `code` is safe to colour: whole lines, up to the size limits."""
    if len(code) <= MAX_LINE:
        return len(code)
    size = 0
    for line in code.split("\n"):
        if len(line) > MAX_LINE or size + len(line) >= MAX_COLOURED:
            return size
        size += len(line) + 1
    return len(code)
