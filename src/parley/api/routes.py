"""Put ``/health``, ``/metrics`` and ``/identity`` on the server that carries the page.

The first two answer GET and HEAD to anyone who can reach the server, with or without a login: a
load balancer has no password. On a public Space that is everybody, and it gives little away: which
models are configured and in memory, how many answers and tokens there were, how fast, how much
memory. No text, no names, no addresses, no conversation and nothing that tells one person from
another. ``/identity`` tells a page who has signed in on it. Knows nothing of Gradio beyond that its
app routes as any Starlette app does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import psutil
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from parley.api import health, metrics
from parley.meters import Meters

NOT_KEPT = {"Cache-Control": "no-store"}


def available_memory() -> int:
    """Bytes of main memory that this machine could still give."""
    return int(psutil.virtual_memory().available)


def install(
    app: Starlette,
    pool: health.WatchedPool,
    meters: Meters,
    *,
    owner_limit: float = health.OWNER_LIMIT,
    available: Callable[[], int] = available_memory,
    signed_in: Callable[[Request], Mapping[str, str]] = lambda _: {},
) -> None:
    """Add the routes in front of the app's own; its server may be running. ``signed_in`` tells the
    ``name`` of the person whose page asks, and the ``owner`` that stands for them."""

    # On the event loop itself: a health check must not wait for a thread that page visits hold.
    async def show_health(request: Request) -> Response:
        found = health.look(pool, owner_limit)
        return JSONResponse(found.report(), 200 if found.ok else 503, headers=NOT_KEPT)

    # In a thread, as Starlette runs what is not a coroutine: it takes some milliseconds, which
    # streams on the event loop need not lose.
    def show_metrics(request: Request) -> Response:
        body = metrics.exposition(meters, pool.view(), available())
        return Response(body, media_type=metrics.CONTENT_TYPE, headers=NOT_KEPT)

    async def show_identity(request: Request) -> Response:
        return JSONResponse(signed_in(request), headers=NOT_KEPT)

    # One assignment: a request that is being routed meanwhile sees the list before or after it.
    app.router.routes[:0] = [
        Route("/health", show_health, methods=["GET"], include_in_schema=False),
        Route("/metrics", show_metrics, methods=["GET"], include_in_schema=False),
        Route("/identity", show_identity, methods=["GET"], include_in_schema=False),
    ]
