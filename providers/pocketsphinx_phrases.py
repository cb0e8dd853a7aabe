"""Where a caller's phrases begin and end, by the sound alone, for a recogniser of whole phrases.

Rules:
1. A phrase begins with ``_LEAST_SPEECH_S`` of sound that may be speech, and is given out with the
   ``_BEFORE_S`` before it.
2. It ends after ``pause_s`` without such sound, or after ``_LONGEST_S``.
3. Less sound than ``_LEAST_SPEECH_S`` between two pauses is nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from providers.audio_ring import AudioRing
from providers.phrases import SoundFinder
from voice.ports import FRAME_SAMPLES, SAMPLE_RATE_HZ

_BEFORE_S: Final = 0.2
_LEAST_SPEECH_S: Final = 0.08
_LONGEST_S: Final = 8.0


@dataclass(frozen=True, slots=True)
class PhraseBegan:
    """Somebody began to speak, ``at_s`` into the stream."""

    at_s: float


@dataclass(frozen=True, slots=True)
class PhraseEnded:
    """A whole phrase: its mu-law, and where its sound ended."""

    ulaw: bytes
    end_s: float


class PhraseFinder:
    """The phrases of one stream; a machine.

    Args:
        pause_s: Silence that ends a phrase.
    """

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._ring = AudioRing(round((_LONGEST_S + _BEFORE_S + pause_s) * SAMPLE_RATE_HZ))
        self._sound = SoundFinder()
        self._rest = b""
        self._is_open = False

    def hear(self, ulaw: bytes) -> list[PhraseBegan | PhraseEnded]:
        """Take audio of any length."""
        events: list[PhraseBegan | PhraseEnded] = []
        audio = self._rest + ulaw
        whole = len(audio) - len(audio) % FRAME_SAMPLES
        self._rest = audio[whole:]
        for at in range(0, whole, FRAME_SAMPLES):
            self._hear_frame(audio[at : at + FRAME_SAMPLES], events)
        return events

    def _hear_frame(self, frame: bytes, events: list[PhraseBegan | PhraseEnded]) -> None:
        self._ring.append(frame)
        now_s, sound = self._ring.end / SAMPLE_RATE_HZ, self._sound
        sound.hear(frame, now_s)
        if sound.began_s is None:
            return
        if not self._is_open and sound.loud_s >= _LEAST_SPEECH_S - 1e-9:
            self._is_open = True
            events.append(PhraseBegan(sound.began_s))
        is_over = now_s - sound.ended_s >= self._pause_s - 1e-9
        if not is_over and now_s - sound.began_s < _LONGEST_S:
            return
        if self._is_open:
            begin = max(round((sound.began_s - _BEFORE_S) * SAMPLE_RATE_HZ), self._ring.start)
            phrase = self._ring.read(begin, self._ring.end - begin)
            events.append(PhraseEnded(phrase, sound.ended_s))
        self._is_open = False
        sound.forget()
