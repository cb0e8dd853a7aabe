"""Where a reply goes on in another voice after its speaker has died in mid-sentence.

Rules
1. Nothing of the sentence was heard: all of it is said again.
2. The position is known from the speaker's own marks: go on at the first word not wholly heard.
3. The position is only estimated: go back to the beginning of the clause if that repeats at most
   ``MOST_REPEATED`` words, else by as many words. A word too many is better than one missing.
4. When less than ``SHORTEST_REST_S`` is left, the rest is dropped: two voices for one syllable are
   worse than none. Only a position that is known allows this, and never the whole of a sentence.

Pure: text in, text out. What was heard is the heard ledger's matter (``voice.heard``).
"""

from __future__ import annotations

import unicodedata

from voice.heard import speaking_time_s
from voice.words import Word, split_words

MOST_REPEATED = 3
SHORTEST_REST_S = 0.4
_CLAUSE_ENDS = frozenset(",;:.!?…–—،؛、，；：。！？")


def unheard_text(text: str, heard_chars: int, *, known: bool) -> str:
    """What is to be said in the new voice; empty when the rest is dropped.

    Args:
        text: The sentence, or whatever was handed to the speaker at once.
        heard_chars: How many of its characters the caller has heard, 0 to ``len(text)``.
        known: True when that comes from the speaker's marks, False for an estimate.
    """
    words = split_words(text)
    heard = min(max(heard_chars, 0), len(text))
    at = next((n for n, word in enumerate(words) if word.end > heard), len(words))
    if at == len(words):
        return "" if known or not words else _from(text, words, _backed_off(text, words, at))
    if at == 0:
        return text
    if not known:
        at = _backed_off(text, words, at)
    rest = _from(text, words, at)
    if known and speaking_time_s(rest) < SHORTEST_REST_S:
        return ""
    return rest


def _backed_off(text: str, words: list[Word], at: int) -> int:
    """The clause's first word if it is near, else ``MOST_REPEATED`` words back."""
    for back in range(MOST_REPEATED + 1):
        begin = at - back
        if begin <= 0:
            return 0
        between = text[words[begin - 1].end : words[min(begin, len(words) - 1)].start]
        if begin < len(words) and any(char in _CLAUSE_ENDS for char in between):
            return begin
    return at - MOST_REPEATED


def _from(text: str, words: list[Word], at: int) -> str:
    """The text from a word on, with an opening quote or bracket that stands before it."""
    if at >= len(words):
        return ""
    start = words[at].start
    while start > 0 and unicodedata.category(text[start - 1]) in {"Ps", "Pi", "Sc"}:
        start -= 1
    return text[start:]
