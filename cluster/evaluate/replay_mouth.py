"""The carrier's side of the agent's voice: which frame is heard when, and what was said in it.

The replayed speaker gives every frame of 20 ms a number, which it writes into the signs of its
samples, where no gain can wipe it out. So what reaches the ear can be read back: which word of
which reply, and how loud.
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from telephony import g711
from voice.ports import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ, TextMark
from voice.words import is_unspaced

Key = tuple[int, int]  # turn_id, guess
_SIGN_BITS = 24
_FIRST_SIGN = 64  # behind the ramp with which the product lets a sound begin
_LEVEL_AT = 128
_AMPLITUDE = 8_031
_LOUD = 400  # below this a person would not call it talking
_LATIN_CHARS_PER_S = 15.0
_UNSPACED_CHARS_PER_S = 4.5
_EPSILON_S = 1e-6


@dataclass(frozen=True, slots=True)
class Spoken:
    """A segment as it was synthesised; ``ends_s`` has the end of each word with its characters."""

    key: Key
    index: int
    text: str
    first_frame: int
    frames: int
    ends: tuple[tuple[int, float], ...]

    @property
    def marks(self) -> tuple[TextMark, ...]:
        """As a speaker tells it."""
        return tuple(TextMark(chars, at_s) for chars, at_s in self.ends)


class Speech:
    """Everything that was synthesised in one call."""

    def __init__(self) -> None:
        self.segments: list[Spoken] = []
        self._firsts: list[int] = []
        self._frames = 1  # 0 is silence

    def say(self, key: Key, index: int, text: str) -> tuple[Spoken, bytes]:
        """Synthesise a segment."""
        ends = word_ends(text)
        frames = max(1, math.ceil((ends[-1][1] if ends else 0.2) / FRAME_S))
        spoken = Spoken(key, index, text, self._frames, frames, ends)
        self.segments.append(spoken)
        self._firsts.append(self._frames)
        audio = b"".join(frame_of(self._frames + at) for at in range(frames))
        self._frames += frames
        return spoken, audio

    def segment_of(self, number: int) -> Spoken | None:
        """The segment of a frame."""
        at = bisect_left(self._firsts, number + 1) - 1
        if at < 0:
            return None
        found = self.segments[at]
        return found if number < found.first_frame + found.frames else None

    def heard_units(self, key: Key, heard: dict[int, float]) -> int:
        """Words (Han characters) of a reply that were heard whole.

        Args:
            key: The reply.
            heard: Seconds of each segment, by its index, that reached the ear.
        """
        count = 0
        for spoken in self.segments:
            if spoken.key == key:
                until_s = heard.get(spoken.index, 0.0) + 0.02
                count += sum(end_s <= until_s for _, end_s in spoken.ends)
        return count


def word_ends(text: str) -> tuple[tuple[int, float], ...]:
    """Characters up to the end of each word, and when that is said."""
    ends: list[tuple[int, float]] = []
    at_s = 0.0
    for number, char in enumerate(text, 1):
        at_s += 1 / (_UNSPACED_CHARS_PER_S if is_unspaced(char) else _LATIN_CHARS_PER_S)
        is_word = unicodedata.category(char)[0] in "LN"
        after = text[number : number + 1]
        is_last = not after or is_unspaced(char) or unicodedata.category(after)[0] not in "LNM'"
        if is_word and is_last:
            ends.append((number, at_s))
    return tuple(ends)


def frame_of(number: int) -> bytes:
    """20 ms of sound that bear a number of 24 bits."""
    bits = np.arange(FRAME_SAMPLES) % 2
    bits[_FIRST_SIGN : _FIRST_SIGN + _SIGN_BITS] = (number >> np.arange(_SIGN_BITS)) & 1
    return bytes(g711.encode(np.where(bits, _AMPLITUDE, -_AMPLITUDE).astype(np.int16)))


def read_frame(frame: bytes) -> tuple[int, float]:
    """The number of a frame and its level, 1.0 as it was synthesised; 0 and 0.0 for silence."""
    samples = g711.decode(frame)
    level = float(abs(int(samples[_LEVEL_AT])))
    if level < 1:
        return 0, 0.0
    bits = (samples[_FIRST_SIGN : _FIRST_SIGN + _SIGN_BITS] > 0).astype(np.int64)
    return int((bits << np.arange(_SIGN_BITS)).sum()), level / _AMPLITUDE


@dataclass(frozen=True, slots=True)
class HeardFrame:
    """One frame at the ear.

    Attributes:
        start_s: When it begins to be heard.
        number: Which one.
        level: 1.0 as it was synthesised.
    """

    start_s: float
    number: int
    level: float


class ReplayMouth:
    """What the caller hears of one call: the carrier's queue.

    Attributes:
        frames: That were or will be heard, by time.
        end_s: When it falls silent if nothing more is sent.
        clears: When what waited was thrown away.
    """

    def __init__(self) -> None:
        self.frames: list[HeardFrame] = []
        self.end_s = 0.0
        self.clears: list[float] = []
        self._marks: list[tuple[float, str]] = []

    def send(self, ulaw: bytes, *, now: float) -> None:
        """Audio from the product; what is no whole frame is the rest of one taken back."""
        rest = len(ulaw) % FRAME_SAMPLES
        if rest:
            self._finish_frame(ulaw[:rest], now)
        for at in range(rest, len(ulaw), FRAME_SAMPLES):
            number, level = read_frame(ulaw[at : at + FRAME_SAMPLES])
            start_s = max(now, self.end_s)
            if level * _AMPLITUDE >= _LOUD:
                self.frames.append(HeardFrame(start_s, number, level))
            self.end_s = start_s + len(ulaw[at : at + FRAME_SAMPLES]) / SAMPLE_RATE_HZ

    def _finish_frame(self, rest: bytes, now: float) -> None:
        start_s = max(now, self.end_s)
        level = abs(int(g711.decode(rest)[-1])) / _AMPLITUDE
        if level * _AMPLITUDE >= _LOUD and self.frames:
            self.frames.append(HeardFrame(start_s, self.frames[-1].number, level))
        self.end_s = start_s + len(rest) / SAMPLE_RATE_HZ

    def mark(self, name: str, *, now: float) -> None:
        """A mark behind what was sent."""
        self._marks.append((max(now, self.end_s), name))

    def clear(self, *, now: float) -> list[str]:
        """Throw away what was not heard; returns the marks that come back."""
        while self.frames and self.frames[-1].start_s >= now - _EPSILON_S:
            self.frames.pop()
        self.end_s = min(self.end_s, now)
        self.clears.append(now)
        names = [name for _, name in self._marks]
        self._marks.clear()
        return names

    def due_marks(self, *, now: float) -> list[tuple[float, str]]:
        """Marks whose audio was heard, and when."""
        if not self._marks or self._marks[0][0] > now:
            return []
        due = [mark for mark in self._marks if mark[0] <= now]
        self._marks = self._marks[len(due) :]
        return due

    def is_silent(self, now: float) -> bool:
        """True when nothing is being heard."""
        return self.end_s <= now

    def at(self, time_s: float) -> int:
        """Index of the first frame that begins at or after ``time_s``."""
        return bisect_left(self.frames, time_s, key=lambda frame: frame.start_s)
