"""The HTTP routes of the edge: Twilio's webhooks, health and readiness.

Every webhook is checked for Twilio's signature and read as a form. Answers are TwiML; what cannot
be done is said to the caller politely instead of failing, since a failed webhook is an announcement
in the carrier's voice and the end of the call.
"""

from __future__ import annotations

import logging
import os
from functools import partial
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from cluster import descriptors, serve_env
from cluster.call_services import CallServices
from cluster.callback_routes import include_callbacks
from cluster.dashboard.routes import include_dashboard
from cluster.edge import Edge
from cluster.form_refused import FormRefused
from cluster.handover_routes import DialWebhook
from cluster.logs import SeldomLine
from cluster.metrics_routes import include_metrics
from cluster.other_regions import VIA
from cluster.request_body import BodyReader, BodyRefused
from cluster.resume_routes import DIAL_PATH, ResumeWebhook
from telephony import twiml
from telephony.json_fields import SID

logger = logging.getLogger(__name__)

MAX_FORM_BYTES = 65_536
LOADING = "loading"  # of a model that is not there yet


def build_app(edge: Edge, services: CallServices) -> FastAPI:
    """The HTTP application of the webhooks of one replica."""
    app = FastAPI(title="callcluster", docs_url=None, redoc_url=None, openapi_url=None)
    include_metrics(app, edge)
    include_dashboard(app)
    after_stream = ResumeWebhook(services)
    after_dial = DialWebhook(edge, after_stream)
    refusals = SeldomLine(logger.warning, monotonic)
    signed_form = partial(_signed_form, BodyReader(MAX_FORM_BYTES), refusals)

    @app.exception_handler(FormRefused)
    async def refused(_request: Request, error: FormRefused) -> JSONResponse:
        headers = {"Connection": "close"} if error.status == 408 else None
        return JSONResponse({"error": str(error)}, error.status, headers)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        regions = services.regions.status() if services.regions is not None else {}
        told = {**readiness(edge), "regions": regions}
        return JSONResponse(told, status_code=503 if edge.not_ready else 200)

    @app.post("/twilio/voice")
    async def voice(request: Request) -> Response:
        form = await signed_form(edge, request)
        call_sid = form.get("CallSid", "")
        if SID.fullmatch(call_sid) is None:
            raise FormRefused(400, "CallSid is 1 to 64 letters and digits")
        token, via = request.query_params.get("o", ""), request.query_params.get(VIA, "")
        answer = await services.voice.answer(call_sid, form, token, via)
        # Another region understands the status; the carrier has to get its TwiML.
        return _xml(answer.twiml, 503 if via and answer.is_refused else 200)

    @app.post("/twilio/resume")
    async def resume(request: Request) -> Response:
        form = await signed_form(edge, request)
        return _xml(await after_stream.answer(form, request.query_params.get("s", "")))

    @app.post(DIAL_PATH)
    async def dial(request: Request) -> Response:
        form = await signed_form(edge, request)
        return _xml(await after_dial.answer(form, request.query_params.get("s", "")))

    include_callbacks(app, edge, services, signed_form)
    return app


def readiness(edge: Edge) -> dict[str, Any]:
    """What a person or a probe wants to know of this replica."""
    stock, models = edge.parts.pool.stock, edge.parts.models
    return {
        "ready": not edge.not_ready,
        "waiting_for": list(edge.not_ready),
        "pid": os.getpid(),
        "port": edge.settings.port,
        "active_calls": len(edge.registry),
        "max_calls": edge.registry.maximum,
        "free_slots": stock.free,
        "cluster_active_calls": stock.cluster_active,
        "cluster_capacity": stock.cluster_capacity,
        "provider_limits": edge.parts.gate.status(),
        "haproxy": os.environ.get(serve_env.HAPROXY_SWITCH) == "1",
        "speech_detector": models.speech_detector if models else LOADING,
        "turn_model": models.turn_model if models else LOADING,
        "warnings": [
            *serve_env.complaints(),
            *descriptors.complaints(edge.registry.maximum, descriptors.limit()),
            *descriptors.shortage(),
            *(models.warnings if models else ()),
        ],
        "counters": dict(edge.parts.counters),
    }


async def _signed_form(
    bodies: BodyReader, refused: SeldomLine, edge: Edge, request: Request
) -> dict[str, str]:
    """The form of a webhook, once its signature was found good."""
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_FORM_BYTES:
        raise FormRefused(413, f"the body is larger than {MAX_FORM_BYTES} bytes")
    try:
        body = await bodies.read(request.receive)
    except BodyRefused as error:
        raise FormRefused(error.status, error.message) from None
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=500)
    except ValueError:
        raise FormRefused(400, "the body is not a form in UTF-8") from None
    target = request.scope["raw_path"].decode("latin-1")
    if request.url.query:
        target += f"?{request.url.query}"
    if not edge.webhook_allowed(target, pairs, request.headers):
        edge.count("webhooks_refused", 1)
        refused(
            "webhook refused: wrong or missing X-Twilio-Signature. The signed address begins with "
            f"{edge.settings.public_url} (PUBLIC_URL); the key is TWILIO_AUTH_TOKEN."
        )
        raise FormRefused(
            403, "X-Twilio-Signature is missing or wrong (PUBLIC_URL, TWILIO_AUTH_TOKEN)"
        )
    return dict(pairs)


def _xml(text: str, status: int = 200) -> Response:
    return Response(text, status, media_type=twiml.CONTENT_TYPE)
