"""What the endpointer decides about the caller: a closed union."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallerPaused:
    """The caller has probably finished (the eager threshold).

    Attributes:
        text: The words so far.
        reason: The evidence with its figures.
        confidence: How likely it is that he has, 0 to 1; a guess at best.
    """

    text: str
    reason: str
    confidence: float = 0.5


@dataclass(frozen=True, slots=True)
class CallerWentOn:
    """The pause reported before was not the end."""


@dataclass(frozen=True, slots=True)
class CallerFinished:
    """The turn is over (the commit threshold).

    Attributes:
        text: The words of the turn; empty for speech without words.
        reason: What decided, such as ``final+silence 560 ms (550 needed: no known end)``.
        speech_ended_at: Loop time of the last speech frame, or of the words if none was seen.
        final_at: Loop time of the last final words; None if there were none.
        is_in_noise: There was sound all the while, and no words in it.
        words_due_s: Silence by which the words of all that was said usually are there, when some of
            it was sound without words; None when nothing seems to be missing.
    """

    text: str
    reason: str
    speech_ended_at: float
    final_at: float | None
    is_in_noise: bool = False
    words_due_s: float | None = None


EndpointDecision = CallerPaused | CallerWentOn | CallerFinished
