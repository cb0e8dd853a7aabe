"""Numbers that Cantonese says digit by digit although they are short.

What is dialled, discounts, plates of cars, flights, codes, and the years of a range.
Every voice reads these wrongly: 打999 is "dial nine nine nine", and 85折 is 八五折, no eighty-five.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dialogue.spoken.digit_words import digit_words
from dialogue.spoken.text import Change

_NOT_COUNTED = (
    r"(?![\d.,/-]|\s\d|\s?[個个次蚊元份折%％分條条張张間间位人日年月點点號号萬万千百KkMm])"
)
_DIALLED = re.compile(
    r"(?:致電|致电|打電話去|打电话去|打|撥|拨|熱線|热线|內線|内线|分機|分机|來電|来电)(?:係|系|去|到)?\s?"
    rf"(\d{{3,6}}|1\d\s\d{{4}}){_NOT_COUNTED}"
)
# A1B2-3456: letters and digits of one name, of which a voice would make numbers.
_MIXED = re.compile(
    r"(?<![A-Za-z0-9.@/-])(?=[\dA-Z-]*[A-Z])[A-Z0-9]{1,8}(?:-[A-Z0-9]{1,8})+(?![A-Za-z0-9@/-]|\.[A-Za-z0-9])"
)
_LEAST_MIXED = 4
_DISCOUNT = re.compile(r"(?<![\d.,])([1-9])\.?([1-9])(?=折)")
_PLATE = re.compile(r"(?<=車牌)(?:號碼)?(?:係|是)?\s?[A-Z]{1,2}\s?(\d{1,4})(?!\d)")
_PLATE_SIMPLE = re.compile(r"(?<=车牌)(?:号码)?(?:系|是)?\s?[A-Z]{1,2}\s?(\d{1,4})(?!\d)")
_FLIGHT = re.compile(r"(?<![A-Za-z])[A-Z]{2}(\d{3,4})(?=號?(?:航班|班機|客機|班机|客机))")
_COUNTRY = re.compile(r"(?<![\d.+])(\+?)(852|853)([ -]?)(\d{8})(?!\d)")
_YEARS = re.compile(
    r"(?<![\d.,/-])((?:18|19|20)\d\d)(\s?[-–~～至到]\s?)((?:18|19|20)\d\d)(?=年(?!前|後|后|期))"
)


def codes(text: str, language: str) -> Iterator[Change]:
    """See the top of this file."""
    words = digit_words(language)

    def say(at: int, digits: str) -> Change:
        return Change(at, tuple((1, words[int(ch)] if ch.isdigit() else "，") for ch in digits))

    for pattern in (_DIALLED, _PLATE, _PLATE_SIMPLE, _FLIGHT):
        for found in pattern.finditer(text):
            yield say(found.start(1), found.group(1))
    for found in _MIXED.finditer(text):
        if sum(char.isdigit() for char in found.group()) >= _LEAST_MIXED:
            spelled = "".join(words[int(ch)] if ch.isdigit() else ch for ch in found.group())
            yield Change(found.start(), ((len(found.group()), spelled.replace("-", "，")),))
    for found in _DISCOUNT.finditer(text):
        first, second = (words[int(digit)] for digit in found.groups())
        yield Change(found.start(), ((len(found.group()), first + second),))
    for found in _COUNTRY.finditer(text):
        plus, country, _, number = found.groups()
        said = "".join(words[int(digit)] for digit in country + number)
        said = f"{'加' if plus else ''}{said[:3]}，{said[3:7]}，{said[7:]}"
        yield Change(found.start(), ((len(found.group()), said),))


def year_ranges(text: str, language: str) -> Iterator[Change]:
    """``1997-2003年`` is 一九九七至二零零三年."""
    words = digit_words(language)
    for found in _YEARS.finditer(text):
        first, _, last = found.groups()
        said = "至".join("".join(words[int(digit)] for digit in year) for year in (first, last))
        yield Change(found.start(), ((len(found.group()), said),))
