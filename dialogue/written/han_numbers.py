"""Chinese numerals read: digit by digit, or with ten, hundred, thousand, as people say them."""

from __future__ import annotations

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "兩": 2,
    "两": 2,
    "幺": 1,
}
_TENS = {"廿": 20, "卅": 30, "卌": 40}
_UNITS = {"十": 10, "百": 100, "千": 1_000, "萬": 10_000, "万": 10_000, "億": 10**8, "亿": 10**8}
_SECTION = 10_000
_FILL = "呀啊阿"  # 廿呀五, 三呀五: "five and thirty", said quickly
NUMERALS = "".join((*_DIGITS, *_TENS, *_UNITS))


def is_spelled(run: str) -> bool:
    """Whether ``run`` is digits only, said one by one."""
    return all(char in _DIGITS for char in run)


def spelled(run: str) -> str:
    """The digits of a run that was said one by one."""
    return "".join(str(_DIGITS[char]) for char in run)


def value_of(run: str) -> int | None:
    """What a numeral is worth: 三百零五, 廿五, 三呀五 (35), 一百二 (120), 千五 (1500).

    Returns:
        None for a run that is no one number (二三十 is "twenty or thirty").
    """
    for fill in _FILL:
        run = run.replace(fill, "" if run[:1] in _TENS else "十") if fill in run else run
    total = section = 0
    digit: int | None = None
    unit = 0  # of the part before
    is_after_zero = False
    for char in run:
        if char in _DIGITS:
            value = _DIGITS[char]
            if digit is not None and digit != 0:
                return None
            is_after_zero = is_after_zero or value == 0
            digit = value if value or digit is None else digit
        elif char in _TENS:
            if digit:
                return None
            section, digit, unit = section + _TENS[char], None, 10
        elif char in _UNITS:
            size = _UNITS[char]
            count = digit or (0 if section else 1)
            if size >= _SECTION:
                whole = section + count
                total = (total + whole) * size if total < size else total + whole * size
                section = 0
            else:
                if unit and unit < _SECTION and size >= unit:
                    return None
                section += (digit or 1) * size
            digit, unit, is_after_zero = None, size, False
        else:
            return None
    if digit and unit > 10 and not is_after_zero:  # 一百二, 三萬五
        digit *= unit // 10
    return total + section + (digit or 0)
