"""The heard ledger: from samples that reached the ear to the text that was heard.

The speaker's marks say which character was spoken when; between marks time is shared out evenly.
Without marks the time in which something sounds (``sounding.py``) is shared out over the characters
by the time they take to say, so that pauses and the silence at both ends count for nothing. A word
counts once all of it was heard; in scripts without spaces a character does. What was heard is the
only history the mind is given.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from voice.ports import SAMPLE_RATE_HZ, TextMark
from voice.sounding import Sounding
from voice.words import is_unspaced, join_words

# How long a character takes to say, in letters. A digit is a word, a sign often two.
_WEIGHTS = {"L": 1.0, "M": 0.0, "N": 4.0, "S": 5.0, "P": 0.0, "Z": 1.0, "C": 0.0}
_UNSPACED_WEIGHT = 3.3
_LATIN_CHARS_PER_S = 15.0
_UNSPACED_CHARS_PER_S = 4.5
_END_TOLERANCE_S = 0.03


@dataclass(frozen=True, slots=True)
class SpokenSegment:
    """One segment of a reply and how much of its audio has reached the ear.

    Attributes:
        marks: The speaker's text marks, in any order; may be empty.
        heard_samples: Audio heard so far.
        total_samples: Audio received so far, or in all if ``is_whole``.
        is_whole: True when all audio of the segment has arrived.
        sounding: Where there is sound in it; None if nobody listened.
    """

    text: str
    marks: Sequence[TextMark]
    heard_samples: int
    total_samples: int
    is_whole: bool
    sounding: Sounding | None = None


def heard_text(segments: Iterable[SpokenSegment]) -> str:
    """What the caller heard of a turn's segments, in order."""
    return join_words(segment_heard_text(segment) for segment in segments)


def segment_heard_text(segment: SpokenSegment) -> str:
    """The beginning of the segment's text that was heard, cut at a word boundary."""
    if segment.heard_samples <= 0:
        return ""
    heard_s = segment.heard_samples / SAMPLE_RATE_HZ
    total_s = segment.total_samples / SAMPLE_RATE_HZ
    if segment.is_whole and heard_s >= total_s - _END_TOLERANCE_S:
        return segment.text
    if not segment.marks and segment.sounding is not None and segment.sounding.total_s > 0.0:
        return _whole_words(segment.text, _chars_sounded(segment, segment.sounding))
    if not segment.is_whole:
        total_s = max(total_s, speaking_time_s(segment.text))
    return _whole_words(segment.text, _chars_at(segment, heard_s, total_s))


def speaking_time_s(text: str) -> float:
    """How long ``text`` takes to say, about, at an ordinary pace."""
    unspaced = 0 if text.isascii() else sum(1 for char in text if is_unspaced(char))
    return unspaced / _UNSPACED_CHARS_PER_S + (len(text) - unspaced) / _LATIN_CHARS_PER_S


def _chars_sounded(segment: SpokenSegment, sounding: Sounding) -> int:
    """Characters spoken when so much of the sound was heard."""
    total_s = sounding.total_s
    if not segment.is_whole:
        total_s = max(total_s, speaking_time_s(segment.text))
    weights = [_weight(char) for char in segment.text]
    due = sum(weights) * sounding.until_s(segment.heard_samples) / total_s + 1e-6
    spoken = 0.0
    for chars, weight in enumerate(weights):
        spoken += weight
        if spoken > due:
            return chars
    return len(weights)


def _weight(char: str) -> float:
    kind = unicodedata.category(char)[0]
    return _UNSPACED_WEIGHT if kind == "L" and is_unspaced(char) else _WEIGHTS[kind]


def _chars_at(segment: SpokenSegment, heard_s: float, total_s: float) -> int:
    """Characters spoken at ``heard_s``, between the marks in proportion to time."""
    length = len(segment.text)
    before_chars, before_s = 0, 0.0
    for mark in sorted(segment.marks, key=lambda mark: mark.at_s):
        chars = min(max(mark.chars, before_chars), length)
        if mark.at_s > heard_s:
            return _between(before_chars, before_s, chars, mark.at_s, heard_s)
        before_chars, before_s = chars, mark.at_s
    return _between(before_chars, before_s, length, total_s, heard_s)


def _between(from_chars: int, from_s: float, to_chars: int, to_s: float, at_s: float) -> int:
    if at_s >= to_s:
        return to_chars
    share = (at_s - from_s) / (to_s - from_s)
    return from_chars + int((to_chars - from_chars) * share + 1e-9)


def _whole_words(text: str, chars: int) -> str:
    """The first ``chars`` characters without a word that is cut in two."""
    cut = min(max(chars, 0), len(text))
    while 0 < cut < len(text) and _is_inside_word(text[cut - 1], text[cut]):
        cut -= 1
    return text[:cut].rstrip()


def _is_inside_word(left: str, right: str) -> bool:
    if is_unspaced(left) or is_unspaced(right):
        return unicodedata.category(right)[0] == "M"
    return not left.isspace() and unicodedata.category(right)[0] in "LNMP"
