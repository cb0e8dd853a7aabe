"""What the ear and the mouth need from the outside: a recogniser and a speaker.

Audio on both ports is G.711 mu-law, 8,000 Hz, mono: one byte a sample, 160 bytes a frame of 20 ms.
Times are seconds of audio, counted from the first sample of the stream or of the segment.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Protocol

SAMPLE_RATE_HZ = 8_000
FRAME_S = 0.02
FRAME_SAMPLES = 160


@dataclass(frozen=True, slots=True)
class RecogniseRequest:
    """What a recogniser has to know before the first sample.

    Attributes:
        call_id: Our id of the call, for logs only.
        language: BCP-47 tag, such as ``en-US`` or ``zh-HK``.
        phrases: Words that are likely to be said (names, products).
        others: Languages that the caller may change to. A service that can tell which one was
            spoken says so in ``FinalTranscript.language``; one that cannot passes them over.
    """

    call_id: str
    language: str
    phrases: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpeechNoticed:
    """The recogniser heard somebody begin to speak, ``at_s`` into the stream."""

    at_s: float


@dataclass(frozen=True, slots=True)
class InterimTranscript:
    """Words of the running phrase, all of them so far; they may still change."""

    text: str
    end_s: float


@dataclass(frozen=True, slots=True)
class FinalTranscript:
    """One finished phrase; it will not change.

    Attributes:
        text: Empty for a non-match.
        language: BCP-47 tag of what was spoken, where the service tells; else empty.
    """

    text: str
    end_s: float
    language: str = ""


@dataclass(frozen=True, slots=True)
class RecogniserInterrupted:
    """The connection is gone, and the stream opens another by itself; words may be late."""


@dataclass(frozen=True, slots=True)
class RecogniserFailed:
    """The stream is dead; nothing more will come from it.

    Attributes:
        message: What happened, for a person.
        retryable: Whether another try may help.
        cause: The error itself, for whoever judges the service; None when there is none.
    """

    message: str
    retryable: bool
    cause: Exception | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TurnEndHinted:
    """The recogniser itself believes that the caller has finished.

    Attributes:
        text: All words of the running phrase, as it hears them now.
        end_s: Where the last of them ends.
        probability: How sure it is, 0 to 1; None when it does not say.
    """

    text: str
    end_s: float
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class TurnResumed:
    """The recogniser takes its last ``TurnEndHinted`` back: the caller goes on."""

    end_s: float


RecogniserEvent = (
    SpeechNoticed
    | InterimTranscript
    | FinalTranscript
    | TurnEndHinted
    | TurnResumed
    | RecogniserInterrupted
    | RecogniserFailed
)


class TurnModel(Protocol):
    """Tells by the sound of the last seconds whether a caller has finished."""

    async def judge(self, ulaw: bytes) -> float:
        """How likely the turn is over, 0 to 1, at the end of this audio; its last 8 s matter.

        Takes its time away from the event loop. Raises ``ProviderError``.
        """


class RecogniserStream(Protocol):
    """One open recognition of one call."""

    def write(self, ulaw: bytes) -> None:
        """Hand over caller audio, or none. Never blocks, never raises; cost is microseconds."""

    async def close(self) -> None:
        """Stop listening and give the connection back. Idempotent; no event follows."""


class Recogniser(Protocol):
    """A speech-to-text service."""

    @property
    def name(self) -> str:
        """Short name for records, such as ``azure``."""

    async def warm(self, language: str, count: int) -> None:
        """Open ``count`` connections before they are needed. Raises ``ProviderError``."""

    async def open(
        self, request: RecogniseRequest, sink: Callable[[RecogniserEvent], None]
    ) -> RecogniserStream:
        """Start a stream; ``sink`` runs on the loop's thread. Raises ``ProviderError``."""

    async def aclose(self) -> None:
        """Close every pooled connection."""


@dataclass(frozen=True, slots=True)
class SpeakRequest:
    """One segment of a reply to be spoken.

    Attributes:
        call_id: Our id of the call, for logs only.
        text: What to say; plain text, no markup.
        voice: The provider's voice id.
        language: BCP-47 tag.
    """

    call_id: str
    text: str
    voice: str
    language: str


@dataclass(frozen=True, slots=True)
class TextMark:
    """The first ``chars`` characters of the segment are spoken once ``at_s`` of it has played."""

    chars: int
    at_s: float


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """A piece of a segment's audio, any length, in order; marks refer to the whole segment."""

    ulaw: bytes
    marks: tuple[TextMark, ...] = ()


class Speaker(Protocol):
    """A text-to-speech service."""

    @property
    def name(self) -> str:
        """Short name for records, such as ``elevenlabs``."""

    async def warm(self, voice: str, language: str) -> None:
        """Open the connection of this voice before it is needed. Raises ``ProviderError``."""

    def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        """Yield the audio as it is made; ends after the last chunk.

        Closing the iterator early cancels the synthesis at the provider. Raises ``ProviderError``
        from the iteration.
        """

    async def aclose(self) -> None:
        """Close every pooled connection."""
