"""Every kind of mistake in a catalogue file, with what a person is told about it."""

from __future__ import annotations

import contextlib
import pickle
import random
import re
from pathlib import Path

import pytest

from parley.catalog.loader import load
from parley.catalog.mistakes import Mistake, closest
from parley.errors import CatalogueError

HEAD = "- id: a\n  repo: o/m\n"


def broken() -> dict[str, tuple[str, str]]:
    """Kind of mistake: the file and its message."""
    text = (Path(__file__).parent / "broken.txt").read_text(encoding="utf-8")
    cases = {}
    for case in text.split("\n## ")[1:]:
        kind, rest = case.split("\n", 1)
        written, message = rest.split("\n=> ")
        cases[kind] = (f"{written}\n", message.strip())
    return cases


# What a text file does not show well.
ODD = {
    "empty": (b"", "models.yaml: the file is empty; allowed: a list of models"),
    "spaces": (b"  \n", "models.yaml: the file is empty; allowed: a list of models"),
    "control character": (
        f"{HEAD}  name: a\x07b\n".encode(),
        "models.yaml:3: a control character (U+0007)",
    ),
    "Latin-1": (
        b"- id: a\n  name: caf\xe9\n",
        "models.yaml:2: the text is not UTF-8; save the file as UTF-8",
    ),
    "weights": (
        bytes(2_100_000),
        "models.yaml: the file has 2 MB, so it is no list of models; allowed: a YAML file",
    ),
    "long text": (
        f"{HEAD}  family: {'x' * 61}\n".encode(),
        "models.yaml:3: family: found 61 characters; "
        "allowed: text on one line, at most 40 characters",
    ),
    "deep": (b"[" * 30 + b"]" * 30, "models.yaml:1: nested too deeply"),
    "very deep": (b"[" * 3000 + b"]" * 3000, "models.yaml: the file is nested too deeply"),
}


def told(folder, content: str | bytes) -> list[str]:
    file = folder / "models.yaml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(CatalogueError) as caught:
        load([file])
    return [str(mistake).replace(str(folder), "FOLDER") for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("written", "message"), [pytest.param(*c, id=k) for k, c in broken().items()]
)
def test_a_mistake_is_told(folder, written, message):
    assert told(folder, written) == [message]


@pytest.mark.parametrize("kind", ODD)
def test_a_file_that_is_no_text_is_told(folder, kind):
    written, message = ODD[kind]
    assert told(folder, written) == [message]


def test_the_table_is_as_long_as_it_should_be():
    assert len(broken()) + len(ODD) > 100


def test_a_bomb_of_aliases_is_refused_at_once(folder):
    lines = ["- &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"- &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (mistake,) = told(folder, "\n".join(lines))
    assert re.search(r"more than 50,000 values; aliases of aliases multiply$", mistake)


def test_a_bomb_of_merges_is_refused_at_once(folder):
    lines = ["- &a0 {x: 1}"]
    lines += [f"- &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 12)]
    (mistake,) = told(folder, "\n".join(lines))
    assert "aliases of aliases multiply" in mistake


def test_missing_files_and_folders_are_told(folder):
    with pytest.raises(CatalogueError) as caught:
        load([folder / "gone.yaml", folder / "tiny"])
    assert [str(m) for m in caught.value.mistakes] == [
        f"gone.yaml: there is no such file; looked for {folder / 'gone.yaml'}",
        "tiny: is a folder; allowed: a YAML file",
    ]


def test_a_file_that_may_not_be_read_is_told(folder, monkeypatch):
    file = folder / "models.yaml"
    file.write_text(HEAD)

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(CatalogueError) as caught:
        load([file])
    assert [str(m) for m in caught.value.mistakes] == [
        "models.yaml: the file cannot be read (Permission denied)"
    ]


def test_no_files_at_all_is_told():
    with pytest.raises(CatalogueError, match="no catalogue file was named"):
        load([])


def test_all_mistakes_of_all_files_come_at_once_in_order(folder):
    first, second = folder / "models.yaml", folder / "mine.yaml"
    first.write_text("- id: a\n  repo: o/m\n  gated: 3\n  dtype: int4\n- id: b\n  zzz: 1\n")
    second.write_text("- id: A\n  repo: o/m\n")
    with pytest.raises(CatalogueError) as caught:
        load([first, second])
    error = caught.value
    assert [(m.file, m.line, m.key) for m in error.mistakes] == [
        ("models.yaml", 3, "gated"),
        ("models.yaml", 4, "dtype"),
        ("models.yaml", 5, "repo"),
        ("models.yaml", 6, "zzz"),
        ("mine.yaml", 1, "id"),
    ]
    assert error.code == "catalogue"
    assert (
        error.sentence == "The models could not be read: 5 mistakes in models.yaml and mine.yaml."
    )
    assert str(error).splitlines() == [
        error.sentence,
        *(f"  {m}" for m in error.mistakes),
        "Correct the file; every key is explained in docs/models-yaml.md.",
    ]


def test_files_of_one_name_are_told_apart(folder):
    files = [folder / "x" / "models.yaml", folder / "y" / "models.yaml"]
    for file in files:
        file.parent.mkdir()
        file.write_text("- id: a\n")
    with pytest.raises(CatalogueError) as caught:
        load(files)
    assert [m.file for m in caught.value.mistakes] == [str(f) for f in files]


def test_what_an_alias_repeats_is_told_once(folder):
    text = f"{HEAD}  sampling: &s {{top_p: 7}}\n- id: b\n  repo: o/n\n  sampling: *s\n"
    assert told(folder, text) == [
        "models.yaml:3: sampling.top_p: found 7; allowed: a number from 0 to 1"
    ]


def test_whatever_is_written_nothing_else_is_raised(folder):
    """A file with a few characters changed is right or has mistakes; it never breaks the reader."""
    text = "\n".join(written for written, _ in list(broken().values())[::9])
    dice = random.Random(7)
    signs = [*":-[]{}&*!|>'\"%@#,? \n\t~0.x", "<<: ", "*c", "&c ", "null", "!!set "]
    file = folder / "models.yaml"
    for _ in range(200):
        characters = list(text)
        for _ in range(5):
            at = dice.randrange(len(characters))
            characters[at : at + dice.randrange(3)] = dice.choice(signs)
        file.write_text("".join(characters))
        with contextlib.suppress(CatalogueError):
            load([file])


def test_an_error_survives_a_pickle():
    error = CatalogueError("catalogue", "s", "f", (Mistake("m", 1, "k", "found"),))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_nothing_near_is_no_suggestion():
    assert closest("zzz", ["repo", "path"]) is None
    assert closest("Max-New-Tokens", ["max_new_tokens"]) == "max_new_tokens"
