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
    # 2: pinning, undoing a deletion (``deleted`` is when, in seconds since the epoch), feedback.
    (
        "ALTER TABLE chats ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE chats ADD COLUMN deleted REAL",
        "ALTER TABLE messages ADD COLUMN deleted REAL",
        "ALTER TABLE messages ADD COLUMN feedback TEXT",
        "DROP INDEX chats_by_owner",
        "CREATE INDEX chats_by_owner ON chats (owner, pinned DESC, updated DESC, seq DESC)",
        "CREATE INDEX chats_deleted ON chats (deleted) WHERE deleted IS NOT NULL",
        "CREATE INDEX messages_deleted ON messages (deleted) WHERE deleted IS NOT NULL",
        # Before a chat goes, its messages go, while what they need of it is still there. They are
        # taken apart first: SQLite follows a chain of parents only a thousand messages deep.
        """
        CREATE TRIGGER chats_take_messages BEFORE DELETE ON chats BEGIN
            UPDATE messages SET parent = NULL WHERE chat = old.id;
            DELETE FROM messages WHERE chat = old.id;
        END
        """,
    ),
    # 3: what is searched. The owner stands in the index too, so that a search passes over what
    # other people wrote without looking at it; it does not count in the rank. The texts stay where
    # they are, the index has only words. An answer comes in when it has ended: while it is written,
    # every save would index all of it again.
    (
        """
        CREATE VIRTUAL TABLE chat_words USING fts5 (
            owner, title, content = 'chats', content_rowid = 'seq',
            tokenize = 'unicode61 remove_diacritics 2'
        )
        """,
        """
        CREATE VIEW ended_messages AS
            SELECT messages.seq AS seq, chats.owner AS owner, messages.content AS content
            FROM messages JOIN chats ON chats.id = messages.chat
            WHERE messages.state <> 'streaming'
        """,
        """
        CREATE VIRTUAL TABLE message_words USING fts5 (
            owner, content, content = 'ended_messages', content_rowid = 'seq',
            tokenize = 'unicode61 remove_diacritics 2'
        )
        """,
        "INSERT INTO chat_words (chat_words, rank) VALUES ('rank', 'bm25(0.0, 1.0)')",
        "INSERT INTO message_words (message_words, rank) VALUES ('rank', 'bm25(0.0, 1.0)')",
        "INSERT INTO chat_words (chat_words) VALUES ('rebuild')",
        "INSERT INTO message_words (message_words) VALUES ('rebuild')",
        """
        CREATE TRIGGER chat_words_new AFTER INSERT ON chats BEGIN
            INSERT INTO chat_words (rowid, owner, title) VALUES (new.seq, new.owner, new.title);
        END
        """,
        """
        CREATE TRIGGER chat_words_other AFTER UPDATE OF title ON chats
        WHEN old.title <> new.title BEGIN
            INSERT INTO chat_words (chat_words, rowid, owner, title)
                VALUES ('delete', old.seq, old.owner, old.title);
            INSERT INTO chat_words (rowid, owner, title) VALUES (new.seq, new.owner, new.title);
        END
        """,
        """
        CREATE TRIGGER chat_words_gone AFTER DELETE ON chats BEGIN
            INSERT INTO chat_words (chat_words, rowid, owner, title)
                VALUES ('delete', old.seq, old.owner, old.title);
        END
        """,
        """
        CREATE TRIGGER message_words_new AFTER INSERT ON messages
        WHEN new.state <> 'streaming' BEGIN
            INSERT INTO message_words (rowid, owner, content)
                SELECT new.seq, owner, new.content FROM chats WHERE id = new.chat;
        END
        """,
        """
        CREATE TRIGGER message_words_other AFTER UPDATE OF content, state ON messages
        WHEN old.content <> new.content OR old.state <> new.state BEGIN
            INSERT INTO message_words (message_words, rowid, owner, content)
                SELECT 'delete', old.seq, owner, old.content FROM chats
                WHERE id = old.chat AND old.state <> 'streaming';
            INSERT INTO message_words (rowid, owner, content)
                SELECT new.seq, owner, new.content FROM chats
                WHERE id = new.chat AND new.state <> 'streaming';
        END
        """,
        """
        CREATE TRIGGER message_words_gone BEFORE DELETE ON messages
        WHEN old.state <> 'streaming' BEGIN
            INSERT INTO message_words (message_words, rowid, owner, content)
                SELECT 'delete', old.seq, owner, old.content FROM chats WHERE id = old.chat;
        END
        """,
    ),
    # 4: conversations that were shared. ``snapshot`` is in the format of docs/chat-json.md;
    # ``chat`` is no foreign key, since a snapshot outlives its chat.
    (
        """
        CREATE TABLE shares (
            id TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            chat TEXT NOT NULL,
            title TEXT NOT NULL,
            snapshot TEXT NOT NULL,
            created REAL NOT NULL
        )
        """,
        "CREATE INDEX shares_by_owner ON shares (owner, created DESC)",
    ),
    # 5: comparisons. A comparison is a chat with ``columns`` and without messages; each of its
    # columns is a chat of its own that names it in ``comparison`` and stands in no list.
    (
        "ALTER TABLE chats ADD COLUMN comparison TEXT",
        "ALTER TABLE chats ADD COLUMN columns TEXT",
        "CREATE INDEX chats_by_comparison ON chats (comparison) WHERE comparison IS NOT NULL",
        """
        CREATE TRIGGER chats_take_columns AFTER DELETE ON chats WHEN old.columns IS NOT NULL BEGIN
            DELETE FROM chats WHERE comparison = old.id;
        END
        """,
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
                "What is saved here was written by a newer Parley than this one.",
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
