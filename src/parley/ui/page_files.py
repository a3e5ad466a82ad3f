"""The page's own files: markup, styles and scripts, with the labels put in.

Knows nothing of Gradio beyond the strings it takes.
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from types import ModuleType

from parley import labels, labels_ru

SCRIPTS = (
    "language",
    "core",
    "state",
    "prose",
    "facts",
    "feedback",
    "scroll",
    "transcript",
    "turn",
    "talks",
    "messages",
    "toast",
    "menu",
    "sheets",
    "keys",
    "history",
    "deeds",
    "find",
    "share",
    "data",
    "filters",
    "picker",
    "presets",
    "settings",
    "attach",
    "welcome",
    "machine",
    "looks",
    "stage",
    "chats",
    "columns",
    "compare",
    "lineups",
    "across",
    "blind",
    "standings",
    "board",
    "links",
    "page",
)
STYLES = (
    *("page", "machine", "prose", "messages", "history", "composer", "looks", "compare"),
    "board",
)

BOOT = """
const names = { send: "send" };  // Gradio offers an event for each quoted word it finds here
const fire = (name, data) => trigger(names[name], { speaks: LANGUAGE, ...data });
Parley.page.start({ element, props, server, watch, trigger: fire });
"""

PIPE = """
const names = { send: "send" };
const fire = data => trigger(names.send, { speaks: LANGUAGE, ...data });
Parley.pipes.add({ fire, value: () => props.value, watch });
"""
"""What a column's stream comes through; it shows nothing."""


def _read(name: str) -> str:
    return (files("parley.ui") / "assets" / name).read_text(encoding="utf-8")


def words() -> dict[str, dict[str, str]]:
    """Each language's words by their names. What has not been translated is in English."""
    english = _labels(labels)
    return {"en": english, "ru": english | _labels(labels_ru)}


def _labels(table: ModuleType) -> dict[str, str]:
    return {name: text for name, text in vars(table).items() if name.isupper()}


def markup() -> str:
    """The page's frame, as the template that Gradio fills in the browser, where the language is
    known. Raises KeyError for a label that does not exist."""
    english = _labels(labels)

    def gap(match: re.Match[str]) -> str:
        assert english[match[1]]
        return "${LABELS." + match[1] + "}"

    return re.sub(r"\[\[(\w+)\]\]", gap, _read("page.html"))


def head(*, accounts: bool = False) -> str:
    """Styles and scripts for the document's head, so that the theme stands before the first
    paint. With ``accounts`` the page asks who has signed in on it before anything else."""
    css = "\n".join(_read(f"{name}.css") for name in STYLES)
    js = "\n".join(_read(f"{name}.js") for name in SCRIPTS)
    signed = json.dumps(accounts)
    # A `</script>` inside a label would end the block early.
    table = json.dumps(words(), ensure_ascii=False).replace("</", "<\\/")
    return (
        '<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">'
        f"<style>{css}</style><script>const WORDS = {table}, ACCOUNTS = {signed};\n{js}</script>"
    )
