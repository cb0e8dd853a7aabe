"""Reading the forms of Twilio's REST interface, and refusing them as it does.

What is wrong with a form is a ``twilio_wire.ApiError`` with Twilio's code. Parameters that nobody
knows are ignored, as they are by the real one.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from simulation.carrier_callbacks import states_of
from simulation.carrier_parts import CallOut, CallPlan, DetectionOrder
from simulation.carrier_recording import RecordingOrder
from simulation.exchange import OwnedNumber
from simulation.twilio_wire import ApiError
from simulation.twiml_dial import DIGITS, E164, RECORDING_EVENTS, STATUS_EVENTS

MAX_INLINE_TWIML_CHARS = 4_000
MAX_SEND_DIGITS = 32
MAX_RING_S = 600
MAX_CALL_S = 86_400
_METHODS = ("POST", "GET")
# Tuning of machine detection: what it may be, in milliseconds.
_TUNING_MS = {
    "MachineDetectionSpeechThreshold": (1_000, 6_000),
    "MachineDetectionSpeechEndThreshold": (500, 5_000),
    "MachineDetectionSilenceTimeout": (2_000, 10_000),
}


class Form:
    """The parameters of one request; the last of a repeated one, or all of them.

    Args:
        body: ``application/x-www-form-urlencoded``.

    Raises:
        ApiError: Not a form in UTF-8.
    """

    def __init__(self, body: bytes) -> None:
        try:
            self._pairs = parse_qsl(body.decode(), keep_blank_values=True)
        except ValueError:
            raise ApiError(400, 20001, "the body is not a form in UTF-8") from None
        self._last = dict(self._pairs)

    def __contains__(self, name: str) -> bool:
        return name in self._last

    def text(self, name: str, default: str = "") -> str:
        """A parameter as it is."""
        return self._last.get(name, default)

    def all(self, name: str) -> list[str]:
        """Every value of a repeated parameter; one value may also be a list with blanks."""
        return [word for key, value in self._pairs if key == name for word in value.split()]

    def choice(self, name: str, choices: tuple[str, ...], code: int) -> str:
        """One of ``choices``; the first when it is absent."""
        value = self.text(name, choices[0])
        if value not in choices:
            raise ApiError(400, code, f"{name} is not one of {', '.join(choices)}")
        return value

    def method(self, name: str) -> str:
        """POST or GET."""
        return self.choice(name, _METHODS, 21209)

    def flag(self, name: str) -> bool:
        """``true`` or ``false``; false when it is absent."""
        return self.text(name).lower() == "true"

    def whole(self, name: str, default: int, allowed: tuple[int, int], code: int) -> int:
        """A whole number within ``allowed``."""
        text = self.text(name, str(default))
        is_number = text.isascii() and text.isdigit() and len(text) < 9
        if not is_number or not allowed[0] <= int(text) <= allowed[1]:
            raise ApiError(400, code, f"{name} is not between {allowed[0]} and {allowed[1]}")
        return int(text)

    def url(self, name: str, code: int) -> str:
        """An absolute http(s) URL; empty when it is absent."""
        value = self.text(name)
        try:
            parts = urlsplit(value)
            is_good = parts.scheme in {"http", "https"} and bool(parts.hostname)
        except ValueError:
            is_good = False
        if value and not is_good:
            raise ApiError(400, code, f"{name} is not a valid URL: {value}")
        return value


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """A call that was asked for."""

    to_number: str
    from_number: str
    plan: CallPlan


def read_create_call(form: Form) -> PlacedCall:
    """``POST Calls.json``. Raises ``ApiError``, as do all that follow."""
    to_number, from_number = form.text("To"), form.text("From")
    if not to_number:
        raise ApiError(400, 21201, "No 'To' number is specified")
    if not from_number:
        raise ApiError(400, 21213, "No 'From' number is specified")
    if E164.fullmatch(to_number) is None or to_number == from_number:
        raise ApiError(
            400, 21211, f"The phone number you are attempting to call, {to_number}, is not valid."
        )
    if E164.fullmatch(from_number) is None:
        raise ApiError(400, 21212, f"The 'From' number {from_number} is not a valid phone number.")
    url, twiml = _instructions(form)
    if not url and not twiml:
        raise ApiError(400, 21205, "Url parameter is required.")
    events = form.all("StatusCallbackEvent") or ["completed"]
    if set(events) - set(STATUS_EVENTS):
        raise ApiError(400, 21626, "Invalid 'StatusCallbackEvent'")
    plan = CallPlan(
        url=url,
        method=form.method("Method"),
        twiml=twiml,
        fallback_url=form.url("FallbackUrl", 21405),
        fallback_method=form.method("FallbackMethod"),
        status_url=form.url("StatusCallback", 21609),
        status_method=form.method("StatusCallbackMethod"),
        status_states=states_of(events),
        time_limit_s=float(form.whole("TimeLimit", 14_400, (1, MAX_CALL_S), 13216)),
        out=_out(form),
    )
    return PlacedCall(to_number, from_number, plan)


@dataclass(frozen=True, slots=True)
class CallChange:
    """What is to become of a call: one of the three, or nothing."""

    status: str = ""
    url: str = ""
    method: str = "POST"
    twiml: bytes = b""


def read_update_call(form: Form) -> CallChange:
    """``POST Calls/{CA}.json``."""
    status = form.choice("Status", ("", "completed", "canceled"), 20001)
    url, twiml = _instructions(form)
    return CallChange(status, url, form.method("Method"), twiml)


def read_recording(form: Form, source: str) -> RecordingOrder:
    """``POST Calls/{CA}/Recordings.json``, or the recording of a new call."""
    events = form.all("RecordingStatusCallbackEvent") or ["completed"]
    if set(events) - set(RECORDING_EVENTS):
        raise ApiError(400, 13621, "Invalid 'recordingStatusCallbackEvent'")
    channels = form.choice("RecordingChannels", ("mono", "dual"), 20001)
    return RecordingOrder(
        callback=form.url("RecordingStatusCallback", 13256),
        callback_method=form.method("RecordingStatusCallbackMethod"),
        events=tuple(events),
        channels=2 if channels == "dual" else 1,
        track=form.choice("RecordingTrack", ("both", "inbound", "outbound"), 20001),
        source=source,
    )


def change_number(form: Form, owned: OwnedNumber) -> None:
    """``POST IncomingPhoneNumbers/{PN}.json``: only what the form holds is changed."""
    voice_url = form.url("VoiceUrl", 21402)
    fallback_url = form.url("VoiceFallbackUrl", 21405)
    status_callback = form.url("StatusCallback", 21502)
    methods = {
        name: form.method(name)
        for name in ("VoiceMethod", "VoiceFallbackMethod", "StatusCallbackMethod")
        if name in form
    }
    if "VoiceUrl" in form:
        owned.voice_url = voice_url
    if "VoiceFallbackUrl" in form:
        owned.voice_fallback_url = fallback_url
    if "StatusCallback" in form:
        owned.status_callback = status_callback
    owned.voice_method = methods.get("VoiceMethod", owned.voice_method)
    owned.voice_fallback_method = methods.get("VoiceFallbackMethod", owned.voice_fallback_method)
    owned.status_callback_method = methods.get("StatusCallbackMethod", owned.status_callback_method)
    owned.friendly_name = form.text("FriendlyName", owned.friendly_name)


def _instructions(form: Form) -> tuple[str, bytes]:
    twiml = form.text("Twiml")
    if len(twiml) > MAX_INLINE_TWIML_CHARS:
        raise ApiError(400, 32018, "Twiml size exceeded maximum allowed value of 4000 characters")
    url = form.url("Url", 21205)
    # With both, the URL is used (32019).
    return url, b"" if url else twiml.encode()


def _out(form: Form) -> CallOut:
    digits = form.text("SendDigits")
    if len(digits) > MAX_SEND_DIGITS or DIGITS.fullmatch(digits) is None:
        raise ApiError(400, 21206, "Invalid SendDigits")
    return CallOut(
        timeout_s=float(form.whole("Timeout", 60, (1, MAX_RING_S), 21208)),
        send_digits=digits,
        # With keys to press, detection is left out.
        detection=None if digits else _detection(form),
        recording=read_recording(form, "OutboundAPI") if form.flag("Record") else None,
    )


def _detection(form: Form) -> DetectionOrder | None:
    mode = form.choice("MachineDetection", ("", "Enable", "DetectMessageEnd"), 21234)
    if not mode:
        return None
    for name, allowed in _TUNING_MS.items():
        form.whole(name, allowed[0], allowed, 21263)
    return DetectionOrder(
        mode=mode,
        is_async=form.flag("AsyncAmd"),
        callback=form.url("AsyncAmdStatusCallback", 21609),
        callback_method=form.method("AsyncAmdStatusCallbackMethod"),
        timeout_s=float(form.whole("MachineDetectionTimeout", 30, (3, 59), 21263)),
    )
