"""What an emulated voice produces, and the voice that needs nothing installed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from telephony import g711

SAMPLE_RATE_HZ = 8_000


@dataclass(frozen=True, slots=True)
class Speech:
    """Spoken text.

    Attributes:
        text: What is spoken.
        ulaw: 8 kHz mu-law.
        char_starts_s: For each character of ``text``, when it begins; never decreasing.
    """

    text: str
    ulaw: bytes
    char_starts_s: tuple[float, ...]

    @property
    def duration_s(self) -> float:
        """Length of the audio."""
        return len(self.ulaw) / SAMPLE_RATE_HZ


class SpokenVoice(Protocol):
    """Turns text into speech; may be called from a worker thread, one call at a time."""

    def speak(self, text: str, language: str, voice: str) -> Speech:
        """Speak ``text``; ``language`` is ``en``, ``de``, ``es``, ``it``, ``zh``, ``yue``..."""


def spread_chars(
    text: str, anchors: list[tuple[int, float]], duration_s: float
) -> tuple[float, ...]:
    """Times for all characters from known ones: ``(character index, seconds)`` in order.

    Characters between two anchors are spaced evenly; the end of the text is an anchor itself.
    """
    known = [(0, 0.0), *anchors, (len(text), duration_s)]
    positions = np.array([at for at, _ in known], dtype=np.float64)
    times = np.maximum.accumulate(np.minimum([s for _, s in known], duration_s))
    spread = np.interp(np.arange(len(text)), positions, times)
    return tuple(float(round(s, 4)) for s in spread)


_SYLLABLE = re.compile(
    r"[\u3400-\u9fff]|[aeiouyäöüáéíóúàèìòù]+[^aeiouyäöüáéíóúàèìòù\u3400-\u9fff\W]*|[.,!?;:。，！？]"
)
_SYLLABLE_S = 0.18
_PAUSE_S = 0.25


class HummingVoice:
    """A hum with a pulse for each syllable and a rest at punctuation: speech-like, not words."""

    def speak(self, text: str, language: str, voice: str) -> Speech:
        """Hum ``text``; voices differ in pitch."""
        return _hum(text, 110.0 + 12.0 * (sum(voice.encode()) % 10))


@lru_cache(maxsize=256)
def _hum(text: str, pitch_hz: float) -> Speech:
    pieces, anchors, at_s = [np.zeros(160)], [], 0.02
    for number, syllable in enumerate(_SYLLABLE.finditer(text)):
        anchors.append((syllable.start(), at_s))
        is_pause = not syllable.group()[0].isalnum()
        length_s = _PAUSE_S if is_pause else _SYLLABLE_S
        t = np.arange(int(length_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        pitch = pitch_hz * (1.0 + 0.08 * ((number * 7) % 5 - 2) / 2)
        tone = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in (1, 2, 3, 5))
        pieces.append(np.zeros(len(t)) if is_pause else 6_000 * tone * np.sin(np.pi * t / length_s))
        at_s += length_s
    samples = np.concatenate(pieces).astype(np.int16)
    return Speech(
        text,
        bytes(g711.encode(samples)),
        spread_chars(text, anchors, len(samples) / SAMPLE_RATE_HZ),
    )
