"""The resources of Twilio's REST interface: what each request does to the account.

Every method takes the request and the sids of its path. It returns an HTTP status with JSON, sound
or nothing, and raises ``ApiError`` for a request that is refused, ``LookupError`` when there is no
such resource.
"""

from __future__ import annotations

from datetime import UTC, datetime

from simulation.carrier_leg import PhoneLeg
from simulation.carrier_record import CallLog, LiveCall
from simulation.carrier_recording import LegRecording
from simulation.exchange import Exchange, OwnedNumber
from simulation.twilio_parameters import (
    Form,
    change_number,
    read_create_call,
    read_recording,
    read_update_call,
)
from simulation.twilio_wire import (
    ApiError,
    Json,
    account_json,
    call_json,
    number_json,
    page_json,
    recording_json,
)
from simulation.wire_http import Request

CURRENT = "Twilio.CURRENT"
"""Stands for the recording of a call that runs."""

Sids = tuple[str, ...]
Answer = tuple[int, Json | bytes | None]


class TwilioResources:
    """One account's resources.

    Args:
        exchange: The account.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._created_at = datetime.now(UTC)

    # Account and numbers

    def account(self, request: Request, sids: Sids) -> Answer:
        """``GET .json``."""
        return 200, account_json(self._exchange.config.account_sid, self._created_at)

    def list_numbers(self, request: Request, sids: Sids) -> Answer:
        """``GET IncomingPhoneNumbers.json``."""
        wanted = "".join(c for c in request.query.get("PhoneNumber", "") if c.isdigit())
        found = [
            self._number_json(owned)
            for owned in self._exchange.numbers()
            # A part of the number is enough.
            if wanted in owned.number
        ]
        return 200, page_json("incoming_phone_numbers", request.path, request.query, found)

    def fetch_number(self, request: Request, sids: Sids) -> Answer:
        """``GET IncomingPhoneNumbers/{PN}.json``."""
        return 200, self._number_json(self._number(sids[0]))

    def change_number(self, request: Request, sids: Sids) -> Answer:
        """``POST IncomingPhoneNumbers/{PN}.json``."""
        owned = self._number(sids[0])
        change_number(Form(request.body), owned)
        owned.updated_at = datetime.now(UTC)
        return 200, self._number_json(owned)

    def _number(self, sid: str) -> OwnedNumber:
        owned = self._exchange.number(sid)
        if owned is None:
            raise LookupError(sid)
        return owned

    def _number_json(self, owned: OwnedNumber) -> Json:
        return number_json(owned, self._exchange.config.account_sid)

    # Calls

    def create_call(self, request: Request, sids: Sids) -> Answer:
        """``POST Calls.json``."""
        asked = read_create_call(Form(request.body))
        if not self._exchange.owns(asked.from_number):
            raise ApiError(
                400,
                21210,
                f"The source phone number provided, {asked.from_number}, is not yet verified for "
                "your account. You may only make calls from phone numbers that you've verified or "
                "purchased from Twilio.",
            )
        leg = self._exchange.place(asked.to_number, asked.from_number, asked.plan)
        return 201, call_json(leg.record)

    def list_calls(self, request: Request, sids: Sids) -> Answer:
        """``GET Calls.json``."""
        query = request.query

        def is_wanted(call: LiveCall) -> bool:
            identity = call.record.identity
            facts = {
                "To": identity.to_number,
                "From": identity.from_number,
                "Status": call.record.status,
                "ParentCallSid": identity.parent_call_sid,
            }
            return all(query.get(name, value) == value for name, value in facts.items())

        found = [call_json(call.record) for call in self._log if is_wanted(call)]
        return 200, page_json("calls", request.path, query, found)

    def fetch_call(self, request: Request, sids: Sids) -> Answer:
        """``GET Calls/{CA}.json``."""
        return 200, call_json(self._call(sids[0]).record)

    def update_call(self, request: Request, sids: Sids) -> Answer:
        """``POST Calls/{CA}.json``."""
        call = self._call(sids[0])
        change = read_update_call(Form(request.body))
        is_done = True
        if change.status == "completed" or (change.status and call.record.answered_s is None):
            is_done = call.hang_up()
            if isinstance(call, PhoneLeg):
                self._exchange.forget_queued(call)
        elif change.status:
            # "canceled" does nothing to a call that was answered.
            is_done = not call.record.is_over
        elif change.url:
            is_done = call.redirect(change.url, change.method)
        elif change.twiml:
            is_done = call.update(change.twiml)
        if not is_done:
            raise ApiError(400, 21220, "Call is not in-progress. Cannot redirect.")
        return 200, call_json(call.record)

    def _call(self, sid: str) -> LiveCall:
        call = self._log.call(sid)
        if call is None:
            raise LookupError(sid)
        return call

    # Recordings

    def start_recording(self, request: Request, sids: Sids) -> Answer:
        """``POST Calls/{CA}/Recordings.json``."""
        call = self._call(sids[0])
        order = read_recording(Form(request.body), "StartCallRecordingAPI")
        recording = call.record_sound(order)
        if recording is None:
            raise ApiError(400, 21220, "Requested resource is not eligible for recording")
        return 201, self._recording_json(recording)

    def list_recordings(self, request: Request, sids: Sids) -> Answer:
        """``GET Recordings.json``, of a call or of the account."""
        if sids:
            found = [self._recording_json(each) for each in self._log.recordings(sids[0])]
        else:
            call_sid = request.query.get("CallSid", "")
            found = [self._recording_json(each, True) for each in self._log.recordings(call_sid)]
        return 200, page_json("recordings", request.path, request.query, found)

    def fetch_recording(self, request: Request, sids: Sids) -> Answer:
        """``GET Recordings/{RE}.json``."""
        return 200, self._recording_json(self._recording(sids[-1]), True)

    def fetch_call_recording(self, request: Request, sids: Sids) -> Answer:
        """``GET Calls/{CA}/Recordings/{RE}.json``."""
        return 200, self._recording_json(self._recording(sids[1], sids[0]))

    def change_recording(self, request: Request, sids: Sids) -> Answer:
        """``POST Calls/{CA}/Recordings/{RE}.json``."""
        recording = self._recording(sids[1], sids[0])
        status = Form(request.body).choice("Status", ("in-progress", "paused", "stopped"), 20001)
        if not recording.is_running:
            raise ApiError(400, 21220, "Recording is not in-progress. Cannot change.")
        recording.change(status)
        return 200, self._recording_json(recording)

    def delete_recording(self, request: Request, sids: Sids) -> Answer:
        """``DELETE Recordings/{RE}.json``."""
        self._log.delete_recording(self._recording(sids[-1]).sid)
        return 204, None

    def sound(self, request: Request, sids: Sids) -> Answer:
        """``GET Recordings/{RE}``: a WAV file."""
        recording = self._recording(sids[0])
        if recording.status != "completed":
            raise LookupError(sids[0])
        return 200, recording.wav()

    def _recording(self, sid: str, call_sid: str = "") -> LegRecording:
        if sid == CURRENT:
            running = [each for each in self._log.recordings(call_sid) if each.is_running]
            recording = running[0] if running else None
        else:
            recording = self._log.recording(sid)
        if recording is None or call_sid not in ("", recording.call_sid):
            raise LookupError(sid)
        return recording

    def _recording_json(self, recording: LegRecording, is_of_account: bool = False) -> Json:
        api_url = self._log.api_url if is_of_account else ""
        return recording_json(recording, self._exchange.config.account_sid, api_url)

    @property
    def _log(self) -> CallLog:
        return self._exchange.log
