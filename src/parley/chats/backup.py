"""A copy of the saved chats at one moment, while others go on reading and writing them.

Made by SQLite itself, so that it is whole: copying the file would leave out what still stands in
the log beside it. Knows nothing of what is in it, and changes nothing there.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from parley.chats.database import as_store_error
from parley.errors import StoreError


def backup(file: Path, to: Path) -> int:
    """Copy the database ``file`` into the new file ``to``; returns its size in bytes. The version
    of the database stays what it is. Raises StoreError, also where ``to`` is already there."""
    if not file.is_file():
        raise StoreError(
            "nothing_to_back_up",
            f"There are no saved chats in {file.parent}.",
            "Name the data folder with --data-dir or PARLEY_DATA_DIR.",
        )
    try:
        # Not to be made where it has just gone: hence the mode.
        address = f"{file.resolve().as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as source:
            return copy(source, to)
    except sqlite3.Error as error:
        raise as_store_error(error, file) from error


def copy(source: sqlite3.Connection, to: Path) -> int:
    """The same for an open connection outside a transaction. May raise sqlite3.Error where it is
    the source that cannot be read."""
    try:
        to.touch(mode=0o600, exist_ok=False)
    except FileExistsError as error:
        raise StoreError(
            "backup_exists",
            f"There is already something at {to}.",
            "Give another name: a backup never replaces a file.",
        ) from error
    except OSError as error:
        raise _unwritable(to, error) from error
    try:
        with closing(sqlite3.connect(to, isolation_level=None)) as target:
            source.backup(target)
            # One file, also for programs that know nothing of logs beside it.
            target.execute("PRAGMA journal_mode = DELETE")
        return to.stat().st_size
    except BaseException as error:
        with suppress(OSError):
            to.unlink()
        if isinstance(error, OSError) or _of_the_target(error):
            raise _unwritable(to, error) from error
        raise


def _of_the_target(error: BaseException) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    written = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
    return code is not None and code & 0xFF in (*written, sqlite3.SQLITE_IOERR)


def _unwritable(to: Path, error: BaseException) -> StoreError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return StoreError(
        "backup_unwritable",
        f"The backup could not be written to {to} ({reason}).",
        "Give a name in a folder that is there, may be written to and has room.",
    )
