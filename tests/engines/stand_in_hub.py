"""A small stand-in for the Hugging Face Hub on 127.0.0.1, for the real client to talk to.

Serves folders as repositories by the routes that ``huggingface_hub`` uses: the model's info, its
tree, and its files with HEAD and GET. Knows of gated and missing repositories.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class StandInHub:
    """``repos`` maps a repository's id to its folder; ``gated`` ids need ``token``."""

    def __init__(self):
        self.repos: dict[str, Path] = {}
        self.gated: set[str] = set()
        self.token = "hf_allowed"
        self.pause = 0.0  # seconds between two pieces of a file
        self.asked: list[str] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args): ...

            def do_HEAD(self):
                hub.answer(self, body=False)

            def do_GET(self):
                hub.answer(self, body=True)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler, *, body):
        path = unquote(urlsplit(handler.path).path)
        self.asked.append(path)
        parts = path.strip("/").split("/")
        is_api = parts[:2] == ["api", "models"]
        if is_api:
            parts = parts[2:]
        repo, rest = "/".join(parts[:2]), parts[2:]
        if repo not in self.repos:
            return refuse(handler, 401, "RepoNotFound", "Repository not found")
        files = not is_api and rest[:1] == ["resolve"]
        if files and repo in self.gated:
            sent = handler.headers.get("authorization", "")
            if sent != f"Bearer {self.token}":
                status = 403 if sent else 401
                return refuse(handler, status, "GatedRepo", f"Access to {repo} is restricted")
        folder = self.repos[repo]
        if is_api and len(rest) >= 2 and rest[0] == "revision":
            if rest[1] not in ("main", COMMIT):
                return refuse(handler, 404, "RevisionNotFound", "Invalid rev id")
            return send_json(handler, info(repo, folder), body)
        if is_api and rest[:1] == ["tree"]:
            return send_json(handler, tree(folder), body)
        if is_api and not rest:
            return send_json(handler, info(repo, folder), body)
        if files:
            wanted = folder / "/".join(rest[2:])
            if not wanted.is_file():
                return refuse(handler, 404, "EntryNotFound", "Entry not found")
            return self.send_file(handler, wanted, body)
        return refuse(handler, 404, "RepoNotFound", "no such route")

    def send_file(self, handler, path, body):
        content = path.read_bytes()
        handler.send_response(200)
        handler.send_header("content-length", str(len(content)))
        handler.send_header("etag", f'"{digest(content)}"')
        handler.send_header("x-repo-commit", COMMIT)
        handler.end_headers()
        if body:
            for start in range(0, len(content), 32_768):
                handler.wfile.write(content[start : start + 32_768])
                time.sleep(self.pause)


def digest(content):
    return hashlib.sha1(content).hexdigest()


def names(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def info(repo, folder):
    siblings = [{"rfilename": name} for name in names(folder)]
    return {"_id": "1", "id": repo, "sha": COMMIT, "private": False, "siblings": siblings}


def tree(folder):
    return [
        {
            "type": "file",
            "path": name,
            "size": (folder / name).stat().st_size,
            "oid": digest((folder / name).read_bytes()),
        }
        for name in names(folder)
    ]


def send_json(handler, content, body):
    data = json.dumps(content).encode()
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(data)))
    handler.end_headers()
    if body:
        handler.wfile.write(data)


def refuse(handler, status, code, message):
    handler.send_response(status)
    handler.send_header("x-error-code", code)
    handler.send_header("x-error-message", message)
    handler.send_header("content-length", "0")
    handler.end_headers()
