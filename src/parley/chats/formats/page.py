"""A conversation as one page of HTML that needs nothing else: no script, no picture, no network.

Texts stand as they were written. Whoever can draw Markdown hands in how; what that returns has to
be safe to show. Knows nothing of Parley's own page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from parley.chats import tree
from parley.chats.formats.writing import day, ending, title, who
from parley.chats.records import Chat, ChatMessage, storable

STYLE = """
:root { color-scheme: light dark; --line: #d4d4d8; --soft: #f4f4f5; --quiet: #52525b; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3f3f46; --soft: #27272a; --quiet: #a1a1aa; }
}
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.3; }
h2 { margin: 0 0 .25rem; font-size: .875rem; }
article { margin: 1.5rem 0; }
.user { padding: .75rem 1rem; border-radius: .75rem; background: var(--soft); }
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
.quiet, summary { color: var(--quiet); font-size: .875rem; }
details { margin: .25rem 0 .5rem; padding-left: .75rem; border-left: 2px solid var(--line); }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; }
th, td { padding: .25rem .5rem; border: 1px solid var(--line); }
@media print { .user { border: 1px solid var(--line); } }
"""


def as_written(text: str) -> str:
    """The text as it is, line breaks and spaces too."""
    return f'<div class="text" dir="auto">{escape(text)}</div>'


def to_html(
    chat: Chat,
    messages: Sequence[ChatMessage],
    draw: Callable[[str], str] = as_written,
) -> str:
    """The branch that is read now. ``draw`` makes safe HTML of what a model wrote; what a person
    wrote stands as it is."""
    head = escape(title(chat))
    articles = "\n".join(_article(message, draw) for message in tree.path(messages, chat.leaf))
    return storable(f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{head}</title>
<style>{STYLE}</style>
</head>
<body>
<h1 dir="auto">{head}</h1>
<p class="quiet">{day(chat.created)}</p>
{articles}
</body>
</html>
""")


def _article(message: ChatMessage, draw: Callable[[str], str]) -> str:
    parts = [f'<article class="{message.role}">', f'<h2 dir="auto">{escape(who(message))}</h2>']
    if message.thinking.strip():
        thoughts = as_written(message.thinking)
        parts.append(f"<details><summary>Thoughts</summary>{thoughts}</details>")
    if message.content.strip():
        parts.append((draw if message.role == "assistant" else as_written)(message.content))
    if ending(message):
        parts.append(f'<p class="quiet">{escape(ending(message))}</p>')
    return "\n".join([*parts, "</article>"])
