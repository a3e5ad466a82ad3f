"""A small stand-in for the Hugging Face Hub on 127.0.0.1, for the real client to talk to.

Serves folders as repositories by the routes that ``huggingface_hub`` uses: a model's info, its
tree, and its files with HEAD, GET and ranges. It can be slow, refuse, cut and stall:

    hub = StandInHub()
    hub.repos["tiny/model"] = folder
    hub.history["tiny/model", "v1"] = other_folder       # beside "main" and COMMIT
    hub.gated.add("tiny/model")                          # files for hub.token alone
    hub.pause = 0.05                                     # seconds after each piece of a file
    hub.fail("model.safetensors", 500, times=2)          # then it works again
    hub.fail("/api/", 429, headers={"retry-after": "7"})
    hub.cut("model.safetensors", after=100_000)          # the connection, once
    hub.stall("model.safetensors", after=100_000)        # silence until the hub is closed
    hub.of("model.safetensors")                          # the requests for it, as ``Asked``

A process of its own finds it by ``hub.environment(home)``; this process by ``hub.use``.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from safetensors import SafetensorError, safe_open

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FOR_EVER = 10**9


@dataclass
class Asked:
    """A request. ``sent`` counts the bytes of a file that went out."""

    method: str
    path: str
    range: str | None
    token: str | None
    status: int = 0
    sent: int = 0


@dataclass
class Fault:
    """What goes wrong with the next ``times`` requests whose path contains ``fragment``."""

    fragment: str
    times: int
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    after: int = 0
    stalls: bool = False


class StandInHub:
    """``repos`` maps a repository's id to its folder; ``gated`` ids need ``token``."""

    def __init__(self):
        self.repos: dict[str, Path] = {}
        self.history: dict[tuple[str, str], Path] = {}  # folders of (repository, other revision)
        self.gated: set[str] = set()
        self.token = "hf_allowed"
        self.powerless = {"hf_somebody"}  # tokens of accounts that have no access
        self.pause = 0.0
        self.piece = 32_768
        self.ranges = True  # whether it can begin in the middle of a file
        self.counts = True  # whether it tells how many parameters a model has
        self.measures = True  # whether its listing has sizes
        self.redirects = False  # large files from another address, as the real one does
        self.requests: list[Asked] = []
        self.faults: list[Fault] = []
        self._guard = threading.Lock()  # guards the two above
        self._closed = threading.Event()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args): ...

            def do_HEAD(self):
                hub._answer(self, body=False)

            def do_GET(self):
                hub._answer(self, body=True)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """A client that has gone is what these tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()

    # ---- what a test says ----------------------------------------------------------------------

    def fail(self, fragment, status, *, times=FOR_EVER, headers=None):
        self.faults.append(Fault(fragment, times, status, headers or {}))

    def cut(self, fragment, *, after=0, times=1):
        self.faults.append(Fault(fragment, times, after=after))

    def stall(self, fragment, *, after=0, times=1):
        self.faults.append(Fault(fragment, times, after=after, stalls=True))

    def of(self, fragment, method="GET"):
        """The requests so far for what is called so."""
        with self._guard:
            return [r for r in self.requests if r.method == method and fragment in r.path]

    @property
    def asked(self):
        """The paths of all requests so far."""
        with self._guard:
            return [request.path for request in self.requests]

    def forget(self):
        """Count from here."""
        with self._guard:
            self.requests.clear()

    def environment(self, home, **more):
        """Variables for a process that is to use this hub and a cache of its own."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            **more,
        }

    def use(self, monkeypatch, home):
        """Point this process's client here, and at an empty cache."""
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "ENDPOINT", self.url)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
        template = self.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(home / "no token"))
        monkeypatch.delenv("HF_TOKEN", raising=False)

    # ---- what it answers -----------------------------------------------------------------------

    def _answer(self, handler, *, body):
        path = unquote(urlsplit(handler.path).path)
        sent = handler.headers.get("authorization", "").removeprefix("Bearer ") or None
        asked = Asked(handler.command, path, handler.headers.get("range"), sent)
        with self._guard:
            self.requests.append(asked)
            fault = next((f for f in self.faults if f.times > 0 and f.fragment in path), None)
            if fault is not None:
                fault.times -= 1
        if fault is not None and fault.status is not None:
            return refuse(handler, asked, fault.status, headers=fault.headers)
        if sent not in (None, self.token, *self.powerless):
            return refuse(handler, asked, 401, "", "Invalid credentials in Authorization header")
        if path.startswith("/elsewhere/"):
            _, _, repo_owner, repo_name, *rest = path.split("/")
            file = self.repos[f"{repo_owner}/{repo_name}"] / "/".join(rest)
            return self._send_file(handler, asked, file, body, fault)
        return self._route(handler, asked, path, body, fault)

    def _route(self, handler, asked, path, body, fault):
        parts = path.strip("/").split("/")
        is_api = parts[:2] == ["api", "models"]
        if is_api:
            parts = parts[2:]
        repo, rest = "/".join(parts[:2]), parts[2:]
        if repo not in self.repos:
            return refuse(handler, asked, 401, "RepoNotFound", "Repository not found")
        folder, commit = self.repos[repo], COMMIT
        if rest[:1] in (["revision"], ["tree"], ["resolve"]) and rest[1] not in ("main", COMMIT):
            commit = rest[1]
            folder = self.history.get((repo, commit))
            if folder is None:
                return refuse(handler, asked, 404, "RevisionNotFound", "Invalid rev id")
        if is_api:
            if fault is not None:
                return self._break(handler, fault)
            content = tree(folder) if rest[:1] == ["tree"] else self._info(repo, folder, commit)
            return send_json(handler, asked, content, body)
        if rest[:1] != ["resolve"]:
            return refuse(handler, asked, 404, "RepoNotFound", "no such route")
        if repo in self.gated and asked.token != self.token:
            status = 403 if asked.token else 401
            return refuse(handler, asked, status, "GatedRepo", f"Access to {repo} is restricted")
        wanted = folder / "/".join(rest[2:])
        if not wanted.is_file():
            return refuse(handler, asked, 404, "EntryNotFound", "Entry not found")
        if self.redirects and is_large(wanted):
            asked.status = 302
            if fault is not None:
                fault.times += 1  # it is for the address that the file comes from
            handler.send_response(302)
            handler.send_header("location", f"{self.url}/elsewhere/{repo}/{'/'.join(rest[2:])}")
            handler.send_header("x-linked-etag", f'"{etag(wanted)}"')
            handler.send_header("x-linked-size", str(wanted.stat().st_size))
            handler.send_header("x-repo-commit", commit)
            handler.send_header("content-length", "0")
            return handler.end_headers()
        return self._send_file(handler, asked, wanted, body, fault, commit)

    def _send_file(self, handler, asked, path, body, fault, commit=COMMIT):
        content = path.read_bytes()
        start, end, asked.status = 0, len(content), 200
        if self.ranges and (found := re.match(r"bytes=(\d+)-(\d*)", asked.range or "")):
            start = int(found[1])
            end = min(int(found[2] or len(content)) + bool(found[2]), len(content))
            asked.status = 206
            if start >= len(content):
                return refuse(handler, asked, 416)
        handler.send_response(asked.status)
        handler.send_header("content-length", str(end - start))
        handler.send_header("etag", f'"{etag(path)}"')
        handler.send_header("x-repo-commit", commit)
        if asked.status == 206:
            handler.send_header("content-range", f"bytes {start}-{end - 1}/{len(content)}")
        handler.end_headers()
        if not body:
            return None
        stop = end if fault is None else min(end, start + fault.after)
        for position in range(start, stop, self.piece):
            piece = content[position : min(position + self.piece, stop)]
            handler.wfile.write(piece)
            asked.sent += len(piece)
            if self._closed.wait(self.pause):
                break
        if fault is not None:
            self._break(handler, fault)
        return None

    def _break(self, handler, fault):
        """End the connection, or keep it open and say nothing."""
        if fault.stalls:
            self._closed.wait()
        handler.close_connection = True

    def _info(self, repo, folder, commit):
        listed = tree(folder)
        info = {"_id": "1", "id": repo, "sha": commit, "private": False}
        info["gated"] = "manual" if repo in self.gated else False
        info["siblings"] = [{"rfilename": file["path"]} for file in listed]
        if self.measures:
            for sibling, file in zip(info["siblings"], listed, strict=True):
                sibling |= {"size": file["size"], "blobId": file["oid"]}
                if "lfs" in file:
                    large = file["lfs"]
                    sibling["lfs"] = {"sha256": large["oid"], "size": large["size"]}
                    sibling["lfs"]["pointerSize"] = large["pointerSize"]
        if self.counts and (counted := parameters(folder)):
            info["safetensors"] = {"parameters": counted, "total": sum(counted.values())}
        return info


def tree(folder):
    listed = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        size, name = path.stat().st_size, path.relative_to(folder).as_posix()
        file = {"type": "file", "path": name, "size": size, "oid": digests(*state(path))[0]}
        if is_large(path):
            file["lfs"] = {"oid": etag(path), "size": size, "pointerSize": 134}
        listed.append(file)
    return listed


def is_large(path):
    """Whether Git LFS would keep it, as it does with weights of whatever size."""
    return path.suffix in (".safetensors", ".bin", ".h5", ".onnx")


def etag(path):
    git, sha256 = digests(*state(path))
    return sha256 if is_large(path) else git


def state(path):
    found = path.stat()
    return path, found.st_size, found.st_mtime_ns


@lru_cache(256)
def digests(path, size, changed):
    content = path.read_bytes()
    git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    return git, hashlib.sha256(content).hexdigest()


def parameters(folder):
    """Numbers by dtype, where every weights file can be read."""
    counted: dict[str, int] = {}
    for path in folder.glob("model*.safetensors"):
        try:
            with safe_open(path, framework="np") as tensors:
                for name in tensors.keys():  # noqa: SIM118 - not a dict
                    tensor, size = tensors.get_slice(name), 1
                    for length in tensor.get_shape():
                        size *= length
                    counted[tensor.get_dtype()] = counted.get(tensor.get_dtype(), 0) + size
        except SafetensorError:
            return {}
    return counted


def send_json(handler, asked, content, body):
    data = json.dumps(content).encode()
    asked.status = 200
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(data)))
    handler.end_headers()
    if body:
        handler.wfile.write(data)


def refuse(handler, asked, status, code="", message="", headers=None):
    asked.status = status
    handler.send_response(status)
    if code:
        handler.send_header("x-error-code", code)
    if message:
        handler.send_header("x-error-message", message)
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.send_header("content-length", "0")
    handler.end_headers()
