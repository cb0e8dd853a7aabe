"""Phrases of a caller at a service that says words but not, or not early enough, when they end.

Rules:
1. A phrase is what lies between two *cuts* of the audio. Where the service leaves the cutting to
   its client, a cut is made at a pause of ``pause_s`` behind sound that may be speech, or behind
   words; without a pause after ``_LONGEST_PHRASE_S``; and in silence after ``_LONGEST_SILENCE_S``,
   so that nothing grows without bound over there. Who has finished speaking is decided elsewhere.
2. Each cut is answered with the final words of its phrase, or with none, in order; the same words
   once more, unasked, are no phrase. Until then the service owes that answer. Where the service
   cuts by itself, it owes the end of a phrase that has words once there was a pause.
3. An interim is told to end where the sound before it ends; a final where its last word does, if
   the service says so.
4. When a socket breaks, the next one is told again all audio behind the last final words, but no
   more than ``_BEFORE_WORDS_S`` of a silence, so that no word is lost and none is doubled. Until
   it has come as far as the one before it, its words are kept back: they would go backwards.
5. Where that audio is not all there any more, the words that are known of it are made final as they
   stand, and the new socket begins behind them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from providers.hearing import Restart
from providers.telephone_audio import decode_ulaw
from voice.levels import EnergyScorer
from voice.ports import (
    FRAME_S,
    FRAME_SAMPLES,
    FinalTranscript,
    InterimTranscript,
    RecogniserEvent,
    SpeechNoticed,
)

# A word that is not yet reported began this long before the end of what was transcribed, at most.
_BEFORE_WORDS_S = 1.5
_LEAST_SPEECH_S = 0.06
_LEAST_CUT_S = 0.3
_LONGEST_PHRASE_S = 20.0
_LONGEST_SILENCE_S = 30.0
_ROUNDING_S = 1e-6

_SLOT = np.zeros(1, np.intp)


class SoundFinder:
    """Where in the audio of one caller there is sound that may be speech.

    Attributes:
        began_s: Where the first of it began since the last ``forget``; None while there was none.
        ended_s: Where the last of it ended.
        loud_s: How much of it there was since then.
    """

    __slots__ = ("_scorer", "began_s", "ended_s", "loud_s")

    def __init__(self) -> None:
        self._scorer = EnergyScorer(1)
        self.began_s: float | None = None
        self.ended_s = 0.0
        self.loud_s = 0.0

    def hear(self, chunk: bytes, end_s: float) -> None:
        """Take whole frames of audio, the last of which ends at ``end_s``."""
        frames = decode_ulaw(chunk).reshape(-1, FRAME_SAMPLES)
        at_s = end_s - len(frames) * FRAME_S
        for number in range(len(frames)):
            is_speech, _ = self._scorer.score(frames[number : number + 1], _SLOT)
            at_s += FRAME_S
            if is_speech[0]:
                self.ended_s = at_s
                self.loud_s += FRAME_S
                if self.began_s is None:
                    self.began_s = at_s - FRAME_S

    def forget(self) -> None:
        """What comes from now on is counted anew."""
        self.began_s = None
        self.loud_s = 0.0


@dataclass(frozen=True, slots=True)
class _Cut:
    number: int
    at_s: float
    sound_end_s: float


class Phrases:
    """The phrases of one stream; a machine.

    Args:
        pause_s: Silence that ends a phrase.
        makes_cuts: Whether the service leaves the cutting to its client.

    Attributes:
        progress_s: How much of the call's audio has words, over all sockets.
        final_s: How much of it need never be sent again.
    """

    def __init__(self, pause_s: float, *, makes_cuts: bool) -> None:
        self.progress_s = 0.0
        self.final_s = 0.0
        self._pause_s = pause_s
        self._makes_cuts = makes_cuts
        self._sound = SoundFinder()
        self._cuts: deque[_Cut] = deque()
        self._ends = 0  # of phrases, or cuts: tells one from the next
        self._cut_s = 0.0
        self._sent_s = 0.0
        self._last_end_s = 0.0
        self._shown = ""
        self._last_text = ""
        self._is_open = False
        self._is_behind = False

    @property
    def owed(self) -> str:
        """See ``Hearing.owed``."""
        if self._cuts:
            return f"cut {self._cuts[0].number}"
        is_over = self._has_words and self._quiet_s >= self._pause_s - _ROUNDING_S
        return f"phrase {self._ends}" if is_over and not self._makes_cuts else ""

    @property
    def _has_words(self) -> bool:
        """Words are open whose audio was sent: on this socket, not on the one before it."""
        is_there = not self._is_behind or self._sent_s >= self.progress_s
        return bool(self._shown) and is_there

    @property
    def _quiet_s(self) -> float:
        return self._sent_s - max(self._sound.ended_s, self._cut_s)

    def restart(self, oldest_s: float) -> Restart:
        """See ``Hearing.restart``."""
        at_s, final = self.final_s, None
        if at_s < oldest_s:
            at_s = oldest_s
            if self._is_open:
                at_s = max(oldest_s, min(self.progress_s, self._sent_s))
                final = self._final(self._shown, at_s)
            self.final_s = at_s
        self._cuts.clear()
        self._ends += 1
        self._cut_s = self._sent_s = at_s
        self._sound.forget()
        self._sound.ended_s = min(self._sound.ended_s, at_s)
        self._is_behind = self._is_open
        return Restart(at_s, final)

    def sent(self, chunk: bytes, end_s: float) -> bool:
        """``chunk``, whole frames, was sent; returns whether a cut should follow it."""
        self._sent_s = end_s
        self._sound.hear(chunk, end_s)
        if not self._shown and not self._cuts and self._sound.loud_s < _LEAST_SPEECH_S:
            self.final_s = max(self.final_s, end_s - _BEFORE_WORDS_S)
        return self._makes_cuts and self._is_time()

    def cut(self, at_s: float) -> None:
        """The audio was cut there, by whoever cuts; an answer is owed."""
        self._ends += 1
        at_s = min(max(at_s, self._cut_s), self._sent_s)
        sound_end_s = min(max(self._sound.ended_s, self._cut_s), at_s)
        self._cuts.append(_Cut(self._ends, at_s, sound_end_s))
        self._cut_s = at_s
        self._sound.forget()

    def words(self, text: str) -> tuple[RecogniserEvent, ...]:
        """All words of the running phrase as they are now."""
        text = text.strip()
        if not text or (self._is_behind and len(text) < len(self._shown)):
            return ()
        is_same = text == self._shown and self._is_open and not self._is_behind
        self._is_behind = False
        if is_same:
            return ()
        end_s = self._cuts[0].sound_end_s if self._cuts else self._sound.ended_s
        end_s = min(max(end_s, self._last_end_s), self._sent_s)
        events: list[RecogniserEvent] = self._open(end_s)
        self._shown = text
        self.progress_s = max(self.progress_s, end_s)
        return (*events, InterimTranscript(text, end_s))

    def ended(
        self,
        text: str,
        *,
        end_s: float | None = None,
        at_s: float | None = None,
        language: str = "",
    ) -> tuple[RecogniserEvent, ...]:
        """The running phrase is over, and these are its words.

        Args:
            text: Empty when there were none.
            end_s: Where the last word ends, if that is known.
            at_s: Where the audio behind the phrase begins, where the service cuts and says so.
            language: What was spoken, where the service was asked and tells.
        """
        text = text.strip()
        cut = self._cuts.popleft() if self._cuts else None
        if cut is None and self._makes_cuts and not self._is_open and text == self._last_text:
            return ()  # nobody asked, and nothing was said since: it is told twice
        self._ends += 1
        if cut is None:
            behind_s = self._sent_s - self._pause_s if at_s is None else at_s
            cut = _Cut(0, min(behind_s, self._sent_s), self._sound.ended_s)
            self._cut_s = max(self._cut_s, cut.at_s)
            self._sound.forget()
        last_s = cut.sound_end_s if end_s is None else end_s
        last_s = min(max(last_s, self._last_end_s), self._sent_s)
        words_s = self.progress_s
        self.final_s = max(self.final_s, cut.at_s)
        self.progress_s = max(self.progress_s, self.final_s)
        is_before_words = self._is_behind and cut.at_s < words_s
        if not text and (not self._is_open or is_before_words):
            return ()
        events = self._open(last_s)
        return (*events, self._final(text, last_s, language))

    def _is_time(self) -> bool:
        span_s = self._sent_s - self._cut_s + _ROUNDING_S
        is_owed_words = self._has_words and not self._cuts
        if self._sound.loud_s >= _LEAST_SPEECH_S or is_owed_words:
            is_pause = self._quiet_s + _ROUNDING_S >= self._pause_s and span_s >= _LEAST_CUT_S
            return is_pause or span_s >= _LONGEST_PHRASE_S
        return span_s >= _LONGEST_SILENCE_S

    def _open(self, end_s: float) -> list[RecogniserEvent]:
        if self._is_open:
            return []
        self._is_open = True
        began_s = self._sound.began_s
        return [SpeechNoticed(end_s if began_s is None else min(began_s, end_s))]

    def _final(self, text: str, end_s: float, language: str = "") -> FinalTranscript:
        self._is_open = self._is_behind = False
        self._shown = ""
        self._last_text = text
        self._last_end_s = max(self._last_end_s, end_s)
        return FinalTranscript(text, end_s, language)
