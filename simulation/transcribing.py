"""Which words of known clips an emulated transcription has heard, and when it knows them.

A word is known ``decode_lag_s`` of audio after its end, or when the audio is cut behind it. All is
counted in audio: a burst gives the same words as real time.
"""

from __future__ import annotations

from simulation.clip_library import FRAME_BYTES, join_words
from simulation.fingerprint import Fingerprint, WordHeard
from simulation.levels import FRAME_S, is_loud

_TERMINAL = ".!?。！？"


class WordListener:
    """Listens to one session's mu-law.

    Args:
        fingerprint: Knows the words; belongs to this session.
        decode_lag_s: See the top of this file.

    Attributes:
        now_s: Audio taken so far, whole frames.
        last_sound_s: Where the last loud frame ended.
        known: Words since the last cut that are known.
    """

    def __init__(self, fingerprint: Fingerprint, decode_lag_s: float = 0.1) -> None:
        self._fingerprint = fingerprint
        self._decode_lag_s = decode_lag_s
        self._heard: list[WordHeard] = []
        self._rest = b""
        self._frames = 0
        self.last_sound_s = 0.0
        self.known: list[WordHeard] = []

    @property
    def now_s(self) -> float:
        """See the class."""
        return self._frames * FRAME_S

    def frames(self, ulaw: bytes) -> list[bytes]:
        """Cut into whole frames, to be taken one by one; the rest waits."""
        audio = self._rest + ulaw
        whole = len(audio) // FRAME_BYTES * FRAME_BYTES
        self._rest = audio[whole:]
        return [audio[at : at + FRAME_BYTES] for at in range(0, whole, FRAME_BYTES)]

    def take(self, frame: bytes) -> bool:
        """One frame; whether a word became known by it."""
        self._heard += [
            event for event in self._fingerprint.receive(frame) if isinstance(event, WordHeard)
        ]
        self._frames += 1
        if is_loud(frame):
            self.last_sound_s = self.now_s
        before = len(self.known)
        while self._heard and self._heard[0].end_s + self._decode_lag_s <= self.now_s + 1e-6:
            self.known.append(self._heard.pop(0))
        return len(self.known) > before

    def cut(self) -> list[WordHeard]:
        """All words up to now; they are forgotten."""
        words, self.known, self._heard = [*self.known, *self._heard], [], []
        return words


def text_of(words: list[WordHeard], *, whole: bool = False) -> str:
    """As they are written: a capital first; ``whole`` ends with a full stop."""
    if not words:
        return ""
    shown = [word.clip.words[word.index].display for word in words]
    text = join_words(shown, words[0].clip.language)
    text = text[:1].upper() + text[1:]
    if not whole or text[-1:] in _TERMINAL:
        return text
    return text.rstrip(",;:") + "."
