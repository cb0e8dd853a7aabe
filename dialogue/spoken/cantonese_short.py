"""What is written shorter than Cantonese says it: days of a month, ranges of hours, millions.

Each is read wrongly by every voice: 15/3 is a fraction to it, the dash of 3:00-5:00pm nothing, and
the M of $1.5M a letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dialogue.spoken.text import Change

_DAY = r"(?<![\d/.$])(0?[1-9]|[12]\d|3[01])/(0?[1-9]|1[0-2])"
# A date for sure: by what follows, or by a day that no fraction has behind a word of time.
_DAY_BEFORE = re.compile(
    rf"{_DAY}(?=\s?(?:之?前|之?後|之?后|起|開始|开始|截止|到期|[(（](?:星期|禮拜|週|周)?[一二三四五六日][)）]))"
)
_SURE_DAY = r"(1[3-9]|2\d|3[01])/(0?[1-9]|1[0-2])"
_DAY_AFTER = re.compile(rf"(?:(?<=[喺於由到至])|(?<=[喺於由到至] ))(?!24/7){_SURE_DAY}(?![\d/.])")
_HOUR_DASH = re.compile(
    r"(?:(?<=[:：]\d\d)|(?<=[aApP][mM]))\s?[-–—~～]\s?"
    r"(?=(?:[01]?\d|2[0-4])(?:[:：][0-5]\d(?!\d)|\s?[AaPp]\.?[Mm](?![A-Za-z])))"
)
_RANGE = re.compile(
    r"([01]?\d)[:：][0-5]\d\s?[-–—~～至到]\s?([01]?\d)(?:[:：][0-5]\d)?\s?([AaPp])\.?[Mm](?![A-Za-z])"
)
_SHORT = re.compile(
    r"(?<![A-Za-z0-9$])(HK\$|US\$|\$)\s?(\d+)(?:\.(\d{1,3}))?\s?(K|M|B|[Mm]illion|[Bb]illion)(?![A-Za-z])"
)
_SIZES = {"k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
_HALF_DAY = 12


def days_of_month(text: str, _language: str) -> Iterator[Change]:
    """``15/3前`` is 3月15號前, day first as in Hong Kong; ``1/2`` alone stays a half."""
    for pattern in (_DAY_BEFORE, _DAY_AFTER):
        for found in pattern.finditer(text):
            day, month = (int(part) for part in found.groups())
            yield Change(found.start(), ((len(found.group()), f"{month}月{day}號"),))


def hours(text: str, _language: str) -> Iterator[Change]:
    """The dash between two hours is 至."""
    for found in _HOUR_DASH.finditer(text):
        yield Change(found.start(), ((len(found.group()), "至"),))


def half_of_range(text: str) -> str:
    """``p`` for a text that begins with ``3:00-5:00pm``, ``a`` for ``11:00-2:00pm``; else empty."""
    found = _RANGE.match(text)
    if found is None:
        return ""
    first, last = (int(hour) % _HALF_DAY for hour in found.groups()[:2])
    end = found.group(3).lower()
    return end if first < last else "ap"[end == "a"]


def short_amounts(text: str, _language: str) -> Iterator[Change]:
    """``$1.5M`` is 150萬蚊, ``$3B`` 30億蚊."""
    for found in _SHORT.finditer(text):
        sign, whole, rest, size = found.groups()
        digits = (rest or "").ljust(3, "0")
        amount = int(whole + digits) * _SIZES[size[0].lower()] // 1_000
        name = "美金" if sign == "US$" else "蚊"
        yield Change(found.start(), ((len(found.group()), f"{_counted(amount)}{name}"),))


def _counted(amount: int) -> str:
    """In the largest of 億 and 萬 that leaves no rest."""
    for unit, size in (("億", 100_000_000), ("萬", 10_000)):
        if amount >= size and amount % size == 0:
            count = amount // size
            return f"{'兩' if count == 2 else count}{unit}"
    return str(amount)
