"""The catalogue changes while Parley runs; a broken file changes nothing but the error."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from parley.catalog.watch import Shelf
from parley.errors import CatalogueError


@pytest.fixture
def file(folder):
    file = folder / "models.yaml"
    file.write_text("- {id: a, repo: o/a}\n- {id: b, repo: o/b}\n")
    return file


def ids(shelf: Shelf) -> list[str]:
    return [m.id for m in shelf.catalogue.models]


def test_the_first_load_must_succeed(folder):
    with pytest.raises(CatalogueError, match="no such file"):
        Shelf([folder / "gone.yaml"])


def test_a_reload_takes_the_new_catalogue_and_tells_the_difference(file):
    shelf = Shelf([file])
    file.write_text("- {id: c, repo: o/c}\n- {id: b, repo: o/b2}\n")
    result = shelf.reload()
    assert (result.added, result.removed, result.altered) == (("c",), ("a",), ("b",))
    assert result.catalogue is shelf.catalogue
    assert result.error is None
    assert ids(shelf) == ["c", "b"]


def test_a_broken_file_keeps_the_old_catalogue_and_says_why(file, caplog):
    shelf = Shelf([file])
    old = shelf.catalogue
    file.write_text("- {id: a, rpo: o/a}\n")
    result = shelf.reload()
    assert shelf.catalogue is old is result.catalogue
    assert shelf.error is result.error is not None
    told = "models.yaml:1: rpo: unknown key; did you mean repo?"
    assert [str(m) for m in shelf.error.mistakes] == [told]
    assert told in caplog.text
    assert caplog.records[-1].levelno == logging.ERROR


def test_a_mended_file_ends_the_error(file):
    shelf = Shelf([file])
    file.write_text("- nonsense\n")
    shelf.reload()
    file.write_text("- {id: z, repo: o/z}\n")
    assert shelf.reload().error is None
    assert shelf.error is None
    assert ids(shelf) == ["z"]


def test_a_file_that_is_gone_is_a_mistake_as_any_other(file):
    shelf = Shelf([file])
    file.unlink()
    result = shelf.poll()
    assert "no such file" in str(result.error)
    assert ids(shelf) == ["a", "b"]
    file.write_text("- {id: back, repo: o/a}\n")
    assert shelf.poll().added == ("back",)


def test_poll_reads_only_what_changed(file):
    shelf = Shelf([file])
    assert shelf.poll() is None
    file.write_text("- {id: longer, repo: o/a}\n")
    assert shelf.poll().added == ("longer",)
    assert shelf.poll() is None


def test_poll_tells_a_broken_file_once(file):
    shelf = Shelf([file])
    file.write_text("- nonsense\n")
    assert shelf.poll().error is not None
    assert shelf.poll() is None
    assert shelf.error is not None


def test_poll_sees_any_of_several_files(file, folder):
    mine = folder / "mine.yaml"
    mine.write_text("- {id: b, repo: o/mine}\n")
    shelf = Shelf([file, mine])
    mine.write_text("- {id: b, repo: o/other}\n")
    assert shelf.poll().altered == ("b",)


def test_poll_sees_a_change_of_the_same_length(file):
    shelf = Shelf([file])
    time.sleep(0.02)  # past the grain of the file system's clock
    file.write_text("- {id: a, repo: o/x}\n- {id: b, repo: o/b}\n")
    assert shelf.poll().altered == ("a",)


def test_a_listener_hears_of_changes_only(file):
    heard = []
    shelf = Shelf([file], heard.append)
    shelf.reload()
    assert heard == []
    file.write_text("- {id: c, repo: o/c}\n")
    shelf.reload()
    file.write_text("- nonsense\n")
    shelf.reload()
    shelf.reload()
    file.write_text("- {id: c, repo: o/c}\n")
    shelf.reload()
    assert [(r.added, r.error is None) for r in heard] == [
        (("c",), True),
        ((), False),
        ((), True),
    ]


def test_a_listener_that_fails_does_no_harm(file, caplog):
    def fail(result):
        raise RuntimeError("no")

    shelf = Shelf([file], fail)
    file.write_text("- {id: c, repo: o/c}\n")
    assert shelf.reload().added == ("c",)
    assert "a listener failed" in caplog.text


def test_many_may_reload_and_read_at_once(file):
    shelf = Shelf([file])
    good = "- {id: a, repo: o/a}\n- {id: b, repo: o/b}\n"
    trouble = []

    def work(n):
        try:
            for i in range(20):
                if n == 0:
                    file.write_text(good if i % 2 else "- nonsense\n")
                shelf.reload() if n % 2 else shelf.poll()
                assert ids(shelf) == ["a", "b"]
        except Exception as error:
            trouble.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert trouble == []
    file.write_text(good)
    assert shelf.reload().error is None
