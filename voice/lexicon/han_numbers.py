"""Numbers in Chinese characters: read out digit by digit, or with ten, hundred, thousand."""

from __future__ import annotations

HAN_DIGITS = {
    "零": 0, "〇": 0, "一": 1, "幺": 1, "二": 2, "两": 2, "兩": 2, "三": 3, "四": 4, "五": 5,
    "六": 6, "七": 7, "八": 8, "九": 9,
}  # fmt: skip
HAN_UNITS = {
    "十": 10, "廿": 20, "卅": 30, "百": 100, "千": 1_000, "万": 10_000, "萬": 10_000,
    "亿": 100_000_000, "億": 100_000_000,
}  # fmt: skip


def han_digit_counts(run: list[str]) -> list[int]:
    """Digits of each number in a run of numerals: 九一 is two of 1, 二十五 one of 2."""
    counts: list[int] = []
    at = 0
    while at < len(run):
        is_plain = run[at] in HAN_DIGITS and (at + 1 == len(run) or run[at + 1] in HAN_DIGITS)
        if is_plain:
            counts.append(1)
            at += 1
            continue
        at, value = _cardinal(run, at)
        counts.append(len(str(value)))
    return counts


def _cardinal(run: list[str], at: int) -> tuple[int, int]:
    """One number with units from ``at`` on: one past its end, and its value."""
    total = section = 0
    smallest = 10**12
    while at < len(run):
        digit = HAN_DIGITS.get(run[at])
        ahead = at + (digit is not None)
        if digit == 0:
            at += 1  # 一百零五
            if at < len(run) and run[at] in HAN_DIGITS and at + 1 == len(run):
                return at + 1, total + section + HAN_DIGITS[run[at]]
            continue
        if ahead >= len(run) or run[ahead] not in HAN_UNITS:
            if digit is not None and smallest == 10:
                return at + 1, total + section + digit
            break
        unit = HAN_UNITS[run[ahead]]
        if unit >= 10_000:
            total, section, smallest = (total + section + (digit or 0)) * unit, 0, 10**12
        elif unit >= smallest:
            break
        else:
            section += (digit if digit is not None else 1) * unit if unit not in (20, 30) else unit
            smallest = 10 if unit in (20, 30) else unit
        at = ahead + 1
    return at, total + section
