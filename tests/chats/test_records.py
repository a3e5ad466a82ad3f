"""What a chat is called by its first message."""

import pytest

from parley.chats.records import TITLE_LENGTH, title_of


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("What is\n it?", "What is it?"),
        ('<file name="a.txt">\nxx\n</file>\n\nWhat is it?', "What is it?"),
        ('<file name="a.txt">\nxx\n</file>', "a.txt"),
        ('<file name="a">\nx\n</file>\n\n<file-2 name="b">\n</file>\n</file-2>', "a, b"),
        ('see <file name="x">', 'see <file name="x">'),
    ],
)
def test_the_title_is_what_was_said_and_else_the_files_names(text, title):
    assert title_of(text) == title


def test_a_long_one_ends_with_a_whole_word():
    title = title_of("word " * 50)
    assert title.endswith("word…")
    assert len(title) <= TITLE_LENGTH + 1
