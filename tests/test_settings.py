"""Arguments beat variables, variables beat defaults, and a mistake names where it was made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from parley.errors import ParleyError
from parley.settings import default_data_dir, default_models_file, read_settings

ROOT = Path(__file__).resolve().parents[1]
HOME = Path("/home/ann")


def test_nothing_given():
    settings = read_settings({})
    assert (settings.host, settings.port, settings.share) == ("127.0.0.1", None, False)
    assert settings.models == (ROOT / "models.yaml",)
    assert settings.data_dir.is_absolute()
    assert settings.data_dir.name.lower() == "parley"


def test_the_environment_is_honoured(tmp_path):
    settings = read_settings(
        {
            "GRADIO_SERVER_NAME": "0.0.0.0",
            "GRADIO_SERVER_PORT": "8000",
            "PARLEY_MODELS": os.pathsep.join(["/a.yaml", "", "/b.yaml"]),
            "PARLEY_DATA_DIR": str(tmp_path),
        }
    )
    assert (settings.host, settings.port) == ("0.0.0.0", 8000)
    assert settings.models == (Path("/a.yaml"), Path("/b.yaml"))
    assert settings.data_dir == tmp_path


def test_arguments_win(tmp_path):
    environment = {
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": "nonsense",  # not even looked at
        "PARLEY_MODELS": "/a.yaml",
        "PARLEY_DATA_DIR": "/a",
    }
    settings = read_settings(
        environment,
        host="::1",
        port="8001",
        share=True,
        models=["b.yaml", "~/c.yaml"],
        data_dir=str(tmp_path / "new"),
    )
    assert (settings.host, settings.port, settings.share) == ("::1", 8001, True)
    assert settings.models == (Path.cwd() / "b.yaml", Path.home() / "c.yaml")
    assert settings.data_dir == tmp_path / "new"


def test_blank_values_count_as_none():
    variables = "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "PARLEY_MODELS", "PARLEY_DATA_DIR"
    blank = dict.fromkeys(variables, " ")
    assert read_settings(blank) == read_settings({})
    assert read_settings({}, host="", port="", data_dir="") == read_settings({})


@pytest.mark.parametrize("port", ["0", "65536", "-1", "80.5", "http", "７８６０", "7860 7861"])
def test_a_bad_port(port):
    with pytest.raises(ParleyError) as caught:
        read_settings({"GRADIO_SERVER_PORT": port})
    assert caught.value.code == "bad_setting"
    assert caught.value.sentence == f"GRADIO_SERVER_PORT is {port!r}, which is not a port."
    assert "1 to 65535" in caught.value.fix
    with pytest.raises(ParleyError, match=r"^--port is"):
        read_settings({}, port=port)


@pytest.mark.parametrize("host", ["http://localhost", "localhost:7860", "two words"])
def test_a_bad_host(host):
    with pytest.raises(ParleyError, match=r"^--host is .* not a host name"):
        read_settings({}, host=host)


def test_a_data_folder_that_is_a_file(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(ParleyError, match=r"is a file\. Give a folder"):
        read_settings({}, data_dir=str(file))


def test_an_unknown_home():
    with pytest.raises(ParleyError, match=r"^PARLEY_DATA_DIR is '~nobody-of-that-name/x'"):
        read_settings({"PARLEY_DATA_DIR": "~nobody-of-that-name/x"})


def test_an_account_without_a_home(monkeypatch):
    def no_home():
        raise RuntimeError

    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(ParleyError, match=r"no home folder .* Set PARLEY_DATA_DIR"):
        read_settings({})


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {}, HOME / ".local/share/parley"),
        ("linux", {"XDG_DATA_HOME": "/data"}, Path("/data/parley")),
        ("linux", {"XDG_DATA_HOME": "relative"}, HOME / ".local/share/parley"),
        ("darwin", {}, HOME / "Library/Application Support/Parley"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, Path("/data/parley")),
        ("win32", {}, HOME / "AppData/Local/Parley"),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/Parley")),
    ],
)
def test_each_platform_has_its_place_for_data(platform, environment, folder):
    assert default_data_dir(environment, platform, HOME) == folder


def test_the_catalogue_of_a_clone_or_else_of_the_current_folder(tmp_path, monkeypatch):
    package = tmp_path / "clone" / "src" / "parley"
    package.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert default_models_file(package) == tmp_path / "models.yaml"
    (tmp_path / "clone" / "models.yaml").write_text("")
    assert default_models_file(package) == tmp_path / "clone" / "models.yaml"


def test_sharing_is_off_where_anybody_may_come_unless_it_is_turned_on():
    assert read_settings({}).sharing
    assert read_settings({"GRADIO_SERVER_NAME": "0.0.0.0"}).sharing
    assert not read_settings({"SYSTEM": "spaces"}).sharing
    assert not read_settings({}, share=True).sharing
    assert read_settings({"SYSTEM": "spaces", "PARLEY_SHARING": "on"}).sharing
    assert not read_settings({"PARLEY_SHARING": " Off "}).sharing
    with pytest.raises(ParleyError, match=r"^PARLEY_SHARING is 'maybe', .* neither on nor off"):
        read_settings({"PARLEY_SHARING": "maybe"})


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_only_a_page_for_this_machine_is_local(host):
    assert read_settings({}, host=host).local
    assert not read_settings({}, host=host, share=True).local
    assert not read_settings({"SYSTEM": "spaces"}, host=host).local
    assert not read_settings({}, host="0.0.0.0").local


def test_a_space_is_open_to_its_proxy():
    assert read_settings({"SYSTEM": "spaces"}).host == "0.0.0.0"
    assert (
        read_settings({"SYSTEM": "spaces", "GRADIO_SERVER_NAME": "127.0.0.1"}).host == "127.0.0.1"
    )
