"""Brings the files of a Hub model to this machine: what is needed, and nothing else.

A model that is completely here is taken as it is, and nobody is asked. Otherwise the small files
come first, so that a model that cannot run is refused before gigabytes are fetched, then the
weights that the index names. A process that does this may be killed at any moment: what has come
stays, no partial file has a whole one's name, and the next process goes on from there. Knows
nothing of what is in the files beyond that index.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from huggingface_hub import constants

from parley.catalog.spec import ModelSpec
from parley.engines import hub_listing
from parley.engines.checkpoint import PICKLED, shards
from parley.engines.failures import damaged_on_the_way, disk_full, no_safetensors, no_weights
from parley.engines.hub_cache import SMALL_FILES, HubFile, RepoCache, matching, snapshot_here
from parley.engines.hub_failures import not_in_cache
from parley.engines.hub_listing import Listing
from parley.engines.hub_transfer import SILENCE, Damaged, Stopped, fetch, insist
from parley.engines.hub_xet import fetch_by_library, is_for_library

# Bytes so far, bytes in all.
Report = Callable[[int, int], None]

AT_ONCE = 4  # files; one connection seldom fills a fast line
REPORT_EVERY = 0.1  # seconds
SPARE = 256_000_000  # bytes to leave on the disk: conversations are written to it too


def free_space(folder: Path) -> int:
    """Bytes that a download into ``folder``, which need not exist yet, may use."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return max(0, shutil.disk_usage(there).free - SPARE)


def fetch_small(spec: ModelSpec, report: Report | None = None) -> Path:
    """Configuration, tokenizer and template; the folder they are in."""
    whole = snapshot_here(spec, surely=True)
    if whole is not None:
        return whole
    # All that matters, it seems, but the Hub's listing of it never came here. What is to be had is
    # the rest of this commit; a newer one would be another download of gigabytes.
    usable = snapshot_here(spec, surely=False)
    try:
        listing = _ask(spec) if usable is None else hub_listing.ask(spec, SILENCE, usable.name)
        cache = _cache(spec)
        files = _measured(spec, cache, listing, matching(listing.names, SMALL_FILES))
        _fetch_all(spec, cache, listing.commit, files, report)
    except Exception:
        # Whatever keeps the Hub from answering, a model that is here can be used.
        if usable is None:
            raise
        return usable
    # A listing without sizes could not say later whether everything is here.
    cache.remember(spec.revision, listing.commit, {} if listing.unmeasured else listing.files)
    return cache.snapshot(listing.commit)


def fetch_weights(
    spec: ModelSpec,
    folder: Path,
    report: Report,
    free: Callable[[Path], int] = free_space,
) -> None:
    """The weights that belong to what ``fetch_small`` brought. ``report`` counts the bytes of all
    of them, those that are here already as well, and never goes back."""
    cache = _cache(spec)
    if cache.complete(folder.name, surely=False):
        return
    listing = _ask(spec, folder.name)
    names = shards(folder)
    missing = [name for name in names if name not in listing.names]
    if missing:
        pickled = any(name.endswith(PICKLED) for name in listing.names)
        raise no_safetensors(spec) if pickled else no_weights(spec)
    files = _measured(spec, cache, listing, names)
    needed = sum(file.size - cache.bytes_here(listing.commit, file) for file in files)
    room = free(cache.folder)
    if needed > room:
        raise disk_full(spec, needed, room)
    _fetch_all(spec, cache, listing.commit, files, report)


def _cache(spec: ModelSpec) -> RepoCache:
    assert spec.repo is not None
    return RepoCache(spec.repo)


def _ask(spec: ModelSpec, commit: str | None = None) -> Listing:
    if constants.is_offline_mode():
        raise not_in_cache(spec)
    return insist(lambda: hub_listing.ask(spec, SILENCE, commit))


def _measured(
    spec: ModelSpec, cache: RepoCache, listing: Listing, names: Iterable[str]
) -> list[HubFile]:
    """The files of these names. Those of unknown size that are here are left out: they came whole,
    and there is nothing to compare them with."""
    files = []
    for name in names:
        known = listing.files.get(name)
        if known is not None:
            files.append(known)
        elif not (cache.snapshot(listing.commit) / name).exists():
            measure = partial(hub_listing.measure, spec, listing.commit, name, SILENCE)
            files.append(insist(measure))
    return files


def _fetch_all(
    spec: ModelSpec,
    cache: RepoCache,
    commit: str,
    files: Sequence[HubFile],
    report: Report | None,
) -> None:
    """Several files at the same time; the first failure ends them all."""
    meter = _Meter(report, {file.name: cache.bytes_here(commit, file) for file in files}, files)
    failed = threading.Event()
    cache.make_folders(commit)

    def one(file: HubFile) -> None:
        seen = partial(meter.seen, file.name)
        try:
            if cache.has(commit, file):
                seen(file.size)
            elif is_for_library(file):
                fetch_by_library(cache.repo, commit, file, seen)
            else:
                fetch(cache, commit, file, seen, failed.is_set)
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="download") as threads:
        errors = [under_way.exception() for under_way in [threads.submit(one, f) for f in files]]
    # The one that failed first made the others stop.
    for error in sorted(filter(None, errors), key=lambda e: isinstance(e, Stopped)):
        raise damaged_on_the_way(spec, str(error)) if isinstance(error, Damaged) else error
    meter.finish()


class _Meter:
    """Sums up what several threads have seen; passes it on, not too often and never backwards."""

    def __init__(
        self, report: Report | None, here: dict[str, int], files: Sequence[HubFile]
    ) -> None:
        self._report = report
        self._total = sum(file.size for file in files)
        self._counting = threading.Lock()  # guards the two below, and the order of reports
        self._here = here
        self._told = 0.0

    def seen(self, name: str, size: int) -> None:
        with self._counting:
            # What lies here is read again before it is added to, and may have to go.
            self._here[name] = max(self._here[name], size)
            if time.monotonic() - self._told >= REPORT_EVERY:
                self._tell()

    def finish(self) -> None:
        with self._counting:
            self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        if self._report is not None and self._total:
            self._report(sum(self._here.values()), self._total)
