"""A file that only grows: one JSON object on each line, safe against the end of its writer.

A line that was torn by a kill is cut off by the next writer and skipped by every reader. One writer
at a time, which the file's lock sees to. Knows nothing of what the lines mean.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from parley.errors import SuiteError

SYNC_SECONDS = 1.0
"""At most this much is lost when the machine goes down; a killed process loses nothing."""

BLOCK = 65_536


class Journal:
    """Open for appending, from one thread. A context manager; raises SuiteError: run_in_use where
    another process or thread writes to it."""

    def __init__(self, file: Path) -> None:
        self._stream: IO[bytes] = file.open("ab+")
        try:
            _lock(self._stream)
        except OSError as error:
            self._stream.close()
            raise SuiteError(
                "run_in_use",
                "This run is under way already.",
                "Wait until it has ended, or stop it first.",
            ) from error
        self._cut()
        self._synced = time.monotonic()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def append(self, entry: Mapping[str, Any]) -> None:
        """With the operating system when this returns: the end of this process takes nothing."""
        self._stream.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        self._stream.flush()
        if time.monotonic() - self._synced >= SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        os.fsync(self._stream.fileno())
        self._synced = time.monotonic()

    def close(self) -> None:
        if not self._stream.closed:
            self.sync()
            self._stream.close()

    def _cut(self) -> None:
        """Take away what has no end."""
        end = self._stream.seek(0, os.SEEK_END)
        at = end
        while at > 0:
            start = max(0, at - BLOCK)
            self._stream.seek(start)
            found = self._stream.read(at - start).rfind(b"\n")
            if found >= 0:
                self._stream.truncate(start + found + 1)
                return
            at = start
        self._stream.truncate(0)


def entries(file: Path, start: int = 0) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """The whole lines from byte ``start`` on: where each begins, where it ends, and what it is. A
    line that is no JSON, which a failing disk may leave, is skipped."""
    try:
        stream = file.open("rb")
    except FileNotFoundError:
        return
    with stream:
        at = stream.seek(start)
        for line in stream:
            if not line.endswith(b"\n"):
                return
            begin, at = at, at + len(line)
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                yield begin, at, entry


def entry_at(stream: IO[bytes], offset: int) -> dict[str, Any]:
    """The line that begins at this byte."""
    stream.seek(offset)
    found: dict[str, Any] = json.loads(stream.readline())
    return found


def _lock(stream: IO[bytes]) -> None:
    try:
        import fcntl
    except ImportError:  # Windows, where Parley is not at home
        return
    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
