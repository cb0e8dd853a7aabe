"""Reading ``<Dial>`` with its numbers, and ``<Start><Recording>``.

Rules (the numbers are Twilio's warnings)
- What is wrong with a ``<Dial>`` is 13210 and the like; the rest of it runs.
- A number that cannot be rung is 13223 and left out; a ``<Dial>`` without any still runs, to say in
  its ``action`` that it failed.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from simulation.twiml_elements import SCHEMA, ElementCheck
from simulation.twiml_verbs import Dial, Number, StartRecording

STATUS_EVENTS = ("initiated", "ringing", "answered", "completed")
RECORDING_EVENTS = ("in-progress", "completed", "absent")
MAX_NUMBERS = 10

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
DIGITS = re.compile(r"[0-9A-D#*wW]*")
_DIAL = {"action", "method", "timeout", "timeLimit", "callerId", "sequential"}
_NUMBER = {"sendDigits", "statusCallback", "statusCallbackMethod", "statusCallbackEvent"}
_RECORDING = {
    "recordingStatusCallback",
    "recordingStatusCallbackMethod",
    "recordingStatusCallbackEvent",
    "channels",
    "track",
    "trim",
}


def read_dial(element: ET.Element, check: ElementCheck) -> Dial:
    """A ``<Dial>``: a number as its text, or ``<Number>`` nouns."""
    check.attributes(element, _DIAL)
    numbers: list[Number] = []
    text = (element.text or "").strip()
    if text:
        numbers += _rung(Number(text), check)
    for child in element:
        if child.tag != "Number":
            check.warn(13215, f"<{child.tag}> does not belong in <Dial>, or is not run here")
            continue
        numbers += _rung(_number(child, check), check)
    if len(numbers) > MAX_NUMBERS:
        check.warn(13215, f"<Dial> rings at most {MAX_NUMBERS} numbers")
    caller_id = element.get("callerId", "")
    if caller_id and E164.fullmatch(caller_id) is None:
        check.warn(13214, "<Dial> callerId is not an E.164 number")
        caller_id = ""
    return Dial(
        numbers=tuple(numbers[:MAX_NUMBERS]),
        action=element.get("action"),
        method=check.method(element, code=13210),
        timeout_s=float(check.number(element, "timeout", 30, 13212) or 30),
        time_limit_s=float(check.number(element, "timeLimit", 14_400, 13216) or 14_400),
        caller_id=caller_id,
        is_sequential=check.flag(element, "sequential", 13218),
    )


def read_start(element: ET.Element, check: ElementCheck) -> StartRecording | None:
    """A ``<Start>`` with a ``<Recording>``; anything else in it is not run here."""
    check.attributes(element, set())
    check.no_text(element)
    if len(element) != 1 or element[0].tag != "Recording":
        check.warn(SCHEMA, "<Start> is run here with exactly one <Recording>")
        return None
    noun = element[0]
    check.attributes(noun, _RECORDING)
    check.no_children(noun)
    return StartRecording(
        callback=check.callback(noun, "recordingStatusCallback", 13256),
        callback_method=check.method(noun, "recordingStatusCallbackMethod"),
        events=check.words(noun, "recordingStatusCallbackEvent", RECORDING_EVENTS, ("completed",)),
        channels=2 if check.choice(noun, "channels", ("mono", "dual")) == "dual" else 1,
        track=check.choice(noun, "track", ("both", "inbound", "outbound")),
    )


def _number(element: ET.Element, check: ElementCheck) -> Number:
    check.attributes(element, _NUMBER)
    check.no_children(element)
    digits = element.get("sendDigits", "")
    if DIGITS.fullmatch(digits) is None:
        check.warn(13222, "<Number> sendDigits holds something that is no key")
        digits = ""
    return Number(
        number=(element.text or "").strip(),
        send_digits=digits,
        status_callback=check.callback(element, "statusCallback"),
        status_callback_method=check.method(element, "statusCallbackMethod", 13221),
        status_events=check.words(element, "statusCallbackEvent", STATUS_EVENTS, ("completed",)),
    )


def _rung(noun: Number, check: ElementCheck) -> list[Number]:
    if E164.fullmatch(noun.number) is None:
        check.warn(13223, "<Dial> holds what is not an E.164 number")
        return []
    return [noun]
