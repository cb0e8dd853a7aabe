"""The words of the running utterance, from the recogniser's interims and finals.

Rules:

1. Finals are joined; the interim of the running phrase follows them and replaces the one before it.
2. Words may be taken before they are final. What is heard of the same phrase later is compared with
   what was taken, and only what goes beyond it is new, for ``TAKEN_LIFETIME_S`` after the last word
   of it.
3. Words that were carried over from a stream that was lost open what is heard; who says them again
   does not say them twice (``said_again.py``), nor when they were taken meanwhile and put back.
"""

from __future__ import annotations

from voice.said_again import continued
from voice.words import has_words, join_words, normalise, remainder

TAKEN_LIFETIME_S = 3.0


class HeardWords:
    """What the caller has said since the last turn was taken.

    Attributes:
        text: All words so far.
        form: The same as ``voice.words.normalise`` compares them.
    """

    __slots__ = (
        "_carried",
        "_finals",
        "_phrase",
        "_said_before",
        "_tail",
        "_taken",
        "_taken_at",
        "form",
        "text",
    )

    def __init__(self) -> None:
        self._carried = ""  # words of another stream, before all others
        self._said_before = ""  # what was taken with them, and may be said again
        self._finals: tuple[str, ...] = ()
        self._phrase = ""  # the running phrase as last heard, and its words not yet taken
        self._tail = ""
        self._taken = ""
        self._taken_at = 0.0
        self.text = ""
        self.form: tuple[str, ...] = ()

    @property
    def is_final(self) -> bool:
        """True when no word may change any more."""
        return not self._tail

    @property
    def has_finals(self) -> bool:
        """True when some of the words are final."""
        return bool(self._finals)

    def hear_interim(self, phrase: str, *, is_same_phrase: bool, now: float) -> None:
        """All words of the running phrase so far.

        Args:
            phrase: The words.
            is_same_phrase: True when nothing was said since the last words were taken.
            now: Loop time.
        """
        self._phrase = phrase
        tail = self._beyond_taken(phrase, is_same_phrase, now)
        if self._taken:
            self._taken_at = now
        self._tail = tail if has_words(tail) else ""
        self._join()

    def hear_final(self, phrase: str, *, is_same_phrase: bool, now: float) -> bool:
        """The running phrase as it stays; returns whether it has words that were not taken yet."""
        rest = self._beyond_taken(phrase, is_same_phrase, now)
        self._phrase = self._tail = self._taken = ""
        has_rest = has_words(rest)
        if has_rest:
            self._finals += (rest.strip(),)
        self._join()
        return has_rest

    def put_back(self, text: str) -> None:
        """``text`` was taken too early and comes before all other words."""
        if text == self._said_before:
            self._carried = text
        else:
            self._finals = (text, *self._finals)
        self._join()

    def carry(self, text: str) -> None:
        """``text`` was said on a stream that was lost, and comes before all other words."""
        self._carried = text
        self._join()

    def note_taken(self, text: str) -> None:
        """``text``, with words of a stream that was lost, was taken; it may be put back."""
        self._said_before = text

    def after(self, earlier: str, text: str) -> str:
        """``text``, and before it ``earlier``, which was taken too early."""
        if not earlier or earlier != self._said_before:
            return join_words((earlier, text))
        self._said_before = continued(earlier, text)
        return self._said_before

    def take(self, *, now: float) -> str:
        """Hand over the words and begin anew."""
        text = self.text
        if self._phrase and self._tail:
            self._taken, self._taken_at = self._phrase, now
        if self._carried:
            self._said_before, self._carried = text, ""
        self._finals, self._tail = (), ""
        self._join()
        return text

    def _beyond_taken(self, phrase: str, is_same_phrase: bool, now: float) -> str:
        if not self._taken:
            return phrase
        if now - self._taken_at > TAKEN_LIFETIME_S:
            self._taken = ""
            return phrase
        return remainder(phrase, self._taken, is_same_phrase=is_same_phrase)

    def _join(self) -> None:
        heard = join_words((*self._finals, self._tail))
        self.text = continued(self._carried, heard) if self._carried else heard
        self.form = normalise(self.text)
