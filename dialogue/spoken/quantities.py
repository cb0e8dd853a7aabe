"""Money, times, dates, units, percent and signs, for voices that read them wrongly.

Good voices read "$5" and "14:30" well in their own language; espeak-ng says "dollar five", and in
Chinese neither currency nor decimals. Plain numbers stay digits: every voice reads those, so no
library of number words is needed (num2words 0.5.14 has no Chinese either).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dialogue.spoken.numbers import NOT_AFTER_WORD, NOT_BEFORE_WORD
from dialogue.spoken.quantity_words import (
    AND_CENTS,
    AND_SIGN,
    CLOCKS,
    CURRENCIES,
    DATES,
    MONTHS,
    NUMBER_SIGN,
    UNITS,
)
from dialogue.spoken.text import Change

_CJK = frozenset(["zh", "yue", "ja", "ko"])
_AMOUNT = r"\d{1,3}(?:[.,\u00a0\u202f ]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_SYMBOL = r"US\$|HK\$|NT\$|R\$|[$€£¥￥₹₩]"
_MONEY = re.compile(
    rf"{NOT_AFTER_WORD}(?<!\$)({_SYMBOL})\s?({_AMOUNT})(?![\d.,]*\d)"
    rf"|{NOT_AFTER_WORD}(?<![.,])({_AMOUNT})\s?([$€£¥￥₹₩]){NOT_BEFORE_WORD}"
)
_CLOCK = re.compile(r"(?<![\d:.])([01]?\d|2[0-4])[:：]([0-5]\d)(?![\d:])")
_ISO_DATE = re.compile(
    NOT_AFTER_WORD
    + r"(?<!-)((?:19|20)\d\d)-(0?[1-9]|1[0-2])-(0?[1-9]|[12]\d|3[01])(?!-)"
    + NOT_BEFORE_WORD
)
_PERCENT = re.compile(NOT_AFTER_WORD + r"(?<![.,])(\d+(?:[.,]\d+)?)\s?([%％])")
_NUMBER_SIGN = re.compile(
    r"(?<!\w)(#|[Nn]o\.|Nos?\.|[Nn]º|[Nn]\.º|[Nn]°|[Nn]r\.|[Nn]úm\.)\s?(?=\d)"
)
_AND = re.compile(r"(?<=[\w.])\s?&\s?(?=[\w#])")
_CJK_NUMBER = re.compile(
    NOT_AFTER_WORD + r"(?<![.,])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?(?![\d,.]*\d)"
)
_POINT = {"zh": "点", "yue": "點"}


def money(text: str, language: str) -> Iterator[Change]:
    """``$1,234.56`` is "1,234 dollars and 56 cents"."""
    currencies = CURRENCIES.get(language, {})
    for found in _MONEY.finditer(text):
        symbol = (found.group(1) or found.group(4)).replace("￥", "¥")
        amount = found.group(2) or found.group(3)
        currency = currencies.get(symbol) or currencies.get(symbol[-1])
        if currency is None:
            continue
        whole, cents = _split(amount)
        name = currency.one if whole == "1" and not cents else currency.many
        if language in _CJK:
            point = _POINT.get(language, ".")
            said = (
                re.sub(r"\D", "", whole) + (f"{point}{cents.rstrip('0')}" if cents else "") + name
            )
        elif not cents:
            said = f"{whole} {name}"
        else:
            said = f"{whole} {name}{AND_CENTS.get(language, ' ')}{int(cents.ljust(2, '0'))}"
            said += f" {currency.cents}" if currency.cents else ""
        yield Change(found.start(), ((len(found.group()), said),))


def clocks(text: str, language: str) -> Iterator[Change]:
    """``14:30`` where the colon is not read: Chinese, Japanese, Korean."""
    forms = CLOCKS.get(language)
    if forms is None:
        return
    for found in _CLOCK.finditer(text):
        hour, minute = int(found.group(1)), int(found.group(2))
        said = forms[bool(minute)].format(hour=hour, minute=minute)
        yield Change(found.start(), ((len(found.group()), said),))


def iso_dates(text: str, language: str) -> Iterator[Change]:
    """``2026-05-03`` with the name of its month."""
    form = DATES.get(language)
    if form is None:
        return
    for found in _ISO_DATE.finditer(text):
        year, month, day = (int(part) for part in found.groups())
        name = MONTHS[language][month - 1] if language in MONTHS else ""
        said = form.format(year=year, month=name, number=month, day=day)
        yield Change(found.start(), ((len(found.group()), said),))


def units(text: str, language: str) -> Iterator[Change]:
    """``5 km``, and ``50%`` where the sign is not read."""
    names = UNITS.get(language)
    if names is None:
        return
    if language in ("zh", "yue"):
        for found in _PERCENT.finditer(text):
            number = found.group(1).replace(".", _POINT[language])
            yield Change(found.start(), ((len(found.group()), f"百分之{number}"),))
    symbols = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    gap = "" if language in _CJK else " "
    for found in re.finditer(rf"(?<=\d)\s?({symbols})(?![A-Za-z0-9²/])", text):
        yield Change(found.start(), ((len(found.group()), gap + names[found.group(1)]),))


def signs(text: str, language: str) -> Iterator[Change]:
    """``#4``, ``No. 5``, ``A & B``."""
    if number := NUMBER_SIGN.get(language):
        for found in _NUMBER_SIGN.finditer(text):
            if not (found.group(1) == "No." and language not in ("en", "es")):
                gap = "" if language in _CJK else " "
                yield Change(found.start(), ((len(found.group()), number + gap),))
    if word := AND_SIGN.get(language):
        for found in _AND.finditer(text):
            yield Change(found.start(), ((len(found.group()), f" {word} "),))


def chinese_numbers(text: str, language: str) -> Iterator[Change]:
    """``1,234.5`` without its comma, and with a word for the point."""
    if language not in _POINT:
        return
    for found in _CJK_NUMBER.finditer(text):
        said = found.group().replace(",", "").replace(".", _POINT[language])
        if said != found.group():
            yield Change(found.start(), ((len(found.group()), said),))


def _split(amount: str) -> tuple[str, str]:
    """The whole part as written and the hundredths, empty if there are none."""
    found = re.search(r"[.,](\d{1,2})$", amount)
    if found is None:
        return amount, ""
    return amount[: found.start()], found.group(1) if found.group(1).strip("0") else ""
