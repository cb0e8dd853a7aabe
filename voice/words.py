"""Words as the endpointer compares and joins them, in scripts with and without spaces.

A word is a run of letters, digits and combining marks. In scripts without spaces (Han, kana, Thai,
Lao, Khmer, Burmese) a character with its marks is a word by itself.
Two texts are the same when their words are: case, punctuation, spacing and compatibility forms
(full-width letters, half-width kana, ligatures) do not count, nor do the vowel points of Arabic and
Hebrew, which recognisers write or leave out. Other diacritics do ("papa" is not "papá"), and
simplified and traditional characters differ.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

_APOSTROPHES = frozenset("'’ʼ＇")
_HESITATION_SPELLINGS = (
    "um umm uh uhm er erm hm hmm mm mmm mhm mmhmm uhhuh huh ah eh oh ehm euh äh ähm hum"
    " 嗯 唔 呃 哦 喔 啊 呀 欸 誒 噢 え ん"
)
_HESITATIONS = frozenset(_HESITATION_SPELLINGS.split())
_ASCII_WORD = re.compile(r"[a-z0-9][a-z0-9']*")
# Han (with extensions), kana, and the full-width punctuation that stands between them.
_UNSPACED = (
    (0x2E80, 0x303F),
    (0x3040, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF01, 0xFF0F),
    (0xFF1A, 0xFF20),
    (0xFF61, 0xFF9F),
    (0x20000, 0x3FFFF),
)
# Thai and Lao, Burmese, Khmer, without their digits.
_SYLLABIC = (
    (0x0E01, 0x0E4E),
    (0x0E80, 0x0ECF),
    (0x1000, 0x103F),
    (0x1050, 0x109F),
    (0x1780, 0x17DF),
)
# Voicing marks of half-width kana are letters to Unicode.
_KANA_MARKS = frozenset("\uff9e\uff9f")
# Vowel points, the stretching stroke, joiners, and the dot that case-folding "İ" leaves behind.
_OPTIONAL = re.compile("[\u0591-\u05c7\u0640\u064b-\u0652\u0670\u00ad\u200c\u200d\u0307]")
_HALF_A_WORD = 0.5  # two Han characters or kana make about one word
_QUARTER_OF_A_WORD = 0.25  # letters of Thai and its neighbours, counted without their marks
_MOST_ALIGNED = 120  # words of an earlier hearing: to align them takes time by their square


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its comparable form and where it stands in the text it came from."""

    form: str
    start: int
    end: int


@lru_cache(maxsize=8192)
def is_unspaced(char: str) -> bool:
    """True for a character of a script that is written without spaces between words."""
    code = ord(char)
    return _is_ideographic(code) or _is_syllabic(code)


def _is_ideographic(code: int) -> bool:
    return code >= 0x2E80 and any(low <= code <= high for low, high in _UNSPACED)


def _is_syllabic(code: int) -> bool:
    return 0x0E00 < code < 0x1800 and any(low <= code <= high for low, high in _SYLLABIC)


def split_words(text: str) -> list[Word]:
    """The words of ``text`` in order; apostrophes inside a word are left out of its form."""
    if text.isascii():
        found = _ASCII_WORD.finditer(text.lower())
        return [Word(match[0].replace("'", ""), *match.span()) for match in found]
    words: list[Word] = []
    start: int | None = None
    is_single = False  # the word is one character and its marks
    for at, char in enumerate(text):
        category = unicodedata.category(char)
        if start is not None and (category[0] == "M" or char in _KANA_MARKS):
            continue
        if category[0] not in "LNM":
            is_inside = category == "Cf" or (char in _APOSTROPHES and not is_single)
            if start is not None and not is_inside:
                words.append(Word(_comparable(text[start:at]), start, at))
                start = None
            continue
        if start is not None and (is_single or is_unspaced(char)):
            words.append(Word(_comparable(text[start:at]), start, at))
            start = None
        if start is None:
            start, is_single = at, is_unspaced(char)
    if start is not None:
        words.append(Word(_comparable(text[start:]), start, len(text)))
    return words


def _comparable(word: str) -> str:
    return _comparable_one(word) if len(word) == 1 else _folded(word)


@lru_cache(maxsize=8192)
def _comparable_one(char: str) -> str:
    """A word of one character, as most are in Chinese: a long turn has each of them many times."""
    return _folded(char)


def _folded(word: str) -> str:
    letters = "".join(char for char in word if char not in _APOSTROPHES)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", letters).casefold())
    return folded if folded.isascii() else _OPTIONAL.sub("", folded) or folded


def normalise(text: str) -> tuple[str, ...]:
    """The comparable forms of the words of ``text``."""
    return tuple(word.form for word in split_words(unicodedata.normalize("NFC", text)))


def has_words(text: str) -> bool:
    """True when there is anything to answer: one word at least, be it only "um"."""
    return any(unicodedata.category(char)[0] in "LN" for char in text)


def has_real_words(text: str) -> bool:
    """True when some word is more than a hesitation or a listener's "mhm"."""
    return any(form not in _HESITATIONS for form in normalise(text))


def units(text: str) -> float:
    """How much was said, in words: a half for each Han character or kana, one for a spaced word.

    Letters of Thai, Lao, Khmer and Burmese count a quarter each.
    """
    return sum(_unit(ord(text[word.start])) for word in split_words(text))


def _unit(code: int) -> float:
    if _is_ideographic(code):
        return _HALF_A_WORD
    return _QUARTER_OF_A_WORD if _is_syllabic(code) else 1.0


def join_words(parts: Iterable[str]) -> str:
    """One text of several, with a space in between except next to unspaced scripts."""
    joined = ""
    for part in parts:
        trimmed = part.strip()
        if not trimmed:
            continue
        if joined and not (is_unspaced(joined[-1]) or is_unspaced(trimmed[0])):
            joined += " "
        joined += trimmed
    return joined


def remainder(phrase: str, taken: str, *, is_same_phrase: bool) -> str:
    """What ``phrase`` says beyond ``taken``, an earlier and perhaps different hearing of it.

    Args:
        phrase: The newer hearing, from its first word.
        taken: The words of it that were already acted upon.
        is_same_phrase: False when it may also be a new phrase: then texts that share less than half
            of their words count as two, and all of ``phrase`` is returned. Of a long ``taken``
            its last ``_MOST_ALIGNED`` words are compared.

    Returns:
        The rest of ``phrase`` in its own spelling; empty when there is nothing new.
    """
    old = normalise(taken)
    if not old:
        return phrase
    phrase = unicodedata.normalize("NFC", phrase)
    words = split_words(phrase)
    new = tuple(word.form for word in words)
    if new[: len(old)] == old:
        kept = len(old)
    else:
        skipped = max(len(old) - _MOST_ALIGNED, 0)
        old, new = old[skipped:], new[skipped : skipped + 2 * _MOST_ALIGNED]
        blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
        shared = sum(block.size for block in blocks)
        if not is_same_phrase and shared * 2 < min(len(old), len(new)):
            return phrase
        last = blocks[-2] if len(blocks) > 1 else blocks[-1]
        after_old, after_new = (last.a + last.size, last.b + last.size) if shared else (0, 0)
        kept = skipped + after_new + len(old) - after_old
    return phrase[words[kept].start :].strip() if kept < len(words) else ""
