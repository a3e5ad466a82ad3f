"""Figures as people read them: times, speeds, and what an answer cost.

Pure; knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from parley.catalog.spec import ModelSpec, Sampling
from parley.chats.records import ChatMessage
from parley.speech import Said
from parley.ui.marks import number, plain

LONGEST = 300
"""Characters of a setting (a JSON schema, many biases) that the table of an answer shows."""


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


def figures(stats: Mapping[str, Any], reason: str | None) -> dict[str, Any] | None:
    """What answers are compared by: seconds, tokens per second, tokens, and why it ended. None for
    an answer that nobody measured."""
    if not stats:
        return None
    names = ("load_seconds", "ttft_seconds", "tokens_per_second", "completion_tokens")
    return {
        **{name: stats.get(name) for name in names},
        "total_seconds": stats.get("total_seconds"),
        "ended": reason,
    }


def facts(record: ChatMessage, spec: ModelSpec | None) -> list[tuple[str, str]]:
    """Everything that is known of how an answer came to be: names of facts and what they are, in
    the order of the page's table; what is not known is left out.

    ``spec`` is the model as it is configured now, None where it no longer is; of a model on this
    machine only its folder's name is told, since the reader may be anybody. Settings come last,
    as ``set:temperature``, and only those that differ from the model's defaults (from neutral ones
    without a model); what is a word of ours (why it ended, how it was decoded) stays a key.
    """
    meta, spent = record.meta, record.meta.get("stats") or {}
    named = record.model_name or record.model or ""
    if record.model and record.model != named:
        named = f"{named} ({record.model})"
    found: list[tuple[str, object]] = [
        ("model", named),
        ("repo", meta.get("repo") or (spec.repo if spec else None)),
        ("folder", spec.path.name if spec and spec.path else None),
        *((key, meta.get(key)) for key in ("revision", "dtype", "device", "engine")),
        *((key, meta.get(key)) for key in ("decoding", "prompt_format")),
    ]
    counts = ("prompt_tokens", "cached_tokens", "completion_tokens")
    found += [(key, Said(f"{spent[key]:,}")) for key in counts if spent.get(key) is not None]
    for key in ("load_seconds", "ttft_seconds"):
        if spent.get(key) is not None:
            found.append((key, Said(seconds(spent[key]))))
    if spent.get("tokens_per_second") is not None:
        found.append(("tokens_per_second", Said(speed(spent["tokens_per_second"]))))
    for key in ("thinking_seconds", "total_seconds"):
        if spent.get(key):
            found.append((key, Said(seconds(spent[key]))))
    ended = "edited" if meta.get("edited") else record.finish_reason
    found += [("ended", ended), ("seed", number(meta.get("seed")))]
    found += [(f"set:{name}", value) for name, value in _set(meta.get("sampling") or {}, spec)]
    shown = [(key, value) for key, value in found if value not in (None, "")]
    return [(key, value if isinstance(value, str) else str(value)) for key, value in shown]


def _set(sampling: Mapping[str, Any], spec: ModelSpec | None) -> list[tuple[str, str]]:
    """The settings that somebody chose; a seed has a row of its own."""
    usual = asdict(spec.sampling if spec else Sampling())
    return [
        (field.name, _shown(sampling[field.name]))
        for field in fields(Sampling)
        if field.name != "seed"
        and field.name in sampling
        and plain(sampling[field.name]) != plain(usual[field.name])
    ]


def _shown(value: Any) -> str:
    if value is None or isinstance(value, int | float):
        return number(value) or Said("none")
    if isinstance(value, list | tuple):
        pairs = [": ".join(map(number, v)) if isinstance(v, list | tuple) else v for v in value]
        value = ", ".join(pairs) or "none"
    text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


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
