"""Figures as people read them: times, speeds, and what an answer cost.

Pure; knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def line(stats: Mapping[str, Any], reason: str | None) -> str:
    """``412 tokens · 38 tok/s · first token 0.6 s``, and why it ended where that matters.

    ``stats`` is ``events.Stats`` as a mapping. A speed that was not measured is left out.
    """
    tokens = stats.get("completion_tokens") or 0
    parts = [f"{tokens:,} token{'' if tokens == 1 else 's'}"] if tokens else []
    if (rate := stats.get("tokens_per_second")) is not None:
        parts.append(speed(rate))
    if (first := stats.get("ttft_seconds")) is not None:
        parts.append(f"first token {seconds(first)}")
    if cached := stats.get("cached_tokens"):
        parts.append(f"{cached:,} of {stats.get('prompt_tokens', 0):,} prompt tokens from cache")
    if (load := stats.get("load_seconds") or 0) >= 0.05:
        parts.append(f"loaded in {seconds(load)}")
    if reason == "cancelled":
        parts.append("stopped")
    elif reason == "length":
        parts.append("cut at the token limit")
    elif reason == "interrupted":
        parts.append("interrupted")
    return " · ".join(parts)


def details(meta: Mapping[str, Any]) -> str:
    """How the answer came to be: where it ran and how it was sampled."""
    stats = meta.get("stats") or {}
    sampling = meta.get("sampling") or {}
    parts = [str(meta[key]) for key in ("dtype", "device") if meta.get(key)]
    if meta.get("revision"):
        parts.append(f"revision {str(meta['revision'])[:8]}")
    if stats.get("prompt_tokens"):
        parts.append(f"prompt {stats['prompt_tokens']:,} tokens")
    if sampling:
        parts.append(f"temperature {sampling.get('temperature'):g}")
    if meta.get("seed") is not None:
        parts.append(f"seed {meta['seed']}")
    if stats.get("total_seconds"):
        parts.append(f"{seconds(stats['total_seconds'])} in all")
    return " · ".join(parts)


def seconds(value: float) -> str:
    """Two significant figures where a person can tell them apart: 0.06 s, 0.6 s, 6.1 s, 61 s."""
    return f"{value:.2f} s" if value < 0.1 else f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def speed(tokens_per_second: float) -> str:
    return f"{tokens_per_second:.{0 if tokens_per_second >= 10 else 1}f} tok/s"


def duration(value: float) -> str:
    """A length of time that nobody needs to the second: 12 s, 3 min, 1 h 20 min, 2 days."""
    whole = round(value)
    if whole < 100:
        return f"{whole} s"
    minutes = round(value / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{round(minutes / (24 * 60))} days"
