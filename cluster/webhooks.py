"""The HTTP routes of the edge: Twilio's webhooks, health and readiness.

Every webhook is checked for Twilio's signature and read as a form. Answers are TwiML; what cannot
be done is said to the caller politely instead of failing, since a failed webhook is an announcement
in the carrier's voice and the end of the call.
"""

from __future__ import annotations

import logging
import os
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from actors.errors import MindLostError
from actors.wire import CallState
from cluster import serve_env
from cluster.edge import Edge, Placement
from cluster.errors import NoCapacityError
from cluster.metrics_routes import include_metrics
from telephony import twiml
from telephony.errors import TokenRefused

logger = logging.getLogger(__name__)

MAX_FORM_BYTES = 65_536
BUSY = "All our lines are busy at the moment. Please call again in a few minutes. Goodbye."
MEDIA_PATH = "/twilio/media"
LOST = "We are sorry, we have lost the connection. Please call again. Goodbye."
ENDED_STATES = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def build_app(edge: Edge) -> FastAPI:
    """The HTTP application of one replica."""
    app = FastAPI(title="callcluster", docs_url=None, redoc_url=None, openapi_url=None)
    include_metrics(app, edge)

    @app.exception_handler(_Refused)
    async def refused(_request: Request, error: _Refused) -> JSONResponse:
        return JSONResponse({"error": str(error)}, status_code=error.status)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        return JSONResponse(readiness(edge), status_code=503 if edge.not_ready else 200)

    @app.post("/twilio/voice")
    async def voice(request: Request) -> Response:
        form = await _signed_form(edge, request)
        await edge.wait_for_slot()
        return _xml(_answer_new_call(edge, form))

    @app.post("/twilio/resume")
    async def resume(request: Request) -> Response:
        form = await _signed_form(edge, request)
        return _xml(await _answer_after_stream(edge, form, request.query_params.get("s", "")))

    @app.post("/twilio/status")
    async def status(request: Request) -> Response:
        form = await _signed_form(edge, request)
        state = form.get("CallStatus", "")
        edge.count("status_callbacks", 1)
        call = edge.registry.owner_of(form.get("CallSid", ""))
        if state in ENDED_STATES and call is not None:
            call.driver.carrier_ended(state)
        return Response(status_code=204)

    return app


def readiness(edge: Edge) -> dict[str, Any]:
    """What a person or a probe wants to know of this replica."""
    stock = edge.parts.pool.stock
    return {
        "ready": not edge.not_ready,
        "waiting_for": list(edge.not_ready),
        "pid": os.getpid(),
        "active_calls": len(edge.registry),
        "max_calls": edge.registry.maximum,
        "free_slots": stock.free,
        "cluster_active_calls": stock.cluster_active,
        "cluster_capacity": stock.cluster_capacity,
        "haproxy": os.environ.get(serve_env.HAPROXY_SWITCH) == "1",
        "warnings": serve_env.complaints(),
        "counters": dict(edge.parts.counters),
    }


def _answer_new_call(edge: Edge, form: dict[str, str]) -> str:
    call_sid = form.get("CallSid", "")
    if not call_sid:
        raise _Refused(400, "CallSid is missing")
    agent = edge.parts.agents[edge.settings.default_agent]
    refusal = edge.refusal()
    if not refusal:
        try:
            placement = edge.place_call(call_sid, agent)
        except NoCapacityError:
            refusal = "actors_full"
        else:
            edge.count("calls_admitted", 1)
            return _connect(edge, placement, form)
    edge.count(f"calls_refused_{refusal}", 1)
    logger.warning("a call was refused politely: %s", refusal)
    return twiml.say_and_hang_up(BUSY, "en-US")


async def _answer_after_stream(edge: Edge, form: dict[str, str], token: str) -> str:
    """The ``action`` of ``<Connect>``: hang up after a planned end, a new stream after a loss."""
    try:
        claims = edge.read_token(token, "action")
    except TokenRefused as error:
        logger.warning("resume refused: %s", error)
        return twiml.hang_up()
    if claims.call_sid != form.get("CallSid", ""):
        raise _Refused(400, "the state in the action URL was made for another call")
    status = form.get("CallStatus", "")
    if status != "in-progress":
        if status in ENDED_STATES:
            await edge.carrier_ended(claims, status)
        return twiml.empty()
    state: CallState | None = None
    try:
        state = await edge.parts.pool.call_state(claims.actor, claims.call_id)
    except MindLostError:
        edge.parts.pool.report_lost(claims.actor)
    if await edge.ended_as_planned(claims, state):
        return twiml.hang_up()
    if claims.resume >= edge.settings.max_resumes:
        edge.count("resumes_exhausted", 1)
        return twiml.say_and_hang_up(LOST, "en-US")
    try:
        placement = edge.place_resumed(claims, actor_alive=state is not None)
    except NoCapacityError:
        return twiml.say_and_hang_up(LOST, "en-US")
    edge.count("streams_resumed", 1)
    return _connect(edge, placement, form)


def _connect(edge: Edge, placement: Placement, form: dict[str, str]) -> str:
    return twiml.connect_stream(
        stream_url=edge.origin.stream_url(MEDIA_PATH),
        action_url=edge.origin.url(f"/twilio/resume?s={placement.action_token}"),
        parameters={
            "token": placement.stream_token,
            "from": form.get("From", "")[:64],
            "to": form.get("To", "")[:64],
        },
        allow_insecure=edge.settings.development,
    )


async def _signed_form(edge: Edge, request: Request) -> dict[str, str]:
    """The form of a webhook, once its signature was found good."""
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_FORM_BYTES:
        raise _Refused(413, f"the body is larger than {MAX_FORM_BYTES} bytes")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FORM_BYTES:
            raise _Refused(413, f"the body is larger than {MAX_FORM_BYTES} bytes")
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=500)
    except ValueError:
        raise _Refused(400, "the body is not a form in UTF-8") from None
    target = request.scope["raw_path"].decode("latin-1")
    if request.url.query:
        target += f"?{request.url.query}"
    if not edge.webhook_allowed(target, pairs, request.headers):
        edge.count("webhooks_refused", 1)
        logger.warning(
            "webhook refused: wrong or missing X-Twilio-Signature. The signed address begins with "
            "%s (PUBLIC_URL); the key is TWILIO_AUTH_TOKEN.",
            edge.settings.public_url,
        )
        raise _Refused(
            403, "X-Twilio-Signature is missing or wrong (PUBLIC_URL, TWILIO_AUTH_TOKEN)"
        )
    return dict(pairs)


def _xml(text: str) -> Response:
    return Response(text, media_type=twiml.CONTENT_TYPE)
