"""A suite from the command line, with real models: results, a kill, and what goes wrong."""

from __future__ import annotations

import csv
import itertools
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psutil
import pytest

from parley.arena.suites import plan as plans
from parley.cli import main
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def suite(tmp_path):
    file = tmp_path / "twenty.csv"
    rows = "".join(f"Say number {n},\n" for n in range(18))
    file.write_text(f"prompt,prompt_2\n{rows}Hello,And again\nBye,And again\n")
    return file


def command(suite, out, catalogue, models="one,two", *more):
    return [
        *("batch", str(suite), "--models", models, "--out", str(out)),
        *("--catalogue", str(catalogue), "--max-new-tokens", "40", *more),
    ]


def cells(out):
    file = out / plans.CELLS
    text = file.read_bytes() if file.exists() else b""
    return [json.loads(line) for line in text.split(b"\n")[:-1]]


def test_a_killed_run_goes_on_and_repeats_no_finished_cell(suite, catalogue, tmp_path):
    out = tmp_path / "results"
    arguments = command(suite, out, catalogue)
    process = subprocess.Popen(
        [sys.executable, "-m", "parley", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert eventually(lambda: len(cells(out)) >= 10)
    children = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    # Its engines do not outlive it.
    assert psutil.wait_procs(children, 30)[1] == []
    before = cells(out)
    assert 10 <= len(before) < 40
    with (out / plans.CELLS).open("ab") as torn:
        torn.write(b'{"row": 3, "model": "tw')
    assert main(arguments) == 0
    after = cells(out)
    assert after[: len(before)] == before
    counted = Counter((cell["row"], cell["model"]) for cell in after)
    assert set(counted) == set(itertools.product(range(20), ["one", "two"]))
    assert set(counted.values()) == {1}
    # Each model loaded once in a process: all its prompts, then the next model's.
    assert [key for key, _ in itertools.groupby(cell["model"] for cell in after)] == ["one", "two"]
    # The same command once more has nothing to do.
    assert main(arguments) == 0
    assert cells(out) == after


def test_results_and_a_judge(suite, catalogue, tmp_path, capsys):
    out = tmp_path / "results"
    suite.write_text(
        "prompt,prompt_2,expected,check\nHello,,.,regex\nHi,Again,nobody babbles this,contains\n"
    )
    assert main(command(suite, out, catalogue, "one,two", "--judge", "umpire")) == 0
    printed = capsys.readouterr()
    assert "50%" in printed.out
    assert "Judge umpire: 2 pairs" in printed.out
    assert "4/4" in printed.err
    assert sorted(file.name for file in out.iterdir()) == [
        *("cells.jsonl", "comparator-one-two.json", "judge.jsonl", "results.csv"),
        *("results.jsonl", "results.md", "run.json", "suite.jsonl"),
    ]
    with (out / "results.csv").open(encoding="utf-8-sig", newline="") as stream:
        hello, hi = csv.DictReader(stream)
    assert (hello["one: passed"], hi["two: passed"]) == ("yes", "no")
    done = {(cell["row"], cell["model"]): cell for cell in cells(out)}
    assert len(done[1, "one"]["answers"]) == 2
    assert done[0, "one"]["seed"] == 1
    assert done[0, "one"]["speed"] > 0
    judged = [json.loads(line) for line in (out / plans.JUDGED).read_text().splitlines()]
    assert [line["judge"] for line in judged] == ["umpire", "umpire"]


def test_the_same_prompts_get_the_same_answers(suite, catalogue, tmp_path):
    suite.write_text("prompt\nHello\nHello there\n")
    found = []
    for name in ("first", "second"):
        assert main(command(suite, tmp_path / name, catalogue, "one")) == 0
        found.append({c["row"]: c["answers"] for c in cells(tmp_path / name)})
    assert found[0] == found[1]


def test_a_model_that_does_not_load_costs_its_own_column(suite, catalogue, tmp_path, capsys):
    suite.write_text("prompt\nHello\nHi\n")
    out = tmp_path / "results"
    assert main(command(suite, out, catalogue, "torn,one")) == 1
    assert {cell["model"] for cell in cells(out)} == {"one"}
    assert len(cells(out)) == 2
    assert "torn: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "models", "more", "says"),
    [
        ("prompt\nHello\n,x\n", "one", (), "Line 3: "),
        ("prompt\nHello\n", "one,nobody", (), "No model is configured under the id 'nobody'"),
        ("prompt\nHello\n", "one,one", (), "chosen twice"),
        ("prompt\nHello\n", "one", ("--judge", "one"), "cannot judge"),
        ("prompt\nHello\n", "one", ("--temperature", "9"), "temperature cannot be"),
    ],
)
def test_nothing_is_run_before_everything_is_valid(
    suite, catalogue, tmp_path, capsys, text, models, more, says
):
    suite.write_text(text)
    out = tmp_path / "results"
    assert main(command(suite, out, catalogue, models, *more)) == 2
    assert says in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_of_something_else_is_left_alone(suite, catalogue, tmp_path, capsys):
    out = tmp_path / "results"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert main(command(suite, out, catalogue, "one")) == 2
    assert "holds something else" in capsys.readouterr().err
    assert [file.name for file in out.iterdir()] == ["mine.txt"]


def test_a_folder_of_another_run_is_left_alone(suite, catalogue, tmp_path, capsys):
    suite.write_text("prompt\nHello\n")
    out = tmp_path / "results"
    assert main(command(suite, out, catalogue, "one")) == 0
    before = cells(out)
    suite.write_text("prompt\nHello there\n")
    assert main(command(suite, out, catalogue, "one")) == 2
    assert "another suite" in capsys.readouterr().err
    assert cells(out) == before
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_a_shipped_suite_by_its_name(catalogue, tmp_path, capsys):
    out = tmp_path / "results"
    assert main(command("arithmetic", out, catalogue, "one")) == 0
    assert len(cells(out)) == 18
    assert main(command("nothing", tmp_path / "other", catalogue, "one")) == 2
    assert "cannot be read" in capsys.readouterr().err
