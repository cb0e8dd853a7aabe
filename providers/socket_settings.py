"""What the services that are spoken to over raw websockets have to be told: one record for each.

The composition root fills these from the environment; the comment names the variable that a person
would set. A record never shows its key when it is printed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

SCRIBE_KEY: Final = "SCRIBE_API_KEY"
SCRIBE_BASE_URL: Final = "SCRIBE_BASE_URL"
SCRIBE_MODEL: Final = "SCRIBE_MODEL"
SCRIBE_STREAMS: Final = "CALLCLUSTER_SCRIBE_STREAMS_PER_PROCESS"
SCRIBE_COMMIT: Final = "CALLCLUSTER_SCRIBE_COMMIT"
SCRIBE_PAUSE: Final = "CALLCLUSTER_SCRIBE_PAUSE_MS"
OPENAI_STT_KEY: Final = "OPENAI_STT_API_KEY"
OPENAI_STT_BASE_URL: Final = "OPENAI_STT_BASE_URL"
OPENAI_STT_MODEL: Final = "OPENAI_STT_MODEL"
OPENAI_STT_STREAMS: Final = "CALLCLUSTER_OPENAI_STT_STREAMS_PER_PROCESS"
OPENAI_STT_TURNS: Final = "CALLCLUSTER_OPENAI_STT_TURNS"
OPENAI_STT_PAUSE: Final = "CALLCLUSTER_OPENAI_STT_PAUSE_MS"
CARTESIA_KEY: Final = "CARTESIA_API_KEY"
CARTESIA_BASE_URL: Final = "CARTESIA_BASE_URL"
CARTESIA_MODEL: Final = "CARTESIA_MODEL"
CARTESIA_SOCKETS: Final = "CALLCLUSTER_CARTESIA_SOCKETS"


@dataclass(frozen=True, slots=True)
class ScribeConfig:
    """ElevenLabs Scribe speech-to-text.

    Attributes:
        api_key: SCRIBE_API_KEY, or ELEVENLABS_API_KEY.
        base_url: SCRIBE_BASE_URL, or ELEVENLABS_BASE_URL; ``http`` becomes ``ws``.
        model: SCRIBE_MODEL; empty for the default of ``providers.models``.
        max_streams: Sockets in this process, pre-opened ones included
            (CALLCLUSTER_SCRIBE_STREAMS_PER_PROCESS).
        commit: ``manual``: we end a phrase at a pause of the caller; ``vad``: the service does
            (CALLCLUSTER_SCRIBE_COMMIT).
        pause_s: That pause, 0.3 to 3 s (CALLCLUSTER_SCRIBE_PAUSE_MS). Short: who has finished is
            decided here, and a phrase that stays open over there would have words of two turns.
        connect_timeout_s: For TCP, TLS, the handshake and the first message.
        stall_timeout_s: From the end of a phrase to its final words.
        replay_s: How much audio is kept to be said again over a new socket.
    """

    api_key: str = field(default="", repr=False)
    base_url: str = "https://api.elevenlabs.io"
    model: str = ""
    max_streams: int = 100
    commit: Literal["manual", "vad"] = "manual"
    pause_s: float = 0.3
    connect_timeout_s: float = 3.0
    stall_timeout_s: float = 3.0
    replay_s: float = 8.0


@dataclass(frozen=True, slots=True)
class OpenAITranscriptionConfig:
    """OpenAI's realtime transcription, or a service of the same protocol.

    Attributes:
        api_key: OPENAI_STT_API_KEY, or OPENAI_API_KEY.
        base_url: Up to and with ``/v1`` (OPENAI_STT_BASE_URL, or OPENAI_BASE_URL); ``https``
            becomes ``wss``.
        model: OPENAI_STT_MODEL; empty for the default of ``providers.models``.
        max_streams: Sockets in this process, pre-opened ones included
            (CALLCLUSTER_OPENAI_STT_STREAMS_PER_PROCESS).
        turns: ``pauses``: we end a phrase at a pause of the caller; ``semantic_vad``: the service
            does by what is said, with models that can (CALLCLUSTER_OPENAI_STT_TURNS).
        pause_s: That pause (CALLCLUSTER_OPENAI_STT_PAUSE_MS).
        connect_timeout_s: For TCP, TLS, the handshake and the first event.
        stall_timeout_s: From the end of a phrase to its final words.
        replay_s: How much audio is kept to be said again over a new socket.
    """

    api_key: str = field(default="", repr=False)
    base_url: str = "https://api.openai.com/v1"
    model: str = ""
    max_streams: int = 100
    turns: Literal["pauses", "semantic_vad"] = "pauses"
    pause_s: float = 0.3
    connect_timeout_s: float = 4.0
    stall_timeout_s: float = 4.0
    replay_s: float = 8.0


@dataclass(frozen=True, slots=True)
class CartesiaConfig:
    """Cartesia text-to-speech.

    Attributes:
        api_key: CARTESIA_API_KEY.
        base_url: CARTESIA_BASE_URL; ``http`` becomes ``ws``, ``https`` becomes ``wss``.
        model: CARTESIA_MODEL; empty for the default of ``providers.models``.
        max_sockets: Over all voices (CALLCLUSTER_CARTESIA_SOCKETS).
        contexts_per_socket: Segments that one socket carries at a time; dozens are documented.
        connect_timeout_s: For TCP, TLS and the handshake.
        first_byte_timeout_s: From the request to the first audio.
        stall_timeout_s: Between two messages of one segment.
        renew_s: A socket unused this long is replaced if voices were warmed, else closed: the
            service closes one after five minutes.
    """

    api_key: str = field(default="", repr=False)
    base_url: str = "https://api.cartesia.ai"
    model: str = ""
    max_sockets: int = 4
    contexts_per_socket: int = 12
    connect_timeout_s: float = 3.0
    first_byte_timeout_s: float = 3.0
    stall_timeout_s: float = 3.0
    renew_s: float = 240.0
