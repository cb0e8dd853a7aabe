"""Cantonese numbers as they are heard, written in digits: money, times, dates, addresses, phones.

A number is written only where something says that it is one: what is counted, a unit, a month, or
so many digits in a row. 九龍, 一齊, 萬一, 三四個 ("three or four") and 十分 ("very") stay words.
Reads traditional and simplified characters, and leaves them as they are.
"""

from __future__ import annotations

import re

from dialogue.written.han_numbers import NUMERALS, is_spelled, spelled, value_of

_FILL = "(?<=[十廿卅卌二三四五六七八九])[呀啊阿](?=[一二三四五六七八九])"
_N = rf"[{NUMERALS}](?:[{NUMERALS}]|{_FILL})*"
_D = "零〇一二三四五六七八九幺"
_BIG = "十百千萬万億亿廿卅"
_AFTER_DIGIT = "個个位號号點点月日年蚊元塊块歲岁分"
_DIGIT_RUN = re.compile(rf"(?<![{_BIG}兩两第])(?:[{_D}]|孖(?=[{_D}])){{3,}}(?![{_BIG}])")
# Recognisers part what is dictated: 六六八八 零零 一二. Two more belong to what is written already.
_GROUP_AFTER = re.compile(rf"(?<=\d\d\d )(?:[{_D}]+ )*[{_D}]{{2,}}(?![{NUMERALS}{_AFTER_DIGIT}])")
_DOUBLED = re.compile(rf"孖([{_D}])")
_IDIOM = re.compile("七七八八|三三四四|三五七")
_AFTER_DIGITS = re.compile(rf"[{_D}\d][，, ]?$")
_PLUS = re.compile(r"加(?=(?:852|853|86)[，, ]?\d{8,11}(?!\d))")
_BRACKET = re.compile(rf"(?<=[A-Za-z]\d{{6}})[，, ]?括[號号弧]([{_D}\dA])")
_PERCENT = re.compile(rf"百分之({_N})(?:[點点]([{_D}]+))?")
_DECIMAL = re.compile(
    rf"({_N})[點点]([{_D}]{{1,3}})(?=\s*(?:厘|公里|巴仙|%|度|米|公斤|磅|億|亿|萬|万|倍|蚊|公升|吋|尺))"
)
_WEEKDAY = "".join(rf"|(?<={week}[一二三四五六])" for week in ("星期", "禮拜", "礼拜", "週", "周"))
_HOUR = (
    rf"(?P<hour>十[一二三四五六七八九]?|[{_D}兩两]"
    r"|廿[一二三四]?|二十[一二三四]?|1[0-9]|2[0-4]|[0-9])"
)
_DAY_PART = (
    "凌晨|清晨|朝早|朝頭早|上晝|上昼|上午|晏晝|中午|下晝|下昼|下午|傍晚|夜晚|今晚|聽晚|听晚"
    "|晚上|琴晚|尋晚|半夜|聽朝|听朝|今朝|琴日|尋日|聽日|听日|今日|後日|后日"
)
_CLOCK = re.compile(
    rf"(?:(?<![{NUMERALS}\d]){_WEEKDAY})(?P<part>{_DAY_PART})?(?P<gap>嘅|的|大約|大概)?{_HOUR}[點点]"
    rf"(?:(?P<half>半)(?!個|个)|(?P<minute>{_N}|\d{{1,2}})分(?![鐘钟之店])|(?P<words>[一二兩两三四五六七八九十]{{1,2}})[個个]?字(?![母幕])"
    rf"|[搭踏](?:正)?(?P<after>[一二三四五六七八九十]{{1,2}})|(?P<quarter>[一三])(?:[個个]?骨|刻[鐘钟]?)|(?P<sharp>正|鐘正|钟正))"
)
_BARE_CLOCK = re.compile(
    rf"(?P<part>{_DAY_PART}){_HOUR}[點点](?P<after>[一二三四五六七八九]|十[一]?)(?![{NUMERALS}分個个厘度%])"
)
_YEAR = re.compile(rf"([一二][{_D}]{{3}})年")
_MONTH_DAY = re.compile(rf"({_N}|\d{{1,2}})月({_N}|\d{{1,2}})([號号日])")
_MONTH = re.compile(
    rf"(?<![{NUMERALS}個个\d])(十[一二]?|[一二三四五六七八九])月(?![餅饼台初節节{NUMERALS}])"
)
_DIMES = re.compile(rf"({_N})([蚊個个塊块])({_N})[毫毛角](?:子|紙)?(半)?")
_HALF_DOLLAR = re.compile(rf"({_N})([蚊塊块])半")
_DOLLARS_AND = re.compile(
    rf"({_N})([蚊塊块])([一二三四五六七八九])(?![{NUMERALS}個个毫毛角蚊塊块])"
)
_PRICE = re.compile(
    rf"([{NUMERALS}]{{2,}})[個个]([一二三四五六七八九])(?=$|[，。,.？?！! ]|呀|㗎|啦|嘅)"
)
_HUNDREDS = re.compile(rf"([{_D}兩两十]+)[嚿旧舊]水")
_APPROXIMATE = re.compile(r"^(?:[一二三四五六七八]){2}$")
_AFTER_APPROXIMATE = re.compile(
    r"[一二三四五六七八九]{2}[十百千萬万]|[十百千][一二三四五六七八九]{2}$"
)
_COUNTED = (
    "蚊|元|塊|块|毫|個|个|位|樓|楼|號|号|歲|岁|日|年|次|間|间|張|张|件|分鐘|分钟|秒|公里|米|度|人|晚|杯|碟|碗|枝|支|盒"
    "|字樓|字楼|粒鐘|粒钟|包|本|部|架|隻|只|條|条|對|对|層|层|座|室|期|倍|磅|斤|公斤|克|尺|呎|吋|厘|巴仙|步|小時|小时|鐘頭|钟头|星期"
    rf"|[點点](?![{NUMERALS}])"
    "|美金|美元|港紙|港纸|港幣|港币|葡幣|葡币|人民幣|人民币|歐元|欧元|英鎊|英镑|日圓"
    rf"|月(?![初節节{NUMERALS}])"
)
_COUNT = re.compile(rf"(?<![第初點点幾几數数\d])({_N})(?=(?:{_COUNTED}))")
_ONE_COUNTS = re.compile(r"樓|楼|號|号|月|蚊|室|座|歲|岁")
_AFTER_DAY_PART = re.compile(rf"(?:{_DAY_PART})$")
_THIRTY = 30
_LEAST_FEVER = 30
# What is said in so few digits is "three or five" where it counts, and a name where it numbers.
_NAMES = re.compile(r"號|号|樓|楼|室|座|房|期|年|分")
_SPELLED_PAIR = 2
_DEGREES = re.compile(rf"({_N})度(半|[{_D}])(?![{NUMERALS}度])")
_TALL = re.compile(rf"([一二兩两])米([{_D}]{{1,2}})(?![{NUMERALS}])")
_MINUTES = re.compile(
    rf"(?<![{NUMERALS}\d]){_HOUR}[點点]"
    r"(?P<minute>零[一二三四五六七八九]|十[二三四五六七八九]|[二三四五]十[一二三四五六七八九]?)"
    rf"(?!\s*(?:[{NUMERALS}分個个厘度%公米億亿萬万倍磅元巴字]))"
)
_NUMBERED = re.compile(rf"第({_N})(?=[個个次號号位期層层座日])")


def written_numbers(text: str) -> str:
    """``text`` with the numbers that are surely numbers in digits. Never raises; linear."""
    if not any(char in NUMERALS for char in text):
        return text
    text = _DIGIT_RUN.sub(_digits, text)
    text = _GROUP_AFTER.sub(lambda m: "".join(map(_digit, m.group())), text)
    text = _BRACKET.sub(lambda m: f"({_digit(m.group(1))})", text)
    text = _PLUS.sub("+", text)
    text = _PERCENT.sub(_percent, text)
    text = _CLOCK.sub(_clock, text)
    text = _BARE_CLOCK.sub(_clock, text)
    text = _MINUTES.sub(_minutes, text)
    text = _YEAR.sub(lambda m: f"{spelled(m.group(1))}年", text)
    text = _MONTH_DAY.sub(_month_day, text)
    text = _MONTH.sub(lambda m: f"{value_of(m.group(1))}月", text)
    text = _HUNDREDS.sub(_hundreds, text)
    text = _DIMES.sub(_dimes, text)
    text = _HALF_DOLLAR.sub(lambda m: _money(m.group(1), "5", m.group(), m.group(2)), text)
    text = _PRICE.sub(lambda m: _money(m.group(1), spelled(m.group(2)), m.group()), text)
    text = _DOLLARS_AND.sub(
        lambda m: _money(m.group(1), spelled(m.group(3)), m.group(), m.group(2)), text
    )
    text = _DECIMAL.sub(_decimal, text)
    text = _DEGREES.sub(_degrees, text)
    text = _TALL.sub(lambda m: f"{value_of(m.group(1))}.{spelled(m.group(2))}米", text)
    text = _NUMBERED.sub(lambda m: f"第{_number(m.group(1)) or m.group(1)}", text)
    return _COUNT.sub(_count, text)


def _digit(char: str) -> str:
    return char if char.isascii() else spelled(char)


def _digits(found: re.Match[str]) -> str:
    before = found.string[: found.start()]
    if _IDIOM.fullmatch(found.group()) and not _AFTER_DIGITS.search(before):
        return found.group()
    return spelled(_DOUBLED.sub(r"\1\1", found.group()))


def _number(run: str) -> str | None:
    """Digits of a run that is one number; None for "three or four" and what is no number."""
    if run.isdecimal() and run.isascii():
        return run
    if len(run) > 1 and run[-1] == "零" and run[-2] in _BIG:  # 百零蚊: "a hundred and some"
        return None
    if _APPROXIMATE.match(run) and spelled(run[1]) == str(int(spelled(run[0])) + 1):
        return None
    if _AFTER_APPROXIMATE.search(run):
        return None
    if is_spelled(run):
        return spelled(run)
    value = value_of(run)
    return None if value is None else str(value)


def _percent(found: re.Match[str]) -> str:
    number = _number(found.group(1))
    if number is None or number == "100":
        return found.group()
    return f"{number}{'.' + spelled(found.group(2)) if found.group(2) else ''}%"


def _clock(found: re.Match[str]) -> str:
    groups = found.groupdict()
    hour = _number(groups["hour"])
    if hour is None:
        return found.group()
    minute: int | None = 0
    if groups.get("half"):
        minute = _THIRTY
    elif groups.get("minute"):
        number = _number(groups["minute"])
        minute = None if number is None else int(number)
    elif groups.get("quarter"):
        minute = 15 * int(spelled(groups["quarter"]))
    elif groups.get("words") or groups.get("after"):  # the clock's face has twelve words of five
        words = value_of(groups.get("words") or groups["after"])
        minute = None if words is None else 5 * words
    if minute is None or minute >= 60:
        return found.group()
    before = (groups["part"] or "") + (groups.get("gap") or "")
    return f"{before}{int(hour)}:{minute:02}"


def _minutes(found: re.Match[str]) -> str:
    """兩點十五, 三點零五; of 三點十一 nobody knows whether it is minutes or words of five."""
    hour, minute = _number(found.group("hour")), _number(found.group("minute").lstrip("零"))
    return found.group() if hour is None or minute is None else f"{int(hour)}:{int(minute):02}"


def _degrees(found: re.Match[str]) -> str:
    number, rest = _number(found.group(1)), found.group(2)
    if number is None or int(number) < _LEAST_FEVER:
        return found.group()
    return f"{number}.{'5' if rest == '半' else spelled(rest)}度"


def _month_day(found: re.Match[str]) -> str:
    month, day = _number(found.group(1)), _number(found.group(2))
    if month is None or day is None or not 1 <= int(month) <= 12 or not 1 <= int(day) <= 31:
        return found.group()
    return f"{month}月{day}{found.group(3)}"


def _hundreds(found: re.Match[str]) -> str:
    number = _number(found.group(1))
    return found.group() if number is None else f"{int(number) * 100}蚊"


def _dimes(found: re.Match[str]) -> str:
    dimes = _number(found.group(3))
    if dimes is None or len(dimes) != 1:
        return found.group()
    cents = dimes + ("5" if found.group(4) else "")
    return _money(found.group(1), cents, found.group(), found.group(2))


def _money(dollars: str, cents: str, otherwise: str, name: str = "蚊") -> str:
    number = _number(dollars)
    return otherwise if number is None else f"{number}.{cents}{name if name in '塊块' else '蚊'}"


def _decimal(found: re.Match[str]) -> str:
    number = _number(found.group(1))
    return found.group() if number is None else f"{number}.{spelled(found.group(2))}"


def _count(found: re.Match[str]) -> str:
    run = found.group(1)
    after = found.string[found.end() : found.end() + 2]
    if run == "一" and not _ONE_COUNTS.match(after):  # 一次, 一點都
        is_hour = after[:1] in "點点" and _AFTER_DAY_PART.search(found.string[: found.start()])
        return "1" if is_hour else run
    if len(run) == _SPELLED_PAIR and is_spelled(run) and not _NAMES.match(after):
        return run  # 三五個, 一兩日, 兩三位
    return _number(run) or run
