"""What the carrier posts while a call goes on: its status, who answered, its recordings.

Each is answered at once; what follows from it is done afterwards. A callback that cannot be
understood is refused with 400 and changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI, Request, Response

from cluster.call_services import CallServices
from cluster.call_urls import MACHINE_PATH, RECORDING_PATH, STATUS_PATH, inbound_call_id
from cluster.edge import Edge
from cluster.form_refused import FormRefused
from telephony.call_token import CallClaims
from telephony.callback_forms import (
    read_call_status,
    read_machine_report,
    read_recording_report,
)
from telephony.errors import MalformedMessage, TokenRefused

SignedForm = Callable[[Edge, Request], Awaitable[dict[str, str]]]


def include_callbacks(
    app: FastAPI, edge: Edge, services: CallServices, signed_form: SignedForm
) -> None:
    """Add the routes.

    Args:
        app: The application of the webhooks.
        edge: Has the calls of this replica.
        services: Take the reports.
        signed_form: Reads a form whose signature is good.
    """
    callbacks = _Callbacks(edge, services)
    takers = {
        STATUS_PATH: callbacks.status,
        MACHINE_PATH: callbacks.machine,
        RECORDING_PATH: callbacks.recording,
    }

    async def take(request: Request) -> Response:
        form = await signed_form(edge, request)
        try:
            takers[request.url.path](form, request.query_params.get("o", ""))
        except MalformedMessage as error:
            raise FormRefused(400, error.message) from None
        except TokenRefused as error:
            edge.count("call_tokens_refused", 1)
            raise FormRefused(403, f"the token in the URL: {error}") from None
        return Response(status_code=204)

    for path in takers:
        app.add_api_route(path, take, methods=["POST"])


class _Callbacks:
    def __init__(self, edge: Edge, services: CallServices) -> None:
        self._edge = edge
        self._services = services

    def status(self, form: Mapping[str, str], token: str) -> None:
        report = read_call_status(form)
        self._edge.count("status_callbacks", 1)
        call = self._edge.registry.owner_of(report.call_sid)
        if report.is_final and call is not None:
            call.driver.carrier_ended(report.status)
        lifecycle = self._services.lifecycle
        if lifecycle is None:
            return
        claims = self._services.urls.read(token) if token else self._inbound_claims(form)
        if claims is not None:
            lifecycle.status_reported(claims, report)

    def machine(self, form: Mapping[str, str], token: str) -> None:
        claims, report = self._services.urls.read(token), read_machine_report(form)
        self._edge.count("machine_callbacks", 1)
        if self._services.lifecycle is not None:
            self._services.lifecycle.machine_reported(claims, report)

    def recording(self, form: Mapping[str, str], token: str) -> None:
        claims, report = self._services.urls.read(token), read_recording_report(form)
        self._edge.count("recording_callbacks", 1)
        if self._services.lifecycle is not None:
            self._services.lifecycle.recording_reported(claims, report)

    def _inbound_claims(self, form: Mapping[str, str]) -> CallClaims | None:
        """Whose call a status is about that came to one of our numbers."""
        if form.get("Direction", "inbound") != "inbound":
            return None
        agent = self._services.voice.agent_for(form.get("To", ""))
        if agent is None:
            return None
        call_id = inbound_call_id(form.get("CallSid", ""))
        return CallClaims(agent.tenant_id, agent.agent_id, call_id, "inbound", 0)
