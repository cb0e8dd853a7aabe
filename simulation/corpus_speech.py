"""Putting turns together from recordings: slices of clips, pauses between them, room tone.

Rules

1. A clip is cut in the pauses of its speaker, or where it is quietest within 80 ms of a word
   boundary: word times of publishers are rounded, and those that were apportioned are estimates.
2. A pause is filled with the clip's own room tone where there is some, so that it does not sound
   like a line that went dead; otherwise with nothing, and the noise of the line is heard alone.
3. Cuts are faded over 8 ms: a click is evidence that a real pause does not give.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import lru_cache
from random import Random

import numpy as np

from simulation.clip_library import SAMPLE_RATE_HZ, Clip, Word
from simulation.corpus_turn import SHORTEST_PAUSE_S, Samples
from telephony import g711

_FADE_SAMPLES = 64
_WINDOW = 80  # 10 ms
_SNAP_S = 0.08
_LEAD_S = 0.04
_TAIL_S = 0.2
_LEAST_TONE_S = 0.08
_KEPT_S = 0.03  # of a pause on either side of it


@lru_cache(maxsize=256)
def linear(clip: Clip) -> Samples:
    """A clip's samples at the nominal speech level."""
    return g711.decode(clip.ulaw)


@lru_cache(maxsize=256)
def room_tone(clip: Clip) -> Samples:
    """The longest stretch without speech at either end of a clip; empty when it is too short."""
    samples = linear(clip)
    before = samples[: int((clip.speech_start_s - 0.05) * SAMPLE_RATE_HZ)]
    after = samples[int((clip.speech_end_s + 0.15) * SAMPLE_RATE_HZ) :]
    longer = before if len(before) > len(after) else after
    return longer if len(longer) >= _LEAST_TONE_S * SAMPLE_RATE_HZ else longer[:0]


def quietest_near(clip: Clip, at_s: float, low_s: float, high_s: float) -> float:
    """Where a clip is quietest near ``at_s``, between ``low_s`` and ``high_s``."""
    samples = linear(clip).astype(np.float64)
    low = int(max(low_s, at_s - _SNAP_S) * SAMPLE_RATE_HZ)
    high = int(min(high_s, at_s + _SNAP_S) * SAMPLE_RATE_HZ)
    starts = range(max(low - _WINDOW // 2, 0), max(high - _WINDOW // 2, low) + 1, _WINDOW // 4)
    best = min(starts, key=lambda start: float(np.square(samples[start : start + _WINDOW]).sum()))
    return min(max((best + _WINDOW // 2) / SAMPLE_RATE_HZ, low_s), high_s)


class Utterance:
    """Grows by slices of clips and by pauses."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._parts: list[Samples] = []
        self._length = 0
        self.words: list[Word] = []
        self.spans: list[tuple[float, float]] = []

    @property
    def length_s(self) -> float:
        """How long it is so far."""
        return self._length / SAMPLE_RATE_HZ

    @property
    def samples(self) -> Samples:
        """All of it."""
        return np.concatenate(self._parts) if self._parts else np.zeros(0, np.int16)

    def pauses(self) -> tuple[tuple[float, float], ...]:
        """The gaps between its stretches of speech that are long enough to be pauses."""
        spans = sorted(self.spans)
        gaps = [(a[1], b[0]) for a, b in itertools.pairwise(spans)]
        return tuple(gap for gap in gaps if gap[1] - gap[0] >= SHORTEST_PAUSE_S)

    def lead_in(self, clip: Clip) -> None:
        """What is heard before the first word."""
        start_s = max(0.0, clip.speech_start_s - _LEAD_S)
        self._add(_faded(_slice(clip, start_s, clip.speech_start_s), begin=True))

    def say(self, clip: Clip, first: int = 0, last: int | None = None) -> None:
        """Add words ``first`` to ``last`` (not included) of a clip, with what lies between them."""
        words = clip.words
        last = len(words) if last is None else last
        start_s = clip.speech_start_s if first == 0 else boundary(clip, first)[1]
        end_s = clip.speech_end_s if last == len(words) else boundary(clip, last)[0]
        shift_s = self.length_s - start_s
        self._add(_faded(_slice(clip, start_s, end_s), begin=first > 0, end=last < len(words)))
        for word in words[first:last]:
            start, end = max(word.start_s, start_s), min(word.end_s, end_s)
            self.words.append(replace(word, start_s=start + shift_s, end_s=end + shift_s))
        for begin, end in clip.segments:
            begin, end = max(begin, start_s), min(end, end_s)
            if end > begin:
                self.spans.append((begin + shift_s, end + shift_s))

    def pause(self, duration_s: float, clip: Clip | None) -> None:
        """Say nothing for a while, in the room of ``clip``."""
        length = round(duration_s * SAMPLE_RATE_HZ)
        tone = room_tone(clip) if clip is not None else np.zeros(0, np.int16)
        if len(tone) == 0:
            self._add(np.zeros(length, np.int16))
            return
        start = self._random.randrange(len(tone))
        self._add(_faded(np.resize(np.roll(tone, -start), length), begin=True, end=True))

    def trail_off(self, clip: Clip) -> None:
        """What is heard after the last word."""
        end_s = min(clip.duration_s, clip.speech_end_s + _TAIL_S)
        self._add(_faded(_slice(clip, clip.speech_end_s, end_s), end=True))

    def _add(self, samples: Samples) -> None:
        self._parts.append(samples)
        self._length += len(samples)


def breaks(clip: Clip) -> dict[int, tuple[float, float]]:
    """Where its speaker paused: the number of the word behind each pause, and the pause."""
    found: dict[int, tuple[float, float]] = {}
    for (_, start_s), (end_s, _) in itertools.pairwise(clip.segments):
        if end_s - start_s < SHORTEST_PAUSE_S:
            continue
        middle_s = (start_s + end_s) / 2
        word = sum((word.start_s + word.end_s) / 2 < middle_s for word in clip.words)
        if 0 < word < len(clip.words):
            found[word] = (start_s, end_s)
    return found


def boundary(clip: Clip, word: int) -> tuple[float, float]:
    """Where what comes before a word ends, and where the word begins, with what leads to it."""
    own = breaks(clip).get(word)
    if own is not None:
        return own[0] + _KEPT_S, own[1] - _KEPT_S
    before, after = clip.words[word - 1], clip.words[word]
    middle_s = (before.end_s + after.start_s) / 2
    at_s = quietest_near(clip, middle_s, before.start_s + 0.02, after.end_s - 0.02)
    return at_s, at_s


def _slice(clip: Clip, start_s: float, end_s: float) -> Samples:
    return linear(clip)[round(start_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)]


def _faded(samples: Samples, *, begin: bool = False, end: bool = False) -> Samples:
    length = min(_FADE_SAMPLES, len(samples))
    if length == 0 or not (begin or end):
        return samples
    ramp = np.ones(len(samples))
    if begin:
        ramp[:length] *= np.linspace(0.0, 1.0, length)
    if end:
        ramp[-length:] *= np.linspace(1.0, 0.0, length)
    return (samples * ramp).astype(np.int16)
