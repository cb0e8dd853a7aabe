"""What understands one call at a service that recognises over connections which may be replaced.

A machine of one protocol (``deepgram_stt``, ``scribe_stt``, ``openai_transcription_stt``), driven
by ``replayed_stream``. All times are seconds of the call's audio.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from voice.ports import FinalTranscript, RecogniserEvent

M_contra = TypeVar("M_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Restart:
    """Where a new socket has to begin, in seconds of the call's audio, and what is final now."""

    at_s: float
    final: FinalTranscript | None


class Hearing(Protocol[M_contra]):
    """What is understood of one call; a machine that knows the service's protocol."""

    @property
    def progress_s(self) -> float:
        """How much has been transcribed, over all sockets."""

    @property
    def final_s(self) -> float:
        """How much need never be sent again."""

    @property
    def owed(self) -> str:
        """What the service has to answer next, told apart by name; empty for nothing."""

    def restart(self, oldest_s: float) -> Restart:
        """A new socket begins; audio before ``oldest_s`` cannot be sent again."""

    def opening(self) -> tuple[str, ...]:
        """What a new socket is told before the audio."""

    def packet(self, chunk: bytes, end_s: float) -> tuple[str | bytes, ...]:
        """The messages that carry ``chunk``, which ends at ``end_s``."""

    def receive(self, message: M_contra) -> tuple[RecogniserEvent, ...]:
        """Take a message of the running socket. Raises ``ProviderError``: it makes no sense."""
