"""What loads took, from one run to the next."""

from __future__ import annotations

import json

import pytest

from parley.catalog.spec import ModelSpec
from parley.pool.ledger import KEPT, Ledger, key_of

MB = 10**6


def test_what_was_seen_is_there_in_the_next_run(tmp_path):
    file = tmp_path / "data" / "loads.json"
    first = Ledger(file)
    first.loaded("a", 3.0, 600)
    first.seen("a", 900)
    first.close()
    again = Ledger(file)
    assert again.seconds("a", 0) == 3.0
    assert again.footprint("a") == 900
    assert [f.name for f in file.parent.iterdir()] == ["loads.json"]


def test_the_last_words_of_an_engine_are_kept_after_closing(tmp_path):
    ledger = Ledger(tmp_path / "loads.json")
    ledger.close()
    ledger.seen("a", 900)
    assert Ledger(tmp_path / "loads.json").footprint("a") == 900


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"\xff\xfe",
        b'{"a": 3, "b": [1]}',
        b'{"a": {"seconds": 3, "footprint": "much", "weights": null}}',
        b'{"a": {"seconds": ["x", null, -1, 0], "weights": 600}}',
    ],
)
def test_a_file_that_cannot_be_read_only_means_a_fresh_start(tmp_path, content):
    file = tmp_path / "loads.json"
    file.write_bytes(content)
    ledger = Ledger(file)
    assert ledger.seconds("a", 600) is None
    assert ledger.footprint("a") is None
    ledger.loaded("a", 2.0, 600)
    ledger.close()
    assert Ledger(file).seconds("a", 0) == 2.0


def test_a_folder_that_cannot_be_written_costs_the_history_and_nothing_else(tmp_path, caplog):
    (tmp_path / "data").write_text("a file where the folder should be")
    ledger = Ledger(tmp_path / "data" / "loads.json")
    ledger.loaded("a", 2.0, 600)
    ledger.close()
    assert ledger.seconds("a", 0) == 2.0
    assert "could not be kept" in caplog.text


def test_without_a_file_it_remembers_for_this_run():
    ledger = Ledger()
    ledger.loaded("a", 2.0, 600)
    assert ledger.seconds("a", 0) == 2.0
    ledger.close()


def test_a_model_that_was_never_here_is_judged_by_the_slowest_rate_of_the_others():
    ledger = Ledger()
    assert ledger.seconds("new", 200 * MB) is None
    ledger.loaded("quick", 2.0, 600 * MB)  # 300 MB a second
    ledger.loaded("slow", 6.0, 600 * MB)
    assert ledger.seconds("new", 200 * MB) == 2.0
    assert ledger.seconds("new", 0) is None
    ledger.loaded("new", 7.0, 200 * MB)
    assert ledger.seconds("new", 200 * MB) == 7.0
    ledger.close()


def test_small_models_neither_judge_nor_are_judged():
    ledger = Ledger()
    ledger.loaded("tiny", 1.0, 300_000)  # mostly the start of a process
    assert ledger.seconds("new", 24 * MB) is None
    assert ledger.seconds("new", 3000 * MB) is None
    ledger.loaded("large", 2.0, 600 * MB)
    assert ledger.seconds("new", 24 * MB) is None
    assert ledger.seconds("new", 3000 * MB) == 10.0
    ledger.close()


def test_the_last_five_loads_count_by_their_median(tmp_path):
    ledger = Ledger(tmp_path / "loads.json")
    for seconds in (100.0, 100.0, 100.0, 1.0, 2.0, 3.0, 4.0, 50.0):
        ledger.loaded("a", seconds, 600)
    assert ledger.seconds("a", 600) == 3.0
    ledger.close()
    kept = json.loads((tmp_path / "loads.json").read_text())["a"]["seconds"]
    assert kept == [1.0, 2.0, 3.0, 4.0, 50.0]
    assert len(kept) == KEPT


def test_a_footprint_is_the_last_that_was_seen_whatever_was_loaded_since():
    ledger = Ledger()
    assert ledger.footprint("a") is None
    ledger.seen("a", 900)
    ledger.seen("a", 700)
    ledger.loaded("a", 2.0, 600 * MB)
    assert ledger.footprint("a") == 700
    assert ledger.seconds("b", 600 * MB) == 2.0
    ledger.close()


def test_only_loads_of_the_same_kind_are_compared():
    def key(kind="cpu", **more):
        return key_of(ModelSpec(id="one", name="One", repo="made/one", **more), kind)

    different = [key(), key("cuda"), key(dtype="float32"), key(revision="v2")]
    assert len(set(different)) == 4
    assert key(description="new", pinned=True) == key()
