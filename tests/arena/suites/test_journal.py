"""The file that only grows: what a kill leaves, and that two never write at once."""

from __future__ import annotations

import pytest

from parley.arena.suites.journal import BLOCK, Journal, entries
from parley.errors import SuiteError


def held(file):
    return [entry for _, _, entry in entries(file)]


def test_what_is_written_is_read_back_from_any_line_on(tmp_path):
    file = tmp_path / "j.jsonl"
    with Journal(file) as journal:
        for n in range(3):
            journal.append({"n": n, "text": "あ\n"})
    first = next(iter(entries(file)))
    assert [e["n"] for _, _, e in entries(file, first[1])] == [1, 2]
    assert held(file)[2] == {"n": 2, "text": "あ\n"}


@pytest.mark.parametrize("torn", [b'{"n": 1', b"x" * (BLOCK + 10)])
def test_a_torn_line_is_skipped_and_then_cut_off(tmp_path, torn):
    file = tmp_path / "j.jsonl"
    file.write_bytes(b'{"n": 0}\n' + torn)
    assert held(file) == [{"n": 0}]
    with Journal(file) as journal:
        journal.append({"n": 2})
    assert file.read_bytes() == b'{"n": 0}\n{"n": 2}\n'


def test_a_file_of_nothing_but_a_torn_line(tmp_path):
    file = tmp_path / "j.jsonl"
    file.write_bytes(b'{"n"')
    with Journal(file) as journal:
        journal.append({"n": 1})
    assert held(file) == [{"n": 1}]


def test_a_damaged_line_costs_that_line(tmp_path):
    file = tmp_path / "j.jsonl"
    file.write_bytes(b'{"n": 0}\n\x00\xff\n[]\n{"n": 1}\n')
    assert [entry["n"] for entry in held(file)] == [0, 1]


def test_a_second_writer_is_refused(tmp_path):
    file = tmp_path / "j.jsonl"
    with Journal(file), pytest.raises(SuiteError) as caught:
        Journal(file)
    assert caught.value.code == "run_in_use"
    Journal(file).close()


def test_no_file_has_no_lines(tmp_path):
    assert held(tmp_path / "none.jsonl") == []
