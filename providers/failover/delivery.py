"""What of a sentence was given out, so that another voice can go on at a word's beginning.

Rules

1. Where the speaker marks its words, audio is given out up to the last finished word; what lies
   behind it waits for the next chunk, at most ``LONGEST_HELD_S``. So a speaker that dies leaves no
   half word, and the next one repeats none. Speakers are faster than the ear: it costs nothing.
2. The first audio is never kept waiting.
3. Without marks everything is given out at once, and the position is an estimate.

Audio is mu-law, 8 kHz. Marks and positions are those of the whole sentence, whoever spoke it.
"""

from __future__ import annotations

from voice.heard import speaking_time_s
from voice.ports import SAMPLE_RATE_HZ, SpeechChunk, TextMark
from voice.words import is_unspaced

LONGEST_HELD_S = 0.6


class Delivery:
    """One sentence.

    Args:
        text: All of it.

    Attributes:
        given_samples: Audio given out so far.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._held = bytearray()
        self._marks: list[TextMark] = []
        self._new: list[TextMark] = []
        self._words_s: list[tuple[int, float]] = []
        self._base_chars = 0
        self._base_samples = 0
        self.given_samples = 0

    @property
    def received_s(self) -> float:
        """Audio given out and held, seconds."""
        return (self.given_samples + len(self._held)) / SAMPLE_RATE_HZ

    def take(self, chunk: SpeechChunk) -> SpeechChunk | None:
        """More audio of whoever speaks now; returns what may be given out."""
        self._held += chunk.ulaw
        base_s = self._base_samples / SAMPLE_RATE_HZ
        for mark in chunk.marks:
            moved = TextMark(self._base_chars + mark.chars, base_s + mark.at_s)
            self._new.append(moved)
            if _is_word_end(self._text, moved.chars):
                self._words_s.append((moved.chars, moved.at_s))
        return self._give(self._ready_samples())

    def finish(self) -> SpeechChunk | None:
        """Whoever spoke has finished: the rest."""
        return self._give(len(self._held))

    def broke(self) -> tuple[int, bool]:
        """Whoever spoke is gone; what was held is thrown away.

        Returns:
            How many characters the caller will have heard, and whether that is known.
        """
        self._held.clear()
        given_s = self.given_samples / SAMPLE_RATE_HZ
        if self._words_s:
            spoken = [chars for chars, at_s in self._words_s if at_s <= given_s + 1e-3]
            return max(spoken, default=self._base_chars), True
        rest = self._text[self._base_chars :]
        since_s = (self.given_samples - self._base_samples) / SAMPLE_RATE_HZ
        if since_s == 0.0:
            return self._base_chars, True
        share = min(since_s / max(speaking_time_s(rest), 0.1), 1.0)
        return self._base_chars + int(share * len(rest)), False

    def go_on(self, at_chars: int) -> None:
        """Another one speaks from this character on."""
        self._base_chars = at_chars
        self._base_samples = self.given_samples
        self._new.clear()
        self._words_s = [(at_chars, self.given_samples / SAMPLE_RATE_HZ)] if self._words_s else []

    def _ready_samples(self) -> int:
        if not self._words_s:
            return len(self._held)
        held_most = round(LONGEST_HELD_S * SAMPLE_RATE_HZ)
        end = self.given_samples + len(self._held)
        ends = (round(at_s * SAMPLE_RATE_HZ) for _, at_s in self._words_s)
        last = max((at for at in ends if at <= end), default=0)
        ready = max(last - self.given_samples, len(self._held) - held_most, 0)
        is_first = self.given_samples == self._base_samples
        return len(self._held) if is_first and not ready else ready

    def _give(self, samples: int) -> SpeechChunk | None:
        marks, self._new = tuple(self._new), []
        if samples == 0 and not marks:
            return None
        ulaw = bytes(self._held[:samples])
        del self._held[:samples]
        self.given_samples += samples
        return SpeechChunk(ulaw, marks)


def _is_word_end(text: str, chars: int) -> bool:
    if chars <= 0:
        return False
    if chars >= len(text):
        return True
    before, after = text[chars - 1], text[chars]
    is_inside = before.isalnum() and (after.isalnum() or after in "'’")
    return not is_inside or is_unspaced(before) or is_unspaced(after)
