"""What the service tells on a Realtime socket, as far as a telephone call has use for it.

Source: OpenAI's reference of Realtime server events (generally available protocol). Identifiers are
the service's own; milliseconds are those of the wire. Audio is mu-law, 8 kHz, mono.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from providers.errors import ProviderError

ResponseStatus = Literal["completed", "cancelled", "failed", "incomplete"]


@dataclass(frozen=True, slots=True)
class SessionCreated:
    """The first event of a socket. ``expires_at`` is UTC seconds; None when it is not told."""

    expires_at: float | None


@dataclass(frozen=True, slots=True)
class SessionUpdated:
    """Our settings were taken over."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak; what is said becomes ``item_id``."""

    item_id: str
    audio_start_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The caller has finished, by the service's own judgement."""

    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class AudioCommitted:
    """What the caller said is an item of the conversation now."""

    item_id: str


@dataclass(frozen=True, slots=True)
class WordsArrived:
    """More words of what the caller said."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class WordsKnown:
    """All words of what the caller said; empty when they could not be had.

    Attributes:
        usage: Provider units (``providers.realtime.units``).
    """

    item_id: str
    text: str
    usage: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResponseBegan:
    """A response is being made. ``label`` is ours; empty when the service began it by itself."""

    response_id: str
    label: str


@dataclass(frozen=True, slots=True)
class AudioArrived:
    """More audio of a response."""

    response_id: str
    item_id: str
    content_index: int
    ulaw: bytes


@dataclass(frozen=True, slots=True)
class AudioEnded:
    """All audio of this part of a response has come."""

    response_id: str
    item_id: str
    content_index: int


@dataclass(frozen=True, slots=True)
class TextArrived:
    """More of what a response says; with ``is_all`` it is the whole text of its part."""

    response_id: str
    item_id: str
    content_index: int
    text: str
    is_all: bool = False


@dataclass(frozen=True, slots=True)
class CallWanted:
    """A response wants a tool to be used. Told several times: ``call_id`` tells them apart.

    Attributes:
        arguments: As the model wrote them; not checked to be JSON.
    """

    response_id: str
    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ResponseEnded:
    """A response is over.

    Attributes:
        reason: Why, if it was not completed: ``turn_detected``, ``client_cancelled``, ...
        error: Of a failed one.
        usage: Provider units (``providers.realtime.units``).
        calls: The tools that it wants, once more.
    """

    response_id: str
    label: str
    status: ResponseStatus
    reason: str = ""
    error: ProviderError | None = None
    usage: Mapping[str, float] = field(default_factory=dict)
    calls: tuple[CallWanted, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """One of our events was refused, and the session goes on.

    Attributes:
        code: The service's code, such as ``response_cancel_not_active``; may be empty.
        event_id: Of our event; empty when it is not told.
    """

    code: str
    event_id: str
    error: ProviderError


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that changes nothing here, by its type."""

    type: str


ServerEvent = (
    SessionCreated
    | SessionUpdated
    | SpeechStarted
    | SpeechStopped
    | AudioCommitted
    | WordsArrived
    | WordsKnown
    | ResponseBegan
    | AudioArrived
    | AudioEnded
    | TextArrived
    | CallWanted
    | ResponseEnded
    | RequestRefused
    | Remark
)
