"""A conversation as Markdown, for a note or a forum.

What a model wrote is Markdown already and stays as it is, but for a block of code that was never
closed: it would swallow the rest of the page. Knows nothing of how Markdown is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from parley.chats import tree
from parley.chats.records import Chat, ChatMessage, storable

YOU = "You"
A_MODEL = "A model"
UNTITLED = "Untitled chat"

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def to_markdown(chat: Chat, messages: Sequence[ChatMessage], *, all_branches: bool = False) -> str:
    """The branch that is read now; or every message once, numbered, alternatives one whole branch
    after the other, and each that does not follow the one before it says what it follows."""
    shown = tree.depth_first(messages) if all_branches else tree.path(messages, chat.leaf)
    numbers = {message.id: number for number, message in enumerate(shown, 1)}
    sections = [f"# {title(chat)}", f"{day(chat.created)}"]
    above: str | None = None
    for message in shown:
        heading = who(message)
        if all_branches:
            heading = f"{numbers[message.id]}. {heading}"
            if message.parent != above:
                heading += f" ({_follows(message, numbers)})"
        above = message.id
        sections += [f"## {heading}", *_body(message)]
    return storable("\n\n".join(sections) + "\n")


def title(chat: Chat) -> str:
    return " ".join(chat.title.split()) or UNTITLED


def who(message: ChatMessage) -> str:
    """Who wrote it, as a reader knows them."""
    if message.role == "user":
        return YOU
    name = message.model_name or message.model or A_MODEL
    return f"{name}, edited" if message.meta.get("edited") else name


def day(seconds: float) -> str:
    """A time as a date that is the same everywhere."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def ending(message: ChatMessage) -> str:
    """What a reader should know of how it ended; empty where it is whole."""
    if message.error:
        return f"{message.error.sentence} {message.error.fix}"
    if message.state == "stopped":
        return "Stopped before its end."
    if message.state == "streaming":
        return "Still being written."
    return "Cut off by its length." if message.finish_reason == "length" else ""


def _body(message: ChatMessage) -> list[str]:
    parts = []
    if message.thinking.strip():
        parts += ["<details><summary>Thoughts</summary>", _closed(message.thinking), "</details>"]
    if message.content.strip():
        parts.append(_closed(message.content))
    if ending(message):
        parts.append(f"*{ending(message)}*")
    return parts


def _follows(message: ChatMessage, numbers: dict[str, int]) -> str:
    return f"after {numbers[message.parent]}" if message.parent else "another beginning"


def _closed(text: str) -> str:
    """With the end of a block of code that is still open at the end."""
    text = text.strip("\n")
    fence = ""
    for line in text.splitlines():
        found = _FENCE.fullmatch(line)
        if not found:
            continue
        marks, rest = found.groups()
        if not fence:
            # Backquotes in what follows make it a line of text.
            fence = "" if marks[0] == "`" and "`" in rest else marks
        elif marks.startswith(fence) and not rest.strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text
