"""One SQLite file, opened for many threads and processes at once, with its failures translated.

Hands out connections inside transactions; ``MemoryDatabase`` does the same without a file. Knows
nothing of what is stored: that is the business of whoever opens it (``store.py``, the arena's
``votes.py``), and what shape it has that of the migrations they bring.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from parley.chats.migrations import MIGRATIONS, Step, migrate
from parley.errors import StoreError

BUSY_SECONDS = 15.0


class Database:
    """A small stock of open connections, each in use by one thread at a time.

    One per thread would leave them to the garbage collector when a thread ends; a fresh one per
    call would make SQLite fold its log back into the file after every write.
    """

    def __init__(
        self, file: Path, steps: tuple[Step, ...] = MIGRATIONS, *, durable: bool = False
    ) -> None:
        """``steps`` are the file's migrations. With ``durable`` a write that has returned survives
        a power cut too, for the price of waiting for the disk."""
        self.file = file
        self._durable = durable
        self._idle: deque[sqlite3.Connection] = deque()  # deque.append and .pop are atomic
        self._closed = False
        with self._translated():
            # Conversations are private, also from other accounts of the same machine; the files
            # that SQLite puts beside this one take over its mode.
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.touch(mode=0o600)
            connection = self._open()
            try:
                _write_ahead(connection)
                migrate(connection, steps)
            except BaseException:
                connection.close()
                raise
            self._idle.append(connection)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one moment of the database throughout."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A connection that alone may write; all of it is kept, or none where an error leaves."""
        # IMMEDIATE: two readers that both turn into writers would fail without waiting.
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def close(self) -> None:
        """Close what is idle; a connection in use closes when its user is done. Idempotent."""
        self._closed = True
        while self._idle:
            with suppress(IndexError):  # somebody took the last one meanwhile
                self._idle.pop().close()

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection outside any transaction, for what cannot be done inside one."""
        with self._translated():
            connection = self._take()
            try:
                yield connection
            except BaseException:
                self._spoilt(connection)
                raise
            self._give_back(connection)

    def fold(self) -> None:
        """Write the log into the file and empty it: deleted text still stands there. As much of it
        as nobody is reading just now."""
        with self.connection() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self.connection() as connection:
            connection.execute(begin)
            yield connection
            connection.execute("COMMIT")

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._open()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        self._idle.append(connection)
        if self._closed:
            self.close()

    def _spoilt(self, connection: sqlite3.Connection) -> None:
        connection.close()  # which rolls back; after a failure its state is anyone's guess

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys = ON")
            # What is deleted is overwritten, not only left out of the lists.
            connection.execute("PRAGMA secure_delete = ON")
            # With the log, NORMAL survives any death of the process; only a power cut may cost
            # the last moments, and never the file.
            connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'NORMAL'}")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, UnicodeEncodeError) as error:  # the latter from an id out of a link
            raise as_store_error(error, self.file) from error
        except OSError as error:
            raise _unwritable(self.file) from error


class MemoryDatabase(Database):
    """A database that is never on a disk and is gone with this object: one connection, and so one
    transaction at a time."""

    def __init__(self) -> None:
        self.file = Path(":memory:")
        self._durable = False
        self._in_use_lock = threading.Lock()
        with self._translated():
            self._only = self._open()
            try:
                # Not even what a large sort puts aside.
                self._only.execute("PRAGMA temp_store = MEMORY")
                migrate(self._only)
            except BaseException:
                self._only.close()
                raise

    def close(self) -> None:
        with self._in_use_lock:
            self._only.close()

    def _take(self) -> sqlite3.Connection:
        self._in_use_lock.acquire()
        return self._only

    def _give_back(self, connection: sqlite3.Connection) -> None:
        self._in_use_lock.release()

    def _spoilt(self, connection: sqlite3.Connection) -> None:
        try:
            with suppress(sqlite3.Error):  # closed, or nothing was begun
                connection.execute("ROLLBACK")
        finally:
            self._in_use_lock.release()


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Readers and a writer at once. The switch does not wait for others by itself, as other
    statements do: where two processes meet on a new file, one is told "locked" at once."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if _primary(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _primary(error: Exception) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)  # absent where SQLite did not speak
    return None if code is None else code & 0xFF


def as_store_error(error: Exception, file: Path) -> StoreError:
    """What went wrong with this database, as a person should hear of it."""
    match _primary(error):
        case sqlite3.SQLITE_FULL:
            return StoreError(
                "disk_full",
                "The disk is full, so nothing could be saved.",
                f"Free some space where {file.parent} is, then try again.",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return StoreError(
                "store_damaged",
                f"A file that Parley keeps, {file}, is damaged.",
                "Move it away and restart Parley, which then begins a new one; keep the old one "
                "if you want to try and rescue it.",
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return _unwritable(file)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreError(
                "store_busy",
                f"Another program keeps {file.name} locked.",
                "Try again; if it stays so, end the program that has the file open.",
            )
        case _:
            return StoreError(
                "store_failed",
                f"{file.name} could not be read or written ({error}).",
                "Try again; the program's log has the details.",
            )


def _unwritable(file: Path) -> StoreError:
    return StoreError(
        "store_unwritable",
        f"The folder of what Parley keeps, {file.parent}, cannot be written to.",
        "Make it writable, or start Parley with another data folder (PARLEY_DATA_DIR).",
    )
