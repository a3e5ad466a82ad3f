"""Killed a hundred times while it writes: the file is whole, and of what was said all is there but
the last moments of what was being said.

A process streams answers into a store as the playground does: one thread takes words as a model
gives them, and queues a write every few of them; another carries the writes out. It says aloud what
it is about to write and what has been written. Then it is killed, at any moment, and the next one
goes on in the same folder.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from parley.chats.store import FILE, Store
from tests.chats.talking import ANN, everything, index_is_whole

KILLS = 100
LONGEST = 0.12
"""Seconds until a kill: from before the store is open to several answers later."""

# Imports once and forks for each round: what is killed is what writes, not what starts Python.
WRITER = """
import os, sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from parley.chats.store import Store

FLUSH_SECONDS = 0.001
FILLER = "-" * 300  # an answer of many pages: a save is more than one write to the disk

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())  # whole lines, or none

def stream(folder, owner, round):
    store = Store(folder)
    store.recover()
    writes = ThreadPoolExecutor(1)

    def flush(id, text):
        store.flush_answer(id, text)
        say("flushed", id, len(text))

    def end(id, text):
        store.end_answer(id, "done", text, reason="stop", meta={"words": len(text)})
        say("ended", id, len(text))

    chat, parent = store.create_chat(owner, "guide"), None
    for turn in range(10**6):
        question = store.add_user(chat.id, parent, f"question {round} {turn}")
        say("asked", question.id)
        answer = store.begin_answer(chat.id, question.id, "guide", "The Guide")
        say("begun", answer.id)
        text, flushed = "", time.monotonic()
        for n in range(20 + turn * 37 % 200):
            text += f"word{n}{FILLER} "
            say("says", answer.id, len(text))
            if time.monotonic() - flushed >= FLUSH_SECONDS:
                flushed = time.monotonic()
                writes.submit(flush, answer.id, text)
            time.sleep(0.0001)
        writes.submit(end, answer.id, text)
        parent = answer.id
        if turn % 3 == 2:
            chat, parent = store.create_chat(owner, "guide"), None

folder, owner = Path(sys.argv[1]), sys.argv[2]
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            stream(folder, owner, line.strip())
        finally:
            os._exit(1)
    say("runs", child)
    os.waitpid(child, 0)
    say("gone", child)
"""

TEXT = "".join(f"word{n}{'-' * 300} " for n in range(220))


@pytest.fixture
def writer(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), ANN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
    )
    yield process
    process.stdin.close()
    process.stdout.close()
    process.wait(60)


def killed_after(writer, seconds, round):
    """What one process said until it was killed, line by line."""
    writer.stdin.write(f"{round}\n")
    writer.stdin.flush()
    said = []
    for line in writer.stdout:
        said.append(line.split())
        if said[-1][0] == "runs":
            break
    child = int(said[-1][1])
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    for line in writer.stdout:
        said.append(line.split())
        if said[-1] == ["gone", str(child)]:
            break
    return said


def integrity(folder):
    with closing(sqlite3.connect(folder / FILE)) as connection:
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        return [row for (row,) in connection.execute("PRAGMA integrity_check")], broken


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_hundred_kills(writer, folder):
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    asked: set[str] = set()
    ended: dict[str, int] = {}
    caught = {"opening": 0, "streaming": 0}
    for round in range(KILLS):
        said = killed_after(writer, chance.uniform(0, LONGEST), round)
        flushed: dict[str, int] = {}
        spoken: dict[str, int] = {}
        for word, *rest in said:
            match word:
                case "asked":
                    asked.add(rest[0])
                case "begun":
                    flushed[rest[0]] = 0
                case "says":
                    spoken[rest[0]] = int(rest[1])
                case "flushed":
                    flushed[rest[0]] = int(rest[1])
                case "ended":
                    ended[rest[0]] = int(rest[1])
        where = f"seed {seed}, round {round}"
        caught["opening" if not flushed else "streaming"] += 1
        if not (folder / FILE).exists():
            assert not asked, where  # killed before it had made its file
            continue

        store = Store(folder)
        store.recover()
        kept = {m.id: m for _, messages in everything(store).values() for m in messages}
        store.close()
        assert integrity(folder) == (["ok"], []), where
        assert asked <= kept.keys(), where
        for id, length in ended.items():
            assert kept[id].state == "done", where
            assert kept[id].content == TEXT[:length], where
            assert kept[id].meta == {"words": length}, where
        for id, length in flushed.items():
            # Written is at least what was said to be, and at most what was spoken.
            assert length <= len(kept[id].content) <= spoken.get(id, 0), where
            assert TEXT.startswith(kept[id].content), where
        assert all(message.state != "streaming" for message in kept.values()), where
    assert index_is_whole(folder)
    # The test would say nothing if every kill came too early or too late.
    assert caught["streaming"] > KILLS / 4, caught
    assert len(ended) > KILLS / 4, caught
