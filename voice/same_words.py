"""Is what was prepared for still what the caller said?

Two texts ask for the same when their words are the same (``words.normalise``), or when one goes on
with hesitation and politeness only: "a table for two" and "a table for two, please". Words within
are never skipped: what is a filler in one place is the point in another.
"""

from __future__ import annotations

import unicodedata

from voice.lexicon import is_filler, is_polite_tail
from voice.words import split_words

_MOST_TAIL_WORDS = 8  # the longest thing said out of politeness


def asks_the_same(prepared: str, said: str, language: str) -> bool:
    """True when a reply to ``prepared`` answers ``said`` as well.

    Args:
        prepared: Words heard so far when the reply was begun.
        said: Words of the turn.
        language: BCP-47 tag.
    """
    short, long = (unicodedata.normalize("NFC", text) for text in (prepared, said))
    few, many = split_words(short), split_words(long)
    if len(few) > len(many):
        long, few, many = short, many, few
    if not few or any(one.form != two.form for one, two in zip(few, many, strict=False)):
        return False
    if len(few) == len(many):
        return True
    if len(many) - len(few) > _MOST_TAIL_WORDS:
        return False
    extra = long[many[len(few)].start :]
    return is_polite_tail(extra, language) or is_filler(extra, language)
