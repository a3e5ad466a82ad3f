"""Build the rooms, join them, and open the page.

The only place that knows every room. ``build`` makes a page for any playground, ``launch`` a whole
Parley from its settings.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from starlette.requests import Request

from parley import labels, people
from parley.api import routes
from parley.arena.compare import MOST as MOST_COLUMNS
from parley.arena.rounds import Rounds
from parley.arena.votes import VoteBox
from parley.catalog.watch import Shelf
from parley.chats.store import KEEP_DELETED, Store
from parley.engines.local import LocalEngine
from parley.engines.nursery import Nursery
from parley.engines.stock import take_stock
from parley.errors import ParleyError
from parley.people import People
from parley.playground import Playground
from parley.pool import memory
from parley.pool.appraiser import Appraiser
from parley.pool.ledger import Ledger
from parley.pool.pool import Pool
from parley.settings import Settings
from parley.ui import page_files, quick_import

log = logging.getLogger(__name__)

PROBE_SECONDS = 120.0
"""Until a driver that does not answer counts as none."""

CATALOGUE_POLL = 2.0
"""Seconds between two looks at the catalogue's files."""

SIGN_IN = "Sign in to see your chats."
"""On Gradio's own page for it, which has one language."""

TIDY = 3600.0
"""Seconds after which what was deleted long ago is looked for again."""


def make_playground(
    settings: Settings, nursery: Nursery, *, store: Store | None = None
) -> Playground:
    """Catalogue, pool and store as ``settings`` say, or with another ``store``: that of the data
    folder may be another Parley's now. Raises CatalogueError or StoreError."""
    shelf = Shelf(settings.models)
    if store is None:
        store = Store(settings.data_dir)
        store.recover()
    # Where there may be a GPU, requests wait until torch has been asked; see ``look_at_machine``.
    known = (
        None if memory.may_have_accelerator() else memory.cpu_machine(os.environ, settings.memory)
    )
    pool = Pool(
        lambda spec, devices: LocalEngine(spec, nursery, devices),
        Appraiser(partial(take_stock, ask_hub=True)),
        known,
        limits=settings.limits,
        ledger=Ledger(settings.data_dir / "loads.json"),
    )
    pool.start()
    return Playground(shelf, pool, store)


def build(
    playground: Playground, box: VoteBox, *, sharing: bool = True, folder: Path | None = None
) -> Any:
    """The page and its endpoints as a ``gr.Blocks`` that has not been launched. ``folder`` is where
    the chats are kept, for a page whose people may know it."""
    quick_import.install()
    import gradio as gr
    from gradio.events import api

    from parley.ui.endpoints import chat_endpoint, models_endpoint
    from parley.ui.questions.asked import guarded
    from parley.ui.questions.board import BoardQuestions
    from parley.ui.questions.chats import ChatQuestions
    from parley.ui.questions.compare import CompareQuestions
    from parley.ui.questions.composer import ComposerQuestions
    from parley.ui.questions.data import DataQuestions
    from parley.ui.questions.history import HistoryQuestions
    from parley.ui.questions.looks import LookQuestions
    from parley.ui.questions.messages import MessageQuestions
    from parley.ui.questions.models import ModelQuestions
    from parley.ui.questions.rounds import RoundQuestions
    from parley.ui.stream import Stream
    from parley.ui.token_endpoints import score_endpoint, tokens_endpoint

    rounds = Rounds(box)
    stream = Stream(playground, rounds)
    asked = (
        *ModelQuestions(playground).all(),
        *ChatQuestions(playground).all(),
        *ComposerQuestions(playground).all(),
        *MessageQuestions(playground).all(),
        *LookQuestions(playground, local=folder is not None).all(),
        *HistoryQuestions(playground).all(),
        *CompareQuestions(playground).all(),
        *RoundQuestions(playground, rounds).all(),
        *BoardQuestions(box, local=folder is not None).all(),
        *DataQuestions(playground, box, sharing=sharing, folder=folder).all(),
        stream.stop,
    )
    with gr.Blocks(title=labels.APP, analytics_enabled=False) as demo:
        page = gr.HTML(
            value=None,
            html_template=page_files.markup(),
            js_on_load=page_files.BOOT,
            server_functions=[guarded(question) for question in asked],
            apply_default_css=False,
            elem_id="parley-page",
        )
        # Each column of a comparison has a stream of its own: events of one component would wait
        # for each other in the browser.
        pipes = [
            gr.HTML(
                value=None,
                html_template="<i></i>",
                js_on_load=page_files.PIPE,
                apply_default_css=False,
                elem_classes="parley-pipe",
            )
            for _ in range(MOST_COLUMNS)
        ]
        for component in (page, *pipes):
            component.send(
                stream.send,
                None,
                component,
                show_progress="hidden",
                api_visibility="private",
                concurrency_limit=None,
                # A page may leave one turn and begin another before the first has quite ended.
                trigger_mode="multiple",
            )
        api(models_endpoint(playground), api_name="models", queue=False)
        api(chat_endpoint(playground), api_name="chat", concurrency_limit=None)
        api(tokens_endpoint(playground), api_name="tokens", concurrency_limit=None)
        api(score_endpoint(playground), api_name="score", concurrency_limit=None)
    # The pool decides who waits and says so on the page; Gradio's own queue must not hide it.
    return demo.queue(default_concurrency_limit=None, api_open=True)


def launch(settings: Settings) -> None:
    """Open for business and stay until interrupted."""
    _be_quiet()
    nursery = Nursery()
    playground = make_playground(settings, nursery)
    box = VoteBox(settings.data_dir)
    try:
        demo = build(
            playground,
            box,
            sharing=settings.sharing,
            folder=settings.data_dir if settings.local else None,
        )
        _launch(demo, settings, playground)
        # Imports torch in a process of its own. Only now: on two cores it would take from the
        # page's import what the first visitor waits for; see docs/benchmarks.md.
        nursery.warm()
        if playground.pool.machine is None:
            look_at_machine(playground.pool, nursery, settings)
        _watch_catalogue(playground)
        _until_interrupted()
        # Before the server, which waits for streams that the engines' end brings to theirs.
        playground.close()
        demo.close(verbose=False)
    finally:
        playground.close()
        box.close()
        nursery.close()


def _launch(demo: Any, settings: Settings, playground: Playground) -> None:
    try:
        app, url, shared = serve(demo, settings)
    except OSError as error:
        raise ParleyError(
            "port_in_use",
            f"Parley cannot listen on {settings.host}, port {settings.port or '7860 and up'}.",
            "Another program may hold the port, or the address is not this machine's: give others "
            "with --port and --host.",
        ) from error
    routes.install(app, playground.pool, playground.meters, signed_in=_signed_in(app, settings))
    print(f"{labels.APP} is open at {url}", flush=True)
    if shared:
        print(f"and, for anyone who has the link, at {shared}", flush=True)


def serve(demo: Any, settings: Settings) -> Any:
    """Launch the page the way Parley is launched; returns what ``gr.Blocks.launch`` does."""
    return demo.launch(
        server_name=settings.host,
        server_port=settings.port,
        share=settings.share,
        prevent_thread_lock=True,
        quiet=True,
        show_error=True,
        ssr_mode=False,
        run_history=False,
        footer_links=[],
        head=page_files.head(accounts=settings.users is not None),
        allowed_paths=[],
        max_threads=100,
        auth=People(settings.users).check if settings.users else None,
        auth_message=SIGN_IN if settings.users else None,
    )


def _signed_in(app: Any, settings: Settings) -> Callable[[Request], Mapping[str, str]]:
    """Who is behind a request, by the cookie that Gradio gave them when they signed in."""
    if settings.users is None:
        return lambda _: {}
    secret = people.key(settings.data_dir)

    def found(request: Request) -> Mapping[str, str]:
        cookies = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
        token = next((request.cookies[name] for name in cookies if name in request.cookies), None)
        name = app.tokens.get(token)
        return {"name": name, "owner": people.identity(secret, name)} if name else {}

    return found


def _be_quiet() -> None:
    """No telemetry from any library in this process or its children."""
    for name, value in {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }.items():
        os.environ.setdefault(name, value)


def look_at_machine(pool: Pool, nursery: Nursery, settings: Settings) -> None:
    """Ask torch for a GPU, in the background; until then requests wait."""

    def look() -> None:
        found: list[tuple[str, str, int]] = []
        try:
            child, pipe = nursery.start("parley.engines.probe")
            if pipe.poll(PROBE_SECONDS):
                found = pipe.recv()
            child.kill()
        except (OSError, EOFError):
            log.exception("torch could not be asked for a GPU; models run on the processor")
        pool.set_machine(memory.gpu_machine(found, os.environ, settings.memory))

    threading.Thread(target=look, name="parley-probe", daemon=True).start()


def _watch_catalogue(playground: Playground) -> None:
    def watch() -> None:
        tidied = time.monotonic()
        while True:
            playground.survey()
            time.sleep(CATALOGUE_POLL)
            playground.shelf.poll()
            if time.monotonic() - tidied > TIDY:
                tidied = time.monotonic()
                playground.write(lambda: playground.store.purge(KEEP_DELETED))

    threading.Thread(target=watch, name="parley-catalogue", daemon=True).start()


def _until_interrupted() -> None:
    over = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        over.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, end)
    while not over.wait(3600):
        pass
    print(f"{labels.APP} closes.", file=sys.stderr)
