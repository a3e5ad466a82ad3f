"""People and conversations for the tests of the store.

q1 ── a1 ── q2 ── a2
 │           └─ a2' (a retry, read now)
 └─ a1' (a retry)
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from parley.chats.records import Chat, ChatMessage, owner_of
from parley.chats.store import FILE, Store

ANN, BOB = owner_of("ann's browser"), owner_of("bob's browser")


def answered(store, chat, parent, text, **end):
    """An answer that has ended, whole where nothing else is said."""
    answer = store.begin_answer(chat, parent, "guide", "The Guide", end.pop("begun", None))
    store.end_answer(answer.id, end.pop("state", "done"), text, **{"reason": "stop", **end})
    return answer


def turn(store, question, answer, owner=ANN):
    """A chat of one question and its answer."""
    chat = store.create_chat(owner, "guide")
    asked = store.add_user(chat.id, None, question)
    return store.chat(owner, chat.id)[0], asked, answered(store, chat.id, asked.id, answer)


@dataclass(frozen=True)
class Tree:
    id: str
    ids: dict[str, str]

    def names(self, messages):
        names = {id: name for name, id in self.ids.items()}
        return [names[message.id] for message in messages]


def branched(store, owner=ANN):
    chat = store.create_chat(owner, "guide").id
    ids = {"q1": store.add_user(chat, None, "What is a model?").id}
    ids["a1"] = answered(store, chat, ids["q1"], "A function.").id
    ids["q2"] = store.add_user(chat, ids["a1"], "Of what?").id
    ids["a2"] = answered(store, chat, ids["q2"], "Of text.").id
    ids["a1'"] = answered(store, chat, ids["q1"], "A program.").id
    ids["a2'"] = answered(store, chat, ids["q2"], "Of numbers.").id
    return Tree(chat, ids)


def everything(store: Store, owner: str = ANN) -> dict[str, tuple[Chat, tuple[ChatMessage, ...]]]:
    return {chat.id: store.chat(owner, chat.id) for chat in store.chats(owner, limit=10**6)}


def index_is_whole(folder) -> bool:
    """Whether the words that are searched are exactly those of the titles and messages."""
    connection = sqlite3.connect(folder / FILE, isolation_level=None)
    try:
        for table in ("chat_words", "message_words"):
            connection.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)")
        return True
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()
