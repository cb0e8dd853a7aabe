"""Numbers in Chinese or Korean numerals: digit by digit, or with ten, hundred, thousand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

HAN: Mapping[str, int] = {
    "零": 0, "〇": 0, "一": 1, "幺": 1, "二": 2, "两": 2, "兩": 2, "三": 3, "四": 4, "五": 5,
    "六": 6, "七": 7, "八": 8, "九": 9, "十": 10, "廿": 20, "卅": 30, "百": 100, "千": 1_000,
    "万": 10_000, "萬": 10_000, "亿": 100_000_000, "億": 100_000_000,
}  # fmt: skip
_ENDLESS = 10**12
_SECTION = 10_000  # numbers are grouped by four digits


def digit_counts(run: Sequence[str], values: Mapping[str, int] = HAN) -> tuple[int, ...]:
    """Digits of each number in a run of numerals: 九一 is two of 1, 二十五 one of 2.

    Args:
        run: Numerals, each a key of ``values``.
        values: What each is worth; 10 and more multiply the digit before them.
    """
    counts: list[int] = []
    at = 0
    while at < len(run):
        is_digit = values[run[at]] < 10
        if is_digit and (at + 1 == len(run) or values[run[at + 1]] < 10):
            counts.append(1)
            at += 1
        else:
            at, value = _cardinal(run, at, values)
            counts.append(len(str(value)))
    return tuple(counts)


def _cardinal(run: Sequence[str], at: int, values: Mapping[str, int]) -> tuple[int, int]:
    """One number with units from ``at`` on: one past its end, and its value."""
    total = section = 0
    smallest = _ENDLESS  # the unit of the last digit; the next one must be smaller
    is_after_zero = False
    while at < len(run):
        value = values[run[at]]
        if value == 0 and smallest < _ENDLESS:  # 一百零五
            at += 1
            is_after_zero = True
            continue
        follows = values[run[at + 1]] if at + 1 < len(run) else 0
        if value < 10 and follows < 10:
            if smallest == 10 or (is_after_zero and smallest < _ENDLESS):
                return at + 1, total + section + value
            if smallest < _ENDLESS and at + 1 == len(run):  # 三万五 is 35,000
                return at + 1, total + section + value * smallest // 10
            break
        unit, digit, size = (follows, value, 2) if value < 10 else (value, 1, 1)
        if unit >= _SECTION:
            left = section + digit if size == 2 else section or 1
            total = (total + left) * unit if total < unit else total + left * unit
            section, smallest = 0, unit
        elif unit >= smallest:
            break
        else:
            section += digit * unit
            smallest = 10 if unit in (20, 30) else unit
        is_after_zero = False
        at += size
    return at, total + section
