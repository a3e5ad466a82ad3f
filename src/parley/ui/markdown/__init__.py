"""Model text to safe HTML: whole (`render`), as it arrives (`StreamingMarkdown`), or as typed.

Knows nothing of Gradio, chats or models: text in, sanitised HTML out.
"""

from __future__ import annotations

from parley.ui.markdown.document import render, render_user
from parley.ui.markdown.repair import repair
from parley.ui.markdown.streaming import StreamingMarkdown

__all__ = ["StreamingMarkdown", "render", "render_user", "repair"]
