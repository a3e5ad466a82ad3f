"""Every conversation, kept: written before a word of it is shown, and at every step after that.

One object for the whole program, for any number of threads; other processes may use the same
folder. Each person's chats are kept under an owner (see ``owner_of``), and to everybody else they
do not exist: whoever writes into a chat has first read it as its owner. No SQL leaves this room.

Here is what can be asked, each in a transaction of its own; how it is done stands beside, in
``conversations.py``, ``messages.py``, ``search.py``, ``copies.py`` and ``shares.py``. Knows nothing
of engines or pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from parley.chats import conversations, copies, formats, messages, rows, search, shares
from parley.chats.backup import copy
from parley.chats.database import Database, MemoryDatabase
from parley.chats.messages import EndState
from parley.chats.records import Chat, ChatMessage, Found, Removed, Share
from parley.events import Failed

__all__ = ["FILE", "KEEP_DELETED", "EndState", "Store"]

FILE = "chats.db"

KEEP_DELETED = 24 * 3600.0
"""Seconds that something deleted can be taken back, at least: it goes at the next start."""


class Store:
    """Chats and messages in one folder; None keeps them in memory alone. Every method may raise
    StoreError and nothing else."""

    def __init__(self, folder: Path | None) -> None:
        self._database = MemoryDatabase() if folder is None else Database(folder / FILE)

    @classmethod
    def temporary(cls) -> Store:
        """A store whose chats are never on a disk, and gone with it."""
        return cls(None)

    def close(self) -> None:
        self._database.close()

    # Chats

    def create_chat(self, owner: str, model: str | None, comparison: str | None = None) -> Chat:
        """An empty chat without a title; the first message gives it one. With ``comparison`` it
        is one of that comparison's and stands in no list."""
        with self._database.write() as db:
            return conversations.create(db, owner, model, comparison)

    def create_comparison(self, owner: str) -> Chat:
        """A comparison without columns; the first message in one of them gives it a title."""
        with self._database.write() as db:
            return conversations.create(db, owner, None, columns=())

    def set_columns(self, owner: str, id: str, columns: Sequence[Mapping[str, Any]]) -> None:
        """What the comparison consists of, in order; what a column holds is its reader's affair.
        Raises StoreError("no_such_chat")."""
        with self._database.write() as db:
            conversations.set_columns(db, owner, id, columns)

    def branch_off(self, owner: str, id: str, comparison: str | None = None) -> Chat:
        """The branch of a chat that is read now as a chat of its own, or of that comparison."""
        with self._database.write() as db:
            return copies.branch(db, owner, id, comparison)

    def chats(self, owner: str, limit: int = 200) -> tuple[Chat, ...]:
        """This person's chats without their messages: the pinned ones, then the others, in both
        the last one written to first."""
        with self._database.read() as db:
            return conversations.listed(db, owner, limit)

    def chat(self, owner: str, id: str) -> tuple[Chat, tuple[ChatMessage, ...]]:
        """A chat and its whole tree in the order of writing. Raises StoreError("no_such_chat")
        where this person has none of that id."""
        with self._database.read() as db:
            return rows.require_chat(db, owner, id), rows.messages_of(db, id)

    def rename(self, owner: str, id: str, title: str) -> None:
        """A blank title is no wish for a nameless chat: the old one stays."""
        with self._database.write() as db:
            conversations.rename(db, owner, id, title)

    def set_leaf(self, owner: str, id: str, message: str) -> None:
        """What the reader looks at the bottom of; turning pages does not reorder the list."""
        with self._database.write() as db:
            conversations.set_leaf(db, owner, id, message)

    def pin(self, owner: str, id: str, pinned: bool) -> None:
        """Keep the chat at the top of the list, or no longer."""
        with self._database.write() as db:
            conversations.pin(db, owner, id, pinned)

    def delete(self, owner: str, *ids: str) -> None:
        """These chats are gone for everybody, until ``restore``. One that is not there, or is not
        this person's, is passed over. An answer being written in one is written to its end."""
        with self._database.write() as db:
            conversations.delete(db, owner, ids)

    def restore(self, owner: str, *ids: str) -> None:
        """Undo ``delete``, for as long as nobody has purged it. Others are passed over."""
        with self._database.write() as db:
            conversations.restore(db, owner, ids)

    def purge(self, older_than_seconds: float) -> int:
        """Chats and messages that were deleted this long ago are gone for good, from the files
        too. Returns how many."""
        with self._database.write() as db:
            gone = conversations.purge(db, older_than_seconds)
        if gone:
            self._database.fold()
        return gone

    def wipe(self, owner: str) -> None:
        """All that is this person's is gone for good and at once, what they shared included, from
        the files too."""
        with self._database.write() as db:
            conversations.wipe(db, owner)
        self._database.fold()

    # Messages

    def add_user(self, chat: str, parent: str | None, text: str) -> ChatMessage:
        """What the person wrote, below ``parent``; it becomes the chat's leaf."""
        with self._database.write() as db:
            return messages.add_user(db, chat, parent, text)

    def begin_answer(
        self,
        chat: str,
        parent: str,
        model: str,
        model_name: str,
        meta: Mapping[str, Any] | None = None,
    ) -> ChatMessage:
        """An empty answer in state "streaming"; it becomes the chat's leaf, its model the chat's
        model. Its id is the handle for ``flush_answer`` and ``end_answer``."""
        with self._database.write() as db:
            return messages.begin_answer(db, chat, parent, model, model_name, meta)

    def flush_answer(self, id: str, content: str, thinking: str = "") -> None:
        """The text so far. Without effect once the answer has ended or is gone for good."""
        with self._database.write() as db:
            messages.flush_answer(db, id, content, thinking)

    def end_answer(
        self,
        id: str,
        state: EndState,
        content: str,
        thinking: str = "",
        reason: str | None = None,
        meta: Mapping[str, Any] | None = None,
        error: Failed | None = None,
    ) -> None:
        """The whole text and how it ended; ``meta`` is added to what there is of it. The first end
        stands: a later one, or one of an answer that is gone for good, is without effect."""
        with self._database.write() as db:
            messages.end_answer(db, id, state, content, thinking, reason, meta, error)

    def reopen_answer(self, id: str) -> ChatMessage:
        """Put an answer that was cut off by its length back into state "streaming", to be gone on
        with: ``flush_answer`` and ``end_answer`` then write the whole text. Returns it as it is
        now. Raises StoreError("not_cut_short") for any other, "no_such_message" for none."""
        with self._database.write() as db:
            return messages.reopen_answer(db, id)

    def recover(self) -> int:
        """To be called when the program starts: answers that the last run left unfinished become
        stopped, with reason "interrupted", and what was deleted before ``KEEP_DELETED`` is purged.
        Returns how many answers."""
        with self._database.write() as db:
            interrupted = messages.recover(db)
        self.purge(KEEP_DELETED)
        return interrupted

    def edit_answer(self, owner: str, chat: str, message: str, content: str) -> ChatMessage:
        """The answer with another text, beside the original and under the same model's name; its
        meta says "edited" and "edited_of". It becomes the chat's leaf. Raises
        StoreError("empty_message" or "not_an_answer")."""
        with self._database.write() as db:
            return messages.edit_answer(db, owner, chat, message, content)

    def set_feedback(
        self,
        owner: str,
        chat: str,
        message: str,
        value: int,
        reasons: Sequence[str] = (),
        note: str = "",
    ) -> None:
        """What its reader thinks of an answer: ``value`` 1, -1, or 0 for neither. It replaces what
        they said before; 0 alone takes that back. Long reasons and notes are cut. Raises
        StoreError("bad_feedback" or "not_an_answer")."""
        with self._database.write() as db:
            messages.set_feedback(db, owner, chat, message, value, reasons, note)

    def delete_message(self, owner: str, chat: str, message: str) -> Removed:
        """Take a message out with everything below it. A reader who was there goes on at the newest
        alternative, else at the message above. What is returned undoes it."""
        with self._database.write() as db:
            return messages.delete_message(db, owner, chat, message)

    def restore_messages(self, owner: str, chat: str, removed: Removed) -> None:
        """Undo ``delete_message``, for as long as nobody has purged it. A reader who has not gone
        elsewhere meanwhile is back where they were. Ids of another chat are passed over."""
        with self._database.write() as db:
            messages.restore_messages(db, owner, chat, removed)

    # Finding, bringing, giving

    def search(self, owner: str, text: str, limit: int = 50) -> tuple[Found, ...]:
        """Where all words of ``text`` stand, the last one perhaps unfinished; case and accents do
        not matter. Titles first, then messages, the best match first. Answers that are still being
        written are not searched."""
        with self._database.read() as db:
            return search.search(db, owner, text, limit)

    def import_chats(self, owner: str, text: str) -> tuple[Chat, ...]:
        """Take over the conversations of a file, as ``formats.read_chats`` knows them, under new
        ids: all of them or none. Raises StoreError("bad_import") that says where it is wrong."""
        found = formats.read_chats(text)
        with self._database.write() as db:
            return tuple(copies.insert(db, owner, chat, tree) for chat, tree in found)

    def share(self, owner: str, chat: str) -> str:
        """Keep the branch that is read now for everybody who knows the id that is returned. It
        stays as it is, whatever becomes of the chat. Raises StoreError("nothing_to_share")."""
        with self._database.write() as db:
            return shares.share(db, owner, chat)

    def shared(self, id: str) -> tuple[str, tuple[ChatMessage, ...]]:
        """The title and the messages, in order. Raises StoreError("no_such_share")."""
        with self._database.read() as db:
            chat, shown = shares.shared(db, id)
            return chat.title, shown

    def shares(self, owner: str) -> tuple[Share, ...]:
        """What this person shares, the newest first."""
        with self._database.read() as db:
            return shares.listed(db, owner)

    def unshare(self, owner: str, id: str) -> None:
        """Take it back. One that is not there, or is not this person's, is passed over."""
        with self._database.write() as db:
            shares.unshare(db, owner, id)

    def adopt(self, owner: str, id: str) -> Chat:
        """A chat of this person's own with what was shared. Raises StoreError("no_such_share")."""
        with self._database.write() as db:
            return shares.adopt(db, owner, id)

    def backup(self, path: Path) -> int:
        """Copy everything as it is now into a new file, while others go on writing; returns its
        size in bytes. Raises StoreError("backup_exists" or "backup_unwritable")."""
        with self._database.connection() as connection:
            return copy(connection, path)
