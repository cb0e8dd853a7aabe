"""One segment of speech on its way from ElevenLabs."""

from __future__ import annotations

from collections.abc import Callable

from providers import elevenlabs_wire as wire
from providers.settings import ElevenLabsConfig
from providers.speech_segment import SpeechSegment


class Segment(SpeechSegment):
    """One context; see ``SpeechSegment``.

    Args:
        context_id: Its name on the socket.
        text: What is spoken; marks refer to it.
        config: Deadlines.
        drop: Tells the socket that nobody listens any more, and whether the service is to blame.
        fresh: Its socket was opened for it.
    """

    def __init__(
        self,
        context_id: str,
        text: str,
        config: ElevenLabsConfig,
        drop: Callable[[SpeechSegment, bool], None],
        *,
        fresh: bool,
    ) -> None:
        super().__init__(
            context_id,
            text,
            provider=wire.PROVIDER,
            first_byte_timeout_s=config.first_byte_timeout_s,
            stall_timeout_s=config.stall_timeout_s,
            drop=drop,
            fresh=fresh,
        )
        self._tracker = wire.TextTracker(text)

    def take(self, encoded: object, alignment: object) -> None:
        """One audio message of the service. Raises ``ProviderProtocolError``."""
        ulaw = wire.decode_audio(encoded)
        if not self.heard:
            wire.check_beginning(ulaw)
        self.push(ulaw, self._tracker.take(alignment, self.samples))
