"""Conversations as texts, to take away and to bring back. Pure: records in, text out, or the other
way; knows nothing of the store, of files or of the clock."""

from __future__ import annotations

from parley.chats.formats.chat_json import to_json
from parley.chats.formats.openai_messages import to_openai
from parley.chats.formats.page import to_html
from parley.chats.formats.reading import MOST_BYTES, read_chats
from parley.chats.formats.writing import to_markdown

__all__ = ["MOST_BYTES", "read_chats", "to_html", "to_json", "to_markdown", "to_openai"]
