"""The TwiML that we answer with: a handful of documents, written by hand.

Webhooks are answered within the time that a caller hears ringing, so these are plain string
formats with escaping; the tests compare them with what Twilio's own builder writes. Each function
refuses what Twilio would refuse, while there is still somebody to tell.

A document does one thing that lasts (a stream, a dialled call) or ends the call. What comes before
it, such as keys to be pressed, is a sequence of ``Verb``.

Source: Twilio, TwiML for Programmable Voice: Connect, Stream, Dial, Number, Start, Recording, Say,
Play, Reject, Hangup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NewType
from urllib.parse import urlsplit

from telephony.errors import InvalidPhoneNumber, InvalidTwiml
from telephony.phone_number import check_e164

CONTENT_TYPE = "text/xml; charset=utf-8"
MAX_TWIML_BYTES = 65_536
MAX_PARAMETER_CHARS = 499
"""Name and value of one parameter together stay under 500 characters."""
MAX_DIALLED = 10
"""Numbers of one ``<Dial>``."""
MAX_RING_S = 600

Verb = NewType("Verb", str)
"""One element, ready to stand in a document."""

_HEAD = '<?xml version="1.0" encoding="UTF-8"?><Response>'
_TAIL = "</Response>"

# XML 1.0, production 2: everything else cannot be written at all, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_URL = re.compile("[\x21-\x7e]+")
_DIGITS = re.compile(r"[0-9A-D#*wW]*[0-9A-D#*][0-9A-D#*wW]*")
_SIP = re.compile(r"sips?:[\x21-\x7e]{1,120}@[\x21-\x7e]{1,120}")
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
    before: Sequence[Verb] = (),
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
        before: Run first, in order.
        allow_insecure: Accept ``ws://`` and ``http://``; for emulators.

    Raises:
        InvalidTwiml: Says which argument, and what to change.
    """
    check_url(stream_url, "stream_url", "ws", allow_insecure)
    if "?" in stream_url or "#" in stream_url:
        raise InvalidTwiml("stream_url takes no query and no fragment: use parameters")
    check_url(action_url, "action_url", "http", allow_insecure)
    stream = f'<Stream url="{escape(stream_url, "stream_url")}"'
    if name is not None:
        stream += f' name="{escape(name, "name")}"'
    if status_callback_url is not None:
        check_url(status_callback_url, "status_callback_url", "http", allow_insecure)
        stream += f' statusCallback="{escape(status_callback_url, "status_callback_url")}"'
    children = "".join(parameter(key, value) for key, value in parameters.items())
    stream += f">{children}</Stream>" if children else "/>"
    connect = f'<Connect action="{escape(action_url, "action_url")}">{stream}</Connect>'
    return document("".join(before) + connect)


@dataclass(frozen=True, slots=True)
class DialNumber:
    """A phone to ring.

    Attributes:
        number: E.164, or the ``sip:`` address of a telephone on the internet.
        send_digits: Pressed when it is answered: an extension, ``w`` for half a second.
    """

    number: str
    send_digits: str = ""


def dial(
    numbers: Sequence[DialNumber],
    *,
    action_url: str,
    timeout_s: int = 30,
    caller_id: str | None = None,
    is_sequential: bool = False,
    before: Sequence[Verb] = (),
    allow_insecure: bool = False,
) -> str:
    """Connect the caller to another phone.

    Args:
        numbers: 1 to 10. All ring at once and the first to answer has the call, unless
            ``is_sequential``.
        action_url: Absolute ``https://`` URL that Twilio asks when the dialled call is over, or did
            not come about; see ``callback_forms.read_dial_result``. Required: without it a number
            that nobody answers would be the end of the caller's call.
        timeout_s: How long each may ring, 1 to 600.
        caller_id: What the phone shows, E.164: a number of the account, or the caller's own, which
            is what it shows when None.
        is_sequential: Ring one after the other.
        before: Run first, in order.
        allow_insecure: Accept ``http://``; for emulators.

    Raises:
        InvalidTwiml: Says which argument, and what to change; never holds a number.
    """
    if not 1 <= len(numbers) <= MAX_DIALLED:
        raise InvalidTwiml(f"numbers: 1 to {MAX_DIALLED}, not {len(numbers)}")
    if not 1 <= timeout_s <= MAX_RING_S:
        raise InvalidTwiml(f"timeout_s: 1 to {MAX_RING_S} seconds, not {timeout_s}")
    check_url(action_url, "action_url", "http", allow_insecure)
    attributes = f' action="{escape(action_url, "action_url")}" timeout="{timeout_s}"'
    if caller_id is not None:
        attributes += f' callerId="{_e164(caller_id, "caller_id")}"'
    if is_sequential:
        attributes += ' sequential="true"'
    nouns = "".join(_number(each) for each in numbers)
    return document("".join(before) + f"<Dial{attributes}>{nouns}</Dial>")


def say(text: str, language: str | None = None) -> Verb:
    """Say a sentence in Twilio's voice; ``language`` is a BCP-47 tag, or Twilio's default.

    Raises:
        InvalidTwiml: No text, a character that XML cannot hold, or no language tag.
    """
    if not text.strip():
        raise InvalidTwiml("text is empty: there is nothing to say")
    attribute = ""
    if language is not None:
        if _LANGUAGE.fullmatch(language) is None:
            raise InvalidTwiml("language is a BCP-47 tag, such as en-US")
        attribute = f' language="{language}"'
    return Verb(f"<Say{attribute}>{escape(text, 'text')}</Say>")


def play_digits(digits: str) -> Verb:
    """Press keys: ``0-9 A-D # *``, with ``w`` for a pause of 0.5 s and ``W`` for 1 s.

    Raises:
        InvalidTwiml: Something else among them, or no key at all.
    """
    if _DIGITS.fullmatch(digits) is None:
        raise InvalidTwiml("digits are of 0-9 A-D # * w W, at least one of them a key")
    return Verb(f'<Play digits="{digits}"/>')


def start_recording(callback_url: str, *, allow_insecure: bool = False) -> Verb:
    """Record the call from here on, each side on its own channel.

    Args:
        callback_url: Absolute ``https://`` URL, told when the recording can be fetched.
        allow_insecure: Accept ``http://``; for emulators.

    Raises:
        InvalidTwiml: The URL is not one.
    """
    check_url(callback_url, "callback_url", "http", allow_insecure)
    url = escape(callback_url, "callback_url")
    return Verb(f'<Start><Recording channels="dual" recordingStatusCallback="{url}"/></Start>')


def say_and_hang_up(text: str, language: str | None = None) -> str:
    """Say one sentence in Twilio's voice, then end the call. Raises as ``say`` does."""
    return document(say(text, language) + "<Hangup/>")


def hang_up() -> str:
    """End the call."""
    return document("<Hangup/>")


def reject_busy() -> str:
    """Do not answer: the caller hears the busy tone and pays nothing. First answer only."""
    return document('<Reject reason="busy"/>')


def empty() -> str:
    """Nothing to do; for callbacks whose answer is ignored."""
    return document("")


def document(content: str) -> str:
    """A whole document of elements that are written already. Raises ``InvalidTwiml``: too long."""
    whole = _HEAD + content + _TAIL
    size_bytes = len(whole.encode("utf-8"))
    if size_bytes > MAX_TWIML_BYTES:
        raise InvalidTwiml(f"the document is {size_bytes} bytes, at most {MAX_TWIML_BYTES}")
    return whole


def escape(text: str, argument: str) -> str:
    """``text`` as it may stand in an element or an attribute.

    Raises:
        InvalidTwiml: A character that XML cannot hold; names ``argument``.
    """
    bad = _NOT_XML.search(text)
    if bad is not None:
        raise InvalidTwiml(f"{argument} holds U+{ord(bad.group()):04X}, which XML cannot hold")
    return text.translate(_ESCAPES)


def _number(noun: DialNumber) -> str:
    if noun.number.startswith(("sip:", "sips:")):
        if _SIP.fullmatch(noun.number) is None or noun.send_digits:
            raise InvalidTwiml("a SIP address is sip:user@host, without send_digits")
        return f"<Sip>{escape(noun.number, 'numbers')}</Sip>"
    attribute = ""
    if noun.send_digits:
        if _DIGITS.fullmatch(noun.send_digits) is None:
            raise InvalidTwiml("send_digits are of 0-9 A-D # * w W, at least one of them a key")
        attribute = f' sendDigits="{noun.send_digits}"'
    return f"<Number{attribute}>{_e164(noun.number, 'numbers')}</Number>"


def _e164(number: str, argument: str) -> str:
    try:
        return check_e164(number, argument)
    except InvalidPhoneNumber as error:
        raise InvalidTwiml(error.message) from None


def parameter(name: str, value: str) -> str:
    """A ``<Parameter>``. Raises ``InvalidTwiml``: no name, or 500 characters and more."""
    if not name:
        raise InvalidTwiml("a parameter needs a name")
    chars = len(name) + len(value)
    if chars > MAX_PARAMETER_CHARS:
        raise InvalidTwiml(
            f"parameter {name[:40]}: name and value are {chars} characters, "
            f"at most {MAX_PARAMETER_CHARS}"
        )
    return (
        f'<Parameter name="{escape(name, "a parameter name")}" '
        f'value="{escape(value, "a parameter value")}"/>'
    )


def check_url(url: str, argument: str, plain_scheme: str, allow_insecure: bool) -> None:
    """Raises ``InvalidTwiml`` unless ``url`` is absolute and of ``plain_scheme`` with TLS."""
    schemes = (plain_scheme + "s", plain_scheme) if allow_insecure else (plain_scheme + "s",)
    try:
        parts = urlsplit(url)
        is_absolute = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_absolute, parts = False, urlsplit("")
    if not is_absolute or parts.scheme not in schemes or not _URL.fullmatch(url):
        wanted = " or ".join(f"{scheme}://" for scheme in schemes)
        raise InvalidTwiml(f"{argument} is an absolute URL that begins with {wanted}")
