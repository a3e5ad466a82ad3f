"""The page's own files: markup, styles and scripts, with the labels put in.

Knows nothing of Gradio beyond the strings it takes.
"""

from __future__ import annotations

import json
import re
from importlib.resources import files

from parley import labels

SCRIPTS = (
    "core",
    "state",
    "transcript",
    "scroll",
    "history",
    "picker",
    "settings",
    "welcome",
    "machine",
    "page",
)
STYLES = ("page", "machine", "prose")

BOOT = """
const names = { send: "send" };  // Gradio offers an event for each quoted word it finds here
const fire = (name, data) => trigger(names[name], data);
Parley.page.start({ element, props, server, watch, trigger: fire });
"""


def _read(name: str) -> str:
    return (files("parley.ui") / "assets" / name).read_text(encoding="utf-8")


def _labels() -> dict[str, str]:
    return {name: text for name, text in vars(labels).items() if name.isupper()}


def markup() -> str:
    """The page's frame. Raises KeyError for a label that does not exist."""
    words = _labels()
    return re.sub(r"\[\[(\w+)\]\]", lambda match: words[match[1]], _read("page.html"))


def head() -> str:
    """Styles and scripts for the document's head, so that the theme stands before the first
    paint."""
    css = "\n".join(_read(f"{name}.css") for name in STYLES)
    js = "\n".join(_read(f"{name}.js") for name in SCRIPTS)
    # A `</script>` inside a label would end the block early.
    words = json.dumps(_labels()).replace("</", "<\\/")
    return (
        '<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">'
        f"<style>{css}</style><script>const LABELS = {words};\n{js}</script>"
    )
