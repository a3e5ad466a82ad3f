"""One file from the Hub to the cache: resumed where an earlier try ended, checked when it is whole.

huggingface_hub 2 begins every file anew after its process has ended, sleeps for as long as a 429
asks for, and does not try again after a reset connection, so the bytes are moved here, through its
client, its headers and its locks. Knows nothing of models, of listings or of progress bars.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from time import sleep
from typing import TypeVar

from huggingface_hub import get_session, hf_hub_url, hf_raise_for_status
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import WeakFileLock, build_hf_headers  # type: ignore[attr-defined]

from parley.engines.hub_cache import HubFile, RepoCache
from parley.engines.hub_failures import CutShort, is_network_error, wait_asked_for

log = logging.getLogger(__name__)

T = TypeVar("T")
# Bytes of a file that are here. Called often, also while nothing new comes.
Seen = Callable[[int], None]

SILENCE = 10.0  # seconds without a byte after which a connection counts as dead
WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds before each further try
LONGEST_WAIT = 30.0  # a Hub that wants to be left alone for longer is not waited for
PASSING = frozenset({408, 429, 500, 502, 503, 504})  # statuses that may be another a moment later
PIECE = 1 << 20  # how much of a file is read at once to check it


class Damaged(Exception):
    """What arrived is not what the Hub lists."""


class Stopped(Exception):
    """Somebody else's file failed, so this one need not be finished."""


class Patience:
    """Whether to try again after a failure, and how long to wait first."""

    def __init__(self, waits: tuple[float, ...] | None = None) -> None:
        self._waits = WAITS if waits is None else waits
        self._tried = 0

    def renew(self) -> None:
        """Something came through, so the next failure is the first again."""
        self._tried = 0

    def bear(self, error: Exception) -> None:
        """Wait as long as is right after ``error``; raises it when there is no point, or no more
        patience."""
        passing = is_network_error(error) or (
            isinstance(error, HfHubHTTPError) and error.response.status_code in PASSING
        )
        if not passing or self._tried >= len(self._waits):
            raise error
        asked = wait_asked_for(error)
        if asked is not None and asked > LONGEST_WAIT:
            raise error
        wait = self._waits[self._tried] if asked is None else float(asked)
        self._tried += 1
        log.info("trying again in %.1f s: %s", wait, error)
        sleep(wait)


def insist(ask: Callable[[], T], waits: tuple[float, ...] = WAITS[:3]) -> T:
    """The answer to one question, asked again when a failure may pass."""
    patience = Patience(waits)
    while True:
        try:
            return ask()
        except Exception as error:
            patience.bear(error)


def fetch(
    cache: RepoCache, commit: str, file: HubFile, seen: Seen, stopped: Callable[[], bool]
) -> None:
    """Bring ``file`` into the snapshot of ``commit``; raises ``Damaged`` for one that is wrong."""

    def tell(have: int) -> None:
        if stopped():
            raise Stopped
        seen(min(have, file.size))

    with _alone(cache, commit, file, tell):
        blob = cache.blob(file)
        if blob.exists() and blob.stat().st_size != file.size:
            blob.unlink()
        if not blob.exists():
            partial = cache.partial(file)
            resumed = partial.exists()
            url = hf_hub_url(cache.repo, file.name, revision=commit)
            try:
                _complete(url, file, partial, tell)
            except Damaged:
                if not resumed:
                    raise
                # Perhaps only its beginning is, of which nobody knows how it was written.
                _complete(url, file, partial, tell)
            partial.replace(blob)
        if not cache.has(commit, file):
            cache.link(commit, file)
    tell(file.size)


@contextlib.contextmanager
def _alone(cache: RepoCache, commit: str, file: HubFile, tell: Seen) -> Iterator[None]:
    """The library's lock on a file. Whoever has it is downloading it, which is shown meanwhile; a
    process that is killed loses its locks."""
    with contextlib.ExitStack() as held:
        while True:
            try:
                held.enter_context(WeakFileLock(cache.lock(file), timeout=1.0))
                break
            except TimeoutError:
                tell(cache.bytes_here(commit, file))
        yield


def _complete(url: str, file: HubFile, partial: Path, tell: Seen) -> None:
    """Append to ``partial`` what it lacks. Afterwards it is right, or it is gone; after a failure
    of the connection it is longer."""
    patience = Patience()
    content = _Content(file)
    with partial.open("ab") as out:
        content.reread(partial, tell)
        while content.length < file.size:
            try:
                with _open(url, content.length) as (start, pieces):
                    if start != content.length:  # this server cannot begin in the middle
                        out.seek(0)
                        out.truncate()
                        content = _Content(file)
                    for piece in pieces:
                        out.write(piece)
                        content.add(piece)
                        patience.renew()
                        tell(content.length)
                        if content.length > file.size:
                            break
                if content.length < file.size:
                    raise CutShort(f"{url} ended after {content.length} of {file.size} bytes")
            except Exception as error:
                out.flush()
                patience.bear(error)
        out.flush()
        os.fsync(out.fileno())  # the name of a blob is a promise about its content
    if not content.is_right():
        partial.unlink()
        raise Damaged(file.name)


@contextlib.contextmanager
def _open(url: str, start: int) -> Iterator[tuple[int, Iterator[bytes]]]:
    """The rest of a file from ``start``, and from where it really comes."""
    headers = {**build_hf_headers(), "accept-encoding": "identity"}
    if start:
        headers["range"] = f"bytes={start}-"
    with get_session().stream("GET", url, headers=headers, timeout=SILENCE) as response:
        hf_raise_for_status(response)
        begins = re.match(r"bytes (\d+)-", response.headers.get("content-range", ""))
        partly = response.status_code == 206 and begins is not None
        yield int(begins[1]) if partly and begins else 0, response.iter_bytes()


class _Content:
    """How much of a file has been seen, and whether it was the right content."""

    def __init__(self, file: HubFile) -> None:
        self._file = file
        self.length = 0
        self._digest = hashlib.sha256()
        if file.sha256 is None:
            self._digest = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)

    def reread(self, partial: Path, tell: Seen) -> None:
        with partial.open("rb") as lies:
            while piece := lies.read(PIECE):
                self.add(piece)
                tell(self.length)

    def add(self, piece: bytes) -> None:
        self._digest.update(piece)
        self.length += len(piece)

    def is_right(self) -> bool:
        """By length and checksum; some mirrors of the Hub have etags of another kind, which say
        nothing about the content."""
        if self.length != self._file.size:
            return False
        checkable = re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", self._file.etag)
        return checkable is None or self._digest.hexdigest() == self._file.etag
