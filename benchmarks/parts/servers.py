"""Parley and ``transformers serve`` as servers that can be asked the same things.

Each is started the way a person starts it, in a process group of its own, and is gone at the end of
its ``with``. Both listen on this machine only and ask nobody outside it.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.parts.memory import Use, tree, use

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "CUDA_VISIBLE_DEVICES": "",  # both on the processor, where memory can be counted page by page
}


Running = tuple[subprocess.Popen, int, Path]
"""A server's process, its port, and the file it writes its log to."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer as its reader saw it, times in seconds: until the first text, until the end, and
    the longest silence in between. ``characters`` are as many as tokens. ``trouble`` is what ended
    it before its time, in the server's words."""

    first: float
    total: float
    silence: float
    characters: int
    trouble: str = ""

    @property
    def speed(self) -> float:
        """Tokens per second after the first."""
        return (self.characters - 1) / (self.total - self.first)


class Server:
    """What both have in common. ``models`` is the folder of the checkpoints."""

    def __init__(self, running: Running, models: Path) -> None:
        self.process, self.port, self.log = running
        self.models = models

    def deltas(self, model: str, question: str, tokens: int) -> Iterator[str]:
        """The texts of one greedy answer; raises what the server says when it fails."""
        raise NotImplementedError

    def ask(self, model: str, tokens: int, question: str = "Hello") -> Heard:
        began = last = time.perf_counter()
        first, silence, characters, trouble = float("inf"), 0.0, 0, ""
        try:
            for text in self.deltas(model, question, tokens):
                now = time.perf_counter()
                if not characters:
                    first = now - began
                else:
                    silence = max(silence, now - last)
                last = now
                characters += len(text)
        except Refused as refused:
            trouble = str(refused)
        return Heard(first, time.perf_counter() - began, silence, characters, trouble)

    @contextlib.contextmanager
    def asked(
        self, method: str, path: str, body: object = None
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer to one request; a connection that breaks is a refusal."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            kind = {"Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body else None, kind)
            answer = connection.getresponse()
            if answer.status != 200:
                raise Refused(f"status {answer.status}")
            yield answer
        except (OSError, http.client.HTTPException) as error:
            raise Refused(str(error)) from error
        finally:
            connection.close()

    def loads(self) -> int:
        """How often it has loaded a model, as far as it was looked at."""
        raise NotImplementedError

    def now(self) -> Use:
        return use(self.process.pid, self.models)

    def at_rest(self) -> Use:
        """Once it has done what it does at its start: no work for two seconds."""
        end = time.monotonic() + PATIENCE
        before, calm = self._worked(), 0
        while calm < 4 and time.monotonic() < end:
            time.sleep(0.5)
            after = self._worked()
            calm = calm + 1 if after - before < 0.05 else 0
            before = after
        return self.now()

    def _worked(self) -> float:
        return sum(sum(p.cpu_times()[:2]) for p in tree(self.process.pid))


class Refused(Exception):
    """The server did not answer, or not to the end."""


class Parley(Server):
    name = "Parley"

    def __init__(self, running: Running, models: Path) -> None:
        super().__init__(running, models)
        self._engines: set[int] = set()

    def loads(self) -> int:
        # An engine is a process, below the fork server, that loads once.
        top = self.process.pid
        self._engines |= {p.pid for p in tree(top) if p.ppid() != top and p.pid != top}
        return len(self._engines)

    def deltas(self, model: str, question: str, tokens: int) -> Iterator[str]:
        # Gradio's plain HTTP interface; its Python client takes another 0.07 s to the first text.
        values = [question, model, None, 0, tokens, None]
        with self.asked("POST", "/gradio_api/call/chat", {"data": values}) as answer:
            event = json.load(answer)["event_id"]
        known, kind = 0, ""
        with self.asked("GET", f"/gradio_api/call/chat/{event}") as answer:
            for line in answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "event":
                    kind = value
                elif name == "data" and kind == "error":
                    raise Refused(value)
                elif name == "data" and kind in ("generating", "complete"):
                    text = json.loads(value)[0]  # all of it so far, also when nothing is new
                    if len(text) > known:
                        yield text[known:]
                        known = len(text)


class Peer(Server):
    name = "transformers serve"

    def loads(self) -> int:
        return self.log.read_bytes().count(b"[transformers] Loading ")

    def deltas(self, model: str, question: str, tokens: int) -> Iterator[str]:
        body = {
            "model": str(self.models / model),
            "messages": [{"role": "user", "content": question}],
            "temperature": 0,
            "max_tokens": tokens,
            "stream": True,
        }
        with self.asked("POST", "/v1/chat/completions", body) as answer:
            for line in answer:
                if line.startswith(b"data: {"):
                    said = json.loads(line[6:])
                    if "error" in said:
                        raise Refused(str(said["error"]))
                    if text := said["choices"][0]["delta"].get("content"):
                        yield text


@contextlib.contextmanager
def parley(models: Path, catalogue: Path, **environment: str) -> Iterator[Parley]:
    """``catalogue`` is its models.yaml."""
    with tempfile.TemporaryDirectory() as data:
        port = _free_port()
        command = ["app.py", "--port", str(port), "--models", str(catalogue), "--data-dir", data]
        with _running(command, port, "/", environment) as running:
            yield Parley(running, models)


@contextlib.contextmanager
def peer(models: Path, idle: int, *options: str, dtype: str = "float32") -> Iterator[Peer]:
    """``idle`` is its ``--model-timeout``. It computes in float32 unless told otherwise;
    ``options`` are more of its own."""
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "hub").mkdir()  # without one it fails to list its models
        port = _free_port()
        command = ["-c", "from transformers.cli.transformers import main; main()", "serve"]
        command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
        command += ["--model-timeout", str(idle), "--dtype", dtype, *options]
        with _running(command, port, "/health", {"HF_HOME": home}) as running:
            yield Peer(running, models)


def require_peer() -> None:
    if importlib.util.find_spec("openai") is None:
        raise SystemExit(
            "transformers serve needs the package openai; `make bench` installs it with the "
            "others of requirements-dev.txt."
        )


@contextlib.contextmanager
def _running(
    command: list[str], port: int, page: str, environment: dict[str, str]
) -> Iterator[Running]:
    with tempfile.NamedTemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=os.environ | QUIET | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            if not _opened(process, port, page):
                raise SystemExit("It did not open:\n" + Path(log.name).read_text())
            yield process, port, Path(log.name)
        finally:
            _end(process)


def _opened(process: subprocess.Popen, port: int, page: str) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            with contextlib.closing(connection):
                connection.request("GET", page)
                if connection.getresponse().status == 200:
                    return True
        time.sleep(0.05)
    return False


def _end(process: subprocess.Popen) -> None:
    """Politely, then not: nothing of its group is left in either case."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.send_signal(signal.SIGINT)
        process.wait(20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    """Below the range that systems take clients' ports from: there, one of those could be given
    this port before the server takes it, or a connection tried too early could meet itself."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise SystemExit("There is no free port.")
