"""What can go wrong between Twilio and us, in one tree.

TelephonyError
├── InvalidSetting            PUBLIC_URL, an auth token, a signing secret: fix the configuration
├── LocalProtocolError        we were about to send what Twilio does not accept
│   ├── InvalidTwiml          the same, in TwiML
│   ├── InvalidCall           the same, in a request to place or steer a call
│   └── InvalidPhoneNumber    not an E.164 number
├── CarrierError              the carrier's REST interface did not do what we asked
│   ├── CarrierRefused        it said no, with a code; asking again will not help
│   ├── CarrierThrottled      too many requests; ask again after ``retry_after_s``
│   └── CarrierUnreachable    no answer, or none that makes sense; perhaps it was done
├── RemoteProtocolError       the peer of the stream broke the protocol
│   ├── MalformedMessage      one message cannot be read; counted, the call goes on
│   │   ├── BinaryFrame       a binary frame where only text is allowed
│   │   ├── MessageTooLarge   more than 64 KiB
│   │   ├── NotJson           not JSON, or JSON but not an object
│   │   ├── MissingField      names the field
│   │   ├── InvalidField      names the field and what it should be
│   │   └── InvalidPayload    audio that is not base64, empty, or longer than one second
│   ├── OutOfPlace            a readable message where it has no place; dropped, the call goes on
│   └── StreamRefused         fatal: close the socket with ``close_code``
│       ├── UnsupportedFormat the audio is not mu-law, 8,000 Hz, mono
│       ├── StartOverdue      connected, but ``start`` never came
│       ├── TooManyBadMessages
│       └── TooManyMessages   more of them than any caller causes
└── TokenRefused              the stream token or the signed state does not hold
    ├── TokenMalformed        not a token at all, or of a version we cannot read
    ├── TokenForged           signed with none of our secrets
    ├── TokenMisused          a good token of the other kind
    └── TokenExpired

No message holds a payload, a parameter's value, a digit, a phone number or a key: field names and
sizes only, so that each may be logged.
"""

from __future__ import annotations

POLICY_VIOLATION = 1008
"""RFC 6455, 7.4.1: the close code for a peer that does not keep to the protocol."""


class TelephonyError(Exception):
    """Anything this room raises on purpose.

    Args:
        message: What happened and, where it helps, what to change.
        details: What a subclass keeps besides; handed on so that errors pickle.
    """

    def __init__(self, message: str = "", *details: object) -> None:
        super().__init__(message, *details)
        self.message = message

    def __str__(self) -> str:
        return self.message


class InvalidSetting(TelephonyError):
    """The configuration cannot be used.

    Args:
        message: What is wrong with it.
        setting: The environment variable or argument to look at.
    """

    def __init__(self, message: str = "", setting: str = "") -> None:
        super().__init__(message, setting)
        self.setting = setting

    def __str__(self) -> str:
        return f"{self.setting}: {self.message}" if self.setting else self.message


class LocalProtocolError(TelephonyError):
    """We were about to send something that Twilio does not accept."""


class InvalidTwiml(LocalProtocolError):
    """We were about to answer with TwiML that Twilio does not accept."""


class InvalidCall(LocalProtocolError):
    """We were about to ask the carrier for a call that it would refuse.

    Args:
        message: What is wrong with it.
        field: The attribute to change.
    """

    def __init__(self, message: str = "", field: str = "") -> None:
        super().__init__(message, field)
        self.field = field


class InvalidPhoneNumber(InvalidCall):
    """Not an E.164 number. The message never holds the number."""


class CarrierError(TelephonyError):
    """The carrier's REST interface did not do what we asked."""


class CarrierRefused(CarrierError):
    """The carrier said no: nothing was done, and asking again will not help.

    Args:
        message: The carrier's words, phone numbers left out.
        code: Its error code (https://www.twilio.com/docs/api/errors), such as 21211; the HTTP
            status when it named none.
        status: The HTTP status.
    """

    AUTHENTICATION = 20003
    NOT_FOUND = 20404
    INVALID_TO = 21211
    CALL_OVER = 21220

    def __init__(self, message: str = "", code: int = 0, status: int = 0) -> None:
        super().__init__(message, code, status)
        self.code = code
        self.status = status

    @property
    def is_call_over(self) -> bool:
        """The call is not in progress: it has ended, or was not answered yet."""
        return self.code == self.CALL_OVER

    @property
    def is_unknown(self) -> bool:
        """The carrier knows nothing of this name."""
        return self.code == self.NOT_FOUND or self.status == 404

    @property
    def is_wrong_key(self) -> bool:
        """Neither this request nor any other will be taken: look at the credentials."""
        return self.code == self.AUTHENTICATION or self.status == 401

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.code else self.message


class CarrierThrottled(CarrierError):
    """Too many requests at once (HTTP 429, 20429): nothing was done.

    Args:
        message: What happened.
        retry_after_s: How long the carrier wants to be left alone; 0 when it does not say.
    """

    def __init__(self, message: str = "", retry_after_s: float = 0.0) -> None:
        super().__init__(message, retry_after_s)
        self.retry_after_s = retry_after_s


class CarrierUnreachable(CarrierError):
    """No answer in time, no connection, HTTP 5xx, or an answer that cannot be read.

    Args:
        message: What happened.
        maybe_done: The request may have been carried out all the same.
    """

    def __init__(self, message: str = "", maybe_done: bool = True) -> None:
        super().__init__(message, maybe_done)
        self.maybe_done = maybe_done


class RemoteProtocolError(TelephonyError):
    """The peer of the stream broke the protocol."""


class MalformedMessage(RemoteProtocolError):
    """One message cannot be read."""


class BinaryFrame(MalformedMessage):
    """A binary frame; every message of Media Streams is one text frame."""


class MessageTooLarge(MalformedMessage):
    """A text frame longer than we are willing to parse."""


class NotJson(MalformedMessage):
    """Not JSON, or not a JSON object."""


class MissingField(MalformedMessage):
    """A field that the protocol requires is absent.

    Args:
        message: The whole sentence.
        field: Its dotted path, such as ``media.payload``.
    """

    def __init__(self, message: str = "", field: str = "") -> None:
        super().__init__(message, field)
        self.field = field


class InvalidField(MissingField):
    """A field is there but is not what the protocol says."""


class InvalidPayload(InvalidField):
    """Audio that is not base64, is empty, or is too long."""


class OutOfPlace(RemoteProtocolError):
    """A readable message at the wrong time, or of another stream."""


class StreamRefused(RemoteProtocolError):
    """The stream cannot go on; close the socket with ``close_code``."""

    close_code = POLICY_VIOLATION


class UnsupportedFormat(StreamRefused):
    """The audio is something else than mu-law, 8,000 Hz, mono."""


class StartOverdue(StreamRefused):
    """The socket is open and ``start`` did not come in time: a scanner or a replay."""


class TooManyBadMessages(StreamRefused):
    """A long run of bad messages without a good one between them."""


class TooManyMessages(StreamRefused):
    """More messages than any caller causes: the calls beside this one would suffer."""


class TokenRefused(TelephonyError):
    """A token does not hold."""


class TokenMalformed(TokenRefused):
    """Not a token, or of a version that we cannot read."""


class TokenForged(TokenRefused):
    """Signed with none of our secrets."""


class TokenMisused(TokenRefused):
    """A good token, but minted for the other purpose."""


class TokenExpired(TokenRefused):
    """A good token, too late."""
