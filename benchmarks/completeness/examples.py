"""Utterances as a recogniser hears them, and where they might be broken off.

Rules:

1. An utterance is one turn of at most ``MOST_WORDS`` words (Han characters and kana count half),
   without markup; the same words count once.
2. One utterance in ten is kept for judging, by a hash of its words, so that no run trains on it.
3. What shares ``SHARED_WORDS`` words in a row with a recording's transcript is left out.
4. Whole, an utterance weighs 1; its beginnings weigh 1 together, by where people stop: three times
   as much after a comma. Of many beginnings ``MOST_CUTS`` are drawn by that weight.
5. People answer in fragments ("tomorrow at five"), which text to read aloud has few of: the end of
   an utterance, from any of its words on, is one more utterance that weighs ``FRAGMENT_WEIGHT``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from voice.words import has_words, normalise, split_words, units

MOST_WORDS = 20
SHARED_WORDS = 5
MOST_CUTS = 4
FRAGMENT_WEIGHT = 0.4
_FEWEST_WORDS = 4
_CLAUSE_WEIGHT = 3.0
_CLAUSE = frozenset(",;:，、；：.!?。！？…")
_MARKUP = re.compile(r"[<>{}\[\]|\\@#*_=/]|https?:")
_JUDGED = 26  # of 256


@dataclass(frozen=True, slots=True)
class Example:
    """Words so far, and whether they are all."""

    words: tuple[str, ...]
    is_whole: bool
    weight: float


class Shared:
    """Tells text that repeats something of given transcripts."""

    def __init__(self, transcripts: Iterable[str]) -> None:
        self._runs = {run for text in transcripts for run in _runs(normalise(text))}

    def holds(self, words: Sequence[str]) -> bool:
        """True when a run of words is in a transcript, or the other way round for short ones."""
        return any(run in self._runs for run in _runs(words))


def is_judged(words: Sequence[str]) -> bool:
    """True for utterances that no training sees."""
    return hashlib.sha256(" ".join(words).encode()).digest()[0] < _JUDGED


def is_fit(text: str) -> bool:
    """True for what somebody might say in one go."""
    if _MARKUP.search(text) or not has_words(text):
        return False
    return 1.0 <= units(text) <= MOST_WORDS


def cuts(text: str, random: Random) -> Iterator[Example]:
    """One utterance whole and broken off."""
    text = text.strip(" \"'“”„«»‘’「」『』（）()—–-")
    words = split_words(text)
    forms = normalise(text)
    if not forms or len(words) != len(forms):
        return
    yield Example(forms, True, 1.0)
    weights = {
        at: _CLAUSE_WEIGHT if _CLAUSE & set(text[words[at - 1].end : words[at].start]) else 1.0
        for at in range(1, len(forms))
    }
    if not weights:
        return
    drawn = _draw(weights, random)
    for at in drawn:
        yield Example(forms[:at], False, 1.0 / len(drawn))


def fragment(text: str, random: Random) -> Iterator[Example]:
    """The end of an utterance, whole and broken off; nothing of a short one."""
    words = split_words(text)
    if len(words) >= _FEWEST_WORDS:
        start = words[random.randrange(1, len(words))].start
        for example in cuts(text[start:], random):
            yield replace(example, weight=FRAGMENT_WEIGHT * example.weight)


def _draw(weights: dict[int, float], random: Random) -> list[int]:
    """Some places, each as likely as it weighs, none twice."""
    left = dict(weights)
    drawn: list[int] = []
    while left and len(drawn) < MOST_CUTS:
        at = random.choices(list(left), list(left.values()))[0]
        del left[at]
        drawn.append(at)
    return drawn


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for start in range(max(len(words) - SHARED_WORDS, 0) + 1):
        yield tuple(words[start : start + SHARED_WORDS])
