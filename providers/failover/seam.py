"""Text that one model began and another one ends: no half word before the seam, none twice after.

Pure: text in, text out.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from voice.words import is_unspaced, split_words

_MOST_HELD_CHARS: Final = 40  # longer than words are; scripts without spaces have no shorter ones
_MOST_COMPARED: Final = 80
_JOINERS: Final = frozenset("'’-_@")
_DOTS: Final = " .…\n\t"
_PUNCTUATION: Final = _DOTS + ",;:!?，。、；：！？"


class WholeWords:
    """Hands text on as soon as its words are whole.

    A word that may still grow is held back until the next character, which costs nobody anything: a
    segment never ends within a word. When the stream breaks, what is held is dropped with it, so
    that another model can go on after a word.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Take the next characters; returns those that may be handed on, maybe none."""
        pending = self._held + text
        cut = len(pending)
        while cut > 0 and _grows(pending[cut - 1]):
            cut -= 1
        if len(pending) - cut > _MOST_HELD_CHARS:
            cut = len(pending)
        self._held = pending[cut:]
        return pending[:cut]

    def finish(self) -> str:
        """The reply is complete: returns what was held."""
        held, self._held = self._held, ""
        return held


def _grows(char: str) -> bool:
    """Whether a word that ends in ``char`` may go on."""
    if char.isascii():
        return char.isalnum() or char in _JOINERS
    return unicodedata.category(char)[0] in "LNM" and not is_unspaced(char)


class Seam:
    """The beginning of a continuation, without the words that were said before it.

    Models are asked to go on and often begin with the last words, with the whole last sentence, or
    with three dots. As long as the words so far may be such a repetition they are held; then the
    longest one is dropped. What is not a repetition to the last word is left alone.

    Args:
        given: All that was handed out before.
    """

    def __init__(self, given: str) -> None:
        self._given = given
        self._old = [word.form for word in split_words(given)][-_MOST_COMPARED:]
        self._held = ""
        self._is_decided = False
        self._skipped = _DOTS
        self._is_joined = False

    def feed(self, text: str) -> str:
        """Take the next characters of the continuation; returns those that are new."""
        if self._is_joined:
            return text
        self._held += text
        return self._joined() if self._is_decided or self._decide(is_end=False) else ""

    def finish(self) -> str:
        """The continuation is complete: returns what was held and is new."""
        if self._is_joined:
            return ""
        if not self._is_decided:
            self._decide(is_end=True)
        return self._joined()

    def _decide(self, *, is_end: bool) -> bool:
        """Drop the repetition, once it is clear how long it is; False while it is not."""
        words = split_words(self._held)
        if words and words[-1].end == len(self._held) and not is_end and _grows(self._held[-1]):
            words.pop()
        if not words and not is_end:
            return False
        forms = [word.form for word in words]
        repeated = 0
        for length in range(1, len(self._old) + 1):
            tail = self._old[-length:]
            if tail[: len(forms)] != forms[:length]:
                continue
            if length <= len(forms):
                repeated = length
            elif not is_end:
                return False  # it may still turn out to be one
        self._is_decided = True
        if repeated:
            self._held = self._held[words[repeated - 1].end :]
            # Its punctuation was given as well, unless the word itself was the last of it.
            self._skipped = " …\n\t" if self._given[-1:].isalnum() else _PUNCTUATION
        return True

    def _joined(self) -> str:
        """What is new, with one space at most between it and what was given."""
        bare = self._held.lstrip(self._skipped)
        self._held = ""
        if not bare:
            return ""
        self._is_joined = True
        if not self._given or self._given[-1].isspace():
            return bare
        is_apart = _is_word(bare[0]) and not (is_unspaced(bare[0]) or is_unspaced(self._given[-1]))
        return f" {bare}" if is_apart else bare


def _is_word(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNM"
