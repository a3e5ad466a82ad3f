"""The store under many threads and many processes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from parley.chats.records import owner_of
from parley.chats.store import FILE, Store

TURN = """
import sys
from pathlib import Path
from parley.chats.store import Store

folder, owner, turns = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = Store(folder)
for n in range(turns):
    chat = store.create_chat(owner, "guide")
    question = store.add_user(chat.id, None, f"question {n}")
    answer = store.begin_answer(chat.id, question.id, "guide", "The Guide")
    text = ""
    for word in range(5):
        text += f"word{word} "
        store.flush_answer(answer.id, text)
    store.end_answer(answer.id, "done", text, reason="stop")
    print(answer.id, flush=True)
"""


def start(folder: Path, owner: str, turns: int) -> subprocess.Popen[str]:
    source = str(Path(__file__).parents[2] / "src")
    return subprocess.Popen(
        [sys.executable, "-c", TURN, str(folder), owner, str(turns)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": source},
    )


def intact(folder: Path) -> bool:
    connection = sqlite3.connect(folder / FILE)
    try:
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",) and not broken
    finally:
        connection.close()


def test_many_threads(tmp_path):
    store = Store(tmp_path)
    owners = [owner_of(str(n)) for n in range(16)]

    def write(owner):
        for _ in range(10):
            chat = store.create_chat(owner, "guide")
            question = store.add_user(chat.id, None, "hello")
            answer = store.begin_answer(chat.id, question.id, "guide", "The Guide")
            store.flush_answer(answer.id, owner)
            store.end_answer(answer.id, "done", owner)
            assert store.chat(owner, chat.id)[1][1].content == owner

    with ThreadPoolExecutor(len(owners)) as threads:
        list(threads.map(write, owners))
    assert all(len(store.chats(owner)) == 10 for owner in owners)
    store.close()
    assert intact(tmp_path)


def test_many_processes_also_at_the_first_start(tmp_path):
    owners = [owner_of(str(n)) for n in range(6)]
    processes = [start(tmp_path, owner, 20) for owner in owners]
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    store = Store(tmp_path)
    assert all(len(store.chats(owner)) == 20 for owner in owners)
    store.close()
    assert intact(tmp_path)
