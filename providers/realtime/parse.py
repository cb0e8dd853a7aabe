"""One message of a Realtime socket, read: what is unknown is passed over, what is broken is said.

Unknown types of events and unknown fields are no mistake: both sets are open. An event that is
known and lacks what it needs is ``ProviderProtocolError``.
"""

from __future__ import annotations

import binascii
import math
from collections.abc import Callable, Mapping
from typing import Any, Final, cast, get_args

from providers.errors import ProviderError
from providers.http_status import safe_code
from providers.json_message import json_object
from providers.realtime.events import (
    AudioArrived,
    AudioCommitted,
    AudioEnded,
    CallWanted,
    Remark,
    RequestRefused,
    ResponseBegan,
    ResponseEnded,
    ResponseStatus,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    TextArrived,
    WordsArrived,
    WordsKnown,
)
from providers.realtime.refusals import PROVIDER, ends_session, error_of_report, not_the_protocol
from providers.realtime.units import response_units, transcription_units

LABEL: Final = "turn"
"""The key of a response's metadata under which its label travels."""

_STATUSES: Final = get_args(ResponseStatus)
_MOST_MS: Final = 1 << 40

Message = Mapping[str, Any]


def parse(raw: str | bytes) -> ServerEvent:
    """One event of the service.

    Raises:
        ProviderProtocolError: It does not follow the protocol.
        ProviderError: It reports what ends the session; typed by its code.
    """
    message = json_object(raw, PROVIDER)
    kind = message.get("type")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    return Remark(safe_code(kind)) if read is None else read(message)


def _created(message: Message) -> SessionCreated:
    expires_at = _object(message, "session").get("expires_at")
    is_time = isinstance(expires_at, int | float) and not isinstance(expires_at, bool)
    try:
        at = float(expires_at) if is_time and expires_at else math.nan
    except OverflowError:
        at = math.nan
    return SessionCreated(at if math.isfinite(at) and at > 0 else None)


def _updated(_message: Message) -> SessionUpdated:
    return SessionUpdated()


def _speech_started(message: Message) -> SpeechStarted:
    return SpeechStarted(_text(message, "item_id"), _ms(message, "audio_start_ms"))


def _speech_stopped(message: Message) -> SpeechStopped:
    return SpeechStopped(_text(message, "item_id"), _ms(message, "audio_end_ms"))


def _committed(message: Message) -> AudioCommitted:
    return AudioCommitted(_text(message, "item_id"))


def _words(message: Message) -> WordsArrived:
    delta = message.get("delta")  # may be left out where there is nothing new
    return WordsArrived(_text(message, "item_id"), delta if isinstance(delta, str) else "")


def _words_known(message: Message) -> WordsKnown:
    units = transcription_units(message.get("usage"))
    return WordsKnown(_text(message, "item_id"), _text(message, "transcript").strip(), units)


def _words_failed(message: Message) -> WordsKnown:
    return WordsKnown(_text(message, "item_id"), "")


def _response_began(message: Message) -> ResponseBegan:
    response = _object(message, "response")
    return ResponseBegan(_text(response, "id"), _label(response))


def _response_ended(message: Message) -> ResponseEnded:
    response = _object(message, "response")
    response_id, status = _text(response, "id"), response.get("status")
    if status not in _STATUSES or not isinstance(status, str):
        raise not_the_protocol("a response that ends in no known way")
    told = response.get("status_details")
    details = told if isinstance(told, dict) else {}
    report = details.get("error")
    error: ProviderError | None = None
    if status == "failed":
        error = error_of_report(report if isinstance(report, dict) else {})
    output = response.get("output")
    items = output if isinstance(output, list) else []
    calls = (_call_of(response_id, item) for item in items)
    return ResponseEnded(
        response_id,
        _label(response),
        cast("ResponseStatus", status),
        safe_code(details.get("reason")),
        error,
        response_units(response.get("usage")),
        tuple(call for call in calls if call is not None),
    )


def _audio(message: Message) -> AudioArrived:
    try:
        ulaw = binascii.a2b_base64(_text(message, "delta"), strict_mode=True)
    except ValueError:
        raise not_the_protocol("audio that is no base64") from None
    return AudioArrived(*_part(message), ulaw)


def _audio_ended(message: Message) -> AudioEnded:
    return AudioEnded(*_part(message))


def _said(message: Message) -> TextArrived:
    return TextArrived(*_part(message), _text(message, "delta"))


def _all_said(message: Message) -> TextArrived:
    return TextArrived(*_part(message), _text(message, "transcript"), is_all=True)


def _arguments_done(message: Message) -> ServerEvent:
    name = message.get("name")  # newer than the event: the item says it in any case
    if not isinstance(name, str) or not name:
        return Remark("response.function_call_arguments.done")
    response_id, call_id = _text(message, "response_id"), _text(message, "call_id")
    return CallWanted(response_id, call_id, name, _text(message, "arguments"))


def _output_item_done(message: Message) -> ServerEvent:
    call = _call_of(_text(message, "response_id"), message.get("item"))
    return call or Remark("response.output_item.done")


def _refused(message: Message) -> RequestRefused:
    report = _object(message, "error")
    error = error_of_report(report)
    if ends_session(report):
        raise error
    event_id = report.get("event_id")
    told = event_id if isinstance(event_id, str) else ""
    return RequestRefused(safe_code(report.get("code")), told, error)


_READERS: Final[Mapping[str, Callable[[Message], ServerEvent]]] = {
    "session.created": _created,
    "session.updated": _updated,
    "input_audio_buffer.speech_started": _speech_started,
    "input_audio_buffer.speech_stopped": _speech_stopped,
    "input_audio_buffer.committed": _committed,
    "conversation.item.input_audio_transcription.delta": _words,
    "conversation.item.input_audio_transcription.completed": _words_known,
    "conversation.item.input_audio_transcription.failed": _words_failed,
    "response.created": _response_began,
    "response.done": _response_ended,
    "response.output_audio.delta": _audio,
    "response.output_audio.done": _audio_ended,
    "response.output_audio_transcript.delta": _said,
    "response.output_audio_transcript.done": _all_said,
    "response.function_call_arguments.done": _arguments_done,
    "response.output_item.done": _output_item_done,
    "error": _refused,
}


def _call_of(response_id: str, item: object) -> CallWanted | None:
    """The tool that an item of a response wants; None for another item."""
    if not isinstance(item, dict) or item.get("type") != "function_call":
        return None
    if item.get("status") == "incomplete":  # cut off: the model never finished asking
        return None
    call_id, name, arguments = (item.get(key) for key in ("call_id", "name", "arguments"))
    if not isinstance(call_id, str) or not isinstance(name, str) or not call_id or not name:
        raise not_the_protocol("a function call without a name or an id")
    return CallWanted(response_id, call_id, name, arguments if isinstance(arguments, str) else "{}")


def _part(message: Message) -> tuple[str, str, int]:
    index = message.get("content_index", 0)
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < _MOST_MS:
        raise not_the_protocol("content_index that is no number")
    return _text(message, "response_id"), _text(message, "item_id"), index


def _label(response: Message) -> str:
    metadata = response.get("metadata")
    label = metadata.get(LABEL) if isinstance(metadata, dict) else None
    return label if isinstance(label, str) else ""


def _object(message: Message, name: str) -> dict[str, Any]:
    value = message.get(name)
    if not isinstance(value, dict):
        raise not_the_protocol(f"{name} that is no object")
    return value


def _text(message: Message, name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str):
        raise not_the_protocol(f"{name} that is no text")
    return value


def _ms(message: Message, name: str) -> int:
    value = message.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST_MS:
        raise not_the_protocol(f"{name} that is no time")
    return value
