"""Words found in a person's chats: in titles first, then in messages, the best match first.

Whatever a person types is words to look for, never syntax. Functions of a connection inside a
transaction, which ``store.py`` opens; the index is kept by the triggers in ``migrations.py``. An
answer that is still being written is not in it yet.
"""

from __future__ import annotations

import re
import secrets
import sqlite3

from parley.chats.records import Found, storable
from parley.chats.rows import CHAT, chat_of

MOST_CHARACTERS = 1000
MOST_WORDS = 32
SNIPPET_WORDS = 16

# CROSS JOIN: the index comes first, whatever a planner thinks of it. From the other side, all that
# this person has would be asked one by one whether it matches.
_TITLES = f"""
    SELECT {CHAT}, NULL AS message, highlight(chat_words, 1, ?, ?) AS snippet
    FROM chat_words CROSS JOIN chats ON chats.seq = chat_words.rowid
    WHERE chat_words MATCH ? AND chats.owner = ? AND chats.deleted IS NULL
    ORDER BY chat_words.rank LIMIT ?
"""
_MESSAGES = f"""
    SELECT {CHAT}, messages.id AS message,
        snippet(message_words, 1, ?, ?, '…', {SNIPPET_WORDS}) AS snippet
    FROM message_words CROSS JOIN messages ON messages.seq = message_words.rowid
        CROSS JOIN chats ON chats.id = messages.chat
    WHERE message_words MATCH ? AND chats.owner = ?
        AND chats.deleted IS NULL AND messages.deleted IS NULL
    ORDER BY message_words.rank LIMIT ?
"""


def search(db: sqlite3.Connection, owner: str, text: str, limit: int) -> tuple[Found, ...]:
    words = _words(text)
    if words is None:
        return ()
    found: list[Found] = []
    for statement, column in ((_TITLES, "title"), (_MESSAGES, "content")):
        # Marks that no text can hold by chance or on purpose.
        begin, end = (f"\x02{secrets.token_hex(8)}\x03" for _ in range(2))
        query = f"owner : {_quoted(owner)} AND {column} : ({words})"
        places = db.execute(statement, (begin, end, query, owner, limit - len(found)))
        found += [
            Found(chat_of(row), row["message"], _parts(row["snippet"], begin, end))
            for row in places
        ]
    return tuple(found)


def _words(text: str) -> str | None:
    """All of these words, the last one perhaps unfinished; None where there is none."""
    words = storable(text[:MOST_CHARACTERS]).replace("\0", " ").split()
    words = [word for word in words if any(character.isalnum() for character in word)]
    if not words:
        return None
    return " ".join(_quoted(word) for word in words[:MOST_WORDS]) + " *"


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _parts(marked: str, begin: str, end: str) -> tuple[tuple[str, bool], ...]:
    line = re.sub(r"\s+", " ", marked)
    pieces = re.split(f"({begin}.*?{end})", line)
    return tuple(
        (piece.removeprefix(begin).removesuffix(end), piece.startswith(begin))
        for piece in pieces
        if piece
    )
