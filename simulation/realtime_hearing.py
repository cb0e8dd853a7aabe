"""When an emulated Realtime session takes a caller to have begun and finished, and what was said.

Rules
1. Sound is told from silence by level, 20 ms at a time; ``threshold`` moves the level. Three loud
   frames of five begin speech: a click does not.
2. ``server_vad`` ends a turn after ``silence_s`` of quiet. ``semantic_vad`` ends it soon after a
   sentence that is whole and waits for its longest time behind words that are not: so much is
   documented, how the model judges is not.
3. Words are those of known clips that arrived intact (``fingerprint``). Sound without words is a
   turn all the same, with an empty transcript.
4. Everything is counted in audio: a burst gives the same turns as real time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from simulation.clip_library import FRAME_BYTES, join_words
from simulation.fingerprint import Fingerprint, WordHeard
from simulation.levels import FRAME_S, SPEECH_LEVEL, mean_level
from simulation.realtime_settings import TurnRules

_USUAL_THRESHOLD = 0.5
_WINDOW_FRAMES, _LOUD_FRAMES = 5, 3
_WHOLE_SENTENCE_S = 0.3
_TERMINAL = ".!?。！？"
_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """The caller speaks; ``at_s`` of the session's audio, the padding before it included."""

    at_s: float


@dataclass(frozen=True, slots=True)
class SpeechOver:
    """The caller has finished.

    Attributes:
        at_s: End of the audio that belongs to it.
        began_s: Its beginning.
        text: What was understood.
    """

    at_s: float
    began_s: float
    text: str


class RealtimeEar:
    """Listens to one session.

    Args:
        fingerprint: Knows the words; belongs to this session.

    Attributes:
        rules: As they are now.
    """

    def __init__(self, fingerprint: Fingerprint, rules: TurnRules | None = None) -> None:
        self.rules = rules or TurnRules()
        self._fingerprint = fingerprint
        self._rest = b""
        self._frames = 0
        self._loud: deque[bool] = deque(maxlen=_WINDOW_FRAMES)
        self._words: list[WordHeard] = []
        self._began_s: float | None = None
        self._last_sound_s = 0.0

    @property
    def now_s(self) -> float:
        """Audio taken so far."""
        return self._frames * FRAME_S

    @property
    def is_speaking(self) -> bool:
        """True from the beginning of speech until it is over."""
        return self._began_s is not None

    def receive(self, ulaw: bytes) -> list[SpeechBegan | SpeechOver]:
        """Take audio of any length; returns what happened in it."""
        happened: list[SpeechBegan | SpeechOver] = []
        at = 0
        while at < len(ulaw):
            part = ulaw[at : at + FRAME_BYTES - len(self._rest)]
            at += len(part)
            self._words += [
                event for event in self._fingerprint.receive(part) if isinstance(event, WordHeard)
            ]
            self._rest += part
            if len(self._rest) == FRAME_BYTES:
                self._frames += 1
                event = self._step(self._rest)
                self._rest = b""
                if event is not None:
                    happened.append(event)
        return happened

    def take_words(self) -> str:
        """What was understood since the last turn; it is forgotten."""
        words, self._words = self._words, []
        if not words:
            return ""
        shown = [word.clip.words[word.index].display for word in words]
        text = join_words(shown, words[0].clip.language)
        text = text[:1].upper() + text[1:]
        return text if text[-1:] in _TERMINAL else text.rstrip(",;:") + "."

    def _step(self, frame: bytes) -> SpeechBegan | SpeechOver | None:
        level = SPEECH_LEVEL * self.rules.threshold / _USUAL_THRESHOLD
        is_loud = mean_level(frame) > level
        self._loud.append(is_loud)
        if is_loud:
            self._last_sound_s = self.now_s
        if not self.rules.kind:
            return None
        if self._began_s is None:
            if sum(self._loud) < _LOUD_FRAMES:
                return None
            first_s = self.now_s - len(self._loud) * FRAME_S
            self._began_s = max(0.0, first_s - self.rules.prefix_s)
            return SpeechBegan(self._began_s)
        if self.now_s - self._last_sound_s < self._silence_s() - _ROUNDING_S:
            return None
        began_s, self._began_s = self._began_s, None
        self._loud.clear()
        return SpeechOver(self.now_s, began_s, self.take_words())

    def _silence_s(self) -> float:
        if self.rules.kind == "server_vad":
            return self.rules.silence_s
        is_whole = bool(self._words) and (
            self._words[-1].index == len(self._words[-1].clip.words) - 1
            or self._words[-1].clip.words[self._words[-1].index].display[-1:] in _TERMINAL
        )
        return _WHOLE_SENTENCE_S if is_whole else self.rules.longest_wait_s
