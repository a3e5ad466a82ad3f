"""What the page shows of the pool: each model's live state, and the machine as a whole.

Pure: from the pool's views, what is known of the checkpoints and the counts, to JSON and short
lines. Knows nothing of where these came from, of time, or of HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from parley import sizes
from parley.catalog.spec import ModelSpec
from parley.engines.stock import Stock
from parley.events import Loading
from parley.meters import Totals
from parley.pool.view import Fit, ModelView, PoolView
from parley.speech import Said
from parley.ui import stats
from parley.ui.views import loading, progress, refusal

NOTICED = 60.0
"""Seconds of idleness from which a model's line speaks of it."""


# -- every model, whatever its state --


def states(
    specs: Sequence[ModelSpec],
    view: PoolView,
    fits: Mapping[str, Fit],
    stocks: Mapping[str, Stock | None],
    *,
    token: bool,
) -> dict[str, dict[str, Any]]:
    """The live state of every model. ``token``: a Hugging Face token is set here."""
    names = {spec.id: spec.name for spec in specs}
    return {
        spec.id: _state(spec, view.models.get(spec.id))
        | {
            "disk": _disk(spec, stocks.get(spec.id)),
            "fit": _fit(fits.get(spec.id, Fit("unknown")), names),
            "gate": _gate(spec, stocks.get(spec.id), token),
            "problem": _problem(stocks.get(spec.id)),
        }
        for spec in specs
    }


def _state(spec: ModelSpec, model: ModelView | None) -> dict[str, Any]:
    if model is None:
        model = ModelView(spec.id, "cold", pinned=spec.pinned)
    error = model.error if model.state == "failed" else None
    return {
        "state": state(model),
        "status": Said(status(model)),
        "progress": progress(model.progress) if model.progress else None,
        "error": refusal(error) if error else None,
        "pinned": model.pinned,
        "thinking_switch": model.thinking_switch,
    }


def state(model: ModelView) -> str:
    """The pool's word, told apart further where a person would."""
    if model.state == "loading" and model.progress and model.progress.phase == "download":
        return "downloading"
    if model.state == "ready" and model.leases:
        return "answering"
    return model.state


def status(model: ModelView) -> str:
    """One short line; empty for a model that is cold."""
    answers = f"its {model.leases} answers end" if model.leases > 1 else "its answer ends"
    match model.state:
        case "queued":
            return f"Queued, place {model.position}" if model.position else "Queued"
        case "loading":
            return loading(model.progress or Loading("start"))
        case "ready" if model.leases:
            answering = f"Answering {model.leases}"
            return f"{answering} · {model.waiting} waiting" if model.waiting else answering
        case "ready":
            idle = model.idle_seconds or 0.0
            return f"In memory, {_idle(idle)}" if idle >= NOTICED else "In memory"
        case "draining" if model.leases:
            return f"Unloads when {answers}"
        case "draining" | "unloading":
            return "Unloading"
        case "failed":
            return "Could not be loaded"
        case _:
            return ""


def _disk(spec: ModelSpec, stock: Stock | None) -> dict[str, Any] | None:
    # What is wrong with a folder of this machine is told as its problem; it is not to come.
    if stock is None or (spec.path is not None and not stock.on_disk):
        return None
    if stock.on_disk:
        return {"here": True, "text": Said("On disk")}
    if stock.download is None:
        return {"here": False, "text": Said("Not downloaded")}
    return {"here": False, "text": Said(f"{sizes.size(stock.download)} to download")}


def _fit(fit: Fit, names: Mapping[str, str]) -> dict[str, str]:
    others = _and([names.get(key, key) for key in fit.unload])
    text = {
        "fits": "Fits",
        "unload": f"Fits after unloading {others}" if others else "Fits",
        "busy": f"Waits for {others}" if others else "Waits for memory",
        "pinned": f"Pinned in its way: {others}",
        "too_large": _too_large(fit),
    }.get(fit.kind, "")
    return {"kind": fit.kind, "text": Said(text)}


def _too_large(fit: Fit) -> str:
    if not fit.need:
        return "Too large for this machine"
    # Rounded apart, so that it never reads "needs 12.8 GB, has 12.8 GB".
    need, has = sizes.size(fit.need), sizes.size(fit.has)
    if need == has:
        need = f"more than {need}"
    return f"Too large: needs {need}, this machine has {has}"


def _gate(spec: ModelSpec, stock: Stock | None, token: bool) -> dict[str, str] | None:
    code = stock.problem.code if stock and stock.problem else ""
    if code == "gated_denied":
        return {"kind": "denied", "text": Said("Gated: access not granted")}
    if code == "gated_no_token":
        return {"kind": "no_token", "text": Said("Gated: set HF_TOKEN")}
    if not spec.gated:
        return None
    if stock and stock.on_disk:
        return {"kind": "open", "text": Said("Gated")}
    if not token:
        return {"kind": "no_token", "text": Said("Gated: set HF_TOKEN")}
    return {"kind": "open", "text": Said("Gated, token set")}


def _problem(stock: Stock | None) -> dict[str, str] | None:
    if stock is None or stock.problem is None:
        return None
    return refusal(stock.problem)


# -- the machine --


def usage(view: PoolView) -> dict[str, Any]:
    """For the small meter: the device that is nearest to full."""
    devices = [(view.used.get(name, 0), budget) for name, budget in view.budget.items() if budget]
    if not devices:
        return {"share": 0.0, "text": ""}
    used, budget = max(devices, key=lambda device: device[0] / device[1])
    return {"share": round(min(1.0, used / budget), 4), "text": Said(sizes.size_of(used, budget))}


def machine(
    specs: Sequence[ModelSpec], view: PoolView, totals: Mapping[str, Totals]
) -> dict[str, Any]:
    """Everything the Machine panel shows beside the models' own states."""
    names = {spec.id: spec.name for spec in specs}
    # In the catalogue's order, so that no row jumps; a model that has left it stands at the end.
    order = {key: place for place, key in enumerate(names)}
    models = sorted(view.models.values(), key=lambda m: order.get(m.model_id, len(order)))
    lined_up = [m for m in models if m.waiting or m.state == "queued"]
    lined_up.sort(key=lambda m: m.position or len(models) + 1)
    return {
        "devices": [_device(name, budget, models, names) for name, budget in view.budget.items()],
        "loaded": [
            _row(model, names)
            for model in models
            if model.state in ("loading", "ready", "draining", "unloading")
        ],
        "queue": {
            "depth": view.queue_depth,
            "oldest": Said(stats.duration(view.queue_oldest) if view.queue_depth else ""),
            "models": [
                {
                    "id": model.model_id,
                    "name": names.get(model.model_id, model.model_id),
                    "state": state(model),
                    "place": model.position,
                    "waiting": model.waiting,
                }
                for model in lined_up
            ],
        },
        "counts": [
            _counts(key, names.get(key, key), totals[key])
            for key in sorted(totals, key=lambda key: order.get(key, len(order)))
            if totals[key].answers or totals[key].loads
        ],
    }


def _device(
    name: str, budget: int, models: Sequence[ModelView], names: Mapping[str, str]
) -> dict[str, Any]:
    parts = [
        {
            "id": model.model_id,
            "name": names.get(model.model_id, model.model_id),
            "bytes": model.bytes[name],
            "text": Said(sizes.size(model.bytes[name])),
            "share": round(model.bytes[name] / budget, 4) if budget else 0.0,
            "state": state(model),
        }
        for model in models
        if model.bytes.get(name)
    ]
    used = sum(model.bytes.get(name, 0) for model in models)
    return {
        "name": Said(_device_name(name)),
        "budget": budget,
        "budget_text": Said(sizes.size(budget)),
        "used_text": Said(sizes.size_of(used, budget)),
        "free_text": Said(f"{sizes.size(max(0, budget - used))} free"),
        "parts": parts,
    }


def _device_name(name: str) -> str:
    kind, _, number = name.partition(":")
    return f"GPU {number or 0}" if kind in ("cuda", "xpu") else "Memory"


def _row(model: ModelView, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": model.model_id,
        "name": names.get(model.model_id, model.model_id),
        "state": state(model),
        "status": Said(status(model)),
        "progress": progress(model.progress) if model.progress else None,
        "size": Said(sizes.size(sum(model.bytes.values())) if any(model.bytes.values()) else ""),
        "measured": Said(sizes.size(model.measured) if model.measured else ""),
        "idle": Said(_idle(model.idle_seconds) if model.idle_seconds is not None else ""),
        "ttl": Said(_ttl(model) if model.state == "ready" else ""),
        "pinned": model.pinned,
        "leases": model.leases,
        "waiting": model.waiting,
        "dtype": model.dtype or "",
    }


def _idle(seconds: float) -> str:
    return f"idle for {stats.duration(seconds)}"


def _ttl(model: ModelView) -> str:
    if model.pinned or not model.ttl:
        return "stays in memory"
    if model.idle_seconds is None or model.leases:
        return f"leaves after {stats.duration(model.ttl)}"
    return f"leaves in {stats.duration(max(0.0, model.ttl - model.idle_seconds))}"


def _counts(key: str, name: str, total: Totals) -> dict[str, Any]:
    rate, first, load = total.tokens_per_second, total.ttft_seconds, total.load_seconds
    return {
        "id": key,
        "name": name,
        "answers": total.answers,
        "failed": total.failed,
        "stopped": total.stopped,
        "tokens": total.tokens,
        "speed": Said(stats.speed(rate) if rate is not None else ""),
        "ttft": Said(stats.seconds(first) if first is not None else ""),
        "loads": total.loads,
        "load": Said(stats.seconds(load) if load is not None else ""),
    }


def _and(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
