"""Knows which clip is being played into a stream, and which of its words arrived whole.

Rules
1. Every clip is indexed by 16-byte grams, one at each of its frame positions that is not quiet.
2. While unlocked, each loud stretch of the stream is looked up at every byte, so the clip may lie
   at any offset. A hit locks; the match is then stretched back as far as the bytes agree.
3. While locked, bytes must go on agreeing one for one. The first that does not ends the run; what
   follows is searched again, and may lock on to the same clip further on.
4. A word is heard when all of its bytes lie inside one run. A lost, altered or doubled frame takes
   the words it touches with it, and no others.
5. Nothing is guessed: audio that is no clip yields no event.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from simulation.clip_library import FRAME_BYTES, SAMPLE_RATE_HZ, Clip
from simulation.levels import is_loud

_GRAM_BYTES = 16
_LEAST_DISTINCT = 6  # fewer different bytes in a gram, and it may occur by chance
_MOST_PLACES = 8
_HISTORY_BYTES = 16_000  # how far back a match is stretched: 2 s


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """A clip's first word, or the first one that could be recognised, begins at ``at_s``."""

    clip: Clip
    at_s: float


@dataclass(frozen=True, slots=True)
class WordHeard:
    """A word arrived whole; times in seconds of the stream."""

    text: str
    start_s: float
    end_s: float
    clip: Clip
    index: int


@dataclass(frozen=True, slots=True)
class ClipEnded:
    """The clip's last byte arrived, at ``at_s``."""

    clip: Clip
    at_s: float


Recognition = SpeechStarted | WordHeard | ClipEnded


@dataclass(frozen=True, slots=True)
class _Known:
    clip: Clip
    ulaw: bytes
    first_bytes: tuple[int, ...]  # of each word
    end_bytes: tuple[int, ...]


class ClipIndex:
    """The grams of all clips, built once and shared by every stream.

    Args:
        clips: What can be recognised.
    """

    def __init__(self, clips: Iterable[Clip]) -> None:
        self.known: list[_Known] = []
        self.places: dict[bytes, list[tuple[int, int]]] = {}
        for number, clip in enumerate(clips):
            ulaw = clip.ulaw
            self.known.append(
                _Known(
                    clip,
                    ulaw,
                    tuple(int(word.start_s * SAMPLE_RATE_HZ) for word in clip.words),
                    tuple(
                        min(len(ulaw), int(word.end_s * SAMPLE_RATE_HZ) + 1) for word in clip.words
                    ),
                )
            )
            for at in range(0, len(ulaw) - _GRAM_BYTES + 1, FRAME_BYTES):
                gram = ulaw[at : at + _GRAM_BYTES]
                if len(set(gram)) >= _LEAST_DISTINCT and is_loud(ulaw[at : at + FRAME_BYTES]):
                    self.places.setdefault(gram, []).append((number, at))
        self.places = {g: places for g, places in self.places.items() if len(places) < _MOST_PLACES}


class Fingerprint:
    """Listens to one stream of 8 kHz mu-law.

    Args:
        index: The clips it knows.
    """

    def __init__(self, index: ClipIndex) -> None:
        self._index = index
        self._history = bytearray()
        self._received = 0  # bytes of the stream so far
        self._claimed = 0  # stream bytes that belong to an ended run
        self._locked: _Known | None = None
        self._at = 0  # next byte of the locked clip
        self._next_word = 0
        self._last: tuple[_Known, int] | None = None  # clip of the previous run and where it broke

    def receive(self, ulaw: bytes) -> list[Recognition]:
        """Take the next bytes of the stream, any number; returns what became certain."""
        events: list[Recognition] = []
        self._history += ulaw
        if len(self._history) > 2 * _HISTORY_BYTES:
            del self._history[: -_HISTORY_BYTES - len(ulaw)]
        before = self._received
        self._received += len(ulaw)
        done = 0
        while done < len(ulaw):
            if self._locked is not None:
                done += self._follow(self._locked, ulaw[done:], before + done, events)
            else:
                done = self._search(before + done, events) - before
        return events

    def _follow(self, known: _Known, ulaw: bytes, start: int, events: list[Recognition]) -> int:
        """Compare with the locked clip; returns how many bytes belong to it."""
        expected = known.ulaw[self._at : self._at + len(ulaw)]
        agreed = len(expected)
        if ulaw[:agreed] != expected:
            agreed = next(i for i, (a, b) in enumerate(zip(ulaw, expected, strict=False)) if a != b)
        self._advance(known, agreed, start + agreed, events)
        if self._at == len(known.ulaw):
            events.append(ClipEnded(known.clip, (start + agreed) / SAMPLE_RATE_HZ))
            self._last = None
            self._unlock(start + agreed)
        elif agreed < len(ulaw):
            self._last = (known, self._at)
            self._unlock(start + agreed)
        return agreed

    def _unlock(self, claimed: int) -> None:
        self._locked = None
        self._claimed = claimed

    def _advance(
        self, known: _Known, count: int, stream_at: int, events: list[Recognition]
    ) -> None:
        self._at += count
        ends = known.end_bytes
        base = stream_at - self._at
        while self._next_word < len(ends) and ends[self._next_word] <= self._at:
            word = known.clip.words[self._next_word]
            events.append(
                WordHeard(
                    word.text,
                    base / SAMPLE_RATE_HZ + word.start_s,
                    base / SAMPLE_RATE_HZ + word.end_s,
                    known.clip,
                    self._next_word,
                )
            )
            self._next_word += 1

    def _search(self, start: int, events: list[Recognition]) -> int:
        """Look for a clip from stream byte ``start`` on; returns where to continue."""
        offset = len(self._history) - self._received  # of the history against the stream
        first = max(start - _GRAM_BYTES + 1, self._claimed, -offset)
        window = bytes(self._history[first + offset :])
        if not is_loud(window[-FRAME_BYTES:]) and not is_loud(window):
            return self._received
        places = self._index.places
        for at in range(len(window) - _GRAM_BYTES + 1):
            found = places.get(window[at : at + _GRAM_BYTES])
            if found is not None:
                return self._lock(found, first + at, events)
        return self._received

    def _lock(self, places: list[tuple[int, int]], at: int, events: list[Recognition]) -> int:
        candidates = [
            (self._agreement_before(self._index.known[number], clip_at, at), number, clip_at)
            for number, clip_at in places
        ]
        back, number, clip_at = max(candidates, key=lambda candidate: candidate[0])
        known = self._index.known[number]
        self._locked = known
        self._next_word = bisect_left(known.first_bytes, clip_at - back)
        if self._last is None or self._last[0] is not known or self._last[1] > clip_at:
            first_word = known.first_bytes[min(self._next_word, len(known.first_bytes) - 1)]
            events.append(SpeechStarted(known.clip, (at - clip_at + first_word) / SAMPLE_RATE_HZ))
        self._at = clip_at
        # Words that lie wholly in what was stretched back are heard now.
        self._advance(known, _GRAM_BYTES, at + _GRAM_BYTES, events)
        return at + _GRAM_BYTES

    def _agreement_before(self, known: _Known, clip_at: int, at: int) -> int:
        """How many bytes before stream byte ``at`` agree with the clip before ``clip_at``."""
        offset = len(self._history) - self._received
        limit = min(clip_at, at - max(self._claimed, -offset))
        agreed = 0
        while agreed < limit:
            step = min(FRAME_BYTES, limit - agreed)
            heard = self._history[at + offset - agreed - step : at + offset - agreed]
            expected = known.ulaw[clip_at - agreed - step : clip_at - agreed]
            if heard == expected:
                agreed += step
                continue
            while heard[-1:] == expected[-1:]:
                heard, expected = heard[:-1], expected[:-1]
                agreed += 1
            break
        return agreed
