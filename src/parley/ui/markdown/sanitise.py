"""The last gate before the page: an allow-list of tags, attributes, classes and URL schemes.

Everything the renderer makes passes here, so that a mistake in a Markdown rule, in Pygments or in
the LaTeX converter still cannot become active content. Knows nothing of Markdown.
"""

from __future__ import annotations

from functools import cache

import nh3

SCHEMES = frozenset({"http", "https", "mailto"})

_BLOCKS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "table"}
_TEXT = {"a", "br", "hr", "li", "em", "strong", "s", "code", "pre", "span", "div"}
_TABLE = {"thead", "tbody", "tr", "th", "td"}
_FIGURE = {"figure", "figcaption", "button"}
# No annotation-xml, mglyph or malignmark: they switch the HTML parser between namespaces, which
# is what mutation attacks are made of.
_MATH = {
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mpadded", "mphantom"),
    *("mfrac", "msqrt", "mroot", "menclose", "mtable", "mtr", "mtd"),
    *("msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts"),
}

# `href`, `style`, `id` and `class` are valid on any MathML element, and are absent on purpose.
_MATH_ATTRIBUTES = {
    *("display", "displaystyle", "scriptlevel", "mathvariant", "mathcolor", "mathbackground"),
    *("stretchy", "fence", "separator", "form", "accent", "accentunder", "minsize", "maxsize"),
    *("lspace", "rspace", "movablelimits", "linethickness", "notation", "width", "height"),
    *("depth", "voffset", "columnalign", "columnspacing", "columnlines", "rowspacing"),
    *("rowlines", "largeop", "symmetric"),
}

TAGS = frozenset(_BLOCKS | _TEXT | _TABLE | _FIGURE | _MATH)

ATTRIBUTES: dict[str, set[str]] = {
    **{tag: {"dir"} for tag in _BLOCKS},
    **{tag: set(_MATH_ATTRIBUTES) for tag in _MATH},
    "ol": {"dir", "start"},
    "a": {"href", "title"},
    "div": {"dir"},
    "figure": {"dir", "data-lang"},
    "button": {"type"},
    "math": {*_MATH_ATTRIBUTES, "xmlns"},
}

# The classes of coloured code: Pygments' short names, reduced to what the style sheet tells apart.
CODE_CLASSES = frozenset(
    {"c", "k", "s", "m", "o", "nf", "nc", "nb", "nt", "na", "nd", "nv", "gi", "gd", "gh", "err"}
)

CLASSES: dict[str, set[str]] = {
    "div": {"table-scroll", "math-block", "plain"},
    "span": {*CODE_CLASSES, "task", "math-block"},
    "code": {"math-error"},
    "li": {"task-item"},
    "th": {"align-left", "align-center", "align-right"},
    "td": {"align-left", "align-center", "align-right"},
    "figure": {"code"},
    "button": {"copy-code"},
}


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(TAGS),
        clean_content_tags={"script", "style"},
        attributes=ATTRIBUTES,
        allowed_classes=CLASSES,
        url_schemes=set(SCHEMES),
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        strip_comments=True,
    )


def sanitise(html: str) -> str:
    """HTML that holds nothing but the allow-list; links open in a new tab and leak no referrer."""
    return _cleaner().clean(html)


def valid_unicode(text: str) -> str:
    """`text` without lone surrogates, which a tokenizer can emit and no encoder accepts."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")
