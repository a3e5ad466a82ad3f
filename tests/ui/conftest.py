"""A whole Parley in a process of its own, and a real browser in front of it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, Page, sync_playwright

from tests import checkpoints

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60_000
"""Milliseconds before a wait counts as a hang: machines are shared and slow."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """One running Parley, started the way a person starts it."""

    url: str
    process: subprocess.Popen[str]
    models: Path
    data: Path

    def engines(self) -> list[int]:
        """Process ids of the engines: the fork server's children."""
        found = []
        for status in Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError):
                text = status.read_text()
                parent = int(re.search(r"PPid:\s+(\d+)", text)[1])
                command = (status.parent / "cmdline").read_bytes()
                if b"forkserver" in command and self._is_forkserver(parent):
                    found.append(int(status.parent.name))
        return found

    def _is_forkserver(self, pid: int) -> bool:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        status = Path(f"/proc/{pid}/status").read_text()
        return (
            b"forkserver" in command
            and int(re.search(r"PPid:\s+(\d+)", status)[1]) == self.process.pid
        )

    def busy(self, seconds: float = 0.3) -> float:
        """Processor seconds the engines used during ``seconds``."""
        before = {pid: cpu_seconds(pid) for pid in self.engines()}
        time.sleep(seconds)
        return sum(cpu_seconds(pid) - before[pid] for pid in before)


def cpu_seconds(pid: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


@contextlib.contextmanager
def running(models: Path, data: Path, **environment: str):
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port), "--models", str(models)],
        cwd=ROOT,
        env=os.environ | {"PARLEY_DATA_DIR": str(data)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    server = Server(f"http://127.0.0.1:{port}", process, models, data)
    try:
        _wait_until_open(server)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)
        process.stdout.close()


def _wait_until_open(server: Server) -> None:
    end = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < end:
        if server.process.poll() is not None:
            pytest.fail("Parley ended while starting:\n" + server.process.stdout.read())
        with contextlib.suppress(OSError), urllib.request.urlopen(server.url, timeout=5):
            return
        time.sleep(0.1)
    pytest.fail("Parley did not open")


@pytest.fixture(scope="session")
def checkpoint_folders(tmp_path_factory) -> dict[str, Path]:
    """Babbling models: a quick one, and one slow enough to be stopped half-way."""
    home = tmp_path_factory.mktemp("checkpoints")
    folders = {
        "quick": checkpoints.build(home / "quick", "llama", seed=1),
        "other": checkpoints.build(home / "other", "olmo2", seed=2),
        "slow": checkpoints.endless(home / "slow", seed=3, num_hidden_layers=24),
    }
    folders["torn"] = checkpoints.copy(folders["quick"], home / "torn")
    weights = folders["torn"] / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2000])
    return folders


@pytest.fixture(scope="session")
def models_file(tmp_path_factory, checkpoint_folders) -> Path:
    """The catalogue the browser tests see. Seeds make the babble the same in every run, so that a
    test does not depend on what Markdown a random model happens to write."""
    entries = [
        {
            "id": "quick",
            "name": "Quick Llama",
            "path": str(checkpoint_folders["quick"]),
            "description": "Babbles quickly.",
            "examples": ["Say anything", "Say something else"],
            "sampling": {"max_new_tokens": 40, "seed": 1},
        },
        {
            "id": "other",
            "name": "Other OLMo",
            "path": str(checkpoint_folders["other"]),
            "sampling": {"max_new_tokens": 40, "seed": 1},
        },
        {
            "id": "slow",
            "name": "Slow Llama",
            "path": str(checkpoint_folders["slow"]),
            "context": 8192,
            "sampling": {"max_new_tokens": 6000, "seed": 1},
        },
        {"id": "torn", "name": "Torn Llama", "path": str(checkpoint_folders["torn"])},
    ]
    file = tmp_path_factory.mktemp("catalogue") / "models.yaml"
    file.write_text(yaml.safe_dump({"models": entries}))
    return file


@pytest.fixture(scope="module")
def server(models_file, tmp_path_factory):
    with running(models_file, tmp_path_factory.mktemp("data")) as started:
        yield started


@pytest.fixture(scope="session")
def browser(chromium):
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield launched
        launched.close()


class Person:
    """One browser of one person, in their own words."""

    def __init__(self, browser: Browser, url: str, **options) -> None:
        self.context = browser.new_context(
            **{"viewport": {"width": 1200, "height": 800}, **options}
        )
        self.context.set_default_timeout(PATIENCE)
        self.url = url
        # On a touch keyboard Enter makes a new line.
        self._send_by = "click" if options.get("has_touch") else "Enter"
        self.faults: list[str] = []
        self.page = self.open()

    def open(self, address: str = "") -> Page:
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.goto(self.url + address)
        self.ready()
        return self.page

    def ready(self) -> None:
        self.page.wait_for_selector(".parley[data-ready]")

    def pick(self, name: str) -> None:
        self.page.click("button.picker")
        self.page.click(f".option:has-text('{name}')")

    def send(self, text: str) -> None:
        self.page.fill(".composer textarea", text)
        if self._send_by == "click":
            self.page.click(".send")
        else:
            self.page.press(".composer textarea", "Enter")

    def wait_for_text(self, index: int = -1, length: int = 1) -> None:
        self.page.wait_for_function(
            "([i, n]) => [...document.querySelectorAll('.msg.assistant .body')].at(i)"
            "?.innerText.length >= n",
            arg=[index, length],
        )

    def wait_until_done(self) -> None:
        self.page.wait_for_function("!document.querySelector('.parley.busy')")

    def ask(self, text: str) -> str:
        self.send(text)
        self.wait_until_done()
        return self.answers()[-1]

    def stop(self) -> None:
        self.page.click(".stop")
        self.wait_until_done()

    def answers(self) -> list[str]:
        return self.page.eval_on_selector_all(
            ".msg.assistant .body", "all => all.map(node => node.innerText)"
        )

    def stamps(self) -> list[str]:
        return self.page.eval_on_selector_all(
            ".msg.assistant .who .name", "all => all.map(node => node.innerText)"
        )

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def people(browser, server):
    """Makes people; the page of each must have run without a script error."""
    made: list[Person] = []

    def make(**options) -> Person:
        made.append(Person(browser, server.url, **options))
        return made[-1]

    yield make
    faults = [fault for person in made for fault in person.faults]
    for person in made:
        person.close()
    assert faults == []


@pytest.fixture
def person(people):
    return people()
