"""Accounts: names and passwords in a file, and an identity that nobody can guess."""

from __future__ import annotations

import io
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from parley import people
from parley.cli import main
from parley.errors import ParleyError
from parley.people import People


@pytest.fixture
def file(tmp_path):
    return tmp_path / "users"


def test_a_name_goes_with_its_own_password_alone(file):
    accounts = People(file)
    accounts.add("Ann", "her word")
    accounts.add("Боб", "его слово")
    assert accounts.check("Ann", "her word")
    assert accounts.check("Боб", "его слово")
    for name, password in (("Ann", "его слово"), ("ann", "her word"), ("Eve", ""), ("Ann", "")):
        assert not accounts.check(name, password)


def test_a_new_password_takes_the_place_of_the_old_one(file):
    accounts = People(file)
    accounts.add("Ann", "old")
    accounts.add("Bob", "his")
    accounts.add("Ann", "new")
    assert accounts.check("Ann", "new")
    assert not accounts.check("Ann", "old")
    assert accounts.check("Bob", "his")


def test_no_password_stands_in_the_file_and_nobody_else_reads_it(file):
    People(file).add("Ann", "her word")
    assert "her word" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(("name", "password"), [("", "x"), ("a:b", "x"), ("a\nb", "x"), ("a", "")])
def test_what_cannot_be_an_account_is_refused(file, name, password):
    with pytest.raises(ParleyError) as caught:
        People(file).add(name, password)
    assert caught.value.code == "bad_account"
    assert not file.exists()


def test_lines_of_another_kind_are_nobodys(file):
    People(file).add("Ann", "her word")
    file.write_text("# accounts\nnonsense\nEve:zz:zz\n" + file.read_text())
    assert People(file).check("Ann", "her word")
    assert not People(file).check("Eve", "")


def test_one_secret_for_all_who_ask_at_once(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: people.key(tmp_path), range(16)))
    assert len(keys) == 1
    assert [p.name for p in tmp_path.iterdir()] == [people.KEY_FILE]


def test_an_identity_is_the_persons_and_this_folders():
    one, other = b"1" * 32, b"2" * 32
    assert people.identity(one, "Ann") == people.identity(one, "Ann")
    assert len({people.identity(k, n) for k in (one, other) for n in ("Ann", "Bob")}) == 4


def test_an_account_is_made_from_the_command_line(file, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("her word\n"))
    assert main(["user", "Ann", "--users", str(file)]) == 0
    assert "Ann" in capsys.readouterr().out
    assert People(file).check("Ann", "her word")
