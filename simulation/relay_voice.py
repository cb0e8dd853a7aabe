"""The carrier's voice in a relay session: words come in pieces, sound goes out, words were heard.

Rules
- Tokens are gathered until a clause ends, or the talk cycle does; a gathered piece becomes sound
  ``first_byte_s`` later and plays after what is queued.
- When the caller cuts in, what plays stops, and what is gathered or on its way is thrown away. What
  the server sends afterwards is spoken as anything else.
- Heard is what has played, in whole words, counted from the beginning of the talk cycle.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass

from simulation.playout_clock import BYTES_PER_S, Heard, PlayoutClock
from simulation.voice_sound import Speech, SpokenVoice

_CLAUSE = re.compile(r"[.!?,;:。！？，；：…]\s*$")


@dataclass(slots=True)
class _Piece:
    """A piece of a talk cycle that plays or has played."""

    cycle: int
    speech: Speech
    begins_at_byte: float
    is_interruptible: bool
    is_told: bool = False

    def heard_text(self, played_bytes: float) -> str:
        """Its whole words that have played."""
        seconds = (played_bytes - self.begins_at_byte) / BYTES_PER_S
        if seconds >= self.speech.duration_s - 0.01:
            return self.speech.text
        chars = sum(start_s < seconds for start_s in self.speech.char_starts_s)
        whole = self.speech.text[:chars]
        if chars < len(self.speech.text) and not self.speech.text[chars].isspace():
            whole = whole.rpartition(" ")[0]
        return whole.rstrip()


class RelayVoice:
    """Speaks for one session.

    Args:
        voice: Makes the sound.
        first_byte_s: From a piece to its sound.
        on_played: Told the words of each piece when it has played.
    """

    def __init__(
        self, voice: SpokenVoice, first_byte_s: float, on_played: Callable[[str], None]
    ) -> None:
        self.playout = PlayoutClock()
        self._voice = voice
        self._first_byte_s = first_byte_s
        self._on_played = on_played
        self._loop = asyncio.get_running_loop()
        self._pieces: list[_Piece] = []
        self._gathered = ""
        self._cycle = 0
        self._is_preemptible = False
        self._generation = 0
        self._pending = 0
        self._cycle_began_s: float | None = None

    @property
    def is_sounding(self) -> bool:
        """True while something is queued, or on its way to be."""
        return self.playout.queued_s > 0.0 or self._pending > 0

    @property
    def is_audible(self) -> bool:
        """True while something plays."""
        return self.playout.queued_s > 0.0

    @property
    def is_interruptible(self) -> bool:
        """Whether what plays may be cut by the caller."""
        piece = self._playing()
        return piece is None or piece.is_interruptible

    def say(
        self,
        token: str,
        *,
        is_last: bool,
        language: str,
        is_interruptible: bool,
        is_preemptible: bool,
        now: float,
    ) -> list[Heard]:
        """Take a token; returns what was heard of a cycle that this one has cut."""
        heard: list[Heard] = []
        if self._cycle_began_s is None:
            self._cycle += 1
            self._cycle_began_s = now
            if self._is_preemptible and self.is_sounding:
                heard = self.cut(now=now)[1]
                self._cycle_began_s = now
        self._is_preemptible = is_preemptible
        self._gathered += token
        if is_last or _CLAUSE.search(self._gathered):
            self._speak(language, is_interruptible)
        if is_last:
            self._cycle_began_s = None
        return heard

    def _speak(self, language: str, is_interruptible: bool) -> None:
        text, self._gathered = self._gathered.strip(), ""
        if not text:
            return
        speech = self._voice.speak(text, language.split("-")[0], "relay")
        self._pending += 1
        generation, cycle = self._generation, self._cycle
        self._loop.call_later(
            self._first_byte_s, self._queue, generation, cycle, speech, is_interruptible
        )

    def _queue(self, generation: int, cycle: int, speech: Speech, is_interruptible: bool) -> None:
        if generation != self._generation:
            return
        self._pending -= 1
        begins = (self.playout.heard_s + self.playout.queued_s) * BYTES_PER_S
        self._pieces.append(_Piece(cycle, speech, begins, is_interruptible))
        self.playout.media(speech.ulaw, now=self._loop.time())

    def advance(self, *, now: float) -> list[Heard]:
        """Play up to ``now``; returns what reached the ear."""
        self.playout.advance(now=now)
        played = self.playout.heard_s * BYTES_PER_S
        for piece in self._pieces:
            if not piece.is_told and played >= piece.begins_at_byte + len(piece.speech.ulaw) - 1:
                piece.is_told = True
                self._on_played(piece.speech.text)
        return self.playout.take_heard()

    def cut(self, *, now: float) -> tuple[str, list[Heard]]:
        """Stop; returns the words of this cycle that were heard, and the last sound."""
        self.playout.clear(now=now)
        played = self.playout.heard_s * BYTES_PER_S
        playing = self._playing(played)
        cycle = playing.cycle if playing is not None else self._cycle
        words = [
            piece.heard_text(played)
            for piece in self._pieces
            if piece.cycle == cycle and piece.begins_at_byte < played
        ]
        self._generation += 1
        self._pending = 0
        self._gathered = ""
        self._pieces.clear()
        return " ".join(word for word in words if word), self.playout.take_heard()

    def _playing(self, played: float | None = None) -> _Piece | None:
        at = self.playout.heard_s * BYTES_PER_S if played is None else played
        begun = [piece for piece in self._pieces if piece.begins_at_byte <= at]
        return begun[-1] if begun else None
