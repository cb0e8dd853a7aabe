"""Twilio's REST interface as it looks on the wire: resources and errors as JSON.

Field names, their order and their kinds (numbers as strings, dates after RFC 2822) follow Twilio's
published OpenAPI description of the API of 2010-04-01.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from simulation.carrier_record import CallRecord
from simulation.carrier_recording import LegRecording
from simulation.exchange import OwnedNumber

API = "/2010-04-01"
_CALL_PARTS = (
    ("notifications", "Notifications"),
    ("recordings", "Recordings"),
    ("payments", "Payments"),
    ("events", "Events"),
    ("siprec", "Siprec"),
    ("streams", "Streams"),
    ("transcriptions", "Transcriptions"),
    ("user_defined_message_subscriptions", "UserDefinedMessageSubscriptions"),
    ("user_defined_messages", "UserDefinedMessages"),
)
_ACCOUNT_PARTS = (
    ("available_phone_numbers", "AvailablePhoneNumbers"),
    ("calls", "Calls"),
    ("conferences", "Conferences"),
    ("incoming_phone_numbers", "IncomingPhoneNumbers"),
    ("notifications", "Notifications"),
    ("outgoing_caller_ids", "OutgoingCallerIds"),
    ("recordings", "Recordings"),
    ("transcriptions", "Transcriptions"),
    ("messages", "Messages"),
    ("balance", "Balance"),
)
_CODES = {401: 20003, 403: 20403, 404: 20404, 405: 20004, 429: 20429, 500: 20500, 503: 20503}
MESSAGES = {
    401: "Authenticate",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

Json = dict[str, Any]


class ApiError(Exception):
    """An answer with an error.

    Args:
        status: HTTP status.
        code: Twilio's error code; the usual one of the status when 0.
        message: Twilio's words.
    """

    def __init__(self, status: int = 400, code: int = 0, message: str = "") -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code or _CODES.get(status, 20001)
        self.message = message or MESSAGES.get(status, "Bad Request")

    def body(self) -> Json:
        """As it is answered."""
        detail = {"detail": "Your AccountSid or AuthToken was incorrect."}
        return {
            "code": self.code,
            **(detail if self.status == 401 else {}),
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


def account_json(account_sid: str, created_at: datetime) -> Json:
    """An Account. The real one shows its token; this one does not."""
    root = f"{API}/Accounts/{account_sid}"
    return {
        "auth_token": "",
        "date_created": _date(created_at),
        "date_updated": _date(created_at),
        "friendly_name": "Emulated account",
        "owner_account_sid": account_sid,
        "sid": account_sid,
        "status": "active",
        "subresource_uris": {name: f"{root}/{path}.json" for name, path in _ACCOUNT_PARTS},
        "type": "Full",
        "uri": f"{root}.json",
    }


def call_json(record: CallRecord, phone_number_sid: str = "") -> Json:
    """A Call."""
    identity = record.identity
    root = f"{API}/Accounts/{identity.account_sid}/Calls/{identity.call_sid}"
    return {
        "account_sid": identity.account_sid,
        "answered_by": record.answered_by or None,
        "api_version": "2010-04-01",
        "caller_name": None,
        "date_created": _date(record.created_at),
        "date_updated": _date(record.updated_at),
        "direction": identity.direction,
        "duration": None if record.duration_s is None else str(record.duration_s),
        "end_time": _date(record.ended_at),
        "forwarded_from": None,
        "from": identity.from_number,
        "from_formatted": _formatted(identity.from_number),
        "group_sid": None,
        "parent_call_sid": identity.parent_call_sid or None,
        "phone_number_sid": phone_number_sid or None,
        "price": None,
        "price_unit": "USD",
        "sid": identity.call_sid,
        "start_time": _date(record.started_at),
        "status": record.status,
        "subresource_uris": {name: f"{root}/{path}.json" for name, path in _CALL_PARTS},
        "to": identity.to_number,
        "to_formatted": _formatted(identity.to_number),
        "trunk_sid": None,
        "uri": f"{root}.json",
        "queue_time": str(record.queue_time_ms),
    }


def recording_json(recording: LegRecording, account_sid: str, api_url: str = "") -> Json:
    """A Recording: of a call, or of the account when ``api_url`` says where its sound is."""
    root = f"{API}/Accounts/{account_sid}"
    path = f"/Recordings/{recording.sid}"
    whole: Json = {
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "call_sid": recording.call_sid,
        "conference_sid": None,
        "channels": recording.order.channels,
        "date_created": _date(recording.started_at),
        "date_updated": _date(recording.updated_at),
        "start_time": _date(recording.started_at),
        "price": None,
        "price_unit": "USD",
        "duration": None if recording.duration_s is None else str(recording.duration_s),
        "sid": recording.sid,
        "source": recording.order.source,
        "status": recording.status,
        "error_code": None,
        "encryption_details": None,
    }
    if api_url:
        return {
            **whole,
            "uri": f"{root}{path}.json",
            "subresource_uris": {
                "add_on_results": f"{root}{path}/AddOnResults.json",
                "transcriptions": f"{root}{path}/Transcriptions.json",
            },
            "media_url": f"{api_url}{root}{path}",
        }
    uri = f"{root}/Calls/{recording.call_sid}{path}.json"
    return {**whole, "track": recording.order.track, "uri": uri}


def number_json(owned: OwnedNumber, account_sid: str) -> Json:
    """An IncomingPhoneNumber."""
    return {
        "account_sid": account_sid,
        "address_requirements": "none",
        "address_sid": None,
        "api_version": "2010-04-01",
        "beta": False,
        "capabilities": {"voice": True, "sms": True, "mms": True, "fax": False},
        "date_created": _date(owned.created_at),
        "date_updated": _date(owned.updated_at),
        "emergency_status": "Inactive",
        "emergency_address_sid": None,
        "emergency_address_status": "unregistered",
        "friendly_name": owned.friendly_name,
        "identity_sid": None,
        "origin": "twilio",
        "phone_number": owned.number,
        "sid": owned.sid,
        "sms_application_sid": "",
        "sms_fallback_method": "POST",
        "sms_fallback_url": "",
        "sms_method": "POST",
        "sms_url": "",
        "status_callback": owned.status_callback,
        "status_callback_method": owned.status_callback_method,
        "trunk_sid": None,
        "uri": f"{API}/Accounts/{account_sid}/IncomingPhoneNumbers/{owned.sid}.json",
        "voice_application_sid": "",
        "voice_caller_id_lookup": False,
        "voice_fallback_method": owned.voice_fallback_method,
        "voice_fallback_url": owned.voice_fallback_url,
        "voice_method": owned.voice_method,
        "voice_url": owned.voice_url,
        "bundle_sid": None,
        "voice_receive_mode": "voice",
        "status": "in-use",
        "type": "local",
    }


def page_json(name: str, path: str, query: dict[str, str], found: list[Json]) -> Json:
    """One page of a list.

    Args:
        name: Of the list: ``calls``.
        path: Of the resource.
        query: Filters, ``PageSize`` and ``Page``.
        found: Everything that passes the filters.

    Raises:
        ApiError: ``PageSize`` or ``Page`` is no number.
    """
    size = min(_whole(query, "PageSize", 50), 1_000)
    page = _whole(query, "Page", 0)
    rows = found[page * size : (page + 1) * size]

    def uri(number: int) -> str:
        fields = {**query, "PageSize": str(size), "Page": str(number)}
        return f"{path}?{urlencode(fields)}"

    return {
        "end": page * size + max(0, len(rows) - 1),
        "first_page_uri": uri(0),
        name: rows,
        "next_page_uri": uri(page + 1) if len(found) > (page + 1) * size else None,
        "page": page,
        "page_size": size,
        "previous_page_uri": uri(page - 1) if page else None,
        "start": page * size,
        "uri": uri(page),
    }


def _whole(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 9) or (
        name == "PageSize" and not int(text)
    ):
        raise ApiError(400, 20006, f"Invalid {name}")
    return int(text)


def _date(moment: datetime | None) -> str | None:
    return None if moment is None else format_datetime(moment)


def _formatted(number: str) -> str:
    """For display: North American numbers in their own style, others as they are."""
    digits = number[2:]
    if number.startswith("+1") and len(digits) == 10:
        return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}"
    return number
