"""The TwiML that we answer with: a handful of documents, written by hand.

Webhooks are answered within the time that a caller hears ringing, so these are plain string
formats with escaping; the tests compare them with what Twilio's own builder writes. Each function
refuses what Twilio would refuse, while there is still somebody to tell.

Source: Twilio, TwiML for Programmable Voice: Connect, Stream, Say, Reject, Hangup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from telephony.errors import InvalidTwiml

CONTENT_TYPE = "text/xml; charset=utf-8"
MAX_TWIML_BYTES = 65_536
MAX_PARAMETER_CHARS = 499
"""Name and value of one parameter together stay under 500 characters."""

_HEAD = '<?xml version="1.0" encoding="UTF-8"?><Response>'
_TAIL = "</Response>"

# XML 1.0, production 2: everything else cannot be written at all, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_URL = re.compile("[\x21-\x7e]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_ESCAPES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "\t": "&#9;",  # a parser turns plain white space in an attribute into blanks
        "\n": "&#10;",
        "\r": "&#13;",
    }
)


def connect_stream(
    *,
    stream_url: str,
    action_url: str,
    parameters: Mapping[str, str],
    status_callback_url: str | None = None,
    name: str | None = None,
    allow_insecure: bool = False,
) -> str:
    """Connect the call to our media WebSocket, both ways.

    Args:
        stream_url: Absolute ``wss://`` URL without query or fragment.
        action_url: Absolute ``https://`` URL that Twilio asks when the stream has ended. Required:
            without it the loss of a socket would be the loss of the call.
        parameters: Come back in ``start``; name and value under 500 characters together.
        status_callback_url: Told of stream-started, stream-stopped and stream-error.
        name: Name of the stream, unique in the call.
        allow_insecure: Accept ``ws://`` and ``http://``; for emulators.

    Raises:
        InvalidTwiml: Says which argument, and what to change.
    """
    _check_url(stream_url, "stream_url", "ws", allow_insecure)
    if "?" in stream_url or "#" in stream_url:
        raise InvalidTwiml("stream_url takes no query and no fragment: use parameters")
    _check_url(action_url, "action_url", "http", allow_insecure)
    stream = f'<Stream url="{_escape(stream_url, "stream_url")}"'
    if name is not None:
        stream += f' name="{_escape(name, "name")}"'
    if status_callback_url is not None:
        _check_url(status_callback_url, "status_callback_url", "http", allow_insecure)
        stream += f' statusCallback="{_escape(status_callback_url, "status_callback_url")}"'
    children = "".join(_parameter(key, value) for key, value in parameters.items())
    stream += f">{children}</Stream>" if children else "/>"
    return _document(f'<Connect action="{_escape(action_url, "action_url")}">{stream}</Connect>')


def say_and_hang_up(text: str, language: str | None = None) -> str:
    """Say a sentence in Twilio's own voice and end the call.

    Args:
        text: Plain text, not empty.
        language: BCP-47 tag; None leaves it to Twilio (en-US).

    Raises:
        InvalidTwiml: An empty text, a character that XML cannot hold, or no language tag.
    """
    if not text.strip():
        raise InvalidTwiml("text is empty: use hang_up()")
    attribute = ""
    if language is not None:
        if _LANGUAGE.fullmatch(language) is None:
            raise InvalidTwiml("language is a BCP-47 tag, such as en-US")
        attribute = f' language="{language}"'
    return _document(f"<Say{attribute}>{_escape(text, 'text')}</Say><Hangup/>")


def hang_up() -> str:
    """End the call."""
    return _document("<Hangup/>")


def reject_busy() -> str:
    """Do not answer: the caller hears the busy tone and pays nothing. First answer only."""
    return _document('<Reject reason="busy"/>')


def empty() -> str:
    """Nothing to do; for callbacks whose answer is ignored."""
    return _document("")


def _document(content: str) -> str:
    document = _HEAD + content + _TAIL
    size_bytes = len(document.encode("utf-8"))
    if size_bytes > MAX_TWIML_BYTES:
        raise InvalidTwiml(f"the document is {size_bytes} bytes, at most {MAX_TWIML_BYTES}")
    return document


def _escape(text: str, argument: str) -> str:
    bad = _NOT_XML.search(text)
    if bad is not None:
        raise InvalidTwiml(f"{argument} holds U+{ord(bad.group()):04X}, which XML cannot hold")
    return text.translate(_ESCAPES)


def _parameter(name: str, value: str) -> str:
    if not name:
        raise InvalidTwiml("a parameter needs a name")
    chars = len(name) + len(value)
    if chars > MAX_PARAMETER_CHARS:
        raise InvalidTwiml(
            f"parameter {name[:40]}: name and value are {chars} characters, "
            f"at most {MAX_PARAMETER_CHARS}"
        )
    return (
        f'<Parameter name="{_escape(name, "a parameter name")}" '
        f'value="{_escape(value, "a parameter value")}"/>'
    )


def _check_url(url: str, argument: str, plain_scheme: str, allow_insecure: bool) -> None:
    schemes = (plain_scheme + "s", plain_scheme) if allow_insecure else (plain_scheme + "s",)
    try:
        parts = urlsplit(url)
        is_absolute = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_absolute, parts = False, urlsplit("")
    if not is_absolute or parts.scheme not in schemes or not _URL.fullmatch(url):
        wanted = " or ".join(f"{scheme}://" for scheme in schemes)
        raise InvalidTwiml(f"{argument} is an absolute URL that begins with {wanted}")
