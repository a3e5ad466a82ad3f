"""The README: front matter that a Space accepts, and a tree that is the tree."""

from __future__ import annotations

import shutil
from importlib.metadata import version

import pytest
import yaml

from parley.catalog.table import between_markers
from tests.tree import NOTES, README, ROOT, in_readme, models, source_files, tree

COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


@pytest.fixture(scope="module")
def front_matter():
    _, block, _ = README.read_text().split("---\n", 2)
    return yaml.safe_load(block)


@pytest.fixture(scope="module")
def files():
    if not (shutil.which("git") and (ROOT / ".git").exists()):
        pytest.skip("the list of source files comes from git")
    return source_files()


def test_the_front_matter_is_what_a_space_accepts(front_matter):
    assert front_matter["sdk"] == "gradio"
    assert {front_matter["colorFrom"], front_matter["colorTo"]} <= COLOURS
    assert 1 <= len(front_matter["emoji"]) <= 2
    assert len(front_matter["short_description"]) <= 60
    assert front_matter["license"] == "apache-2.0"
    assert front_matter["title"] == "Parley"
    # No key that the Hub would have to ignore.
    assert set(front_matter) == {
        *("title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version"),
        *("app_file", "license", "short_description"),
    }


def test_versions_are_quoted_text_and_the_ones_this_runs_on(front_matter):
    assert front_matter["sdk_version"] == version("gradio")
    assert front_matter["python_version"] == "3.12"  # unquoted, 3.10 would read as 3.1


def test_the_space_starts_a_file_that_is_there(front_matter):
    assert (ROOT / front_matter["app_file"]).is_file()


def test_what_the_readme_shows_is_there():
    for picture in ("desktop", "dark", "phone"):
        assert f"docs/screenshots/{picture}.png" in README.read_text()
        assert (ROOT / "docs" / "screenshots" / f"{picture}.png").is_file()


def test_the_tree_is_the_tree(files):
    assert in_readme() == tree(files), "run: .venv/bin/python -m tests.tree"


def test_the_models_are_the_shipped_ones():
    text = README.read_text()
    assert between_markers(text, models()) == text, "run: .venv/bin/python -m tests.tree"


def test_every_file_says_what_it_is(files):
    lines = [line.strip() for line in tree(files).splitlines()]
    silent = [line for line in lines if len(line.split()) == 1 and not line.endswith("/")]
    assert silent == [], "give these a docstring, a first comment, or a line in tests/tree.py"


def test_no_note_outlives_its_file(files):
    assert [
        path
        for path in NOTES
        if path not in files and not (path[-1] == "/" and any(f.startswith(path) for f in files))
    ] == []
