"""``GET /metrics``: the measurements of the whole cluster, whichever replica is asked.

What is served is the copy that this replica holds in memory and that its reporter refreshes about
once a second: a request never waits for another process.

Who may read it. With CALLCLUSTER_METRICS_TOKEN: whoever sends it (``Authorization: Bearer ...``).
Without: in development mode everybody; else whoever asks a node directly, as Prometheus does. What
came through the public front is refused then, since tenants, volumes and costs can be read here.
The front is known by the headers it adds or by the public host's name; that is a fence and no wall,
a token is.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from actors.metrics_reporter import ClusterView
from cluster.edge import Edge
from telemetry import catalog
from telemetry.exposition import CONTENT_TYPE

FRONT_HEADERS = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "via")
VOICE_PATH = "/twilio/voice"
TOO_OLD_S = 60.0  # a view of the distant past is no view

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


def include_metrics(app: FastAPI, edge: Edge) -> None:
    """Add the route, and measure how long the carrier waits for the answer to a new call."""
    app.add_middleware(AdmissionTimer, edge=edge)

    @app.get("/metrics")
    async def metrics(request: Request) -> Response:
        return answer(edge, request, now=asyncio.get_running_loop().time())


def answer(edge: Edge, request: Request, *, now: float) -> Response:
    """The answer to ``GET /metrics``; ``now`` is loop time."""
    refusal = _refusal(edge, request)
    if refusal is not None:
        return refusal
    view = edge.parts.cluster_view()
    if view is None or now - view.made_at > TOO_OLD_S:
        return JSONResponse(
            {"error": "the MetricsActor has not answered yet: look at the log of this replica"},
            status_code=503,
            headers={"Retry-After": "1"},
        )
    age_s = round(max(now - view.made_at, 0.0), 3)
    headers = {"Cache-Control": "no-store", "X-View-Age-Seconds": str(age_s)}
    if _wants_json(request):
        summary = {"age_s": age_s, **json.loads(view.summary_json())}
        return JSONResponse(summary, headers=headers)
    return Response(_text(view, age_s), media_type=CONTENT_TYPE, headers=headers)


def _text(view: ClusterView, age_s: float) -> str:
    age = catalog.VIEW_AGE
    return (
        f"{view.prometheus_text()}# HELP {age.name} {age.help}\n"
        f"# TYPE {age.name} {age.kind}\n{age.name} {age_s}\n"
    )


def _wants_json(request: Request) -> bool:
    wanted = request.query_params.get("format", "")
    if wanted:
        return wanted == "json"
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/plain" not in accepted


def _refusal(edge: Edge, request: Request) -> JSONResponse | None:
    token = edge.settings.metrics_token.get_secret_value()
    if token:
        given = request.headers.get("authorization", "")
        if hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return None
        return JSONResponse(
            {"error": "send Authorization: Bearer with the value of CALLCLUSTER_METRICS_TOKEN"},
            status_code=401,
            headers={"WWW-Authenticate": "Bearer"},
        )
    if edge.settings.development or not _came_through_front(edge, request):
        return None
    return JSONResponse(
        {"error": "set CALLCLUSTER_METRICS_TOKEN to read metrics through the public address"},
        status_code=403,
    )


def _came_through_front(edge: Edge, request: Request) -> bool:
    host = request.headers.get("host", "").lower()
    return host in edge.origin.hosts() or any(name in request.headers for name in FRONT_HEADERS)


class AdmissionTimer:
    """Middleware that measures the webhook of a new call, from its first byte to its answer's."""

    def __init__(self, app: Application, edge: Edge) -> None:
        self._app = app
        self._ledger = edge.parts.counts.ledger

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] != VOICE_PATH:
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        began_at = loop.time()

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                self._ledger.observe(catalog.ADMISSION_LATENCY, loop.time() - began_at)
            await send(message)

        await self._app(scope, receive, timed)
