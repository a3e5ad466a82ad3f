"""What every test gets: its own data folder, no network, and a browser where one is asked for."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest

SETTINGS = pytest.StashKey[tuple[pytest.MonkeyPatch, Path]]()


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is imported: gradio and huggingface_hub read these once, at import."""
    patch = pytest.MonkeyPatch()
    scratch = Path(tempfile.mkdtemp(prefix="parley-tests-"))
    for name in ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "PARLEY_MODELS", "HF_TOKEN"):
        patch.delenv(name, raising=False)
    patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    patch.setenv("GRADIO_RUN_HISTORY", "False")
    patch.setenv("GRADIO_SSR_MODE", "False")
    patch.setenv("GRADIO_TEMP_DIR", str(scratch / "gradio"))
    patch.setenv("HF_HOME", str(scratch / "huggingface"))
    patch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    patch.setenv("HF_HUB_OFFLINE", "1")
    config.stash[SETTINGS] = (patch, scratch)


def pytest_unconfigure(config: pytest.Config) -> None:
    patch, scratch = config.stash[SETTINGS]
    patch.undo()
    shutil.rmtree(scratch, ignore_errors=True)


def pytest_report_header() -> list[str]:
    packages = ("gradio", "transformers", "tokenizers", "torch", "huggingface_hub", "playwright")
    versions = " · ".join(f"{name} {version(name)}" for name in packages)
    return [
        f"{versions} · {platform.platform()} · {os.cpu_count()} cores",
        f"browser: {find_chromium() or 'none'}",
    ]


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a Parley that this test starts keeps its data, in a process of its own too."""
    folder = tmp_path / "data"
    monkeypatch.setenv("PARLEY_DATA_DIR", str(folder))
    return folder


@pytest.fixture(scope="module")
def nursery():
    """Where a module's engines are born."""
    # Not sooner: what this imports reads the environment that is set above.
    from parley.engines.nursery import Nursery

    made = Nursery()
    yield made
    made.close()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium. Without one a laptop skips the test, CI fails it."""
    found = find_chromium()
    if found:
        return found
    reason = "needs Chromium: install it, or name one in PARLEY_CHROMIUM"
    if os.environ.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip(reason)
    pytest.fail(reason)


def find_chromium() -> str | None:
    names = (
        os.environ.get("PARLEY_CHROMIUM"),
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    )
    return next((path for name in names if name and (path := shutil.which(name))), None)
