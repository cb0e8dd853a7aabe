"""Strict reading of TwiML: the verbs of a phone leg, and every way in which they may be wrong.

Rules
- A document over 64 KB is 11750, an empty one 11770, one that is not XML 12100. These end the call.
- An unknown verb or attribute, or a value outside its set, is 12200: reported, the rest runs.
- Streams must be ``wss`` (31922) to an absolute URL (31923) without a query (31920), inbound track
  only (31941). ``allow_insecure`` lets ``ws`` through for loopback hosts.
- A ``<Parameter>`` has a name and together with its value fewer than 500 characters.
- What a real call would run and this one does not is 12200 as well, so that nobody relies on it.
"""

from __future__ import annotations

import ipaddress
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from simulation.carrier_errors import TwimlRejected
from simulation.carrier_messages import Violation
from simulation.twiml_dial import DIGITS, read_dial, read_start
from simulation.twiml_elements import SCHEMA, ElementCheck
from simulation.twiml_relay import Relay, read_relay
from simulation.twiml_verbs import (
    Connect,
    Hangup,
    Pause,
    Play,
    Redirect,
    Reject,
    Say,
    Stream,
    Verb,
)

MAX_DOCUMENT_BYTES = 64 * 1024
MAX_PARAMETER_CHARS = 500


@dataclass(frozen=True, slots=True)
class Document:
    """A document ready to run: verbs in order, and what was wrong with it."""

    verbs: tuple[Verb, ...]
    warnings: tuple[Violation, ...]


def read_twiml(body: bytes, *, allow_insecure: bool = False) -> Document:
    """Read a TwiML document.

    Args:
        body: The body of the webhook's answer.
        allow_insecure: Accept ``ws://`` streams to loopback hosts.

    Raises:
        TwimlRejected: Nothing of it can be run.
    """
    if len(body) > MAX_DOCUMENT_BYTES:
        raise TwimlRejected(11750, f"TwiML of {len(body)} bytes; at most 64 KB are read")
    if not body.strip():
        raise TwimlRejected(11770, "the answer is empty")
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise TwimlRejected(12100, "document type declarations are not TwiML")
    try:
        # Entities were refused above and the size is bounded, so this parser is safe here.
        root = ET.fromstring(body)  # noqa: S314
    except (ET.ParseError, ValueError, LookupError) as error:
        raise TwimlRejected(12100, f"not well-formed XML: {error}") from error
    if root.tag != "Response":
        raise TwimlRejected(12100, f"the root element is <{root.tag}>, not <Response>")
    return _Reader(allow_insecure).read(root)


class _Reader:
    """Reads the elements of one document and gathers what is wrong with them."""

    def __init__(self, allow_insecure: bool) -> None:
        self._allow_insecure = allow_insecure
        self._check = ElementCheck()

    def read(self, root: ET.Element) -> Document:
        check = self._check
        check.attributes(root, set())
        check.no_text(root)
        readers: dict[str, Callable[[ET.Element], Verb | None]] = {
            "Connect": self._connect,
            "Say": self._say,
            "Play": self._play,
            "Pause": self._pause,
            "Hangup": self._hangup,
            "Redirect": self._redirect,
            "Reject": self._reject,
            "Dial": lambda element: read_dial(element, check),
            "Start": lambda element: read_start(element, check),
        }
        verbs: list[Verb] = []
        for element in root:
            reader = readers.get(element.tag)
            if reader is None:
                check.warn(SCHEMA, f"<{element.tag}> is not a verb that this leg runs")
                continue
            verb = reader(element)
            if verb is not None:
                verbs.append(verb)
        return Document(tuple(verbs), tuple(check.warnings))

    def _say(self, element: ET.Element) -> Say | None:
        self._check.attributes(element, {"voice", "language", "loop"})
        text = "".join(element.itertext()).strip()
        if not text:
            self._check.warn(SCHEMA, "<Say> has nothing to say")
            return None
        return Say(
            text,
            element.get("language", ""),
            element.get("voice", ""),
            self._check.number(element, "loop", 1),
        )

    def _play(self, element: ET.Element) -> Play | None:
        self._check.attributes(element, {"loop", "digits"})
        self._check.no_children(element)
        url, digits = (element.text or "").strip(), element.get("digits", "")
        if not url and not digits:
            self._check.warn(SCHEMA, "<Play> has neither a URL nor digits")
            return None
        if DIGITS.fullmatch(digits) is None:
            self._check.warn(SCHEMA, "<Play> digits holds something that is no key")
            return None
        return Play(url, digits, self._check.number(element, "loop", 1))

    def _pause(self, element: ET.Element) -> Pause:
        self._check.attributes(element, {"length"})
        self._check.no_children(element)
        return Pause(float(self._check.number(element, "length", 1)))

    def _hangup(self, element: ET.Element) -> Hangup:
        self._check.attributes(element, set())
        self._check.no_children(element)
        return Hangup()

    def _redirect(self, element: ET.Element) -> Redirect:
        self._check.attributes(element, {"method"})
        self._check.no_children(element)
        return Redirect((element.text or "").strip(), self._check.method(element))

    def _reject(self, element: ET.Element) -> Reject:
        self._check.attributes(element, {"reason"})
        return Reject(self._check.choice(element, "reason", ("rejected", "busy")))

    def _connect(self, element: ET.Element) -> Connect | None:
        self._check.attributes(element, {"action", "method"})
        self._check.no_text(element)
        if len(element) != 1 or element[0].tag not in {"Stream", "ConversationRelay"}:
            self._check.warn(SCHEMA, "<Connect> holds one <Stream> or <ConversationRelay>")
            return None
        is_stream = element[0].tag == "Stream"
        stream = self._stream(element[0]) if is_stream else self._relay(element[0])
        if stream is None:
            return None
        return Connect(stream, element.get("action"), self._check.method(element))

    def _relay(self, element: ET.Element) -> Relay | None:
        problem = _socket_url_problem(element, self._allow_insecure)
        if problem:
            self._check.warnings.append(problem)
            return None
        return read_relay(element, self._check, self._parameters(element))

    def _stream(self, element: ET.Element) -> Stream | None:
        self._check.attributes(
            element, {"url", "name", "track", "statusCallback", "statusCallbackMethod"}
        )
        self._check.no_text(element)
        if element.get("track", "inbound_track") != "inbound_track":
            self._check.warn(31941, "<Connect><Stream> carries the inbound track only")
            return None
        problem = _socket_url_problem(element, self._allow_insecure)
        if problem:
            self._check.warnings.append(problem)
            return None
        return Stream(
            url=element.get("url", ""),
            name=element.get("name", ""),
            status_callback=self._check.callback(element, "statusCallback"),
            status_callback_method=self._check.method(element, "statusCallbackMethod"),
            parameters=self._parameters(element),
        )

    def _parameters(self, stream: ET.Element) -> dict[str, str]:
        parameters: dict[str, str] = {}
        for child in stream:
            if child.tag == "Language" and stream.tag == "ConversationRelay":
                continue
            if child.tag != "Parameter":
                self._check.warn(SCHEMA, f"<{child.tag}> does not belong in <{stream.tag}>")
                continue
            self._check.attributes(child, {"name", "value"})
            name, value = child.get("name", ""), child.get("value", "")
            if not name:
                self._check.warn(SCHEMA, "<Parameter> has no name")
            elif len(name) + len(value) >= MAX_PARAMETER_CHARS:
                self._check.warn(SCHEMA, f"<Parameter> {name[:40]!r} is 500 characters or more")
            else:
                parameters[name] = value
        return parameters


def _socket_url_problem(element: ET.Element, allow_insecure: bool) -> Violation | None:
    url, noun = element.get("url", ""), f"<{element.tag}>"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return Violation(31923, f"{noun} url is malformed")
    if not host:
        return Violation(31923, f"{noun} url is not an absolute URL")
    loopback = allow_insecure and parts.scheme == "ws" and _is_loopback(host)
    if parts.scheme != "wss" and not loopback:
        return Violation(31922, f"{noun} url has the scheme {parts.scheme[:10]!r}, not wss")
    if element.tag == "Stream" and (parts.query or url.endswith("?")):
        return Violation(31920, "<Stream> url has a query string; put data in <Parameter>")
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
