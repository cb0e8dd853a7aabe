"""Words of a stream that was lost, and what the caller says on the next one.

He may go on where he was, or say it again, from the beginning or from the middle. What he says
twice is one thing that was said; what may be two things is never dropped.
"""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher

from voice.words import join_words, normalise, split_words

_LEAST_OVERLAP = 2  # words: one alone is also how people count
_LEAST_SAME = 3
_MOSTLY = 0.8
_MOST_WORDS = 120  # to align words takes time by their square


def continued(before: str, after: str) -> str:
    """``before`` and then ``after``, without what ``after`` says again.

    Args:
        before: Words of the stream that was lost.
        after: Words on the next one, all of them so far.
    """
    old, new = normalise(before), normalise(after)
    if not old or not new:
        return join_words((before, after))
    shared = _overlap(old, new)
    if shared:
        return join_words((before, _from_word(after, shared)))
    if len(old) >= _LEAST_SAME and _is_within(old, new):
        return after.strip()
    return join_words((before, after))


def _overlap(old: tuple[str, ...], new: tuple[str, ...]) -> int:
    """How many words ``new`` begins with that ``old`` ends with; those of a beginning are all."""
    for size in range(min(len(old), len(new)), 0, -1):
        is_enough = size >= _LEAST_OVERLAP or size == len(old)
        if is_enough and old[-size:] == new[:size]:
            return size
    # The beginning again, and not yet further than he was.
    return len(new) if len(new) >= _LEAST_OVERLAP and old[: len(new)] == new else 0


def _is_within(old: tuple[str, ...], new: tuple[str, ...]) -> bool:
    """Whether ``new`` says nearly all of ``old`` again: heard anew, some words are others."""
    if max(len(old), len(new)) > _MOST_WORDS:
        return False
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) >= _MOSTLY * len(old)


def _from_word(text: str, number: int) -> str:
    """``text`` from its word ``number`` on, in its own spelling."""
    text = unicodedata.normalize("NFC", text)
    words = split_words(text)
    return text[words[number].start :].strip() if number < len(words) else ""
