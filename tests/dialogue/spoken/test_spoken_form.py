"""What a voice is given instead of what it would read wrongly."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.reply_corpus import languages, replies
from dialogue.spoken import Level, clip_variant, spoken_form
from dialogue.spoken.digit_words import digit_words, tongue


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Call 415-555-0123.", "Call four one five, five five five, zero one two three."),
        (
            "Dial +1 (415) 555-0199",
            "Dial plus one, four one five, five five five, zero one nine nine",
        ),
        ("Order 20261103 is here.", "Order two zero two six, one one zero three is here."),
        ("Code WX-20931, PIN 0420.", "Code W X, two zero nine three one, PIN zero four two zero."),
        ("Your order number is 4512.", "Your order number is four five one two."),
        ("Room 1204 in 2026.", "Room 1204 in 2026."),
        ("It is 1,234,567 or 10,500.50 now.", "It is 1,234,567 or 10,500.50 now."),
        ("On 12.5.2026 or 03/05/2026.", "On 12.5.2026 or 03/05/2026."),
        ("On 2026-05-03 at 14:30.", "On May 3, 2026 at 14:30."),
        ("Version 3.10.2 of 2024-2026", "Version 3.10.2 of 2024 to 2026"),
        ("Open 9-17, 3–5 days, 9-5.", "Open 9 to 17, 3 to 5 days, 9 to 5."),
        ("It is 24-7, a 50-50 chance.", "It is 24-7, a 50-50 chance."),
        ("jo.doe92@x-y.co.uk now", "jo dot doe92 at x dash y dot co dot u k now"),
        ("See https://www.example.com/help?t=1, ok", "See www dot example dot com slash help, ok"),
        ("At 5 p.m. e.g. in the U.S. now", "At 5 p.m. e.g. in the U.S. now"),
        ("It is $5 and 50% of 5 km.", "It is $5 and 50% of 5 km."),
        ("Nothing to do.", "Nothing to do."),
    ],
)
def test_light_english(text: str, said: str) -> None:
    assert spoken_form(text, "en-US", "light").text == said


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("en-US", "$1,234.56, $5 or $1", "1,234 dollars and 56 cents, 5 dollars or 1 dollar"),
        ("en-GB", "£3.50 for 5 km", "3 pounds and 50 pence for 5 kilometers"),
        ("en-US", "No. 5 & #4", "number 5 and number 4"),
        ("de-DE", "1.234,56 € für 5 km", "1.234 Euro 56 für 5 Kilometer"),
        ("de-DE", "Nr. 5, 9-18 Uhr", "Nummer 5, 9 bis 18 Uhr"),
        ("de-DE", "Dr. Weber, am 3. Mai", "Doktor Weber, am dritten Mai"),
        (
            "de-DE",
            "der 21. Mai, z. B. um 14.30 Uhr",
            "der einundzwanzigste Mai, zum Beispiel um 14 Uhr 30",
        ),
        ("de-DE", "Fr. Klein, Bahnhofstr. 12", "Frau Klein, Bahnhofstraße 12"),
        ("en-US", "Dr. Lee, St. Mary, Main St. 5", "Doctor Lee, Saint Mary, Main Street 5"),
        ("en-US", "on Nov. 3, May 11, 2026", "on November 3rd, May 11th, 2026"),
        ("en-US", "e.g. approx. 12.5 lb.", "for example approximately 12.5 pounds"),
        ("fr-FR", "M. Roy au 2e à 14h30", "monsieur Roy au deuxième à 14 heures 30"),
        ("es-ES", "la Sra. Gil, 2.º izq.", "la señora Gil, segundo izquierda"),
        ("it-IT", "la sig.ra Neri al 2° piano", "la signora Neri al secondo piano"),
        ("pt-BR", "a Sra. Lima", "a senhora Lima"),
        ("da-DK", "ca. kl. 10", "cirka klokken 10"),
        ("ru-RU", "ул. Ленина, т.е. там", "улица Ленина, то есть там"),
        ("fr-FR", "1 234,56 € au n° 5", "1 234 euros 56 au numéro 5"),
        ("es-ES", "1.234,50 €", "1.234 euros con 50 céntimos"),
        ("pt-BR", "R$ 1.234,56", "1.234 reais e 56 centavos"),
        ("zh-HK", "下晝3:30，每月$98.5", "下晝3點半，每月98個半"),
        ("zh-HK", "總共１，２００蚊，50%", "總共1200蚊，百分之50"),
        ("zh-CN", "¥1,234.50，9:00-18:00", "1234点5元，9点到18点"),
        ("ja-JP", "¥500、20%", "500円、20パーセント"),
        ("ko-KR", "오후 3:30, 20%", "오후 3시 30분, 20퍼센트"),
    ],
)
def test_full(language: str, text: str, said: str) -> None:
    assert spoken_form(text, language, "full").text == said


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("de-DE", "Kundennummer 40815", "Kundennummer vier null acht eins fünf"),
        ("de-DE", "hilfe@example.de", "hilfe ät example Punkt d e"),
        ("fr-FR", "au 01 23 45 67 89", "au 01, 23, 45, 67, 89"),
        ("da-DK", "33 55 01 23", "33, 55, 01, 23"),
        ("it-IT", "06 555 0123", "zero sei, cinque cinque cinque, zero uno due tre"),
        ("zh-HK", "打2345 6789，", "打二三四五，六七八九，"),
        ("zh-HK", "號碼係A38291，", "號碼係A，三八二九一，"),
        ("zh-CN", "订单号是20261103", "订单号是二零二六，一一零三"),
        ("zh-HK", "1-2日，2026年3月", "1至2日，2026年3月"),
        ("ja-JP", "03-5555-0123です", "ゼロさん、ごごごご、ゼロいちにさんです"),
        ("ko-KR", "02-555-0123", "공 이, 오 오 오, 공 일 이 삼"),
        ("ar-SA", "٠١١ ٥٥٥ ٠١٢٣", "صفر واحد واحد, خمسة خمسة خمسة, صفر واحد اثنان ثلاثة"),
        ("xx", "call 555-0123-99", "call 5 5 5, 0 1 2 3, 9 9"),
    ],
)
def test_light_in_other_languages(language: str, text: str, said: str) -> None:
    assert spoken_form(text, language, "light").text == said


def test_every_language_of_the_corpus_has_its_digits() -> None:
    known = [tag for tag in languages() if digit_words(tongue(tag))[0] != "0"]
    assert set(languages()) - set(known) <= {"si-LK"}
    assert all(len(digit_words(tongue(tag))) == 10 for tag in known)


def test_positions_are_led_back_digit_by_digit() -> None:
    written = "Call B12345 now, 012-345-678"
    spoken = spoken_form(written, "en-US", "light")
    assert spoken.text == (
        "Call B, one two three four five now, zero one two, three four five, six seven eight"
    )

    def end_of(word: str) -> int:
        return spoken.text.rindex(word) + len(word)

    assert spoken.written_chars(4) == 4
    assert spoken.written_chars(end_of("now")) == written.index(", ")
    assert spoken.written_chars(end_of("zero") - 1) == written.index("012")
    assert spoken.written_chars(end_of("zero")) == written.index("012") + 1
    assert spoken.written_chars(end_of("six")) == written.index("678") + 1
    assert spoken.written_chars(len(spoken.text)) == len(written)


def test_what_stands_behind_a_change_is_where_it_was() -> None:
    written = "Write to jo@example.com, please."
    spoken = spoken_form(written, "en-US", "light")
    behind = spoken.text.index(", please")
    assert spoken.written_chars(behind) == written.index(", please")
    assert spoken.written_chars(behind + 4) == written.index(", please") + 4


LEVELS: list[Level] = ["light", "full"]
PIECES = [*"0123456789.,:/-–@$€%#& ABcd。，０１年", "415-555-0123", "a@b.com", "$1,234.56", "14:30"]


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.text(max_size=80)),
    st.sampled_from([*languages(), "xx", ""]),
    st.sampled_from(LEVELS),
)
def test_positions_never_go_back_and_end_at_the_end(text: str, language: str, level: Level) -> None:
    spoken = spoken_form(text, language, level)
    places = [spoken.written_chars(chars) for chars in range(len(spoken.text) + 1)]
    assert all(before <= after for before, after in pairwise(places))
    assert places[0] == 0 or not spoken.text
    assert places[-1] == len(text)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([reply for tag in languages() for reply in replies(tag)]))
def test_words_without_digits_stay(reply: object) -> None:
    text = "".join(
        ch for ch in getattr(reply, "text", "") if not ch.isdigit() and ch not in "@./#&"
    )
    assert spoken_form(text, getattr(reply, "language", ""), "light").text == text


def test_clips_are_told_apart_by_the_option() -> None:
    assert clip_variant("off") == ""
    assert len({clip_variant(option) for option in ("off", "auto", "on")}) == 3
