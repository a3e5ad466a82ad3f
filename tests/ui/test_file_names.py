"""A title becomes a file's name on every system, and never one that lies about what it is."""

from __future__ import annotations

import pytest

from parley.ui.file_names import LONGEST, file_name


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("How do I switch models?", "How do I switch models.md"),
        ("a/b\\c: d|e*f<g>h\"i'j", "a b c d e f g h i'j.md"),
        ("../../etc/passwd", "etc passwd.md"),
        (".hidden", "hidden.md"),
        ("ends with dots...", "ends with dots.md"),
        ("two\nlines\tand  blanks", "two lines and blanks.md"),
        ("", "chat.md"),
        (" ... ", "chat.md"),
        ("CON", "CON chat.md"),
        ("lpt1.txt", "lpt1.txt chat.md"),
        ("Console", "Console.md"),
        # The mark that turns the direction: "dm.exe" would look like "exe.md".
        ("invoice\u202edm.exe", "invoice dm.exe.md"),
        ("null\0byte", "null byte.md"),
        ("half a pair \ud83d", "half a pair.md"),
        ("Größe und Übermaß, 你好, שלום", "Größe und Übermaß, 你好, שלום.md"),
    ],
)
def test_what_a_title_becomes(title, name):
    assert file_name(title, "md") == name


def test_the_same_letters_give_the_same_name():
    assert file_name("Gro\u0308ße", "md") == file_name("Größe", "md")


@pytest.mark.parametrize("letter", ["a", "ß", "你", "🙂"])
def test_a_long_title_is_cut_between_letters(letter):
    name = file_name(letter * 500, "html").removesuffix(".html")
    assert set(name) == {letter}
    assert LONGEST - 4 < len(name.encode()) <= LONGEST
