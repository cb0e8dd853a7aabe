"""What is said otherwise in Cantonese alone, in Hong Kong, Macau and Guangdong.

``light`` holds what every voice reads wrongly: floors such as ``G/F``, dates with slashes, identity
cards, rooms and bus routes, which are said digit by digit. ``full`` holds what good voices know:
dollars and cents (三十八個半), times of day, the word for two before what is counted, years.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from dialogue.spoken.cantonese_codes import codes, year_ranges
from dialogue.spoken.cantonese_short import days_of_month, half_of_range, hours, short_amounts
from dialogue.spoken.digit_words import digit_words
from dialogue.spoken.text import Change

Rule = Callable[[str, str], Iterator[Change]]

_FLOORS = {"G": "地下", "LG": "低層地下", "UG": "高層地下", "M": "閣樓", "B": "地庫", "R": "天台"}
_FLOOR = re.compile(
    r"(?<![A-Za-z0-9/])(UG|LG|G|M|B|R|B[1-9]|\d{1,3})/F(?![A-Za-z0-9])\.?", re.IGNORECASE
)
_IDENTITY_CARD = re.compile(r"(?<![A-Za-z0-9])([A-Z]{1,2})(\d{6})\s?[(（]([0-9A])[)）]")
_MACAU_CARD = re.compile(r"(?<![A-Za-z0-9])(\d)/(\d{6})/(\d)(?!\d)")
_SLASHED_DATE = re.compile(
    r"(?<![\d/])(0?[1-9]|[12]\d|3[01])/(0?[1-9]|1[0-2])/((?:19|20)\d\d)(?![\d/])"
)
_ISO_DATE = re.compile(
    r"(?<![A-Za-z0-9/-])((?:19|20)\d\d)([-/])(0?[1-9]|1[0-2])\2(0?[1-9]|[12]\d|3[01])(?![A-Za-z0-9/-])"
)
_YEAR = re.compile(r"(?<![\d.,/-])((?:18|19|20)\d\d)(?=年(?!前|後|後|期))")
_ROOM = re.compile(r"(?<![\d.,/-])(\d{3,4})(?=室|號房|号房)")
_BUS = re.compile(
    r"(?<![\dA-Z.,$-])([A-Z]?)(\d{3})([A-Z]?)(?=號?(?:巴士|小巴|專線|公交))"
    r"|(?:(?<=巴士)|(?<=小巴)|(?<=專線)|(?<=公交))\s?([A-Z]?)(\d{3})([A-Z]?)(?![\dA-Za-z.,蚊元個个])"
)
_BELOW_ZERO = re.compile(r"(?<![A-Za-z0-9)])[-−–]\s?(\d+(?:\.\d+)?)\s?(?:°C|℃|度)")
_CLOCK = re.compile(
    r"(?<![\d:.])([01]?\d|2[0-4])[:：]([0-5]\d)(?![\d:])(?:\s?([AaPp])\.?[Mm](?![A-Za-z])\.?)?"
    r"|(?<![\d:.$])(1[0-2]|[1-9])\s?([AaPp])\.?[Mm](?![A-Za-z])\.?"
)
_SIGNS = r"HK\$|HKD\s?|MOP\$|MOP\s?|NT\$|US\$|USD\s?|RMB\s?|CNY\s?|GBP\s?|[$¥￥£]"
# A dash before money is a minus behind what can be one: 餘額係-$250, but not 午餐-$58.
_MINUS = r"(?:(?<=[係系是為为額额：:])|(?<=^))[-−](?=\s?[A-Z$¥￥£])"
_MONEY = re.compile(
    rf"(?<![A-Za-z0-9$])({_MINUS})?({_SIGNS})\s?"
    r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,2}))?(?![\d.,]*\d)(?:\s?([萬億万亿]))?"
    r"(?:\s?[-–~～至]\s?(?:\2)?(\d{1,3}(?:,\d{3})+|\d+)(?![\d.,]*\d)(?!\s?[萬億万亿]))?"
    r"(/(?=位|人|晚|月|年|次|小時|小时|個|个|件|張|张|日|份|杯|間|间|磅|斤|公斤))?"
)
_HALF_HOURS = re.compile(r"(?<![\d.,])(\d{1,2})\.5\s?(?:個)?(小時|小时|鐘頭|钟头)")
_DECIMAL = re.compile(r"(?<![\d.,/:])(\d+)\.(\d{2,})(?![\d.,:/]*\d)(?!%)")
_PERCENT = re.compile(r"(?<![\d.,])(\d+)\.(\d{2,})\s?[%％]")
_COUNTED = (
    "個|个|位|次|間|间|張|张|件|杯|人|晚|年|隻|只|條|条|對|对|部|架|枝|支|盒|包|本|份|歲|岁|小時|小时"
    "|分鐘|分钟|星期|倍|成(?!功)|斤|磅|呎|米|粒|款|樣|层|層|蚊|毫|度|千|萬|万|億|亿|日(?![期本圓元])|點(?!\\d)|点(?!\\d)|碗|碟|籠|程|房|公斤|公里"
)
_TWO = re.compile(rf"(?<![\d.,:/第初$¥月至到~–-])2(?=\s?(?:{_COUNTED}))")
_SAID_BEFORE = re.compile(
    r"(?:凌晨|清晨|朝早|朝頭早|上晝|上午|晏晝|中午|下晝|下午|傍晚|夜晚|今晚|晚上|夜)\s?$"
)
_CURRENCY = {
    "HK$": "港紙",
    "HKD": "港紙",
    "MOP$": "葡幣",
    "MOP": "葡幣",
    "NT$": "台幣",
    "$": "",
    "US$": "美金",
    "USD": "美金",
    "¥": "人民幣",
    "RMB": "人民幣",
    "CNY": "人民幣",
    "£": "英鎊",
    "GBP": "英鎊",
}


# Money that needs no name where it is the usual one.
_HONG_KONG = frozenset({"$", "HK$", "HKD"})
_USUAL = {"-cn": frozenset({"$", "¥", "RMB", "CNY"}), "-mo": frozenset({"$"})}


def rules_of(tag: str, *, is_full: bool) -> tuple[Rule, ...]:
    """The rules of one place; they come before those of every language.

    Args:
        tag: The language tag in lower case; its region says which money is the usual one.
        is_full: The voice needs everything in words.
    """
    light: tuple[Rule, ...] = (_floors, _cards, _rooms, _below_zero, days_of_month, hours, codes)
    if not is_full:
        return (*light, _light_dates)
    usual = next((signs for end, signs in _USUAL.items() if tag.endswith(end)), _HONG_KONG)

    def money(text: str, language: str) -> Iterator[Change]:
        return _money(text, language, usual)

    return (
        *light,
        _dates,
        short_amounts,
        money,
        _clocks,
        year_ranges,
        _years,
        _half_hours,
        _decimals,
        _two,
    )


def _floors(text: str, _language: str) -> Iterator[Change]:
    """``G/F`` is 地下, ``12/F`` is 12樓."""
    for found in _FLOOR.finditer(text):
        name = found.group(1).upper()
        said = _FLOORS.get(name, f"{'二' if name == '2' else name}樓")
        said = f"地庫{name[1:]}層" if name[1:].isdigit() and name[0] == "B" else said
        yield _whole(found, said)


def _cards(text: str, language: str) -> Iterator[Change]:
    """``A123456(7)``, and Macau's ``1/234567/8``, digit by digit."""
    words = digit_words(language)
    for found in _IDENTITY_CARD.finditer(text):
        letters, digits, check = found.groups()
        spelled = "".join(words[int(digit)] for digit in digits)
        last = words[int(check)] if check.isdigit() else check
        yield _whole(found, f"{letters}，{spelled[:3]}，{spelled[3:]}，括號{last}")
    for found in _MACAU_CARD.finditer(text):
        yield _whole(found, "，".join(_spelled(part, words) for part in found.groups()))


def _rooms(text: str, language: str) -> Iterator[Change]:
    """``1203室`` and ``968號巴士``, digit by digit."""
    words = digit_words(language)
    for found in _ROOM.finditer(text):
        yield _whole(found, _spelled(found.group(1), words))
    for found in _BUS.finditer(text):
        before, digits, after = found.groups()[:3] if found.group(2) else found.groups()[3:]
        yield _whole(found, f"{before}{_spelled(digits, words)}{after}")


def _below_zero(text: str, _language: str) -> Iterator[Change]:
    for found in _BELOW_ZERO.finditer(text):
        yield _whole(found, f"零下{found.group(1).replace('.', '點')}度")


def _light_dates(text: str, _language: str) -> Iterator[Change]:
    """``25/12/2026``, day first as in Hong Kong."""
    for found in _SLASHED_DATE.finditer(text):
        day, month, year = found.groups()
        yield _whole(found, f"{year}年{int(month)}月{int(day)}號")


def _dates(text: str, language: str) -> Iterator[Change]:
    words = digit_words(language)
    for found in _SLASHED_DATE.finditer(text):
        day, month, year = found.groups()
        yield _whole(found, f"{_spelled(year, words)}年{int(month)}月{int(day)}號")
    for found in _ISO_DATE.finditer(text):
        year, _, month, day = found.groups()
        yield _whole(found, f"{_spelled(year, words)}年{int(month)}月{int(day)}號")


def _years(text: str, language: str) -> Iterator[Change]:
    """``1997年`` is 一九九七年."""
    words = digit_words(language)
    for found in _YEAR.finditer(text):
        yield _whole(found, _spelled(found.group(1), words))


def _money(text: str, language: str, usual: frozenset[str]) -> Iterator[Change]:
    """``$38.5`` is 38個半, ``$12.8`` 12個8, ``$0.5`` 5毫子; other money has its name behind."""
    words = digit_words(language)
    for found in _MONEY.finditer(text):
        sign = found.group(2).strip().replace("￥", "¥")
        whole, cents = found.group(3).replace(",", ""), (found.group(4) or "").rstrip("0")
        big, last = found.group(5) or "", (found.group(6) or "").replace(",", "")
        name = "" if sign in usual else _CURRENCY[sign]
        point = f"點{_spelled(cents, words)}" if cents else ""
        if big or last:
            to = f"至{last}" if last else ""
            count = "兩" if whole == "2" and not cents and big else whole
            said = f"{count}{point}{big}{to}{name or '蚊'}"
        else:
            said = _amount(whole, cents, point, name)
        minus = "負" if found.group(1) else ""
        yield _whole(found, minus + said + ("一" if found.group(7) else ""))


def _amount(whole: str, cents: str, point: str, name: str) -> str:
    count = "兩" if whole == "2" else whole
    if name:
        return f"{whole}{point}{name}" if cents else f"{count}{name}"
    if not cents:
        return f"{count}蚊"
    if whole.strip("0") == "" and len(cents) == 1:
        return f"{'兩' if cents == '2' else cents}毫子"
    if cents == "5":
        return f"{count}個半"
    if len(cents) == 1:
        return f"{count}個{cents}"
    return f"{whole}{point}蚊"


def _half_hours(text: str, _language: str) -> Iterator[Change]:
    """``1.5小時`` is 1個半小時, ``0.5小時`` half of one."""
    for found in _HALF_HOURS.finditer(text):
        hours, unit = int(found.group(1)), found.group(2)
        count = "兩" if hours == 2 else str(hours)
        half = "半個" if unit in ("鐘頭", "钟头") else "半"
        yield _whole(found, f"{count}個半{unit}" if hours else f"{half}{unit}")


def _decimals(text: str, language: str) -> Iterator[Change]:
    """``2.75`` is 2點七五, not 75."""
    words = digit_words(language)
    for found in _PERCENT.finditer(text):
        whole, rest = found.groups()
        yield _whole(found, f"百分之{whole}點{_spelled(rest, words)}")
    for found in _DECIMAL.finditer(text):
        whole, rest = found.groups()
        yield _whole(found, f"{whole}點{_spelled(rest, words)}")


def _clocks(text: str, _language: str) -> Iterator[Change]:
    """``2:30pm`` is 下晝兩點半, ``18:05`` 18點零5分."""
    for found in _CLOCK.finditer(text):
        hour = int(found.group(1) or found.group(4))
        minute = int(found.group(2) or 0)
        half = (found.group(3) or found.group(5) or half_of_range(text[found.start() :])).lower()
        if half and hour > 12:
            half = ""
        is_named = _SAID_BEFORE.search(text[: found.start()]) is not None
        part = "" if is_named or not half else _part_of_day(hour, half)
        if hour in (0, 24):  # midnight
            part, hour = part or ("" if is_named else "凌晨"), 12
        count = "兩" if hour == 2 else str(hour)
        if minute == 0:
            rest = ""
        elif minute == 30:
            rest = "半"
        else:
            rest = f"{'零' if minute < 10 else ''}{minute}分"
        yield _whole(found, f"{part}{count}點{rest}")


def _part_of_day(hour: int, half: str) -> str:
    if half == "a":
        return "凌晨" if hour < 6 or hour == 12 else "朝早"
    if hour == 12:
        return "中午"
    return "下晝" if hour < 6 else "夜晚"


def _two(text: str, _language: str) -> Iterator[Change]:
    """``2位`` is 兩位; ``第2次`` and ``2號`` stay 二."""
    for found in _TWO.finditer(text):
        yield _whole(found, "兩")


def _spelled(digits: str, words: tuple[str, ...]) -> str:
    return "".join(words[int(digit)] for digit in digits)


def _whole(found: re.Match[str], said: str) -> Change:
    return Change(found.start(), ((len(found.group()), said),))
