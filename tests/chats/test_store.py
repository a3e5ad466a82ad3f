"""What the store keeps, for whom, and what it says when it cannot."""

from __future__ import annotations

import sqlite3
import time

import pytest

from parley.chats import database
from parley.chats.records import owner_of
from parley.chats.store import FILE, Store
from parley.chats.tree import path
from parley.errors import StoreError
from parley.events import Failed

ANN, BOB = owner_of("ann's browser"), owner_of("bob's browser")


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "data")
    yield store
    store.close()


def a_turn(store, text="What is a model?", owner=ANN):
    chat = store.create_chat(owner, "guide")
    question = store.add_user(chat.id, None, text)
    answer = store.begin_answer(chat.id, question.id, "guide", "The Guide", {"seed": 7})
    return chat, question, answer


def read(store, chat, answer):
    return next(m for m in store.chat(ANN, chat.id)[1] if m.id == answer.id)


def test_a_whole_turn_is_read_back(store, tmp_path):
    chat, question, answer = a_turn(store)
    store.flush_answer(answer.id, "A model", "hm")
    stats = {"stats": {"completion_tokens": 4}}
    store.end_answer(answer.id, "done", "A model is … 模型 🙂", "hmm", "stop", stats)
    store.close()

    again = Store(tmp_path / "data")
    read_chat, messages = again.chat(ANN, chat.id)
    again.close()
    assert read_chat.title == "What is a model?"
    assert read_chat.leaf == answer.id
    assert read_chat.updated >= read_chat.created
    assert [m.id for m in path(messages, read_chat.leaf)] == [question.id, answer.id]
    assert messages[0] == question
    last = messages[1]
    assert (last.content, last.thinking) == ("A model is … 模型 🙂", "hmm")
    assert (last.model, last.model_name) == ("guide", "The Guide")
    assert (last.state, last.finish_reason, last.error) == ("done", "stop", None)
    assert last.meta == {"seed": 7, "stats": {"completion_tokens": 4}}


def test_what_begin_returns_is_what_is_read(store):
    chat, question, answer = a_turn(store)
    assert store.chat(ANN, chat.id)[1] == (question, answer)
    assert answer.state == "streaming"


def test_a_failure_keeps_its_sentence_and_the_text_so_far(store):
    chat, _, answer = a_turn(store)
    error = Failed("engine_died", "The engine stopped.", "Retry.")
    store.end_answer(answer.id, "failed", "A mod", error=error)
    last = read(store, chat, answer)
    assert (last.state, last.content, last.error) == ("failed", "A mod", error)


def test_a_stopped_answer_does_not_grow_back(store):
    chat, _, answer = a_turn(store)
    store.end_answer(answer.id, "stopped", "A mod", reason="cancelled")
    store.flush_answer(answer.id, "A model is")
    store.end_answer(answer.id, "done", "A model is a", reason="stop")
    last = read(store, chat, answer)
    assert (last.state, last.content, last.finish_reason) == ("stopped", "A mod", "cancelled")


def test_a_retry_is_a_sibling_by_another_model(store):
    chat, question, answer = a_turn(store)
    second = store.begin_answer(chat.id, question.id, "small", "Small one")
    read_chat, messages = store.chat(ANN, chat.id)
    assert [m.parent for m in messages] == [None, question.id, question.id]
    assert (read_chat.leaf, read_chat.model) == (second.id, "small")
    store.set_leaf(ANN, chat.id, answer.id)
    assert store.chat(ANN, chat.id)[0].leaf == answer.id


def test_chats_are_listed_newest_first_and_up_to_the_limit(store):
    first, second, third = (a_turn(store, text)[0] for text in ("one", "two", "three"))
    store.add_user(first.id, None, "more")
    assert [c.id for c in store.chats(ANN)] == [first.id, third.id, second.id]
    assert [c.id for c in store.chats(ANN, limit=1)] == [first.id]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("  two\n\nlines\t here ", "two lines here"),
        ("word " * 30, "word " * 11 + "word…"),
        ("x" * 100, "x" * 59 + "…"),
        ("x" * 60, "x" * 60),
        ("", ""),
    ],
)
def test_the_title_is_the_first_message_in_whole_words(store, text, title):
    chat, *_ = a_turn(store, text)
    read_title = store.chat(ANN, chat.id)[0].title
    assert read_title == title
    assert len(read_title) <= 60


def test_only_the_first_message_gives_the_title(store):
    chat, _, answer = a_turn(store)
    store.add_user(chat.id, answer.id, "And now something else")
    assert store.chat(ANN, chat.id)[0].title == "What is a model?"


def test_rename_tidies_and_a_blank_title_changes_nothing(store):
    chat, *_ = a_turn(store)
    store.rename(ANN, chat.id, "  Models,\n explained ")
    store.rename(ANN, chat.id, "   ")
    assert store.chat(ANN, chat.id)[0].title == "Models, explained"


def test_delete_takes_the_messages_along_and_late_writes_are_harmless(store, tmp_path):
    chat, _, answer = a_turn(store)
    kept, *_ = a_turn(store)
    store.delete(ANN, chat.id)
    store.delete(ANN, chat.id)
    store.flush_answer(answer.id, "late")
    store.purge(0)
    store.flush_answer(answer.id, "later")
    store.end_answer(answer.id, "done", "later")
    assert [c.id for c in store.chats(ANN)] == [kept.id]
    with sqlite3.connect(tmp_path / "data" / FILE) as direct:
        assert direct.execute("SELECT count(*) FROM messages").fetchone() == (2,)
    direct.close()


def test_other_people_see_and_change_nothing(store):
    chat, question, _ = a_turn(store)
    assert store.chats(BOB) == ()
    for attempt in (
        lambda: store.chat(BOB, chat.id),
        lambda: store.rename(BOB, chat.id, "mine"),
        lambda: store.set_leaf(BOB, chat.id, question.id),
    ):
        with pytest.raises(StoreError) as caught:
            attempt()
        assert caught.value.code == "no_such_chat"
    store.delete(BOB, chat.id)
    assert store.chat(ANN, chat.id)[0].title == "What is a model?"


def test_the_owner_does_not_give_the_browser_away(store, tmp_path):
    a_turn(store, owner=owner_of("secret-browser-id"))
    store.close()
    assert b"secret-browser-id" not in (tmp_path / "data" / FILE).read_bytes()


def test_a_message_stays_in_its_own_chat(store):
    chat, question, _ = a_turn(store)
    other, other_question, _ = a_turn(store)
    with pytest.raises(StoreError, match="no longer there"):
        store.add_user(chat.id, other_question.id, "crossed")
    with pytest.raises(StoreError, match="no longer there"):
        store.begin_answer(other.id, question.id, "guide", "The Guide")
    with pytest.raises(StoreError, match="no longer there"):
        store.set_leaf(ANN, chat.id, other_question.id)
    assert len(store.chat(ANN, chat.id)[1]) == 2


@pytest.mark.parametrize("id", ["", "gone", "\ud83d", "'; DROP TABLE chats; --", None, 7, []])
def test_any_id_out_of_a_link_ends_in_a_store_error(store, id):
    with pytest.raises(StoreError):
        store.chat(ANN, id)
    with pytest.raises(StoreError):
        store.add_user(id, None, "hello")


def test_text_is_kept_as_it_was(store):
    text = "a\x00b\r\n\t\u202e 𝄞 " + "x" * 1_000_000
    chat, question, _ = a_turn(store, text)
    assert store.chat(ANN, chat.id)[1][0].content == text
    store.add_user(chat.id, question.id, "half a pair: \ud83d")
    assert store.chat(ANN, chat.id)[1][2].content == "half a pair: ?"


def test_recover_stops_what_a_crash_left_unfinished(store, tmp_path):
    chat, _, answer = a_turn(store)
    store.flush_answer(answer.id, "A mod")
    done_chat, _, done = a_turn(store)
    store.end_answer(done.id, "done", "All of it.", reason="stop")

    after = Store(tmp_path / "data")
    assert after.recover() == 1
    assert after.recover() == 0
    last = read(after, chat, answer)
    assert (last.state, last.content, last.finish_reason) == ("stopped", "A mod", "interrupted")
    assert read(after, done_chat, done).state == "done"
    after.close()


def test_a_second_parley_that_starts_meanwhile_takes_nothing_away(store, tmp_path):
    chat, _, answer = a_turn(store)
    store.flush_answer(answer.id, "A mod")
    second = Store(tmp_path / "data")
    second.recover()
    second.close()
    store.flush_answer(answer.id, "A model is")
    assert read(store, chat, answer).state == "streaming"
    store.end_answer(answer.id, "done", "A model is a", reason="stop")
    last = read(store, chat, answer)
    assert (last.state, last.content, last.finish_reason) == ("done", "A model is a", "stop")


@pytest.mark.parametrize("made_before", [False, True])
def test_other_accounts_cannot_read_it(tmp_path, made_before):
    folder = tmp_path / "mine"
    if made_before:
        folder.mkdir(mode=0o755)
    store = Store(folder)
    a_turn(store)
    files = [*folder.iterdir()]
    assert {file.suffix for file in files} == {".db", ".db-wal", ".db-shm"}
    closed = files if made_before else [folder, *files]
    assert all(file.stat().st_mode & 0o077 == 0 for file in closed)
    store.close()


# Failures


def test_a_damaged_file_is_named_with_what_to_do(tmp_path):
    (tmp_path / FILE).write_bytes(b"this was never a database" * 100)
    with pytest.raises(StoreError) as caught:
        Store(tmp_path)
    assert caught.value.code == "store_damaged"
    assert str(tmp_path / FILE) in caught.value.sentence
    assert "Move it away" in caught.value.fix


def test_damage_that_shows_later_is_an_error_too(store, tmp_path):
    for n in range(50):
        a_turn(store, f"{n} " + "x" * 2000)
    store.close()
    file = tmp_path / "data" / FILE
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        Store(tmp_path / "data").chats(ANN)
    assert caught.value.code == "store_damaged"


def test_a_data_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as caught:
        Store(tmp_path / "file" / "data")
    assert caught.value.code == "store_unwritable"
    assert "PARLEY_DATA_DIR" in caught.value.fix


def test_a_read_only_database(store, monkeypatch):
    chat, *_ = a_turn(store)
    forbid(store, monkeypatch, "PRAGMA query_only = ON")
    with pytest.raises(StoreError) as caught:
        store.add_user(chat.id, None, "hello")
    assert caught.value.code == "store_unwritable"


def test_a_full_disk_keeps_what_was_there_and_heals(store, monkeypatch):
    chat, _, answer = a_turn(store)
    with monkeypatch.context() as patch:
        forbid(store, patch, "PRAGMA max_page_count = 1")
        with pytest.raises(StoreError) as caught:
            store.flush_answer(answer.id, "x" * 1_000_000)
    assert caught.value.code == "disk_full"
    assert "Free some space" in caught.value.fix
    assert read(store, chat, answer).content == ""
    store.flush_answer(answer.id, "room again")
    assert read(store, chat, answer).content == "room again"


def test_a_lock_that_is_not_given_back(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    store = Store(tmp_path)
    with sqlite3.connect(tmp_path / FILE, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        with pytest.raises(StoreError) as caught:
            store.create_chat(ANN, "guide")
        assert caught.value.code == "store_busy"
        assert time.monotonic() - start < 5
        other.execute("ROLLBACK")
    other.close()
    store.create_chat(ANN, "guide")
    store.close()


def forbid(store, monkeypatch, pragma):
    """Have every connection from now on run into a limit of SQLite's own."""
    store._database.close()
    store._database._closed = False
    usual = store._database._open

    def limited():
        connection = usual()
        connection.execute(pragma)
        return connection

    monkeypatch.setattr(store._database, "_open", limited)
