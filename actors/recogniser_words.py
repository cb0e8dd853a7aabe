"""What a recogniser says, before it is believed."""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from typing import Final

from providers.errors import ProviderError
from providers.traces import trace_of
from voice.ports import (
    FinalTranscript,
    InterimTranscript,
    RecogniserEvent,
    RecogniserFailed,
    TurnEndHinted,
    TurnResumed,
)

logger = logging.getLogger(__name__)

MOST_PHRASE_CHARS: Final = 20_000  # a quarter of an hour without a pause: nobody speaks so


def believable(event: RecogniserEvent, sent_s: float) -> RecogniserEvent:
    """The event, with nothing in it that cannot be.

    Args:
        event: As it came.
        sent_s: How much audio the stream was sent: nothing was said later.

    Returns:
        ``RecogniserFailed`` in place of words without an end.
    """
    match event:
        case InterimTranscript() | FinalTranscript() | TurnEndHinted():
            if len(event.text) > MOST_PHRASE_CHARS:
                return RecogniserFailed("words without an end", True)
            if isinstance(event, TurnEndHinted) and not _is_belief(event.probability):
                event = replace(event, probability=None)
            return _in_time(event, sent_s)
        case TurnResumed():
            return _in_time(event, sent_s)
        case _:
            return event


def _in_time(
    event: InterimTranscript | FinalTranscript | TurnEndHinted | TurnResumed, sent_s: float
) -> RecogniserEvent:
    """Ended at a time that can be: 0, which is "not told", for one before the stream began."""
    if 0.0 <= event.end_s <= sent_s:
        return event
    return replace(event, end_s=0.0 if event.end_s < 0.0 else sent_s)


def _is_belief(probability: float | None) -> bool:
    return probability is None or (math.isfinite(probability) and 0.0 <= probability <= 1.0)


def reason_of(error: Exception) -> tuple[str, bool]:
    """What to say of a failed opening, and whether another try may help."""
    if isinstance(error, ProviderError):
        return str(error), error.retryable
    if isinstance(error, TimeoutError):
        return "no stream in time", True
    logger.error("a recogniser broke: %s", trace_of(error))
    return f"broke: {type(error).__name__}", True
