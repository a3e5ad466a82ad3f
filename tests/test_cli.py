"""The command line: what it passes on, what it says on failure, and that it answers at once."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from parley import __version__, sizes
from parley.chats.store import FILE, Store
from parley.cli import main
from parley.errors import CatalogueError
from tests import checkpoints

SOURCE = Path(__file__).resolve().parents[1] / "src"


@pytest.fixture
def served(monkeypatch):
    """The settings that the page was launched with, in place of a page."""
    calls = []
    page = types.ModuleType("parley.ui.app")
    page.launch = calls.append
    monkeypatch.setitem(sys.modules, "parley.ui.app", page)
    return calls


def test_serve_passes_everything_on(served, tmp_path):
    arguments = "serve --host 0.0.0.0 --port 8000 --share --models /a.yaml --models /b.yaml"
    assert main([*arguments.split(), "--data-dir", str(tmp_path)]) == 0
    (settings,) = served
    assert (settings.host, settings.port, settings.share) == ("0.0.0.0", 8000, True)
    assert settings.models == (Path("/a.yaml"), Path("/b.yaml"))
    assert settings.data_dir == tmp_path


def test_serve_reads_the_environment(served, data_dir, monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_PORT", "8001")
    assert main(["serve"]) == 0
    assert served[0].port == 8001
    assert served[0].data_dir == data_dir


def test_ctrl_c_is_a_good_end(served, monkeypatch):
    def interrupted(settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["parley.ui.app"], "launch", interrupted)
    assert main(["serve"]) == 0


def test_models_prints_the_catalogue_and_how_each_is_decoded(tmp_path, capsys):
    for number, family in enumerate(("llama", "falcon-7b", "mamba")):
        checkpoints.build(tmp_path / f"m{number}", family)
    entries = [f"  - {{id: m{n}, name: Model {n}, path: m{n}}}" for n in range(3)]
    entries.append("  - {id: away, name: Away, repo: somebody/model}")
    catalogue = tmp_path / "models.yaml"
    catalogue.write_text("models:\n" + "\n".join(entries))
    capsys.readouterr()
    assert main(["models", "--models", str(catalogue)]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.endswith("decoding")
    ways = ["together, any lengths", "together, padded", "one after the other", "not on disk"]
    assert [line.endswith(way) for line, way in zip(lines, ways, strict=True)] == [True] * 4


def test_a_mistake_is_a_sentence_and_a_fix(served, capsys):
    assert main(["serve", "--port", "http"]) == 2
    assert served == []
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("--port is 'http', which is not a port. Give a whole number")


def test_a_broken_catalogue_is_not_a_traceback(capsys, monkeypatch):
    error = CatalogueError("bad_catalogue", "models.yaml has a mistake.", "Mend it.")

    def broken(files):
        raise error

    monkeypatch.setattr("parley.catalog.loader.load", broken)
    assert main(["models"]) == 2
    assert capsys.readouterr().err == f"{error}\n"


def test_backup_says_where_it_is_and_how_large(data_dir, tmp_path, capsys):
    store = Store(data_dir)
    chat = store.create_chat("ann", "guide")
    store.add_user(chat.id, None, "x" * 1_000_000)
    assert main(["backup", str(tmp_path / "copy.db")]) == 0
    store.close()
    size = sizes.size((tmp_path / "copy.db").stat().st_size)
    assert size.endswith("MB")
    assert capsys.readouterr() == (f"{tmp_path / 'copy.db'} ({size})\n", "")
    (tmp_path / "restored").mkdir()
    (tmp_path / "copy.db").rename(tmp_path / "restored" / FILE)
    again = Store(tmp_path / "restored")
    assert [kept.id for kept in again.chats("ann")] == [chat.id]
    again.close()


def test_backup_takes_the_folder_it_is_given_and_a_name_as_a_shell_does(
    tmp_path, monkeypatch, capsys
):
    Store(tmp_path / "mine").close()
    monkeypatch.chdir(tmp_path)
    assert main(["backup", "copy.db", "--data-dir", "mine"]) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'copy.db'} (")


def test_backup_replaces_nothing_and_makes_nothing_up(data_dir, tmp_path, capsys):
    assert main(["backup", str(tmp_path / "copy.db")]) == 2
    assert capsys.readouterr().err.startswith(f"There are no saved chats in {data_dir}.")
    assert not data_dir.exists()
    Store(data_dir).close()
    (tmp_path / "copy.db").write_text("mine")
    assert main(["backup", str(tmp_path / "copy.db")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"There is already something at {tmp_path / 'copy.db'}.")
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_no_command_shows_the_help(capsys):
    assert main([]) == 2
    assert "COMMAND" in capsys.readouterr().err


def test_help_and_version_need_nothing_heavy():
    run = [sys.executable, "-X", "importtime", "-m", "parley"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    for argument, expected in (("--help", "serve"), ("--version", f"Parley {__version__}")):
        result = subprocess.run(
            [*run, argument], env=environment, capture_output=True, text=True, timeout=60
        )
        assert result.returncode == 0
        assert expected in result.stdout
        imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
        assert "parley.cli" in imported
        assert imported.isdisjoint({"gradio", "torch", "transformers", "pydantic", "yaml"})
