"""An answer of a chat as one side of a vote: what is kept of it, and what its looks are made of.

Pure: a message in, a ``Side`` out.
"""

from __future__ import annotations

import re
from typing import Any

from parley.arena.records import Side
from parley.chats.records import ChatMessage

_FENCE = re.compile(r"^(```|~~~).*?(?:^\1\s*$|\Z)", re.M | re.S)
_HEADER = re.compile(r"^ {0,3}#{1,6}\s+\S", re.M)
_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,9}[.)])\s+\S", re.M)
_BOLD = re.compile(r"(\*\*|__)(?=\S)(?:(?!\1).)+?(?<=\S)\1", re.S)


def markdown_counts(text: str) -> tuple[int, int, int]:
    """Headers, list items and bold passages of a text; those inside code are code."""
    prose = _FENCE.sub("", text)
    return tuple(len(found.findall(prose)) for found in (_HEADER, _ITEM, _BOLD))  # type: ignore[return-value] # three of them


def side_of(answer: ChatMessage) -> Side:
    """What a vote keeps of an answer."""
    meta = answer.meta
    stats: dict[str, Any] = dict(meta.get("stats") or {})
    headers, lists, bold = markdown_counts(answer.content)
    return Side(
        model=answer.model or "",
        text=answer.content,
        repo=meta.get("repo"),
        revision=meta.get("revision"),
        engine=meta.get("engine"),
        dtype=meta.get("dtype"),
        device=meta.get("device"),
        prompt_format=meta.get("prompt_format"),
        sampling=dict(meta.get("sampling") or {}),
        seed=meta.get("seed"),
        prompt_tokens=stats.get("prompt_tokens"),
        completion_tokens=stats.get("completion_tokens"),
        thinking_tokens=stats.get("thinking_tokens"),
        finish_reason=answer.finish_reason,
        load_seconds=stats.get("load_seconds"),
        ttft_seconds=stats.get("ttft_seconds"),
        tokens_per_second=stats.get("tokens_per_second"),
        thinking_seconds=stats.get("thinking_seconds"),
        total_seconds=stats.get("total_seconds"),
        headers=headers,
        lists=lists,
        bold=bold,
        error=answer.error.code if answer.error else None,
    )
