"""What the words so far look like: the places of a weight table, one for each thing that is there.

Pure and without punctuation or case, since interims have none and a final has a full stop wherever
its speaker paused. Spaced languages are seen by their words and the ends of words, unspaced ones
(Chinese, Japanese) by their characters. Only the tail of a long text is looked at. The trainer and
the caller share this: weights fit no other features than those they were fitted to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zlib import crc32

from voice.words import normalise

PLACES = 1 << 15
_PLACE = PLACES - 1
_TAIL_CHARACTERS = 120
_MOST_WORDS = 14
_MOST_CHARACTERS = 18
_NUMBER = "0"


def tail_of(text: str) -> tuple[str, ...]:
    """The last words, comparable; the first is dropped where it may have been cut in two."""
    if len(text) <= _TAIL_CHARACTERS:
        return normalise(text)
    return normalise(text[-_TAIL_CHARACTERS:])[1:]


def places_of(words: Sequence[str], *, is_unspaced: bool) -> list[int]:
    """The places in a table of ``PLACES`` weights; ``words`` must not be empty.

    Args:
        words: As ``tail_of`` gives them.
        is_unspaced: Characters instead of words.
    """
    named = ["".join(_NUMBER if char.isdigit() else char for char in word) for word in words]
    found = _by_characters(named) if is_unspaced else _by_words(named)
    return [crc32(feature.encode()) & _PLACE for feature in found]


def _by_words(words: Sequence[str]) -> Iterator[str]:
    words = words[-_MOST_WORDS:]
    count = str(len(words))
    last, first = words[-1], words[0]
    second = words[-2] if len(words) > 1 else "^"
    third = words[-3] if len(words) > 2 else "^"
    end, second_end = last[-3:], second[-3:]
    yield "bias"
    yield "n" + count
    yield "a" + last
    yield "b" + second + " " + last
    yield "c" + third + " " + second + " " + last
    yield "d" + second
    yield "e" + third + " " + last
    yield "f" + last[-2:]
    yield "g" + end
    yield "h" + last[-4:]
    yield "i" + second_end + " " + end
    yield "j" + second_end + " " + last
    yield "k" + second + " " + end
    yield "l" + first + " " + end
    yield "m" + count + " " + end
    yield "o" + third[-3:] + " " + second_end + " " + end
    yield "p" + " ".join(words[:2])
    yield "q" + str(min(len(last), 8))
    short = last[-2:]
    for word in words[:-1]:
        yield "r" + word
        yield "s" + word + " " + short


def _by_characters(characters: Sequence[str]) -> Iterator[str]:
    characters = characters[-_MOST_CHARACTERS:]
    count = str(len(characters))
    last = characters[-1]
    yield "bias"
    yield "n" + count
    for size in range(1, 5):
        yield str(size) + " ".join(characters[-size:])
    yield "b" + " ".join(characters[-3:-1])
    yield "d" + " ".join(characters[-2:-1])
    yield "e" + " ".join(characters[-3:-2]) + " " + last
    yield "f" + " ".join(characters[:1]) + " " + last
    yield "g" + " ".join(characters[:2])
    yield "m" + count + " " + last
    before = "^"
    for character in characters[:-1]:
        yield "r" + before + character
        yield "s" + character
        yield "t" + character + " " + last
        before = character
