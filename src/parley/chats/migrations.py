"""How the database of chats came to be what it is: numbered steps, only ever added to.

Step n brings a database of version n - 1 to version n; ``PRAGMA user_version`` holds the version.
A step that was released is never edited: somebody's chats have been through it. Knows nothing of
what the rows mean to the rest of the house.
"""

from __future__ import annotations

import sqlite3

from parley.errors import StoreError

Step = tuple[str, ...]

MIGRATIONS: tuple[Step, ...] = (
    # 1: chats and their messages. seq is the order of writing, which the clock cannot promise.
    # chats.leaf has no foreign key: it would tie the two tables into a ring.
    (
        """
        CREATE TABLE chats (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            owner TEXT NOT NULL,
            title TEXT NOT NULL DEFAULT '',
            created REAL NOT NULL,
            updated REAL NOT NULL,
            model TEXT,
            leaf TEXT
        )
        """,
        "CREATE INDEX chats_by_owner ON chats (owner, updated DESC, seq DESC)",
        """
        CREATE TABLE messages (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            chat TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
            parent TEXT REFERENCES messages (id) ON DELETE CASCADE,
            role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
            content TEXT NOT NULL DEFAULT '',
            thinking TEXT NOT NULL DEFAULT '',
            model TEXT,
            model_name TEXT,
            state TEXT NOT NULL DEFAULT 'done'
                CHECK (state IN ('streaming', 'done', 'stopped', 'failed')),
            finish_reason TEXT,
            error_code TEXT,
            error_sentence TEXT,
            error_fix TEXT,
            meta TEXT NOT NULL DEFAULT '{}',
            created REAL NOT NULL
        )
        """,
        "CREATE INDEX messages_by_chat ON messages (chat, seq)",
        "CREATE INDEX messages_by_parent ON messages (parent)",
        "CREATE INDEX messages_streaming ON messages (state) WHERE state = 'streaming'",
    ),
)


def migrate(connection: sqlite3.Connection, steps: tuple[Step, ...] = MIGRATIONS) -> None:
    """Bring the database up to date, all or nothing. Of several processes that start at once, one
    does the work and the others find it done. Expects a connection in autocommit mode."""
    if _version(connection) == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)
        if version > len(steps):
            raise StoreError(
                "store_newer",
                "The saved chats were written by a newer Parley than this one.",
                "Update Parley, or start it with another data folder.",
            )
        for step in steps[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(steps)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
