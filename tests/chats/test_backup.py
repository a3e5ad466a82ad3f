"""A copy of everything at one moment, while others write."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from parley.chats.backup import backup
from parley.chats.migrations import MIGRATIONS, migrate
from parley.chats.store import FILE, Store
from parley.errors import StoreError
from tests.chats.talking import branched, everything, index_is_whole, turn


def restored(tmp_path, file):
    folder = tmp_path / "restored"
    folder.mkdir()
    (folder / FILE).write_bytes(file.read_bytes())
    return folder


def code(action):
    with pytest.raises(StoreError) as caught:
        action()
    assert caught.value.fix
    return caught.value.code


def test_a_backup_is_a_store(store, tmp_path):
    branched(store)
    size = store.backup(tmp_path / "copy.db")
    assert size == (tmp_path / "copy.db").stat().st_size
    assert [file.name for file in tmp_path.glob("copy*")] == ["copy.db"]
    assert (tmp_path / "copy.db").stat().st_mode & 0o077 == 0
    copy = Store(restored(tmp_path, tmp_path / "copy.db"))
    assert everything(copy) == everything(store)
    copy.close()
    assert index_is_whole(tmp_path / "restored")


def test_a_backup_is_of_one_moment_while_others_write(store, tmp_path):
    """Each writer's chats are counted off, so a moment is a beginning of each count."""
    done = threading.Event()

    def write(writer):
        n = 0
        while not done.is_set():
            turn(store, f"{writer} {n}", "x" * 5000)
            n += 1

    threads = [threading.Thread(target=write, args=(f"writer{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    try:
        for n in range(5):
            store.backup(tmp_path / f"{n}.db")
            backup(store._database.file, tmp_path / f"from outside {n}.db")
    finally:
        done.set()
        for thread in threads:
            thread.join()
    for file in tmp_path.glob("*.db"):
        connection = sqlite3.connect(file)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        titles = [title for (title,) in connection.execute("SELECT title FROM chats ORDER BY seq")]
        connection.close()
        for writer in range(3):
            told = [int(t.split()[1]) for t in titles if t.startswith(f"writer{writer}")]
            assert told == list(range(len(told)))


@pytest.mark.parametrize("there", ["file", "folder", "link"])
def test_nothing_is_overwritten(store, tmp_path, there):
    turn(store, "Hello", "there")
    target = tmp_path / "copy.db"
    if there == "file":
        target.write_text("mine")
    elif there == "folder":
        target.mkdir()
    else:
        target.symlink_to(tmp_path / "nowhere")
    assert code(lambda: store.backup(target)) == "backup_exists"
    assert code(lambda: backup(tmp_path / "data" / FILE, target)) == "backup_exists"
    assert there != "file" or target.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


def test_where_nothing_can_be_written_nothing_is_left(store, tmp_path):
    turn(store, "Hello", "there")
    assert code(lambda: store.backup(tmp_path / "nowhere" / "copy.db")) == "backup_unwritable"
    (tmp_path / "file").write_text("")
    assert code(lambda: store.backup(tmp_path / "file" / "copy.db")) == "backup_unwritable"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "file"]


def test_a_full_disk_leaves_no_half_backup(store, tmp_path, monkeypatch):
    turn(store, "Hello", "x" * 1_000_000)
    usual = sqlite3.connect

    def small(*args, **more):
        connection = usual(*args, **more)
        connection.execute("PRAGMA max_page_count = 10")
        return connection

    monkeypatch.setattr("parley.chats.backup.sqlite3.connect", small)
    with pytest.raises(StoreError) as caught:
        store.backup(tmp_path / "copy.db")
    assert caught.value.code == "backup_unwritable"
    assert "full" in caught.value.sentence
    assert list(tmp_path.glob("copy*")) == []
    monkeypatch.undo()
    store.backup(tmp_path / "copy.db")


def test_the_command_changes_nothing_in_an_older_database(tmp_path):
    connection = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    migrate(connection, MIGRATIONS[:1])
    connection.close()
    backup(tmp_path / FILE, tmp_path / "copy.db")
    for file in (tmp_path / FILE, tmp_path / "copy.db"):
        connection = sqlite3.connect(file)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        connection.close()


def test_no_chats_no_backup(tmp_path):
    assert code(lambda: backup(tmp_path / FILE, tmp_path / "copy.db")) == "nothing_to_back_up"
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_is_named(tmp_path):
    (tmp_path / FILE).write_bytes(b"this was never a database" * 1000)
    assert code(lambda: backup(tmp_path / FILE, tmp_path / "copy.db")) == "store_damaged"
    assert list(tmp_path.glob("copy*")) == []


def test_temporary_chats_can_be_backed_up_by_whoever_asks_for_it(tmp_path):
    store = Store.temporary()
    branched(store)
    store.backup(tmp_path / "copy.db")
    copy = Store(restored(tmp_path, tmp_path / "copy.db"))
    assert everything(copy) == everything(store)
    copy.close()
    store.close()
