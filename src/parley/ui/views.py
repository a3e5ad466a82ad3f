"""The page's data: models, messages and chats as the plain values its scripts draw.

Pure: from frozen records to JSON. Knows nothing of Gradio, and of where the records came from.
"""

from __future__ import annotations

import base64
import math
import mimetypes
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from parley import sizes
from parley.catalog import table
from parley.catalog.spec import SAMPLING_LIMITS, ModelSpec
from parley.chats import tree
from parley.chats.records import Chat, ChatMessage
from parley.errors import ParleyError
from parley.events import Loading, Queued
from parley.ui import stats
from parley.ui.markdown import render

PHASES = {
    "start": "Starting the engine",
    "download": "Downloading",
    "weights": "Loading the weights",
    "warmup": "Warming up",
}

QUEUED_FOR = {
    "memory": "Waiting for memory",
    "busy": "Waiting for running answers to end",
}


def card(spec: ModelSpec) -> dict[str, Any]:
    """A model as the picker and the welcome card show it, without its live state."""
    chips: list[dict[str, Any]] = []

    def chip(text: str, title: str, is_open: bool = False) -> None:
        chips.append({"text": text, "title": title, "open": is_open})

    if spec.parameters:
        chip(f"{table.parameters(spec.parameters)} parameters", "Size")
    if spec.context:
        trained = f"trained on {spec.context_trained:,}; " if spec.context_trained else ""
        most = f"at most {spec.context_max:,}" if spec.context_max else f"window {spec.context:,}"
        chip(f"{_short(spec.context)} context", f"Tokens: {trained}{most}")
    if spec.license:
        chip(spec.license.removeprefix("LicenseRef-"), "Licence")
    if spec.openness:
        n = sum(item.state == "open" for item in spec.openness.values())
        title = "; ".join(f"{k.replace('_', ' ')}: {v.state}" for k, v in spec.openness.items())
        chip(f"{n} of 5 open", title, is_open=n == 5)
    if spec.languages:
        more = "…" if len(spec.languages) > 4 else ""
        chip(", ".join(spec.languages[:4]) + more, "Languages: " + ", ".join(spec.languages))
    if spec.domain:
        chip(spec.domain, "Domain")
    if spec.released:
        chip(spec.released, "Released")
    origin = [
        spec.developer and f"by {spec.developer}",
        spec.base_model and f"based on {spec.base_model}",
    ]
    if who := " · ".join(part for part in origin if part):
        chip(who, "Developer")
    links = [asdict(link) for link in spec.links]
    if spec.license_url:
        links.append({"label": "Licence", "url": spec.license_url})
    defaults = asdict(spec.sampling)
    return {
        "id": spec.id,
        "name": spec.name,
        "description": spec.description
        or (f"From {spec.repo}" if spec.repo else "On this machine"),
        "family": spec.family or "",
        "developer": spec.developer or "",
        "license": spec.license or "",
        "languages": list(spec.languages),
        "tasks": [*spec.tasks, *([spec.domain] if spec.domain else [])],
        "notice": spec.notice,
        "examples": list(spec.examples)[:6],
        "links": links,
        "chips": chips,
        "defaults": defaults | {"system_prompt": spec.system_prompt},
        "limits": {name: list(limits) for name, limits in SAMPLING_LIMITS.items()},
        "context": spec.context,
        **_logo(spec.logo),
    }


def chat(record: Chat) -> dict[str, Any]:
    return {"id": record.id, "title": record.title, "updated": record.updated}


def conversation(record: Chat, messages: Sequence[ChatMessage]) -> dict[str, Any]:
    """A chat with the branch its reader sees, oldest message first."""
    path = tree.path(messages, record.leaf) if record.leaf else []
    return chat(record) | {
        "model": record.model,
        "leaf": record.leaf,
        "messages": [message(m, tree.siblings(messages, m.id)) for m in path],
    }


def message(record: ChatMessage, siblings: Iterable[ChatMessage]) -> dict[str, Any]:
    """One finished message. ``siblings`` are the alternatives, itself included, oldest first."""
    if record.role == "user":
        return {"id": record.id, "role": "user", "text": record.content}
    family = [m.id for m in siblings]
    spent = record.meta.get("stats") or {}
    error = record.error
    return {
        "id": record.id,
        "role": "assistant",
        "model": record.model,
        "model_name": record.model_name,
        "state": record.state if record.state != "streaming" else "stopped",
        "notes": list(record.meta.get("notes") or ()),
        "thinking": record.thinking,
        "thinking_label": thought(spent.get("thinking_seconds") or 0),
        "blocks": [render(record.content)] if record.content else [],
        "tail": "",
        "version": 0,
        "text": record.content,
        "stats": stats.line(spent, record.finish_reason),
        "details": stats.details(record.meta),
        "error": {"sentence": error.sentence, "fix": error.fix} if error else None,
        "turn": family.index(record.id) + 1 if record.id in family else 1,
        "turns": len(family),
    }


def queued(event: Queued) -> str:
    return f"{QUEUED_FOR[event.reason]}, place {event.position} in the queue"


def loading(event: Loading, speed: float | None = None) -> str:
    """What a load is doing and how long it will take. ``speed`` is bytes per second."""
    text = PHASES[event.phase]
    if event.phase == "download" and event.total:
        text = f"Downloading {sizes.size_of(event.done, event.total)}"
    elif event.phase == "download" and event.done:
        text = f"Downloading {sizes.size(event.done)}"
    elif event.phase == "weights" and event.total:
        text = f"Loading {math.floor(event.done / event.total * 100)} %"
    parts = [text]
    if speed and event.phase == "download":
        parts.append(f"{sizes.size(round(speed))}/s")
    if event.remaining:
        parts.append(f"{stats.duration(max(1, math.ceil(event.remaining)))} left")
    elif event.seconds >= 3:
        # Nothing to judge by, or longer than it should take: what is certain is said instead.
        parts.append(f"{stats.duration(event.seconds)} so far")
    return " · ".join(parts)


def progress(event: Queued | Loading) -> float | None:
    """How far, 0 to 1, where the end is known."""
    if isinstance(event, Queued) or not event.total:
        return None
    return min(1.0, event.done / event.total)


def thought(elapsed: float) -> str:
    return f"Thought for {stats.seconds(elapsed)}" if elapsed else "Thoughts"


def refusal(error: ParleyError) -> dict[str, str]:
    return {"sentence": error.sentence, "fix": error.fix}


def _short(tokens: int) -> str:
    return f"{tokens // 1024}k" if tokens >= 1024 else str(tokens)


def _logo(logo: str | None) -> dict[str, str | None]:
    """One or two characters stand as they are; a picture travels inside the page, so that no
    file of this machine has to be served."""
    if not logo:
        return {"logo_text": None, "logo_src": None}
    file = Path(logo)
    if len(logo) <= 4 or not file.is_file():
        return {"logo_text": logo, "logo_src": None}
    kind = mimetypes.guess_type(file.name)[0] or "image/png"
    data = base64.b64encode(file.read_bytes()).decode("ascii")
    return {"logo_text": None, "logo_src": f"data:{kind};base64,{data}"}
