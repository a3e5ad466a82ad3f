"""The page's data: models, messages and chats as the plain values its scripts draw.

Pure: from frozen records to JSON. Knows nothing of Gradio, and of where the records came from.
"""

from __future__ import annotations

import base64
import math
import mimetypes
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from parley import sizes
from parley.catalog import table
from parley.catalog.spec import SAMPLING_LIMITS, ModelSpec
from parley.chats import tree
from parley.chats.formats.writing import A_MODEL
from parley.chats.records import Chat, ChatMessage
from parley.errors import ParleyError
from parley.events import Failed, Loading, Queued
from parley.speech import Said
from parley.ui import marks, stats
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

PERMISSIVE = {
    *("Apache-2.0", "MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "ISC", "Zlib"),
    *("Unlicense", "CC0-1.0", "CC-BY-4.0", "ODC-By-1.0", "PDDL-1.0", "BSL-1.0", "PostgreSQL"),
}
"""SPDX licences that ask for no more than credit. An expression with an exception (WITH) or a
licence of somebody's own (LicenseRef-) is not taken for one."""


def card(spec: ModelSpec) -> dict[str, Any]:
    """A model as the picker and the welcome card show it, without its live state. What the
    catalogue says of it is in the catalogue's own words."""
    chips: list[dict[str, Any]] = []

    def chip(text: str, title: str, is_open: bool = False) -> None:
        chips.append({"text": Said(text), "title": Said(title), "open": is_open})

    if spec.parameters:
        chip(f"{table.parameters(spec.parameters)} parameters", "Size")
    if spec.context:
        trained, most = spec.context_trained, spec.context_max
        chip(
            f"{_short(spec.context)} context",
            f"Tokens: {f'trained on {trained:,}; ' if trained else ''}"
            f"{f'at most {most:,}' if most else f'window {spec.context:,}'}",
        )
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
        links.append({"label": Said("Licence"), "url": spec.license_url})
    defaults = asdict(spec.sampling)
    return {
        "id": spec.id,
        "name": spec.name,
        "description": spec.description
        or Said(f"From {spec.repo}" if spec.repo else "On this machine"),
        "family": spec.family or "",
        "developer": spec.developer or "",
        "license": spec.license or "",
        "permissive": is_permissive(spec.license),
        "parameters": spec.parameters,
        "domain": spec.domain or "",
        "open_data": (data := spec.openness.get("training_data")) is not None
        and data.state == "open",
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


def is_permissive(licence: str | None) -> bool:
    """Whether an SPDX expression lets anyone use, change and sell: one of its alternatives does."""
    if not licence or "(" in licence:  # nested conditions are for lawyers
        return False
    return any(
        all(part in PERMISSIVE for part in choice.split(" AND "))
        for choice in licence.split(" OR ")
    )


def chat(record: Chat) -> dict[str, Any]:
    return {
        "id": record.id,
        "title": record.title,
        "updated": record.updated,
        "pinned": record.pinned,
        "compare": record.columns is not None,
    }


def conversation(
    record: Chat,
    messages: Sequence[ChatMessage],
    under_way: Callable[[str], bool] = lambda _: False,
) -> dict[str, Any]:
    """A chat with the branch its reader sees, oldest message first."""
    path = tree.path(messages, record.leaf) if record.leaf else []
    around = marks.marks(messages, record.leaf)
    return chat(record) | {
        "model": record.model,
        "leaf": record.leaf,
        "messages": [
            message(m, tree.siblings(messages, m.id), under_way=under_way(m.id)) | around[m.id]
            for m in path
        ],
    }


def message(
    record: ChatMessage, siblings: Iterable[ChatMessage], *, under_way: bool = False
) -> dict[str, Any]:
    """One message as it is kept. ``siblings`` are the alternatives, itself included, oldest first;
    of an answer that is ``under_way`` the page goes on to follow the stream."""
    if record.role == "user":
        return {"id": record.id, "role": "user", "text": record.content}
    family = [m.id for m in siblings]
    spent = record.meta.get("stats") or {}
    error = record.error
    return {
        "id": record.id,
        "role": "assistant",
        "model": record.model,
        # An imported answer may come from nobody knows what.
        "model_name": record.model_name or record.model or Said(A_MODEL),
        "state": _state(record, under_way),
        "notes": [Said(note) for note in record.meta.get("notes") or ()],
        "thinking": record.thinking,
        "thinking_label": Said(thought(spent.get("thinking_seconds") or 0)),
        # The stream's finished blocks come one by one, and where they end only it knows.
        "blocks": [render(record.content)] if record.content and not under_way else [],
        "tail": render(record.content) if record.content and under_way else "",
        "version": 0,
        "text": record.content,
        "stats": Said(stats.line(spent, record.finish_reason)),
        "figures": stats.figures(spent, record.finish_reason),
        "error": refusal(error) if error else None,
        "turn": family.index(record.id) + 1 if record.id in family else 1,
        "turns": len(family),
    }


def _state(record: ChatMessage, under_way: bool) -> str:
    if under_way:
        return "streaming" if record.content or record.thinking else "waiting"
    return "stopped" if record.state == "streaming" else record.state


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


def refusal(error: ParleyError | Failed) -> dict[str, str]:
    return {"sentence": Said(error.sentence), "fix": Said(error.fix)}


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
