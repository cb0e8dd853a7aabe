"""One turn of Azure's speech-to-text (one X-RequestId): audio in, messages out. A machine.

Rules
1. All durations of speech and silence are counted in audio, so a burst after a reconnection gives
   the same phrases as real time.
2. Sound begins when 3 of the last 5 frames were loud, or with a word: ``speech.startDetected``.
3. Every word heard gives a ``speech.hypothesis`` with all words of the phrase so far,
   ``interim_lag_s`` after the word's last byte came.
4. Silence of ``segmentation_silence_s`` after the last sound or word ends the phrase:
   ``speech.phrase``, ``final_lag_s`` later. Sound without a known word is a ``NoMatch``.
5. Nothing but silence for ``initial_silence_s`` gives ``InitialSilenceTimeout``, once.
6. The end of the audio ends the phrase, then ``speech.endDetected``, ``EndOfDictation``,
   ``turn.end``. Nothing comes after.
7. Messages leave in the order in which they arose.
8. Words of a language that was not asked for are not understood.
"""

from __future__ import annotations

import uuid
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulation.azure_messages import AudioFormat, parse_riff
from simulation.azure_phrase import PhraseShape, hypothesis, phrase, ticks, tongue
from simulation.clip_library import FRAME_BYTES, SAMPLE_RATE_HZ
from simulation.errors import WireViolation
from simulation.fingerprint import Fingerprint, Recognition, WordHeard
from simulation.levels import is_loud
from telephony import g711

_ONSET_WINDOW = 0b11111
_ONSET_FRAMES = 3
_PCM, _MULAW = 1, 7


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """How one turn listens. Times in seconds.

    Attributes:
        shape: How results are written.
        languages: BCP-47 tags that are understood.
        base: Offset of the turn's first byte against the session, in ticks of 100 ns.
        longest_phrase_s: A phrase is cut off after this much; 0 for never.
    """

    shape: PhraseShape
    languages: tuple[str, ...]
    base: int = 0
    segmentation_silence_s: float = 0.5
    initial_silence_s: float = 15.0
    longest_phrase_s: float = 0.0
    interim_lag_s: float = 0.15
    final_lag_s: float = 0.1


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message of this turn to the client."""

    path: str
    body: dict[str, object]


def understands(languages: tuple[str, ...], spoken: str) -> bool:
    """Whether a recogniser set to ``languages`` understands ``spoken``; accents are no barrier."""
    return any(tongue(tag) == tongue(spoken) for tag in languages)


class RecognitionTurn:
    """Listens to one turn's audio.

    Args:
        settings: How.
        fingerprint: Knows the words; belongs to this turn.
    """

    def __init__(self, settings: TurnSettings, fingerprint: Fingerprint) -> None:
        self._settings = settings
        self._fingerprint = fingerprint
        self._outputs: deque[tuple[float, Send]] = deque()
        self._format: AudioFormat | None = None
        self._rest = b""  # less than one frame
        self._frames = 0
        self._onset = 0  # one bit a frame, newest lowest
        self._speech_start_s: float | None = None
        self._last_sound_s = 0.0
        self._words: list[WordHeard] = []
        self._silence_reported = False
        self.ended = False

    def begin(self, *, now: float) -> None:
        """The client opened the turn."""
        self._say(now, "turn.start", {"context": {"serviceTag": uuid.uuid4().hex}})

    def receive_audio(self, payload: bytes, *, now: float) -> None:
        """One audio message; an empty one ends the stream. Raises ``WireViolation``."""
        if self.ended:
            return
        if payload[:4] == b"RIFF" and self._format is None:
            self._format, payload = parse_riff(payload)
            _check_format(self._format)
            if not payload:
                return  # the header alone is not the end of the audio
        if not payload:
            self._finish(now)
            return
        self._listen(self._as_ulaw(payload), now)

    def next_deadline(self) -> float | None:
        """When the next message is due; None when there is none."""
        return self._outputs[0][0] if self._outputs else None

    def next_output(self, *, now: float) -> Send | None:
        """The oldest message that is due."""
        if self._outputs and self._outputs[0][0] <= now:
            return self._outputs.popleft()[1]
        return None

    def _as_ulaw(self, payload: bytes) -> bytes:
        form = self._format
        if form is not None and form.tag == _PCM and form.bits == 16:
            return bytes(g711.encode(_linear(payload))).replace(b"\x7f", b"\xff")
        return payload

    def _listen(self, ulaw: bytes, now: float) -> None:
        # Frame by frame, so that words and silence take their turns in a burst as in real time.
        at = 0
        while at < len(ulaw):
            part = ulaw[at : at + FRAME_BYTES - len(self._rest)]
            at += len(part)
            for event in self._fingerprint.receive(part):
                self._hear(event, now)
            self._rest += part
            if len(self._rest) == FRAME_BYTES:
                self._frames += 1
                self._measure(is_loud(self._rest), now)
                self._rest = b""

    def _hear(self, event: Recognition, now: float) -> None:
        if not isinstance(event, WordHeard):
            return
        if not understands(self._settings.languages, event.clip.language):
            return
        if self._speech_start_s is None:
            self._start_speech(event.start_s, now)
        self._words.append(event)
        self._last_sound_s = max(self._last_sound_s, event.end_s)
        start_s = self._speech_start_s if self._speech_start_s is not None else event.start_s
        body = hypothesis(self._words, min(start_s, self._words[0].start_s), self._settings.base)
        self._say(now + self._settings.interim_lag_s, "speech.hypothesis", body)

    def _measure(self, loud: bool, now: float) -> None:
        at_s = self._frames * FRAME_BYTES / SAMPLE_RATE_HZ
        self._onset = (self._onset << 1 | loud) & _ONSET_WINDOW
        if loud:
            self._last_sound_s = max(self._last_sound_s, at_s)
        if self._speech_start_s is None:
            if self._onset.bit_count() >= _ONSET_FRAMES:
                oldest = self._onset.bit_length()
                self._start_speech(at_s - oldest * FRAME_BYTES / SAMPLE_RATE_HZ, now)
            elif at_s >= self._settings.initial_silence_s and not self._silence_reported:
                self._report_silence(at_s, now)
            return
        silent_s = at_s - self._last_sound_s
        spoken_s = at_s - self._speech_start_s
        longest_s = self._settings.longest_phrase_s
        if silent_s >= self._settings.segmentation_silence_s - 1e-9 or 0 < longest_s <= spoken_s:
            self._end_phrase(now)

    def _start_speech(self, at_s: float, now: float) -> None:
        self._speech_start_s = max(0.0, at_s)
        self._silence_reported = True
        self._say(now, "speech.startDetected", {"Offset": self._offset(self._speech_start_s)})

    def _end_phrase(self, now: float) -> None:
        if self._speech_start_s is None:
            return
        start_s = min([self._speech_start_s, *(word.start_s for word in self._words[:1])])
        span_s = (start_s, max(start_s, self._last_sound_s))
        body = phrase(self._words, span_s, self._settings.base, self._settings.shape)
        self._say(now + self._settings.final_lag_s, "speech.phrase", body)
        self._speech_start_s = None
        self._words = []
        self._onset = 0

    def _report_silence(self, at_s: float, now: float) -> None:
        self._silence_reported = True
        self._say(now, "speech.phrase", self._empty("InitialSilenceTimeout", 0.0, at_s))

    def _finish(self, now: float) -> None:
        self.ended = True
        self._end_phrase(now)
        at_s = (self._frames * FRAME_BYTES + len(self._rest)) / SAMPLE_RATE_HZ
        self._say(now, "speech.endDetected", {"Offset": self._offset(at_s)})
        self._say(now, "speech.phrase", self._empty("EndOfDictation", at_s, at_s))
        self._say(now, "turn.end", {})

    def _empty(self, status: str, start_s: float, end_s: float) -> dict[str, object]:
        return {
            "Id": uuid.uuid4().hex,
            "RecognitionStatus": status,
            "Offset": self._offset(start_s),
            "Duration": ticks(end_s - start_s),
            "Channel": 0,
        }

    def _offset(self, at_s: float) -> int:
        return self._settings.base + ticks(at_s)

    def _say(self, due: float, path: str, body: dict[str, object]) -> None:
        # Never earlier than what arose before it.
        latest = self._outputs[-1][0] if self._outputs else due
        self._outputs.append((max(due, latest), Send(path, body)))


def _check_format(form: AudioFormat) -> None:
    known = (form.tag, form.bits) in ((_MULAW, 8), (_PCM, 16))
    if not known or form.rate_hz != SAMPLE_RATE_HZ or form.channels != 1:
        raise WireViolation(
            f"this emulator listens to 8 kHz mono mu-law or 16-bit PCM, not to format {form.tag}"
            f" with {form.bits} bits, {form.channels} channels, {form.rate_hz} Hz"
        )


def _linear(payload: bytes) -> npt.NDArray[np.int16]:
    return np.frombuffer(payload[: len(payload) & ~1], dtype="<i2").astype(np.int16)
