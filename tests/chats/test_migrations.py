"""Databases move forward only, whole steps at a time, and one process at a time."""

from __future__ import annotations

import sqlite3

import pytest

from parley.chats.migrations import MIGRATIONS, migrate
from parley.chats.store import FILE, Store
from parley.errors import StoreError

TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"


@pytest.fixture
def connection(tmp_path):
    connection = sqlite3.connect(tmp_path / "some.db", isolation_level=None)
    yield connection
    connection.close()


def version(connection):
    return connection.execute("PRAGMA user_version").fetchone()[0]


def test_a_new_database_gets_every_step(connection):
    migrate(connection)
    assert version(connection) == len(MIGRATIONS)
    assert {name for (name,) in connection.execute(TABLES)} == {"chats", "messages"}


def test_a_second_time_changes_nothing(connection):
    migrate(connection)
    before = connection.total_changes
    migrate(connection)
    assert connection.total_changes == before


def test_only_the_missing_steps_run(connection):
    one = ("CREATE TABLE a (x)",)
    two = ("CREATE TABLE b (x)", "INSERT INTO b VALUES (1)")
    migrate(connection, (one,))
    migrate(connection, (one, two))
    assert version(connection) == 2
    assert connection.execute("SELECT * FROM b").fetchall() == [(1,)]


def test_a_step_that_fails_leaves_the_database_as_it_was(connection):
    one = ("CREATE TABLE a (x)",)
    broken = ("CREATE TABLE b (x)", "INSERT INTO nowhere VALUES (1)")
    migrate(connection, (one,))
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, (one, broken))
    assert version(connection) == 1
    assert [name for (name,) in connection.execute(TABLES)] == ["a"]


def test_a_database_of_a_newer_parley_is_left_alone(tmp_path):
    Store(tmp_path).close()
    newer = sqlite3.connect(tmp_path / FILE)
    newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    with pytest.raises(StoreError) as caught:
        Store(tmp_path)
    assert caught.value.code == "store_newer"
