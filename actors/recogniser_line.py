"""One stream of a call's recognisers, as its driver keeps it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from providers.errors import ProviderError
from providers.failover.overlap import without_overlap
from voice.ports import SAMPLE_RATE_HZ, RecogniserStream
from voice.words import has_words

logger = logging.getLogger(__name__)

CLOSE_WITHIN_S = 3.0


@dataclass(slots=True)
class Line:
    """One stream, from its opening on.

    Attributes:
        choice: Whose, by its place among the recognisers.
        began: Sample of the call with which it begins.
        overlaps: Known words that its first phrase may begin with.
        live_from: What was said before this sample was sent at once, and its lag means nothing.
        is_measured: The lag of the running phrase is.
        has_words: It was told of: once, as a stream that hears nothing is.
    """

    choice: int
    task: asyncio.Task[None] | None = None
    stream: RecogniserStream | None = None
    began: int = 0
    overlaps: str = ""
    live_from: int = 0
    is_measured: bool = False
    has_words: bool = False

    def fresh(self, text: str) -> str:
        """The words without those that were known before this stream began."""
        return without_overlap(text, self.overlaps) if self.overlaps else text

    def media_s(self, end_s: float) -> float:
        """A time of this stream as one of the call."""
        return self.began / SAMPLE_RATE_HZ + end_s

    def lag_s(self, text: str, end_s: float, samples: int) -> float | None:
        """How late the first words of a phrase come; None when that says nothing.

        Args:
            text: The words.
            end_s: Where the last of them ends, in this stream.
            samples: Of the caller, heard so far.
        """
        said_at = self.began + round(end_s * SAMPLE_RATE_HZ)
        if self.is_measured or said_at <= self.live_from or not has_words(text):
            return None
        self.is_measured = True
        return max(0.0, (samples - said_at) / SAMPLE_RATE_HZ)


async def close_quietly(stream: RecogniserStream, call_id: str) -> None:
    """Close within a bound; a service that cannot even close holds nobody up."""
    try:
        async with asyncio.timeout(CLOSE_WITHIN_S):
            await stream.close()
    except (ProviderError, TimeoutError) as error:
        logger.warning("call %s: recogniser not closed: %s", call_id, type(error).__name__)
