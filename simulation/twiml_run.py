"""Strict reading of TwiML: the verbs of a phone leg, and every way in which they may be wrong.

Rules
- A document over 64 KB is 11750, an empty one 11770, one that is not XML 12100. These end the call.
- An unknown verb or attribute, or a value outside its set, is 12200: reported, the rest runs.
- Streams must be ``wss`` (31922) to an absolute URL (31923) without a query (31920), inbound track
  only (31941). ``allow_insecure`` lets ``ws`` through for loopback hosts.
- A ``<Parameter>`` has a name and together with its value fewer than 500 characters.
"""

from __future__ import annotations

import ipaddress
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from simulation.carrier_errors import TwimlRejected
from simulation.carrier_messages import Violation

MAX_DOCUMENT_BYTES = 64 * 1024
MAX_PARAMETER_CHARS = 500
SCHEMA = 12200
_METHODS = {"GET", "POST"}


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text, ``loop`` times."""

    text: str
    language: str = ""
    voice: str = ""
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Play:
    """Play a sound file, ``loop`` times; or digits."""

    url: str
    digits: str = ""
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Pause:
    """Say nothing for ``length_s``."""

    length_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Do not answer the call; ``reason`` is ``rejected`` or ``busy``."""

    reason: str = "rejected"


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go on with the document at ``url``."""

    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Stream:
    """A two-way media stream."""

    url: str
    name: str = ""
    status_callback: str = ""
    status_callback_method: str = "POST"
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Connect:
    """Hand the call to a stream; ``action`` is None when the document has none."""

    stream: Stream
    action: str | None = None
    method: str = "POST"


Verb = Say | Play | Pause | Hangup | Reject | Redirect | Connect


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
        self._warnings: list[Violation] = []

    def read(self, root: ET.Element) -> Document:
        self._attributes(root, set())
        self._no_text(root)
        readers: dict[str, Callable[[ET.Element], Verb | None]] = {
            "Connect": self._connect,
            "Say": self._say,
            "Play": self._play,
            "Pause": self._pause,
            "Hangup": self._hangup,
            "Redirect": self._redirect,
            "Reject": self._reject,
        }
        verbs: list[Verb] = []
        for element in root:
            reader = readers.get(element.tag)
            if reader is None:
                self._warn(SCHEMA, f"<{element.tag}> is not a verb that this leg runs")
                continue
            verb = reader(element)
            if verb is not None:
                verbs.append(verb)
        return Document(tuple(verbs), tuple(self._warnings))

    def _warn(self, code: int, detail: str) -> None:
        self._warnings.append(Violation(code, detail))

    def _attributes(self, element: ET.Element, known: set[str]) -> None:
        for name in element.attrib.keys() - known:
            self._warn(SCHEMA, f"<{element.tag}> has no attribute {name[:40]!r}")

    def _no_text(self, element: ET.Element) -> None:
        if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
            self._warn(SCHEMA, f"<{element.tag}> holds text where only elements belong")

    def _no_children(self, element: ET.Element) -> None:
        if len(element):
            self._warn(SCHEMA, f"<{element[0].tag}> does not belong in <{element.tag}>")

    def _method(self, element: ET.Element, name: str = "method") -> str:
        method = element.get(name, "POST")
        if method not in _METHODS:
            self._warn(SCHEMA, f"<{element.tag}> {name} is GET or POST, not {method[:20]!r}")
            return "POST"
        return method

    def _number(self, element: ET.Element, name: str, default: int) -> int:
        value = element.get(name)
        if value is None:
            return default
        # int() also takes underscores and signs; TwiML takes digits.
        if not (value.isascii() and value.isdigit() and len(value) <= 6):
            self._warn(SCHEMA, f"<{element.tag}> {name} is a whole number, not {value[:20]!r}")
            return default
        return int(value)

    def _say(self, element: ET.Element) -> Say | None:
        self._attributes(element, {"voice", "language", "loop"})
        text = "".join(element.itertext()).strip()
        if not text:
            self._warn(SCHEMA, "<Say> has nothing to say")
            return None
        return Say(
            text,
            element.get("language", ""),
            element.get("voice", ""),
            self._number(element, "loop", 1),
        )

    def _play(self, element: ET.Element) -> Play | None:
        self._attributes(element, {"loop", "digits"})
        self._no_children(element)
        url, digits = (element.text or "").strip(), element.get("digits", "")
        if not url and not digits:
            self._warn(SCHEMA, "<Play> has neither a URL nor digits")
            return None
        return Play(url, digits, self._number(element, "loop", 1))

    def _pause(self, element: ET.Element) -> Pause:
        self._attributes(element, {"length"})
        self._no_children(element)
        return Pause(float(self._number(element, "length", 1)))

    def _hangup(self, element: ET.Element) -> Hangup:
        self._attributes(element, set())
        self._no_children(element)
        return Hangup()

    def _redirect(self, element: ET.Element) -> Redirect:
        self._attributes(element, {"method"})
        self._no_children(element)
        return Redirect((element.text or "").strip(), self._method(element))

    def _reject(self, element: ET.Element) -> Reject:
        self._attributes(element, {"reason"})
        reason = element.get("reason", "rejected")
        if reason not in {"rejected", "busy"}:
            self._warn(SCHEMA, f"<Reject> reason is rejected or busy, not {reason[:20]!r}")
            reason = "rejected"
        return Reject(reason)

    def _connect(self, element: ET.Element) -> Connect | None:
        self._attributes(element, {"action", "method"})
        self._no_text(element)
        if len(element) != 1 or element[0].tag != "Stream":
            self._warn(SCHEMA, "<Connect> holds exactly one <Stream>")
            return None
        stream = self._stream(element[0])
        if stream is None:
            return None
        return Connect(stream, element.get("action"), self._method(element))

    def _stream(self, element: ET.Element) -> Stream | None:
        self._attributes(
            element, {"url", "name", "track", "statusCallback", "statusCallbackMethod"}
        )
        self._no_text(element)
        if element.get("track", "inbound_track") != "inbound_track":
            self._warn(31941, "<Connect><Stream> carries the inbound track only")
            return None
        problem = _stream_url_problem(element.get("url", ""), self._allow_insecure)
        if problem:
            self._warnings.append(problem)
            return None
        callback = element.get("statusCallback", "")
        if callback and urlsplit(callback).scheme not in {"http", "https"}:
            self._warn(SCHEMA, "<Stream> statusCallback is an absolute http(s) URL")
            callback = ""
        return Stream(
            url=element.get("url", ""),
            name=element.get("name", ""),
            status_callback=callback,
            status_callback_method=self._method(element, "statusCallbackMethod"),
            parameters=self._parameters(element),
        )

    def _parameters(self, stream: ET.Element) -> dict[str, str]:
        parameters: dict[str, str] = {}
        for child in stream:
            if child.tag != "Parameter":
                self._warn(SCHEMA, f"<{child.tag}> does not belong in <Stream>")
                continue
            self._attributes(child, {"name", "value"})
            name, value = child.get("name", ""), child.get("value", "")
            if not name:
                self._warn(SCHEMA, "<Parameter> has no name")
            elif len(name) + len(value) >= MAX_PARAMETER_CHARS:
                self._warn(SCHEMA, f"<Parameter> {name[:40]!r} is 500 characters or more")
            else:
                parameters[name] = value
        return parameters


def _stream_url_problem(url: str, allow_insecure: bool) -> Violation | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return Violation(31923, "<Stream> url is malformed")
    if not host:
        return Violation(31923, "<Stream> url is not an absolute URL")
    loopback = allow_insecure and parts.scheme == "ws" and _is_loopback(host)
    if parts.scheme != "wss" and not loopback:
        return Violation(31922, f"<Stream> url has the scheme {parts.scheme[:10]!r}, not wss")
    if parts.query or url.endswith("?"):
        return Violation(31920, "<Stream> url has a query string; put data in <Parameter>")
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
