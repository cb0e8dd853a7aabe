"""Digits in words and figures, and numbers that must go on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.lexicon import Cue, digits_in, end_cue


@pytest.mark.parametrize(
    ("language", "text", "digits"),
    [
        ("en-US", "", 0),
        ("en-US", "no idea", 0),
        ("en-US", "four one five", 3),
        ("en-US", "415-555-0100", 10),
        ("en-US", "(415) 555 01 00", 10),
        ("en-US", "double five", 2),
        ("en-GB", "oh seven double nine treble two", 7),
        ("en-US", "it's twenty five", 2),
        ("en-US", "twenty twenty six", 4),
        ("en-US", "nineteen eighty four", 4),
        ("en-US", "nineteen oh five", 4),
        ("en-US", "two thousand and six", 4),
        ("en-US", "one eight hundred five five five", 7),
        ("en-US", "three hundred and twelve", 3),
        ("en-US", "one hundred twenty three thousand", 6),
        ("en-US", "oh, I see", 0),
        ("en-US", "the 21st of March 1985", 6),
        ("en-GB", "s w 1 a 2 a a", 2),
        ("de-DE", "null eins fünf zwo", 4),
        ("de-DE", "fünfundzwanzig dreiunddreißig", 4),
        ("de-DE", "neunzehnhundert", 4),
        ("de-DE", "zweihundertfünf", 3),
        ("de-DE", "dreihundertfünfundzwanzig", 3),
        ("de-DE", "zweitausendvierundzwanzig", 4),
        ("de-DE", "tausendsassa", 0),
        ("de-DE", "ein Tisch", 0),
        ("es-ES", "seis uno dos treinta y cuatro", 5),
        ("es-ES", "noventa y nueve cero uno", 4),
        ("es-ES", "una mesa", 0),
        ("it-IT", "tre tre otto ventuno", 5),
        ("it-IT", "trentotto sessantatré", 4),
        ("it-IT", "centoventi trecentouno", 6),
        ("it-IT", "duemilaventiquattro", 4),
        ("fr-FR", "zéro six quatre-vingt-dix-sept soixante-quinze", 6),
        ("fr-FR", "quatre-vingts", 2),
        ("fr-FR", "soixante et onze", 2),
        ("fr-FR", "vingt et un", 2),
        ("fr-FR", "soixante dix sept", 2),
        ("fr-FR", "deux cent quarante", 3),
        ("pt-BR", "nove nove meia um", 4),
        ("pt-PT", "vinte e cinco", 2),
        ("zh-CN", "一三八零零一二", 7),
        ("zh-CN", "幺三八", 3),
        ("zh-CN", "二十五", 2),
        ("zh-CN", "十五", 2),
        ("zh-CN", "一百零五", 3),
        ("zh-CN", "一百二十三", 3),
        ("zh-CN", "三万五", 5),
        ("zh-CN", "两千零二十四年", 4),
        ("zh-CN", "十二万三千", 6),
        ("zh-HK", "我電話係九一二三 四五六七", 8),
        ("yue", "廿五", 2),
        ("zh-HK", "九一三個五", 5),
        ("zh-HK", "三個5", 3),
        ("zh-HK", "雙七孖二", 4),
        ("zh-CN", "一三八三个零", 6),
        ("zh-CN", "三个人", 1),
        ("zh-CN", "三个五十", 3),
        ("zh-CN", "一个五", 1),
        ("yue", "九一二三4567", 8),
        ("ja-JP", "ゼロきゅうゼロいちにさんよん", 7),
        ("ja-JP", "〇九〇、一二三四", 7),
        ("ja-JP", "田中さんに", 0),
        ("ko-KR", "공일공 일이삼사", 7),
        ("ko-KR", "공 일 공", 3),
        ("ko-KR", "이 사람이", 0),
        ("ko-KR", "이십오", 2),
        ("ru-RU", "восемь девятьсот шестнадцать", 4),
        ("nl-NL", "nul zes twaalf", 4),
        ("pl-PL", "pięćset jeden", 3),
        ("th-TH", "ศูนย์แปดหนึ่ง", 3),
        ("hi-IN", "नौ आठ डबल सात", 4),
        ("ar-SA", "٠٥٠١٢٣", 6),
        ("xx", "12 34", 4),
    ],
)
def test_digits_are_counted_as_they_are_dialled(language: str, text: str, digits: int) -> None:
    assert digits_in(text, language) == digits


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", "nine one"),
        ("en-US", "my number is four one five"),
        ("en-US", "my phone number is 415"),
        ("en-US", "my phone number is 415 555"),
        ("en-US", "twenty"),
        ("en-US", "zero point"),
        ("en-GB", "oh seven nine double"),
        ("en-US", "the account number is 12"),
        ("de-DE", "null eins"),
        ("de-DE", "drei Komma"),
        ("de-DE", "meine Nummer ist null eins sieben"),
        ("es-ES", "mi número es seis uno dos"),
        ("fr-FR", "mon numéro c'est le zéro six"),
        ("it-IT", "il mio numero è tre tre otto"),
        ("zh-CN", "我的电话是一三八"),
        ("zh-HK", "我電話係九一二三"),
    ],
)
def test_a_number_that_must_go_on(language: str, text: str) -> None:
    assert end_cue(text, language).cue is Cue.HOLD


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", "my phone number is four one five five five five zero one zero zero"),
        ("en-US", "at seven thirty"),
        ("en-US", "for four people"),
        ("en-US", "seven"),
        ("en-US", "1985"),
        ("en-US", "in nineteen eighty four"),
        ("en-US", "it's one two three four"),
        ("en-US", "10:30"),
        ("de-DE", "um halb acht"),
        ("es-ES", "desde el año 48"),
        ("fr-FR", "à vingt heures trente"),
        ("zh-CN", "设置闹钟在上午5点"),
        ("zh-CN", "星期一"),
        ("zh-CN", "二十个人"),
        ("zh-HK", "我電話係九一二三四五六七"),
    ],
)
def test_a_number_that_may_be_complete(language: str, text: str) -> None:
    assert end_cue(text, language).cue is not Cue.HOLD


ENGLISH = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
HAN = "零一二三四五六七八九"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=16))
def test_digits_read_out_one_by_one(digits: list[int]) -> None:
    assert digits_in(" ".join(ENGLISH[digit] for digit in digits), "en") == len(digits)
    assert digits_in("".join(HAN[digit] for digit in digits), "zh") == len(digits)
    assert digits_in("".join(map(str, digits)), "ja") == len(digits)


TENS = {2: "twenty", 3: "thirty", 5: "fifty", 9: "ninety"}


def _english(number: int) -> str:
    thousands, rest = divmod(number, 1000)
    hundreds, rest = divmod(rest, 100)
    words = [ENGLISH[thousands], "thousand"] if thousands else []
    words += [ENGLISH[hundreds], "hundred"] if hundreds else []
    tens, units = divmod(rest, 10)
    words += [TENS[tens]] if tens else []
    words += [ENGLISH[units]] if units else []
    return " ".join(words)


def _chinese(number: int) -> str:
    text, owed = "", False
    for unit, size in (("千", 1000), ("百", 100), ("十", 10), ("", 1)):
        digit = number // size % 10
        if digit:
            text += ("零" if owed else "") + HAN[digit] + unit
        owed = bool(text) and not digit
    return text


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 9), st.integers(0, 9), st.sampled_from([0, *TENS]), st.integers(0, 9))
def test_a_cardinal_has_the_digits_of_its_value(
    thousands: int, hundreds: int, tens: int, units: int
) -> None:
    number = 1000 * thousands + 100 * hundreds + 10 * tens + units
    if number:
        assert digits_in(_english(number), "en") == len(str(number))
        assert digits_in(_chinese(number), "zh") == len(str(number))


@pytest.mark.parametrize(
    ("language", "token"),
    [
        ("de", "tausendhundert" * 12 + "x"),
        ("de", "hundert" * 2_500),
        ("it", "milamillecento" * 8),
        ("nl", "duizend" * 2_500),
    ],
)
def test_a_word_made_of_number_words_without_end_is_no_number(language: str, token: str) -> None:
    """Such took minutes of the event loop, or all of the stack."""
    assert digits_in(token, language) == 0
    assert end_cue(token, language).cue is Cue.NEUTRAL
