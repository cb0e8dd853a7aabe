"""Keys pressed one after another become one entry.

``#`` completes an entry at once and is not part of it (alone it is the entry ``#``); otherwise a
pause of ``wait_s`` does, or ``MAX_DIGITS`` keys. What was said meanwhile belongs to the entry.
"""

from __future__ import annotations

from voice.words import join_words

MAX_DIGITS = 64
_KEYS = frozenset("0123456789*#ABCD")


class Keypad:
    """Collects one caller's keys."""

    __slots__ = ("_at", "_digits", "_wait_s", "_words")

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._digits = ""
        self._words = ""
        self._at = 0.0

    @property
    def is_waiting(self) -> bool:
        """True while an entry has begun and is not complete."""
        return self._digits != ""

    @staticmethod
    def is_key(digit: str) -> bool:
        """True for what a telephone can send."""
        return digit in _KEYS and len(digit) == 1

    def press(self, digit: str, *, now: float) -> str | None:
        """Count one key; returns the entry when it is complete."""
        if digit == "#":
            return self._complete() or "#"
        self._digits += digit
        self._at = now
        return self._complete() if len(self._digits) >= MAX_DIGITS else None

    def hear_words(self, text: str) -> None:
        """The caller spoke before the entry was complete."""
        self._words = join_words((self._words, text))

    def take_words(self) -> str:
        """What was said meanwhile, once."""
        words, self._words = self._words, ""
        return words

    def next_deadline(self) -> float | None:
        """Loop time at which the entry is complete without another key."""
        return self._at + self._wait_s if self._digits else None

    def handle_deadline(self, *, now: float) -> str | None:
        """The entry, if its pause is over."""
        deadline = self.next_deadline()
        return self._complete() if deadline is not None and now >= deadline - 1e-6 else None

    def _complete(self) -> str:
        digits, self._digits = self._digits, ""
        return digits
