"""One stream of Google's recognition (version 2): audio in, results out. A machine.

Source: the comments of ``google/cloud/speech/v2/cloud_speech.proto`` and the page "Transcribe audio
from streaming input".

Rules
1. All durations of speech and silence are counted in audio, so a burst after a reconnection gives
   the same phrases as real time.
2. Sound begins when 3 of the last 5 frames were loud, or with a word: activity begins, if events of
   it were asked for. It ends after ``activity_gap_s`` of silence.
3. Every word heard gives interim results with all words of the phrase so far, ``interim_lag_s``
   after its last byte came, if they were asked for: all words but the newest are stable and one
   result, the newest is another one, which begins with the blank before it.
4. Silence of ``final_silence_s`` after the last word ends the phrase: a final result,
   ``final_lag_s`` later. Sound without a known word gives none.
5. The end of the audio ends the phrase. Nothing comes after.
6. Results leave in the order in which they arose.
7. Words of a language that was not asked for are not understood.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from simulation.azure_phrase import display, lexical
from simulation.clip_library import FRAME_BYTES, SAMPLE_RATE_HZ
from simulation.fingerprint import Fingerprint, WordHeard
from simulation.levels import is_loud

_ONSET_WINDOW = 0b11111
_ONSET_FRAMES = 3
STABLE, UNSTABLE = 0.9, 0.01


@dataclass(frozen=True, slots=True)
class GoogleTurnSettings:
    """How one stream listens. Times in seconds.

    Attributes:
        languages: Tags that are understood.
        has_interims: Whether interim results were asked for.
        has_events: Whether events of voice activity were.
        has_word_times: Whether final results say when each word was spoken.
    """

    languages: tuple[str, ...]
    has_interims: bool = True
    has_events: bool = True
    has_word_times: bool = False
    final_silence_s: float = 0.5
    activity_gap_s: float = 0.4
    interim_lag_s: float = 0.15
    final_lag_s: float = 0.1


@dataclass(frozen=True, slots=True)
class ActivityBegan:
    """Somebody begins to speak."""

    at_s: float


@dataclass(frozen=True, slots=True)
class ActivityEnded:
    """Nobody speaks any more."""

    at_s: float


@dataclass(frozen=True, slots=True)
class PartHeard:
    """A result: a portion of the audio and its words.

    Attributes:
        words: Text, begin and end of each; empty where they were not asked for.
        stability: Of an interim one, 0 to 1.
    """

    text: str
    end_s: float
    is_final: bool = False
    stability: float = 0.0
    words: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class PartsHeard:
    """The results of one message."""

    parts: tuple[PartHeard, ...]


Result = ActivityBegan | ActivityEnded | PartsHeard


class GoogleTurn:
    """Listens to one stream.

    Args:
        settings: How.
        fingerprint: Knows the words; belongs to this stream.
    """

    def __init__(self, settings: GoogleTurnSettings, fingerprint: Fingerprint) -> None:
        self._settings = settings
        self._fingerprint = fingerprint
        self._outputs: deque[tuple[float, Result]] = deque()
        self._rest = b""  # less than one frame
        self._frames = 0
        self._onset = 0  # one bit a frame, newest lowest
        self._is_active = False
        self._last_sound_s = 0.0
        self._words: list[WordHeard] = []

    def receive_audio(self, ulaw: bytes, *, now: float) -> None:
        """Some audio."""
        # Frame by frame, so that words and silence take their turns in a burst as in real time.
        at = 0
        while at < len(ulaw):
            part = ulaw[at : at + FRAME_BYTES - len(self._rest)]
            at += len(part)
            for event in self._fingerprint.receive(part):
                if isinstance(event, WordHeard) and self._understands(event.clip.language):
                    self._hear(event, now)
            self._rest += part
            if len(self._rest) == FRAME_BYTES:
                self._frames += 1
                self._measure(is_loud(self._rest), now)
                self._rest = b""

    def finish(self, *, now: float) -> None:
        """The audio is over."""
        self._end_phrase(now)

    def next_deadline(self) -> float | None:
        """When the next result is due; None when there is none."""
        return self._outputs[0][0] if self._outputs else None

    def next_output(self, *, now: float) -> Result | None:
        """The oldest result that is due."""
        if self._outputs and self._outputs[0][0] <= now:
            return self._outputs.popleft()[1]
        return None

    def _understands(self, spoken: str) -> bool:
        return any(_tongue(tag) == _tongue(spoken) for tag in self._settings.languages)

    def _hear(self, word: WordHeard, now: float) -> None:
        self._begin(word.start_s, now)
        self._words.append(word)
        self._last_sound_s = max(self._last_sound_s, word.end_s)
        if not self._settings.has_interims:
            return
        whole = lexical(self._words)
        stable = lexical(self._words[:-1])
        parts = [PartHeard(whole[len(stable) :], word.end_s, stability=UNSTABLE)]
        if stable:
            parts.insert(0, PartHeard(stable, self._words[-2].end_s, stability=STABLE))
        self._say(now + self._settings.interim_lag_s, PartsHeard(tuple(parts)))

    def _measure(self, loud: bool, now: float) -> None:
        at_s = self._frames * FRAME_BYTES / SAMPLE_RATE_HZ
        self._onset = (self._onset << 1 | loud) & _ONSET_WINDOW
        if loud:
            self._last_sound_s = max(self._last_sound_s, at_s)
        if not self._is_active and self._onset.bit_count() >= _ONSET_FRAMES:
            self._begin(at_s - self._onset.bit_length() * FRAME_BYTES / SAMPLE_RATE_HZ, now)
        silent_s = at_s - self._last_sound_s + 1e-9
        if self._is_active and silent_s >= self._settings.activity_gap_s:
            self._is_active = False
            if self._settings.has_events:
                self._say(now, ActivityEnded(self._last_sound_s))
        if self._words and silent_s >= self._settings.final_silence_s:
            self._end_phrase(now)

    def _begin(self, at_s: float, now: float) -> None:
        if not self._is_active:
            self._is_active = True
            if self._settings.has_events:
                self._say(now, ActivityBegan(max(0.0, at_s)))

    def _end_phrase(self, now: float) -> None:
        if not self._words:
            return
        times = tuple((word.text, word.start_s, word.end_s) for word in self._words)
        part = PartHeard(
            display(self._words),
            max(self._last_sound_s, self._frames * FRAME_BYTES / SAMPLE_RATE_HZ),
            is_final=True,
            words=times if self._settings.has_word_times else (),
        )
        self._words = []
        self._say(now + self._settings.final_lag_s, PartsHeard((part,)))

    def _say(self, due: float, result: Result) -> None:
        # Never earlier than what arose before it.
        latest = self._outputs[-1][0] if self._outputs else due
        self._outputs.append((max(due, latest), result))


def _tongue(tag: str) -> str:
    lower = tag.lower()
    if lower in ("zh-hk", "zh-mo"):
        return "yue"
    primary = lower.split("-")[0]
    return {"cmn": "zh", "iw": "he", "nb": "no"}.get(primary, primary)
