"""The turns of one socket of Deepgram's Flux: audio in, ``TurnInfo`` out. A machine.

Source: Deepgram's pages "Force End Turn" and "Understanding the Flux State Machine", whose rules 1
to 6 are these 1 to 6.

Rules
1. ``Update`` comes for each 0.25 s of audio in which nothing else came, silence included.
2. ``EagerEndOfTurn`` and ``StartOfTurn`` have words.
3. ``TurnResumed`` comes only after ``EagerEndOfTurn``: there are new words.
4. ``EndOfTurn`` has the words of the ``EagerEndOfTurn`` before it.
5. ``turn_index`` counts up behind ``EndOfTurn``.
6. The multilingual model names the languages it heard and the hints it has.
7. Everything is counted in audio: a burst gives the same turns as real time. A word is known
   ``decode_lag_s`` of audio after its end.
8. How sure it is that the turn is over grows with the silence behind the last word or sound, fast
   behind the end of a sentence and slowly elsewhere. That rule is ours; the model's is not known.
9. Words of a language that the model does not hear are sound without words.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from simulation.clip_library import FRAME_BYTES
from simulation.deepgram_flux_settings import MULTILINGUAL, FluxSettings
from simulation.fingerprint import Fingerprint, WordHeard
from simulation.levels import FRAME_S, is_loud

_UPDATE_EVERY_S = 0.25
_ROUNDING_S = 1e-6
_TERMINAL = ".!?"
_SPEAKING = 0.1
_SENTENCE = (0.3, 1.67)  # sureness at the end of the sound, and what each second adds
_FRAGMENT = (0.1, 0.35)
_MOST_SURE = 0.95


@dataclass(frozen=True, slots=True)
class _Known:
    """A word, and from where in the audio on it is known."""

    word: WordHeard
    from_s: float


class FluxTurns:
    """Listens to one socket's audio.

    Args:
        settings: How; may be replaced at any time.
        fingerprint: Knows the words; belongs to this socket.
        decode_lag_s: See rule 7.

    Attributes:
        settings: As they are now.
    """

    def __init__(
        self, settings: FluxSettings, fingerprint: Fingerprint, decode_lag_s: float = 0.1
    ) -> None:
        self.settings = settings
        self._fingerprint = fingerprint
        self._decode_lag_s = decode_lag_s
        self._rest = b""  # less than one frame
        self._frames = 0
        self._coming: deque[_Known] = deque()
        self._words: list[WordHeard] = []
        self._last_sound_s = 0.0
        self._said_s = 0.0
        self._turn_index = 0
        self._turn_start_s = 0.0
        self._is_eager = False

    def receive_audio(self, ulaw: bytes) -> list[dict[str, Any]]:
        """Take audio of any length; returns messages without their ids, in order."""
        said: list[dict[str, Any]] = []
        at = 0
        while at < len(ulaw):
            part = ulaw[at : at + FRAME_BYTES - len(self._rest)]
            at += len(part)
            for event in self._fingerprint.receive(part):
                if isinstance(event, WordHeard) and self._understands(event):
                    self._coming.append(_Known(event, event.end_s + self._decode_lag_s))
            self._rest += part
            if len(self._rest) == FRAME_BYTES:
                self._frames += 1
                if is_loud(self._rest):
                    self._last_sound_s = self._now_s
                self._rest = b""
                said += self._step()
        return said

    def force_end(self) -> dict[str, Any] | None:
        """End the running turn with the words known so far; None when there is none."""
        return self._end("manual") if self._words else None

    def finish(self) -> list[dict[str, Any]]:
        """No more audio comes: what was heard becomes known; the turn is not ended by that."""
        if not self._coming and self._now_s <= self._said_s:
            return []
        is_start = bool(self._coming) and not self._words
        self._words += [known.word for known in self._coming]
        self._coming.clear()
        return [self._info("StartOfTurn" if is_start else "Update")]

    @property
    def _now_s(self) -> float:
        return self._frames * FRAME_S

    def _step(self) -> list[dict[str, Any]]:
        was_silent = not self._words
        is_new = False
        while self._coming and self._coming[0].from_s <= self._now_s + _ROUNDING_S:
            word = self._coming.popleft().word
            self._words.append(word)
            self._last_sound_s = max(self._last_sound_s, word.end_s)
            is_new = True
        if is_new and was_silent:
            return [self._info("StartOfTurn")]
        if is_new and self._is_eager:
            self._is_eager = False
            return [self._info("TurnResumed")]
        ending = self._ending() if self._words and not is_new and not self._coming else None
        if ending is not None:
            return [ending]
        if self._now_s - self._said_s >= _UPDATE_EVERY_S - _ROUNDING_S:
            return [self._info("Update")]
        return []

    def _ending(self) -> dict[str, Any] | None:
        settings = self.settings
        sure = self._sureness()
        silence_ms = (self._now_s - self._last_sound_s + _ROUNDING_S) * 1_000
        if silence_ms >= settings.eot_timeout_ms:
            return self._end("timeout")
        eager = settings.eager_eot_threshold
        if eager is not None and not self._is_eager:
            if sure < eager:
                return None
            self._is_eager = True
            return self._info("EagerEndOfTurn")
        return self._end("model") if sure >= settings.eot_threshold else None

    def _sureness(self) -> float:
        silence_s = self._now_s - self._last_sound_s
        if not self._words or silence_s < FRAME_S - _ROUNDING_S:
            return _SPEAKING
        base, slope = _SENTENCE if self._is_sentence() else _FRAGMENT
        return min(_MOST_SURE, base + slope * silence_s)

    def _is_sentence(self) -> bool:
        last = self._words[-1]
        is_last_of_clip = last.index == len(last.clip.words) - 1
        return is_last_of_clip or last.clip.words[last.index].display[-1:] in _TERMINAL

    def _end(self, trigger: str) -> dict[str, Any]:
        info = self._info("EndOfTurn") | {"trigger": trigger}
        self._turn_index += 1
        self._turn_start_s = self._now_s
        self._words = []
        self._is_eager = False
        return info

    def _info(self, event: str) -> dict[str, Any]:
        self._said_s = self._now_s
        shown = self._shown_words()
        info: dict[str, Any] = {
            "type": "TurnInfo",
            "event": event,
            "turn_index": self._turn_index,
            "audio_window_start": round(self._turn_start_s, 3),
            "audio_window_end": round(self._now_s, 3),
            "transcript": " ".join(shown),
            "words": [
                {
                    "word": text,
                    "confidence": 0.97,
                    "start": round(word.start_s, 3),
                    "end": round(min(word.end_s, self._now_s), 3),
                }
                for text, word in zip(shown, self._words, strict=True)
            ],
            "end_of_turn_confidence": round(self._sureness(), 3),
        }
        if self.settings.model == MULTILINGUAL:
            counts = Counter(_primary(word.clip.language) for word in self._words)
            info["languages"] = [language for language, _ in counts.most_common()]
            info["languages_hinted"] = list(self.settings.hints)
        return info

    def _shown_words(self) -> list[str]:
        """As they are written: a capital first, and a full stop where the sentence ends."""
        shown = [word.clip.words[word.index].display for word in self._words]
        if shown:
            shown[0] = shown[0][:1].upper() + shown[0][1:]
            if self._is_sentence() and shown[-1][-1:] not in _TERMINAL:
                shown[-1] = shown[-1].rstrip(",;:") + "."
        return shown

    def _understands(self, word: WordHeard) -> bool:
        return _primary(word.clip.language) in self.settings.languages


def _primary(tag: str) -> str:
    return tag.lower().split("-")[0]
