"""Both routes on a real server that carries a Gradio page."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import urllib.error
import urllib.request
from dataclasses import replace

import gradio as gr
import pytest
from prometheus_client.parser import text_string_to_metric_families

from parley.api.routes import install
from parley.events import Finished, Stats
from parley.meters import Meters
from parley.pool.view import PoolView
from tests.api.watched import Watched, busy

PATIENCE = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Site:
    """A page with both routes on it, behind a login and below a proxy's path."""

    def __init__(self):
        self.pool = Watched(busy())
        self.meters = Meters()
        with gr.Blocks(analytics_enabled=False) as self.demo:
            gr.Markdown("The page")
        # Gradio's own page of the same name must not win.
        with self.demo.route("Health", "/health"):
            gr.Markdown("Another page")
        app, url, _ = self.demo.launch(
            server_name="127.0.0.1",
            server_port=free_port(),
            prevent_thread_lock=True,
            quiet=True,
            ssr_mode=False,
            root_path="/parley",
            auth=("ada", "secret"),
        )
        self.url = url.rstrip("/")
        install(app, self.pool, self.meters)

    def ask(self, path, method="GET", **headers):
        """Status, headers and body, whatever the status is."""
        request = urllib.request.Request(self.url + path, method=method, headers=headers)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=PATIENCE) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def close(self):
        self.demo.close(verbose=False)


async def launched():
    return Site()


@pytest.fixture(scope="module")
def site():
    # Where no event loop runs, Gradio makes new ones and leaves them open.
    made = asyncio.run(launched())
    yield made
    made.close()


@pytest.fixture(autouse=True)
def well(site):
    site.pool.shown, site.pool.age = busy(), 0.2


def test_health_is_json_that_no_cache_keeps(site):
    status, headers, body = site.ask("/health")
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-store"
    assert json.loads(body)["models"] == {"failed": 1, "loading": 1, "ready": 2}


@pytest.mark.parametrize("wrong", ["owner", "queue", "closed"])
def test_a_pool_that_fails_is_unavailable(site, wrong):
    if wrong == "owner":
        site.pool.age = 60.0
    elif wrong == "queue":
        site.pool.shown = replace(PoolView(), queue_oldest=600.0)
    else:
        site.pool.shown = replace(PoolView(), closed=True)
    status, _, body = site.ask("/health")
    assert status == 503
    assert json.loads(body)["status"] == "failing"
    assert site.ask("/health", "HEAD")[0] == 503
    # What went wrong can be looked into meanwhile.
    assert site.ask("/metrics")[0] == 200


def test_metrics_are_text_that_prometheus_reads(site):
    site.meters.refused("queue_full")
    status, headers, body = site.ask("/metrics", **{"Accept-Encoding": "gzip"})
    assert status == 200
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = {family.name: family for family in text_string_to_metric_families(body.decode())}
    assert found["parley_rejections"].samples[0].labels == {"code": "queue_full"}
    assert found["parley_memory_available_bytes"].samples[0].value > 0
    assert found["parley_queue_depth"].samples[0].value == 2


@pytest.mark.parametrize("path", ["/health", "/metrics"])
def test_head_gives_the_headers_alone(site, path):
    status, headers, body = site.ask(path, "HEAD")
    assert status == 200
    assert int(headers["Content-Length"]) > 100
    assert body == b""


@pytest.mark.parametrize("path", ["/health", "/metrics"])
def test_nobody_can_write_to_them(site, path):
    status, headers, _ = site.ask(path, "POST")
    assert status == 405
    assert set(headers["Allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize("path", ["/health", "/metrics"])
def test_they_are_below_a_proxys_path_as_well(site, path):
    assert site.ask(f"/parley{path}")[0] == 200


def test_a_login_is_for_the_page_and_not_for_them(site):
    assert site.ask("/config")[0] == 401
    assert site.ask("/health")[0] == 200


def test_the_page_is_where_it_was(site):
    status, headers, body = site.ask("/")
    assert status == 200
    assert headers["Content-Type"].startswith("text/html")
    assert b"gradio" in body.lower()


def test_scrapes_and_counting_do_not_disturb_each_other(site):
    over = threading.Event()
    counted = 0

    def count():
        nonlocal counted
        while not over.is_set():
            stats = Stats(completion_tokens=1, ttft_seconds=0.1)
            site.meters.answered(f"m{counted % 50}", Finished("stop", stats), cold=False)
            counted += 1

    thread = threading.Thread(target=count)
    thread.start()
    try:
        seen = []
        for _ in range(5):
            status, _, body = site.ask("/metrics")
            assert status == 200
            found = {f.name: f for f in text_string_to_metric_families(body.decode())}
            seen.append(sum(s.value for s in found["parley_generations"].samples))
    finally:
        over.set()
        thread.join()
    assert seen == sorted(seen)
    body = site.ask("/metrics")[2].decode()
    found = {f.name: f for f in text_string_to_metric_families(body)}
    assert sum(s.value for s in found["parley_generations"].samples) == counted > 0
