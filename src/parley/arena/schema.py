"""How the database of votes came to be what it is: numbered steps, only ever added to.

As ``chats/migrations.py``, of the file ``arena.db``. Knows nothing of what the rows mean.
"""

from __future__ import annotations

from parley.chats.migrations import Step

STEPS: tuple[Step, ...] = (
    # 1: rounds and votes. A vote's ``record`` is all of it, as JSON; the other columns repeat what
    # a board asks for, so that it need not read every answer. ``bringer`` is who imported it: an
    # imported vote is theirs alone. What a round was voted on once is in the index, so that not
    # even two processes can accept a second vote; imported votes have other people's rounds.
    (
        """
        CREATE TABLE rounds (
            id TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            left_model TEXT NOT NULL,
            right_model TEXT NOT NULL,
            left_chat TEXT,
            right_chat TEXT,
            category TEXT NOT NULL,
            opened REAL NOT NULL,
            state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'voted', 'void'))
        )
        """,
        "CREATE INDEX rounds_by_owner ON rounds (owner, opened DESC)",
        "CREATE INDEX rounds_open ON rounds (opened) WHERE state = 'open'",
        """
        CREATE TABLE votes (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL,
            round TEXT NOT NULL,
            bringer TEXT NOT NULL DEFAULT '',
            created REAL NOT NULL,
            voter TEXT NOT NULL,
            judge TEXT NOT NULL,
            mode TEXT NOT NULL,
            ranked INTEGER NOT NULL,
            outcome TEXT NOT NULL,
            category TEXT NOT NULL,
            language TEXT NOT NULL,
            left_model TEXT NOT NULL,
            right_model TEXT NOT NULL,
            style TEXT NOT NULL,
            record TEXT NOT NULL
        )
        """,
        "CREATE UNIQUE INDEX votes_once ON votes (round, judge) WHERE bringer = ''",
        "CREATE UNIQUE INDEX votes_by_id ON votes (bringer, id)",
        "CREATE INDEX votes_by_voter ON votes (voter)",
        # What was voted stays as it was voted; it can only be taken away as a whole.
        """
        CREATE TRIGGER votes_stay BEFORE UPDATE ON votes BEGIN
            SELECT RAISE(ABORT, 'votes are never changed');
        END
        """,
    ),
)
