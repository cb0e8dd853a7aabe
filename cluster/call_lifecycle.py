"""What the carrier tells about a call besides its webhooks, and what is done about it.

Nothing here is awaited by a webhook. Each report becomes a job that is tried until it is done; jobs
of one call may run in any order, and twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from actors.request_marks import HANG_UP
from cluster.call_stores import CallStores
from cluster.call_urls import RECORDING_PATH, CallUrls
from cluster.patient_work import PatientWork
from cluster.request_progress import changes_for, leaves_behind, status_of
from records.edge_rows import FINAL_REQUEST_STATUSES, CallRequestRow, RecordingRow
from records.ids import derived_id
from records.rows import JournalRow
from telephony import twiml
from telephony.call_token import CallClaims
from telephony.callback_forms import CallStatusReport, MachineReport, RecordingReport
from telephony.errors import CarrierRefused
from telephony.rest import CallRecording, CarrierRest

logger = logging.getLogger(__name__)

_ALL = frozenset(
    {
        *("queued", "dialing", "placed", "answered"),
        *("completed", "busy", "no-answer", "failed", "canceled"),
    }
)


@dataclass(frozen=True, slots=True)
class LifecycleParts:
    """What it needs.

    Attributes:
        put: Takes a row of the journal; never waits (``RecordWriter.put``).
        carrier: None when the carrier is not configured.
        hang_up_here: Ends the call with this ``CallSid``, with a reason, if this process has it.
        nudge: Tells the back office that there is something to do.
    """

    stores: CallStores
    put: Callable[[JournalRow], None]
    carrier: CarrierRest | None
    urls: CallUrls
    wall_clock_us: Callable[[], int]
    hang_up_here: Callable[[str, str], bool]
    nudge: Callable[[], None]


class CallLifecycle:
    """Takes reports.

    Args:
        parts: See ``LifecycleParts``.
        work: Does what takes time.
    """

    def __init__(self, parts: LifecycleParts, work: PatientWork) -> None:
        self._parts = parts
        self._work = work

    # --- status ----------------------------------------------------------------------------------

    def answered(self, claims: CallClaims, call_sid: str) -> None:
        """A call that we placed has asked what to do: somebody answered."""
        self._work.begin(
            f"call {claims.call_id}: answered",
            lambda: self._advance(claims.tenant_id, claims.call_id, call_sid, "in-progress"),
        )

    def status_reported(self, claims: CallClaims, report: CallStatusReport) -> None:
        """A status callback."""
        data: dict[str, Any] = {"status": report.status}
        for name in ("sequence_number", "duration_s", "sip_response_code", "answered_by"):
            if (value := getattr(report, name)) not in (None, ""):
                data[name] = value
        self._note(claims, report.call_sid, "carrier_status", report.status, data)
        if claims.direction != "outbound":
            return
        code = report.sip_response_code
        why = f"the carrier could not connect the call (SIP {code})" if code else ""
        self._work.begin(
            f"call {claims.call_id}: {report.status}",
            lambda: self._advance(
                claims.tenant_id, claims.call_id, report.call_sid, report.status, why
            ),
        )

    async def _advance(
        self, tenant_id: str, call_id: str, call_sid: str, carrier_status: str, why: str = ""
    ) -> None:
        status, requests = status_of(carrier_status), self._parts.stores.requests
        if status is None:
            return
        while True:
            row = await requests.get(tenant_id, call_id)
            if row is None:
                logger.warning("call %s: a status came, but nobody asked for it", call_id)
                return
            behind = leaves_behind(row, status)
            if row.status not in behind:
                if call_sid and not row.call_sid:
                    now_us = self._parts.wall_clock_us()
                    await requests.change(
                        tenant_id, call_id, {row.status}, call_sid=call_sid, updated_at_us=now_us
                    )
                return
            if await requests.change(
                tenant_id,
                call_id,
                {row.status},
                **changes_for(row, status, call_sid, why, 0),
                updated_at_us=self._parts.wall_clock_us(),
            ):
                self._parts.nudge()
                if row.options.get(HANG_UP) and status not in FINAL_REQUEST_STATUSES:
                    # Who asked the carrier for it would have ended it, and may be dead.
                    self._work.begin(f"call {call_id}: end", lambda: self.hang_up(call_sid, "api"))
                return

    # --- machines --------------------------------------------------------------------------------

    def machine_reported(self, claims: CallClaims, report: MachineReport) -> None:
        """Who answered."""
        data: dict[str, Any] = {"answered_by": report.answered_by}
        if report.detection_s is not None:
            data["detection_s"] = report.detection_s
        self._note(claims, report.call_sid, "machine_detected", report.answered_by, data)
        self._work.begin(
            f"call {claims.call_id}: {report.answered_by}",
            lambda: self._meet_machine(claims, report),
        )

    async def _meet_machine(self, claims: CallClaims, report: MachineReport) -> None:
        requests = self._parts.stores.requests
        row = await requests.get(claims.tenant_id, claims.call_id)
        if row is None or row.answered_by == report.answered_by:
            return  # a repeated callback
        await requests.change(
            claims.tenant_id,
            claims.call_id,
            _ALL,
            answered_by=report.answered_by,
            updated_at_us=self._parts.wall_clock_us(),
        )
        act = self._action(row, report)
        if act is not None:
            self._work.begin(f"call {claims.call_id}: {report.answered_by} answered", act)

    def _action(self, row: CallRequestRow, report: MachineReport) -> Any:
        """What is to be done about who answered, or None."""
        detection: Mapping[str, Any] = row.options.get("machine_detection") or {}
        mode = detection.get("mode", "off")
        if not report.is_machine or mode not in {"hang_up", "leave_message"}:
            return None
        if mode == "hang_up" or not report.can_leave_message:
            # Nothing can be left on a fax; and what is no end of a greeting is not waited for.
            if mode == "leave_message" and report.answered_by != "fax":
                return None
            return lambda: self.hang_up(report.call_sid, "machine")
        words = str(detection.get("message") or "")
        if not words:  # the call was erased: there is nothing to be left
            return lambda: self.hang_up(report.call_sid, "machine")
        message = twiml.say_and_hang_up(words, str(detection.get("language", "en-US")))
        return lambda: self._steer(report.call_sid, message)

    async def hang_up(self, call_sid: str, reason: str) -> None:
        """End a call, whatever it does. Raises ``CarrierError``; a call that is over is fine."""
        is_here = self._parts.hang_up_here(call_sid, reason)
        if self._parts.carrier is None:
            if not is_here:
                logger.warning("a call is not ended: TWILIO_ACCOUNT_SID is not set")
            return
        try:
            await self._parts.carrier.update_call(call_sid, status="completed")
        except CarrierRefused as error:
            if not (error.is_call_over or error.is_unknown):
                raise

    async def _steer(self, call_sid: str, document: str) -> None:
        if self._parts.carrier is None:
            logger.warning("no message is left: TWILIO_ACCOUNT_SID is not set")
            return
        try:
            await self._parts.carrier.update_call(call_sid, twiml=document)
        except CarrierRefused as error:
            if not error.is_call_over:
                raise

    # --- recordings ------------------------------------------------------------------------------

    def start_recording(self, claims: CallClaims, call_sid: str) -> None:
        """Record a call in progress; that it cannot be done is said and hurts nobody."""
        carrier = self._parts.carrier
        if carrier is None:
            logger.error("call %s is not recorded: TWILIO_ACCOUNT_SID is not set", claims.call_id)
            self._note(claims, call_sid, "recording_failed", "", {"why": "no carrier"})
            return
        token = self._parts.urls.token(
            claims.tenant_id, claims.agent_id, claims.call_id, claims.direction
        )
        order = CallRecording(callback_url=self._parts.urls.url(RECORDING_PATH, token))

        async def begin() -> None:
            try:
                sid = await carrier.start_recording(call_sid, order)
            except CarrierRefused as error:
                logger.error("call %s is not recorded: %s", claims.call_id, error)
                self._note(claims, call_sid, "recording_failed", "", {"code": error.code})
                return
            self.recording_reported(claims, RecordingReport(sid, call_sid, "in-progress"))

        self._work.begin(f"call {claims.call_id}: recording", begin)

    def recording_reported(self, claims: CallClaims, report: RecordingReport) -> None:
        """A recording's status callback."""
        row = RecordingRow(
            recording_sid=report.recording_sid,
            tenant_id=claims.tenant_id,
            call_id=claims.call_id,
            call_sid=report.call_sid,
            status=report.status,
            url=report.url,
            duration_s=float(report.duration_s or 0),
            channels=report.channels or 0,
            at_us=self._parts.wall_clock_us(),
        )

        async def keep() -> None:
            if not await self._parts.stores.recordings.put(row):
                self._parts.nudge()  # its call was erased: the carrier must delete it

        self._work.begin(f"call {claims.call_id}: recording {report.status}", keep)

    # --- journal ---------------------------------------------------------------------------------

    def _note(
        self, claims: CallClaims, call_sid: str, kind: str, what: str, data: Mapping[str, Any]
    ) -> None:
        self._parts.put(
            JournalRow(
                tenant_id=claims.tenant_id,
                agent_id=claims.agent_id,
                agent_version="",
                call_id=claims.call_id,
                call_sid=call_sid,
                entry_id=derived_id(call_sid, kind, what),
                kind=kind,
                at_us=self._parts.wall_clock_us(),
                data=data,
            )
        )
