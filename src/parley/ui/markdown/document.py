"""One text, whole: model Markdown or a person's words to sanitised HTML.

CommonMark with tables, strikethrough, bare links, task lists, formulas; a line break in the text
is a line break on the page. Raw HTML is text. Nothing is ever fetched: an image becomes a link to
itself. Knows nothing of streaming beyond the two keys of `Env` that make a live tail cheap.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_core import StateCore, linkify, text_join
from markdown_it.rules_core import inline as parse_inline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from parley.ui.markdown.figure import LivePaint, figure, frame, language_of
from parley.ui.markdown.maths import maths
from parley.ui.markdown.sanitise import SCHEMES, sanitise, valid_unicode

# What one parse carries besides the text. Keys: "references" (markdown-it's link definitions),
# INLINE (a dict from inline source to HTML: in, what the caller knows from an earlier rendering;
# out, what this one used) and LIVE (a LivePaint for the block of code the text ends in).
Env = MutableMapping[str, Any]
INLINE = "inline_html"
LIVE = "live_paint"

_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.\-]*):", re.IGNORECASE)
_TASK = re.compile(r"\[([ xX])\][ \t]+(?=\S)")
_PICTURE = "\N{FRAME WITH PICTURE}"


def render(text: str) -> str:
    """A model's answer as HTML. The text is untrusted; the HTML is safe to insert in the page."""
    return render_with(valid_unicode(text), {})


def render_user(text: str) -> str:
    """What a person typed, exactly: no Markdown, line breaks and spaces kept by the style sheet."""
    return f'<div class="plain" dir="auto">{escape(valid_unicode(text))}</div>\n'


def render_with(text: str, env: Env) -> str:
    """`render` for a text whose surroundings are known through `env`."""
    return sanitise(parser().render(text, env))


@cache
def parser() -> MarkdownIt:
    """The one parser. It keeps no state between texts, so threads may share it."""
    md = MarkdownIt("commonmark", {"html": False, "linkify": True, "breaks": True})
    md.enable(["table", "strikethrough", "linkify"])
    md.disable(["html_block", "html_inline"])
    assert md.linkify is not None
    # `main.py` and `README.md` are not web addresses, though both endings are country domains.
    md.linkify.set({"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    for scheme in ("ftp:", "//"):
        md.linkify.add(scheme, None)
    maths(md)
    md.validateLink = _acceptable  # type: ignore[method-assign]
    # From the block tokens on, one rule does what four do, because it remembers (see `_inlines`).
    md.core.ruler.enableOnly(["normalize", "block", "inline"])
    md.core.ruler.at("inline", _inlines)
    for rule in (_fence, _code_block, _table_open, _table_close):
        md.add_render_rule(rule.__name__[1:], rule)
    md.add_render_rule(INLINE, _remembered)
    return md


def _acceptable(url: str) -> bool:
    """Whether link syntax may become a link token; what is refused stays as it was typed.

    Refusing foreign schemes here keeps `<std::string>` a text. An address without a scheme has
    no meaning on our page, and an image inside the address is never shown: both are accepted,
    and `_links` then leaves only the label.
    """
    scheme = _SCHEME.match(url)
    return scheme is None or scheme[1].lower() in SCHEMES or url.lower().startswith("data:image/")


def _inlines(state: StateCore) -> None:
    """Core rule: finish the block tokens, and turn each inline token into its HTML."""
    known: dict[str, str] = state.env.get(INLINE, {})
    used: dict[str, str] = {}
    state.env[INLINE] = used
    for at, token in enumerate(state.tokens):
        if token.type == "inline":
            if at >= 2 and state.tokens[at - 2].type == "list_item_open":
                _task(state.tokens[at - 2], token)
            source = token.content
            if source not in used:
                used[source] = known.get(source) or _inline_html(token, state)
            html = token.meta.get("before", "") + used[source]
            token.children = [Token(INLINE, "", 0, content=html)]
        elif token.nesting == 1:
            _block_attributes(token)


def _inline_html(token: Token, state: StateCore) -> str:
    part = StateCore(token.content, state.md, state.env)
    part.tokens = [token]
    parse_inline(part)
    linkify(part)
    text_join(part)
    children = _links(token.children or [])
    html: str = state.md.renderer.render(children, state.md.options, state.env)
    return html


def _block_attributes(token: Token) -> None:
    # Only the outermost block decides its direction: `auto` looks at the text outside of
    # descendants that have a `dir` of their own, so a list of such items would have none.
    if token.level == 0:
        token.attrSet("dir", "auto")
    style = token.attrs.pop("style", None)  # the alignment of a table's cells
    if style:
        token.attrSet("class", "align-" + str(style).removeprefix("text-align:"))


def _task(item: Token, inline: Token) -> None:
    box = _TASK.match(inline.content)
    if box:
        inline.content = inline.content[box.end() :]
        mark = "\N{BALLOT BOX}" if box[1] == " " else "\N{BALLOT BOX WITH CHECK}"
        inline.meta["before"] = f'<span class="task">{mark}</span> '
        item.attrSet("class", "task-item")


def _links(tokens: list[Token]) -> list[Token]:
    """Images as links to themselves; links without a usable address as their label."""
    out: list[Token] = []
    open_links: list[bool] = []  # for each open link, whether it was kept
    for token in tokens:
        if token.type == "link_open":
            open_links.append(_web(token.attrGet("href")))
            if not open_links[-1]:
                continue
        elif token.type == "link_close":
            if not open_links.pop():
                continue
        elif token.type == "image":
            out += _picture(token, linked=any(open_links))
            continue
        out.append(token)
    return out


def _picture(image: Token, linked: bool) -> list[Token]:
    source = image.attrGet("src")
    alt = "".join(part.content for part in image.children or []) or "image"
    label = Token("text", "", 0, content=f"{_PICTURE} {alt}")
    if linked or not _web(source):
        return [label]
    opening = Token("link_open", "a", 1, attrs={"href": str(source)})
    return [opening, label, Token("link_close", "a", -1)]


def _web(url: str | int | float | None) -> bool:
    scheme = _SCHEME.match(str(url or ""))
    return scheme is not None and scheme[1].lower() in SCHEMES


# Render rules: markdown-it calls them by token type, which is their name without the underscore.


def _fence(
    _: RendererProtocol, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    token = tokens[at]
    live: LivePaint | None = env.get(LIVE)
    if live is not None and at == len(tokens) - 1 - _closings(tokens, at):
        language = language_of(token.info)
        return frame(live.paint(token.content, language), language)
    return figure(token.content, token.info)


def _code_block(
    _: RendererProtocol, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    return figure(tokens[at].content, "")


def _table_open(
    md: RendererProtocol, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    direction = tokens[at].attrGet("dir")
    attribute = f' dir="{direction}"' if direction else ""
    return f'<div class="table-scroll"><table{attribute}>\n'


def _table_close(
    _: RendererProtocol, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    return "</table></div>\n"


def _remembered(
    _: RendererProtocol, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    return tokens[at].content


def _closings(tokens: Sequence[Token], at: int) -> int:
    """How many tokens after `at` only close what is open: the text ends inside `at` if all do."""
    rest = tokens[at + 1 :]
    return len(rest) if all(token.nesting == -1 for token in rest) else 0
