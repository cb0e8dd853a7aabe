"""How replies are prepared before a turn is taken: frozen numbers, durations in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from voice.errors import BadVoiceConfig

MOST_LIVE_GUESSES = 3  # fewer than the mind keeps alive for one turn


@dataclass(frozen=True, slots=True)
class SpeculationConfig:
    """How replies are prepared before the turn is taken; see ``voice.guesses``.

    Attributes:
        live_guesses: Prepared replies held at once.
        max_guesses: Replies prepared ahead for one turn; after them the commit is awaited.
        held_bytes: Audio after which the speaker of a held reply is read no further.
        keep_s: How long a reply to words that are no longer the caller's is held: words flap.
        steady_words_s: Words unchanged for so long while the caller speaks are a reason to prepare
            a reply too; 0 for never.
        max_waste_ratio: Prepared in vain, of all replies asked for, before guessing gets choosier.
        longest_wait_s: By how much a guess is put off at the most when too many were in vain.
    """

    live_guesses: int = 2
    max_guesses: int = 4
    held_bytes: int = 32_000
    keep_s: float = 2.0
    steady_words_s: float = 0.0
    max_waste_ratio: float = 0.15
    longest_wait_s: float = 0.25

    def __post_init__(self) -> None:
        """Raises ``BadVoiceConfig`` for numbers that mean nothing."""
        if not 1 <= self.live_guesses <= MOST_LIVE_GUESSES:
            raise BadVoiceConfig(f"live_guesses must be 1 to {MOST_LIVE_GUESSES}")
        if self.max_guesses < 0 or self.held_bytes < 0:
            raise BadVoiceConfig("max_guesses and held_bytes must not be negative")
        if not 0.0 < self.max_waste_ratio <= 1.0:
            raise BadVoiceConfig("max_waste_ratio must be above 0 and at most 1")
        if self.longest_wait_s < 0.0 or self.keep_s < 0.0 or self.steady_words_s < 0.0:
            raise BadVoiceConfig("keep_s, steady_words_s, longest_wait_s must not be negative")
