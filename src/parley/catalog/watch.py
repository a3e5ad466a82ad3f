"""The catalogue in force while Parley runs, and how it changes without a restart.

Knows when files changed and what to do with a broken one: keep the old catalogue and remember why.
Starts no thread and draws nothing; somebody asks.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from parley.catalog.loader import load
from parley.catalog.spec import Catalogue
from parley.errors import CatalogueError

log = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int] | None, ...]
"""Modification time and size of every file; None for one that is not there."""


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """What a reload came to. ``catalogue`` is the one now in force, so the old one when there is an
    ``error``. ``added``, ``removed`` and ``altered`` are ids."""

    catalogue: Catalogue
    error: CatalogueError | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Shown:
    catalogue: Catalogue
    error: CatalogueError | None
    stamp: Stamp


class Shelf:
    """Holds the current catalogue. Safe to use from any thread.

    The first load must succeed: the constructor raises CatalogueError. ``on_change`` hears of every
    new catalogue and of every error that comes or goes, in order, on the thread that reloaded; it
    must not reload in turn.
    """

    def __init__(
        self, files: Sequence[Path], on_change: Callable[[ReloadResult], None] | None = None
    ) -> None:
        self._files = tuple(files)
        self._on_change = on_change
        # Guards what is shown, from the look at the files until the listener has heard, so that
        # of two reloads the later look wins. Reading what is shown needs no lock.
        self._shown_lock = threading.Lock()
        stamp = self._stamp()
        self._shown = _Shown(load(self._files), None, stamp)

    @property
    def catalogue(self) -> Catalogue:
        return self._shown.catalogue

    @property
    def error(self) -> CatalogueError | None:
        """Why the files as they are now are not in force; None when they are."""
        return self._shown.error

    def poll(self) -> ReloadResult | None:
        """Reload if a file changed since the last look; None if none did. One stat a file."""
        with self._shown_lock:
            return self._reload() if self._stamp() != self._shown.stamp else None

    def reload(self) -> ReloadResult:
        """Read the files again, changed or not. A mistake in them is in the result, not raised."""
        with self._shown_lock:
            return self._reload()

    def _reload(self) -> ReloadResult:
        old = self._shown
        # Before reading: what is written while we read is seen by the next poll.
        stamp = self._stamp()
        try:
            self._shown = _Shown(load(self._files), None, stamp)
        except CatalogueError as error:
            log.error("The old models stay in use. %s", error)
            self._shown = _Shown(old.catalogue, error, stamp)
            result = ReloadResult(old.catalogue, error)
        else:
            result = _difference(old.catalogue, self._shown.catalogue)
            log.info(
                "models reloaded: %d added, %d removed, %d altered",
                *map(len, (result.added, result.removed, result.altered)),
            )
        self._tell(old, result)
        return result

    def _tell(self, old: _Shown, result: ReloadResult) -> None:
        same = old.catalogue == result.catalogue and str(old.error) == str(result.error)
        if self._on_change is None or same:
            return
        try:
            self._on_change(result)
        except Exception:  # the listener's trouble is not the catalogue's
            log.exception("a listener failed to take the new models")

    def _stamp(self) -> Stamp:
        return tuple(_stamp(file) for file in self._files)


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def _difference(old: Catalogue, new: Catalogue) -> ReloadResult:
    before = {m.id: m for m in old.models}
    after = {m.id: m for m in new.models}
    return ReloadResult(
        new,
        added=tuple(i for i in after if i not in before),
        removed=tuple(i for i in before if i not in after),
        altered=tuple(i for i in after if i in before and after[i] != before[i]),
    )
