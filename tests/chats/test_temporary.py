"""Temporary chats: the same store, with nothing on a disk."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from parley.chats.store import Store
from parley.errors import StoreError
from tests.chats.talking import ANN, BOB, branched, everything, turn


@pytest.fixture
def memory():
    store = Store.temporary()
    yield store
    store.close()


def test_it_does_what_a_store_does(memory):
    tree = branched(memory)
    before = everything(memory)
    removed = memory.delete_message(ANN, tree.id, tree.ids["q2"])
    memory.restore_messages(ANN, tree.id, removed)
    memory.delete(ANN, tree.id)
    memory.restore(ANN, tree.id)
    assert everything(memory) == before
    memory.pin(ANN, tree.id, True)
    assert [f.message for f in memory.search(ANN, "program")] == [tree.ids["a1'"]]
    assert memory.adopt(BOB, memory.share(ANN, tree.id)).title == "What is a model?"
    assert memory.recover() == 0
    memory.wipe(ANN)
    assert memory.chats(ANN) == ()
    assert len(memory.chats(BOB)) == 1


def test_nothing_is_written(memory, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = open_files()
    store = Store.temporary()
    for n in range(200):
        turn(store, f"question {n}", "answer " * 500)
    assert len(store.search(ANN, "answer", limit=1000)) == 200
    store.wipe(ANN)
    assert list(tmp_path.iterdir()) == []
    assert set(open_files()) <= set(before)
    store.close()


def open_files():
    """Of this process, where the system tells."""
    folder = Path("/proc/self/fd")
    links = [file for file in folder.iterdir() if file.is_symlink()] if folder.is_dir() else []
    return sorted(str(file.readlink()) for file in links if file.is_symlink())


def test_two_know_nothing_of_each_other(memory):
    other = Store.temporary()
    chat, *_ = turn(memory, "Hello", "there")
    assert other.chats(ANN) == ()
    with pytest.raises(StoreError):
        other.chat(ANN, chat.id)
    other.close()


def test_a_failure_undoes_its_own_transaction_and_no_more(memory):
    chat, question, _ = turn(memory, "Hello", "there")
    before = everything(memory)
    for action in (
        lambda: memory.add_user(chat.id, "gone", "lost"),
        lambda: memory.chat(ANN, []),
        lambda: memory.import_chats(ANN, '{"messages": [{"role": "user", "content": 1}]}'),
    ):
        with pytest.raises(StoreError):
            action()
    assert everything(memory) == before
    memory.add_user(chat.id, question.id, "again")


def test_many_threads(memory):
    def talk(n):
        owner = f"person {n}"
        for _ in range(10):
            turn(memory, "Hello", f"to {n}", owner)
        return len(memory.chats(owner))

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(talk, range(8))) == [10] * 8


def test_after_its_end_it_refuses_and_does_not_hang():
    store = Store.temporary()
    turn(store, "Hello", "there")
    store.close()
    store.close()
    for _ in range(2):
        with pytest.raises(StoreError):
            store.chats(ANN)
