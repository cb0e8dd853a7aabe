"""Numbers in words become digits, so that "twenty five" and "25" are one key.

English and Chinese; other languages keep their words, and the veto then compares words. A lone
"one" stays: it is a pronoun as often as a number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final


def _counted(text: str, first: int = 0, step: int = 1) -> dict[str, int]:
    return {word: step * value for value, word in enumerate(text.split(), start=first)}


_SMALL: Final = _counted(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
) | {"oh": 0}
_TENS: Final = _counted("twenty thirty forty fifty sixty seventy eighty ninety", first=2, step=10)
_SCALES: Final = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_ORDINALS: Final = _counted(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth",
    first=1,
) | {"thirtieth": 30}
_TIMES: Final = {"double": 2, "triple": 3}
_BEGINNINGS: Final = frozenset((*_SMALL, *_TENS, *_ORDINALS, *_TIMES))

_HAN: Final = {char: value for value, char in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "兩": 2,
    "两": 2,
}
_HAN_UNITS: Final = {"十": 10, "百": 100, "千": 1_000}
_HAN_SCALES: Final = {"萬": 10_000, "万": 10_000}
_HAN_COUNTED: Final = "點点號号月日元蚊塊块個个張张位人天年分歲岁樓楼次間间晚%"
_HAN_RUN: Final = re.compile(
    rf"[零〇一二三四五六七八九兩两十百千萬万]{{2,}}|[零〇一二三四五六七八九兩两十百](?=[{_HAN_COUNTED}])"
)


def english_digits(words: Sequence[str]) -> list[str]:
    """The words with numbers in digits.

    ``two hundred and five`` is ``205``, ``five oh one`` three digits, ``twenty first`` is ``21st``.
    Never raises; linear in the number of words.
    """
    if _BEGINNINGS.isdisjoint(words):
        return list(words)
    found: list[str] = []
    index = 0
    while index < len(words):
        taken, value = _number_at(words, index)
        if taken:
            found += value
            index += taken
        else:
            found.append(words[index])
            index += 1
    return found


def _number_at(words: Sequence[str], start: int) -> tuple[int, list[str]]:
    """How many words from ``start`` are one number, and its digits; (0, []) for none."""
    word = words[start]
    after = words[start + 1] if start + 1 < len(words) else ""
    if _is_repeated_digit(words, start):
        return 2, [str(_SMALL[after])] * _TIMES[word]
    if word in _ORDINALS and not (word == "second" and start and words[start - 1] == "a"):
        return 1, [_ordinal(_ORDINALS[word])]
    if word == "oh" and not (start and _is_number(words[start - 1])):
        return 0, []
    if word == "one" and not (_is_number(after) or after in _SCALES):
        near = start > 0 and _is_number(words[start - 1])
        near = near or (start + 1 < len(words) and _is_repeated_digit(words, start + 1))
        return (1, ["1"]) if near else (0, [])
    if after and word in _TENS and 0 < _ORDINALS.get(after, 0) < 10:
        return 2, [_ordinal(_TENS[word] + _ORDINALS[after])]
    if word in _SMALL or word in _TENS:
        return _cardinal(words, start)
    return 0, []


def _cardinal(words: Sequence[str], start: int) -> tuple[int, list[str]]:
    """The longest cardinal from ``start``, where a number stands."""
    total = section = 0
    room = 1_000_000_000  # the next part must be smaller than this
    index = start
    while index < len(words):
        word = words[index]
        if word == "and" and section % 100 == 0 and index > start and index + 1 < len(words):
            following = words[index + 1]
            if words[index - 1] in _SCALES and (following in _SMALL or following in _TENS):
                index += 1
                continue
        if word in _SMALL and _SMALL[word] < room:
            section += _SMALL[word]
            room = 0
        elif word in _TENS and _TENS[word] < room:
            section += _TENS[word]
            room = 10
            if words[index + 1 : index + 2] in (["zero"], ["oh"]):
                room = 0
        elif word == "hundred" and 0 < section < 100:
            section *= 100
            room = 100
        elif word in _SCALES and word != "hundred" and section:
            total += section * _SCALES[word]
            section, room = 0, 1_000
        else:
            break
        index += 1
    return index - start, [str(total + section)]


def _is_repeated_digit(words: Sequence[str], start: int) -> bool:
    """Whether ``double five`` or its like begins at ``start``."""
    after = words[start + 1] if start + 1 < len(words) else ""
    return words[start] in _TIMES and _SMALL.get(after, 10) < 10


def _is_number(word: str) -> bool:
    return word in _SMALL or word in _TENS or word.isdecimal()


def _ordinal(value: int) -> str:
    if value % 100 in (11, 12, 13):
        return f"{value}th"
    return f"{value}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(value % 10, 'th') }"


def han_digits(text: str) -> str:
    """Chinese numerals in digits where they count: ``二十五號`` is ``25號``, 一下 stays."""
    return _HAN_RUN.sub(lambda match: _han_value(match.group()), text)


def _han_value(run: str) -> str:
    if not any(char in _HAN_UNITS or char in _HAN_SCALES for char in run):
        return "".join(str(_HAN[char]) for char in run)
    total = section = digit = 0
    for char in run:
        if char in _HAN:
            digit = _HAN[char]
        elif char in _HAN_UNITS:
            section += (digit or 1) * _HAN_UNITS[char]
            digit = 0
        else:
            total += (section + digit or 1) * _HAN_SCALES[char]
            section = digit = 0
    return str(total + section + digit)
