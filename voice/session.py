"""One call's ear and mouth."""

from __future__ import annotations

from collections import deque

from voice.config import EndpointConfig, PlayoutConfig, SpokenPhrases, VoiceConfig
from voice.events import Input, Output

__all__ = ["EndpointConfig", "PlayoutConfig", "SpokenPhrases", "VoiceConfig", "VoiceSession"]


class VoiceSession:
    """The machine of one call: events in, requests out, one timer.

    Args:
        config: How this agent takes turns.
    """

    def __init__(self, config: VoiceConfig) -> None:
        self._config = config
        self._outbox: deque[Output] = deque()
        self._deadline: float | None = None

    def receive(self, event: Input, *, now: float) -> None:
        """Take one event in. Never blocks and never raises for what the outside does.

        Args:
            event: What happened.
            now: Loop time in seconds.
        """

    def close(self, *, now: float) -> None:
        """The stream is gone: settle the turn in flight from what was heard until ``now``."""

    def next_output(self) -> Output | None:
        """The oldest request, or None when there is none left."""
        return self._outbox.popleft() if self._outbox else None

    def next_deadline(self) -> float | None:
        """Loop time at which ``handle_deadline`` wants to be called, or None."""
        return self._deadline

    def handle_deadline(self, *, now: float) -> None:
        """Do what has come due at ``now``; early or repeated calls do no harm."""
