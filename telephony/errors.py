"""What can go wrong between Twilio and us, in one tree.

TelephonyError
├── InvalidSetting            PUBLIC_URL, an auth token, a signing secret: fix the configuration
├── LocalProtocolError        we were about to send what Twilio does not accept
│   └── InvalidTwiml          the same, in TwiML
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
│       └── TooManyBadMessages
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
