"""Words that come twice because a recogniser began a little too early."""

from __future__ import annotations

import unicodedata

from voice.words import normalise, split_words

_MOST_WORDS = 3  # in 0.3 s of speech there are hardly more
_MOST_CUT = 1


def without_overlap(text: str, known: str) -> str:
    """``text`` without the words at its beginning that end ``known``.

    One word before them may be a remnant of a word that was cut. Texts that do not overlap are left
    alone: a word too many is better than one missing.

    Args:
        text: A phrase whose audio began before the end of what is known.
        known: The words that were heard before it.
    """
    old = normalise(known)
    text = unicodedata.normalize("NFC", text)
    words = split_words(text)
    forms = tuple(word.form for word in words)
    for length in range(min(_MOST_WORDS, len(old), len(forms)), 0, -1):
        for cut in range(_MOST_CUT + 1):
            if forms[cut : cut + length] == old[-length:]:
                rest = words[cut + length :]
                return text[rest[0].start :] if rest else ""
    return text
