"""Comparisons: the same prompt to several models, each in a column of its own.

A column is a chat with one model's answers, so that all that can be done in a chat can be done in
it; a comparison says which chats belong together, in which order, and what each is asked with.
Knows the store; knows nothing of engines or pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from parley.chats.records import Chat
from parley.chats.store import Store
from parley.errors import StoreError

FEWEST, MOST = 2, 4


@dataclass(frozen=True, slots=True)
class Column:
    """``model`` answers next in ``chat``, with these settings over its own; ``system_prompt`` None
    is the model's. A ``hidden`` column answers as the others do and is not shown.

    ``side`` is the seat of a model whose name is not to be known before the vote; ``model`` is
    empty then, and the round knows it."""

    chat: str
    model: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    system_prompt: str | None = None
    hidden: bool = False
    side: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A column that is to be. ``like`` is a chat whose branch it begins with, None for none."""

    model: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    system_prompt: str | None = None
    like: str | None = None


class Comparisons:
    """What can be done to comparisons; every method may raise StoreError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, owner: str, wishes: Sequence[Wish]) -> Chat:
        """A comparison with these columns. Raises StoreError("bad_columns") for too few or many."""
        if not FEWEST <= len(wishes) <= MOST:
            raise _bad_number()
        made = self._store.create_comparison(owner)
        return self._keep(made, [self._column(made, wish) for wish in wishes])

    def blind(self, owner: str, sides: Sequence[str]) -> Chat:
        """A comparison whose columns hide who answers in them."""
        made = self._store.create_comparison(owner)
        chats = [self._store.create_chat(owner, None, made.id) for _ in sides]
        return self._keep(
            made, [Column(c.id, "", side=side) for c, side in zip(chats, sides, strict=True)]
        )

    def reveal(self, owner: str, id: str, models: Mapping[str, str]) -> Chat:
        """From now on the columns say who answers; ``models`` are model ids by side."""
        chat = self.get(owner, id)
        return self._keep(
            chat,
            [
                replace(column, model=models[column.side], side=None) if column.side else column
                for column in columns(chat)
            ],
        )

    def get(self, owner: str, id: str) -> Chat:
        """Raises StoreError("no_such_chat") also for a chat that is no comparison."""
        chat, _ = self._store.chat(owner, id)
        if chat.columns is None:
            raise StoreError(
                "no_such_chat", "This is no comparison.", "Begin one with Compare in the sidebar."
            )
        return chat

    def add(self, owner: str, id: str, wish: Wish) -> Chat:
        """One more column, at the end."""
        chat = self.get(owner, id)
        if len(chat.columns or ()) >= MOST:
            raise _bad_number()
        return self._keep(chat, [*columns(chat), self._column(chat, wish)])

    def remove(self, owner: str, id: str, column: str) -> Chat:
        """Take a column out, its chat with it; ``put_back`` undoes it."""
        chat = self.get(owner, id)
        left = [one for one in columns(chat) if one.chat != column]
        if len(left) < FEWEST:
            raise _bad_number()
        self._store.delete(owner, column)
        return self._keep(chat, left)

    def put_back(self, owner: str, id: str, column: Column, place: int) -> Chat:
        chat = self.get(owner, id)
        there = list(columns(chat))
        if any(one.chat == column.chat for one in there):
            return chat
        if len(there) >= MOST:
            raise _bad_number()
        self._store.restore(owner, column.chat)
        kept, _ = self._store.chat(owner, column.chat)
        if kept.comparison != id:
            raise StoreError("no_such_chat", "This column is of another comparison.", "Try again.")
        there.insert(max(0, place), column)
        return self._keep(chat, there)

    def change(self, owner: str, id: str, changed: Sequence[Column]) -> Chat:
        """Other models, settings or order for the columns there are; whatever column is not named
        stays as it is."""
        chat = self.get(owner, id)
        there = {one.chat: one for one in columns(chat)}
        named = [replace(one, side=there[one.chat].side) for one in changed if one.chat in there]
        rest = [one for key, one in there.items() if key not in {n.chat for n in named}]
        return self._keep(chat, [*named, *rest])

    def _column(self, comparison: Chat, wish: Wish) -> Column:
        if wish.like is None:
            chat = self._store.create_chat(comparison.owner, wish.model, comparison.id)
        else:
            chat = self._store.branch_off(comparison.owner, wish.like, comparison.id)
        return Column(chat.id, wish.model, wish.settings, wish.system_prompt)

    def _keep(self, chat: Chat, made: Sequence[Column]) -> Chat:
        kept = tuple(asdict(column) for column in made)
        self._store.set_columns(chat.owner, chat.id, kept)
        return replace(chat, columns=kept)


def columns(chat: Chat) -> tuple[Column, ...]:
    """Of a comparison, in order."""
    return tuple(column_of(given) for given in chat.columns or ())


def column_of(given: Mapping[str, Any]) -> Column:
    """From the store or from a page: what is not of its kind is as if it were not there."""
    settings, said = given.get("settings"), given.get("system_prompt")
    side = given.get("side")
    return Column(
        str(given.get("chat")),
        str(given.get("model") or ""),
        dict(settings) if isinstance(settings, Mapping) else {},
        said if isinstance(said, str) else None,
        given.get("hidden") is True,
        side if isinstance(side, str) else None,
    )


def _bad_number() -> StoreError:
    return StoreError(
        "bad_columns",
        f"A comparison has {FEWEST} to {MOST} columns.",
        "Add or remove one, or begin another comparison.",
    )
