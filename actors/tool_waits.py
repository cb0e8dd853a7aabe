"""What a caller hears while a tool runs: the words that are on their way, then a sentence, again.

Whoever thinks does not know what has reached the ear, so the words are counted: about as long as a
voice takes to say them. A sentence too late is a moment of silence; one too early waits its turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from voice.words import is_unspaced

AGAIN_AFTER_S = 6.0
_LETTER_S = 0.065
_CHARACTER_S = 0.22  # of a script that is written without spaces
_PAUSE_S = 0.25  # before the first word, and between segments


class SpeechEstimate:
    """How long the words of a reply will still be heard; times are loop times."""

    def __init__(self) -> None:
        self._is_begun = False
        self._waiting_s = 0.0
        self._until = 0.0

    def said(self, text: str, *, now: float) -> None:
        """These words were handed out."""
        lasts_s = seconds_of(text)
        if self._is_begun:
            self._until = max(self._until, now) + lasts_s
        else:
            self._waiting_s += lasts_s

    def begun(self, *, now: float) -> None:
        """The turn is taken: what was handed out so far is being said. Later calls do nothing."""
        if not self._is_begun:
            self._is_begun = True
            self._until = now + self._waiting_s

    @property
    def until(self) -> float:
        """When there is nothing more to hear."""
        return self._until


def seconds_of(text: str) -> float:
    """About how long a voice takes to say this."""
    return _PAUSE_S + sum(_CHARACTER_S if is_unspaced(char) else _LETTER_S for char in text)


async def wait_with_fillers(
    task: asyncio.Future[str], speech: SpeechEstimate, after_s: float, fill: Callable[[], None]
) -> None:
    """Until ``task`` has ended; ``fill`` is called when nothing was to be heard for ``after_s``."""
    now = asyncio.get_running_loop().time
    begun_at = now()
    wait_s = after_s
    while not task.done():
        due_at = max(speech.until, begun_at) + wait_s
        await asyncio.wait({task}, timeout=max(0.0, due_at - now()))
        if task.done():
            return
        if now() >= max(speech.until, begun_at) + wait_s - 1e-6:
            fill()
            wait_s = AGAIN_AFTER_S
