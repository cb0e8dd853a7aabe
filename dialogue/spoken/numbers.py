"""Numbers that are said digit by digit: telephone numbers, long numbers, codes; and ranges.

A voice reads "415-555-0123" as three numbers and two dashes, or a sum, and "20261103" as millions.
Left alone: years, prices, dates, times, thousands, anything short that no word calls a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

from dialogue.spoken.digit_words import digit_words
from dialogue.spoken.text import Change

_SEPARATORS = r" .\u00a0\u202f\u2009()/–\-"
_MONEY_SIGNS = "%€$£¥₹₩°"
# A number may stand right beside letters of scripts without spaces, and beside no other ones.
NOT_AFTER_WORD = r"(?<![^\W\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff\uac00-\ud7af])"
NOT_BEFORE_WORD = r"(?![^\W\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff\uac00-\ud7af])"
_START = rf"{NOT_AFTER_WORD}(?<![.,/{_MONEY_SIGNS}+–-])(?<!\d:)"
_END = rf"{NOT_BEFORE_WORD}(?!\s?[{_MONEY_SIGNS}]|[.,:/]\d)"
_PHONE = re.compile(rf"{_START}(?:\+|\()?\d[\d{_SEPARATORS}]*\d{_END}")
_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}[./-]\d{1,2}[./-]\d{1,2}")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}([ .\u00a0\u202f\u2009])\d{3}(?:\1\d{3})*")
_YEARS = re.compile(r"(?:19|20)\d\d\s?[–-]\s?(?:19|20)\d\d")
_DIGITS = re.compile(rf"{_START}\d{{4,}}{_END}(?!-\d)")
_CODE = re.compile(
    rf"{NOT_AFTER_WORD}(?<![.@/-])[A-Z]{{1,4}}-?\d{{4,}}{NOT_BEFORE_WORD}(?![@/]|[.,]\d)"
)
_RANGE = re.compile(
    rf"{_START}(\d{{1,4}}(?:[.,:]\d{{1,3}})?)(\s?[–～-]\s?)(\d{{1,4}}(?:[.,:]\d{{1,3}})?)"
    rf"{NOT_BEFORE_WORD}(?![–-]|[.,:/]\d)"
)
LONG_DIGITS = 7
MOST_DIGITS = 16
_CALLED_BY = (
    "number|no|nos|code|pin|order|reference|ref|account|confirmation|ticket|claim|case|zip|invoice"
    "|booking|extension|ext|ending in|ending with|dial|press|enter|nr|plz|kennwort|durchwahl|número"
    "|numero|numéro|núm|n°|nº|n.º|código|codice|pedido|referencia|réf|référence|dossier|commande"
    "|ordine|pratica|protocolo|bestelling|номер|код|заказ|numer|kod|číslo|kód|numarası|numara|kodu"
)
# A number after one of these is a name, not an amount, if it has four digits or more.
_CALLED = re.compile(
    rf"(?:(?:\b(?:{_CALLED_BY})|nummer|號碼|号码|編號|编号|單號|单号|密碼|密码|驗證碼|验证码|尾號|尾号|订单号"
    r"|番号|번호|코드)\.?)\s*(?:(?:is|are|ist|lautet|est|es|è|é|係|是|は|는|은|number|no\.?|[:：#])\s*)*$",
    re.IGNORECASE,
)
# How a range is joined: "9-17" is said "9 to 17".
_TO = {
    "ar": "إلى", "bg": "до", "ca": "a", "cs": "až", "da": "til", "de": "bis", "el": "έως",
    "en": "to",
    "es": "a", "fa": "تا", "fr": "à", "he": "עד", "hi": "से", "hr": "do", "id": "sampai", "it": "a",
    "ja": "から", "ko": "에서", "ms": "hingga", "nb": "til", "nl": "tot", "pl": "do", "pt": "a",
    "ro": "până la", "sk": "až", "sl": "do", "sv": "till", "th": "ถึง", "uk": "до", "vi": "đến",
    "yue": "至", "zh": "到",
}  # fmt: skip
_PLUS = {
    "de": "plus", "en": "plus", "es": "más", "fr": "plus", "it": "più", "ja": "プラス",
    "ko": "플러스", "nl": "plus", "pl": "plus", "pt": "mais", "ru": "плюс", "uk": "плюс",
    "yue": "加", "zh": "加",
}  # fmt: skip
RANGE_LANGUAGES = frozenset(_TO)
_UNSPACED = frozenset(["zh", "yue", "ja"])
# Telephone numbers are said two digits at a time, as numbers.
_PAIRS = frozenset(["fr", "da", "nb"])


def telephone_numbers(text: str, language: str) -> Iterator[Change]:
    """Numbers with separators, a plus or a leading zero, 7 to 15 digits."""
    for found in _PHONE.finditer(text):
        number = found.group()
        digits = sum(ch.isdigit() for ch in number)
        if not LONG_DIGITS <= digits < MOST_DIGITS or digits == len(number):
            continue
        if _DATE.fullmatch(number) or _YEARS.fullmatch(number):
            continue
        if _THOUSANDS.fullmatch(number) and not _CALLED.search(text[: found.start()]):
            continue
        yield _said(found.start(), number, language)


def long_numbers(text: str, language: str) -> Iterator[Change]:
    """Digits in a row: 7 or more, or with a leading zero, or called a number; and ``WX-20931``."""
    for found in _CODE.finditer(text):
        yield _said(found.start(), found.group(), language)
    for found in _DIGITS.finditer(text):
        digits = found.group()
        is_long = len(digits) >= LONG_DIGITS or digits[0] in "0０"
        if is_long or _CALLED.search(text[: found.start()]):
            yield _said(found.start(), digits, language)


def ranges(text: str, language: str) -> Iterator[Change]:
    """``9-17``, ``3–5``: the dash is a word."""
    word = _TO.get(language)
    if word is None:
        return
    said = word if language in _UNSPACED else f" {word} "
    for found in _RANGE.finditer(text):
        if _rises(found.group(1), found.group(3)):
            yield Change(found.start(2), ((len(found.group(2)), said),))


def _rises(first: str, last: str) -> bool:
    """Whether from ... to: not "24-7" nor "50-50"; hours of the day may fall, "9-5"."""
    if not (first.isdecimal() and last.isdecimal()):
        return first != last
    low, high = int(first), int(last)
    return low < high or (low != high and max(low, high) <= 12)


def _said(start: int, number: str, language: str) -> Change:
    """The number digit by digit, with a pause between its groups."""
    groups = re.findall(r"\d+", number)
    if language in _PAIRS and len(groups) > 2 and all(len(group) == 2 for group in groups):
        return Change(start, tuple((1, ch if ch.isdigit() else ", ") for ch in number))
    words = digit_words(language)
    gap, pause = (
        (("", "，"), ("", "、"))[language == "ja"] if language in _UNSPACED else (" ", ", ")
    )
    breaks = _breaks(len(groups[0])) if len(groups) == 1 and len(groups[0]) > 5 else frozenset()
    parts: list[tuple[int, str]] = []
    count = 0
    before = ""  # what parts the next word from the one before
    for ch, following in zip_longest(number, number[1:], fillvalue=" "):
        if ch.isdigit():
            count += 1
            said = words[int(ch)]
        elif ch == "+":
            said = _PLUS.get(language, "+")
        else:
            said = ch if ch.isalpha() else ""
        parts.append((1, before + said if said else ""))
        if said:
            is_group_end = ch.isalnum() and (
                not following.isalnum() or ch.isalpha() != following.isalpha()
            )
            before = pause if is_group_end or count in breaks else gap
    return Change(start, tuple(parts))


def _breaks(digits: int) -> frozenset[int]:
    """After how many digits to pause in a row of them: threes, and fours at the end."""
    sizes: list[int] = []
    left = digits
    while left > 4:
        size = 4 if left == 8 else 3
        sizes.append(size)
        left -= size
    return frozenset(sum(sizes[: n + 1]) for n in range(len(sizes)))
