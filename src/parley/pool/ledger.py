"""What loads took on this machine, kept from one run to the next.

Per model: the most memory it was seen to take, and how long its last loads lasted. One small JSON
file; a lost or unreadable one only means that estimates start afresh. Knows nothing of estimates.
"""

from __future__ import annotations

import json
import logging
import statistics
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from parley.catalog.spec import ModelSpec

log = logging.getLogger(__name__)

KEPT = 5
"""Loads per model that are remembered."""

TELLING = 100_000_000
"""Bytes of weights from which a load's time is mostly theirs."""


def key_of(spec: ModelSpec, kind: str) -> str:
    """What makes two loads comparable: checkpoint, revision, dtype and kind of device."""
    return f"{spec.source}@{spec.revision or ''} {spec.dtype} {kind}"


class Ledger:
    """Reads are from memory; a write goes to the file from a thread of its own. ``file`` None
    keeps nothing."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._entries_lock = threading.Lock()
        self._entries: dict[str, dict[str, Any]] = _read(file)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="parley-ledger")

    def footprint(self, key: str) -> int | None:
        """The most bytes that it has taken, None when it was never here."""
        with self._entries_lock:
            value = self._entries.get(key, {}).get("footprint")
        return value if isinstance(value, int) else None

    def seconds(self, key: str, weights: int) -> float | None:
        """How long a load from disk is likely to take: as the last ones did, or, the first time,
        by the bytes a second of others. Small ones say nothing: their time is not the bytes'."""
        with self._entries_lock:
            own = _seconds(self._entries.get(key))
            if own:
                return statistics.median(own)
            rates = [
                entry["weights"] / statistics.median(took)
                for entry in self._entries.values()
                if (took := _seconds(entry))
                and isinstance(entry.get("weights"), int)
                and entry["weights"] >= TELLING
            ]
        slowest = min(rates, default=0.0)
        return weights / slowest if weights >= TELLING and slowest else None

    def loaded(self, key: str, seconds: float, weights: int) -> None:
        """A load has taken ``seconds``, its download not counted."""
        with self._entries_lock:
            entry = self._entries.setdefault(key, {})
            entry["seconds"] = [*_seconds(entry), round(seconds, 3)][-KEPT:]
            entry["weights"] = weights
        self._save()

    def seen(self, key: str, footprint: int) -> None:
        """It has been seen to take ``footprint`` bytes at most while it was in memory."""
        with self._entries_lock:
            self._entries.setdefault(key, {})["footprint"] = footprint
        self._save()

    def close(self) -> None:
        self._writer.shutdown(wait=True)

    def _save(self) -> None:
        if self._file is not None:
            try:
                self._writer.submit(self._write, self._file)
            except RuntimeError:  # closed: the last words of an engine that has just ended
                self._write(self._file)

    def _write(self, file: Path) -> None:
        with self._entries_lock:
            text = json.dumps(self._entries, indent=1, sort_keys=True)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            new = file.with_suffix(".new")
            new.write_text(text, encoding="utf-8")
            new.replace(file)
        except OSError as error:
            log.warning("What loads took could not be kept: %s", error)


def _read(file: Path | None) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads(file.read_text(encoding="utf-8")) if file else {}
    except (OSError, ValueError):
        return {}
    return (
        {k: v for k, v in found.items() if isinstance(v, dict)} if isinstance(found, dict) else {}
    )


def _seconds(entry: dict[str, Any] | None) -> list[float]:
    found = (entry or {}).get("seconds")
    if not isinstance(found, list):
        return []
    return [float(s) for s in found if isinstance(s, int | float) and s > 0]
