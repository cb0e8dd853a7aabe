"""From a request in the table to what the carrier is asked for."""

from __future__ import annotations

from collections.abc import Callable

from cluster.call_urls import MACHINE_PATH, RECORDING_PATH, STATUS_PATH, VOICE_PATH, CallUrls
from records.edge_rows import CallRequestRow
from telephony.rest import CallRecording, CreateCall, MachineDetection

DEFAULT_RING_S = 60


def new_call(urls: CallUrls) -> Callable[[CallRequestRow], CreateCall]:
    """Makes the order for a request. Raises ``telephony.errors.LocalProtocolError``."""

    def order(row: CallRequestRow) -> CreateCall:
        token = urls.token(
            row.tenant_id,
            row.agent_id,
            row.call_id,
            "outbound",
            has_variables=bool(row.variables),
        )
        detection = row.options.get("machine_detection") or {}
        mode = detection.get("mode", "off")
        return CreateCall(
            to=row.to_number,
            from_=row.from_number,
            url=urls.url(VOICE_PATH, token),
            status_callback=urls.url(STATUS_PATH, token),
            timeout_s=int(row.options.get("timeout_s", DEFAULT_RING_S)),
            machine_detection=None
            if mode == "off"
            else MachineDetection(
                mode="DetectMessageEnd" if mode == "leave_message" else "Enable",
                callback_url=urls.url(MACHINE_PATH, token),
            ),
            recording=CallRecording(callback_url=urls.url(RECORDING_PATH, token))
            if row.options.get("record")
            else None,
        )

    return order
