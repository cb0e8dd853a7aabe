"""Cutting streamed replies into segments."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue.cutter import CutLimits, SegmentCutter


def cut(text: str, language: str = "en-US", *, at: tuple[int, ...] = ()) -> list[str]:
    cutter = SegmentCutter(language)
    edges = [0, *sorted(at), len(text)]
    segments = []
    for start, end in pairwise(edges):
        segments += cutter.feed(text[start:end])
    return segments + cutter.finish()


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("Sure. I can help! What is your name?", ["Sure.", "I can help!", "What is your name?"]),
        ("Of course, I can do that.", ["Of course,", "I can do that."]),
        ("Hi! How can I help you?", ["Hi! How can I help you?"]),
        ("Dr. Smith is in.", ["Dr. Smith is in."]),
        ("It opens at 9 a.m. on weekdays.", ["It opens at 9 a.m. on weekdays."]),
        ("Come at 5 p.m. We wait.", ["Come at 5 p.m.", "We wait."]),
        ("In the U.S. it is free, e.g. here.", ["In the U.S. it is free,", "e.g. here."]),
        ("No. We are closed.", ["No. We are closed."]),
        ("That is room No. 5 today.", ["That is room No. 5 today."]),
        ("I said no. We are closed.", ["I said no.", "We are closed."]),
        ("Ask J. R. Smith.", ["Ask J. R. Smith."]),
        ("So do I. Good.", ["So do I.", "Good."]),
        ("It costs 22,1 or 1,000.50 in all.", ["It costs 22,1 or 1,000.50 in all."]),
        ("Be there at 10:30 or 4:15.", ["Be there at 10:30 or 4:15."]),
        ("Dial 5, 5, 5, 1 now.", ["Dial 5, 5, 5, 1 now."]),
        ("1. Apples\n2. Pears", ["1. Apples", "2. Pears"]),
        ("Options: 1. Red 2. Blue", ["Options:", "1. Red 2. Blue"]),
        ("See www.example.com. Then call.", ["See www.example.com.", "Then call."]),
        ("Mail jo.doe@x.co.uk, thanks.", ["Mail jo.doe@x.co.uk,", "thanks."]),
        ('He said "go." Then he left.', ['He said "go."', "Then he left."]),
        ("Really?! I did not know.", ["Really?", "I did not know."]),
        ("Well... let me look.", ["Well...", "let me look."]),
        ("I live in the U.S. Would you?", ["I live in the U.S.", "Would you?"]),
        ("Ask at the U.S. Embassy now.", ["Ask at the U.S. Embassy now."]),
        ("It lands at 9 p.m. Pacific time.", ["It lands at 9 p.m. Pacific time."]),
        ("Sure, we do.", ["Sure,", "we do."]),
        ("It is on May 3, 2026, at noon.", ["It is on May 3, 2026,", "at noon."]),
        ("He said (yes, we do!) and left.", ["He said (yes,", "we do!)", "and left."]),
        ("See x.com/?a=b now. Then call me.", ["See x.com/?a=b now.", "Then call me."]),
        ("Please ask them because we do.", ["Please ask them", "because we do."]),
        ("I could do it even if we close.", ["I could do it even if we close."]),
        ("This is the case in which we call.", ["This is the case in which we call."]),
        ("It is plan B. Would you take it?", ["It is plan B.", "Would you take it?"]),
        ("From 9 - 17 we are open.", ["From 9 - 17 we are open."]),
        ("Five–six — or maybe more.", ["Five–six —", "or maybe more."]),
        ("First line\nsecond line", ["First line", "second line"]),
        ("", []),
        ("   \n ", []),
        ("...", []),
        ("- !?", []),
    ],
)
def test_english(text: str, segments: list[str]) -> None:
    assert cut(text) == segments


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("好呀，我幫你睇下。多謝！", ["好呀，", "我幫你睇下。", "多謝！"]),
        ("你嘅訂單號碼係A382，多謝。", ["你嘅訂單號碼係", "A382，多謝。"]),
        ("你嘅電話號碼係咪6088？", ["你嘅電話號碼係咪6088？"]),
        ("系統寫住2345 6789，啱唔啱？", ["系統寫住", "2345 6789，", "啱唔啱？"]),
        ("已經記低WX-20931。多謝。", ["已經記低", "WX-20931。", "多謝。"]),
        ("系統顯示2個訂單。", ["系統顯示2個訂單。"]),
        ("系統顯示10時有位。", ["系統顯示10時有位。"]),
        ("你可以打2345 6789。", ["你可以打2345 6789。"]),
        ("你嘅結餘係$1,234.50。", ["你嘅結餘係", "$1,234.50。"]),
        ("我聽日唔得因為我要返工。", ["我聽日唔得", "因為我要返工。"]),
        ("冇問題！你想訂幾多位？", ["冇問題！", "你想訂幾多位？"]),
        ("總共１，０００蚊。", ["總共１，０００蚊。"]),
        ("下晝３：３０，可以嗎？", ["下晝３：３０，", "可以嗎？"]),
        ("「你好。」佢話。", ["「你好。」", "佢話。"]),
        ("真係？！好嘢。", ["真係？", "好嘢。"]),
        ("係，冇錯。", ["係，", "冇錯。"]),
        ("A，冇錯。", ["A，冇錯。"]),
        ("OK，冇問題。", ["OK，冇問題。"]),
        ("我哋喺彌敦道100號，地下。", ["我哋喺彌敦道100號，", "地下。"]),
        ("等等……我睇下。", ["等等…", "我睇下。"]),
    ],
)
def test_cantonese(text: str, segments: list[str]) -> None:
    assert cut(text, "zh-HK") == segments


@pytest.mark.parametrize(
    ("language", "text", "segments"),
    [
        ("de-DE", "Am 3. Mai kommt Hr. Maier.", ["Am 3. Mai kommt Hr. Maier."]),
        ("fr-FR", "Mme. Petit arrive. Bien.", ["Mme. Petit arrive.", "Bien."]),
        ("hi-IN", "नमस्ते जी। आप कैसे हैं?", ["नमस्ते जी।", "आप कैसे हैं?"]),
        ("ar-EG", "مرحبا بك، كيف حالك؟ شكرا.", ["مرحبا بك،", "كيف حالك؟", "شكرا."]),
        ("de-DE", "Am 3. Mai. Möchten Sie?", ["Am 3. Mai.", "Möchten Sie?"]),
        ("de-DE", "Es sind 25. Möchten Sie?", ["Es sind 25.", "Möchten Sie?"]),
        ("de-DE", "Im 2. Stock bitte.", ["Im 2. Stock bitte."]),
        ("pl-PL", "Jest o godz. 10.30. Dobrze?", ["Jest o godz. 10.30.", "Dobrze?"]),
        ("da-DK", "Det koster 5 kr. i alt. Fint?", ["Det koster 5 kr. i alt.", "Fint?"]),
        ("fr-FR", "Il est au 12, rue Haute, oui.", ["Il est au 12, rue Haute,", "oui."]),
        ("el-GR", "Τι κάνετε; Καλά είμαι.", ["Τι κάνετε;", "Καλά είμαι."]),
        ("hy-AM", "Այո, լավ է։ Շնորհակալ եմ։", ["Այո, լավ է։", "Շնորհակալ եմ։"]),
        ("am-ET", "እሺ፣ ይሁን። አመሰግናለሁ።", ["እሺ፣", "ይሁን።", "አመሰግናለሁ።"]),
        ("th-TH", "ได้ค่ะ เปิด 9 โมง ถึง 17 น. ค่ะ", ["ได้ค่ะ", "เปิด 9 โมง ถึง 17 น. ค่ะ"]),
        ("th-TH", "วันอื่น ๆ เปิดค่ะ", ["วันอื่น ๆ เปิดค่ะ"]),
        ("my-MM", "ဟုတ်ကဲ့၊ ရပါတယ်။", ["ဟုတ်ကဲ့၊", "ရပါတယ်။"]),
        ("km-KH", "អរគុណច្រើន។ សូមរង់ចាំ។", ["អរគុណច្រើន។", "សូមរង់ចាំ។"]),
        ("ur-PK", "جی ضرور۔ شکریہ۔", ["جی ضرور۔", "شکریہ۔"]),
        ("ka-GE", "კარგი. გმადლობთ.", ["კარგი.", "გმადლობთ."]),
        ("he-IL", 'אצל ד"ר לוי. טוב?', ['אצל ד"ר לוי.', "טוב?"]),
        ("ko-KR", "지금은 안 되지만 내일은 됩니다.", ["지금은 안 되지만", "내일은 됩니다."]),
        ("xx", "Ela jorta. Vemi!", ["Ela jorta.", "Vemi!"]),
    ],
)
def test_other_languages(language: str, text: str, segments: list[str]) -> None:
    assert cut(text, language) == segments


def test_chinese_terminators_need_no_look_ahead() -> None:
    assert SegmentCutter("zh-HK").feed("好嘅好嘅。") == ["好嘅好嘅。"]


def test_what_is_certain_needs_no_look_ahead() -> None:
    cutter = SegmentCutter("en-US")
    assert cutter.feed("Of course,") == ["Of course,"]
    assert cutter.feed(" I can do that!") == ["I can do that!"]


def test_a_number_may_end_in_the_middle_of_a_delta() -> None:
    cutter = SegmentCutter("zh-HK")
    assert cutter.feed("總共係１，") == []
    assert cutter.feed("０００蚊。") == ["總共係１，０００蚊。"]


def test_a_full_stop_waits_for_one_character() -> None:
    cutter = SegmentCutter("en-US")
    assert cutter.feed("I can do that.") == []
    assert cutter.feed(" ") == ["I can do that."]


def test_a_decimal_cut_at_its_point_by_the_stream_stays_whole() -> None:
    cutter = SegmentCutter("en-US")
    assert cutter.feed("That makes 3.") == []
    assert cutter.feed("50 in all. ") == ["That makes 3.50 in all."]


def test_later_clauses_are_longer_than_the_first() -> None:
    text = "Of course, yes, we do, and you can come whenever you like to, or call."
    assert cut(text) == [
        "Of course,",
        "yes, we do, and you can come whenever you like to,",
        "or call.",
    ]


@pytest.mark.parametrize("text", ["word " * 200, "字" * 400, "x" * 900, "7" * 900, "a1" * 500])
def test_no_segment_is_endless(text: str) -> None:
    limits = CutLimits()
    segments = cut(text)
    assert all(len(segment) <= limits.max_chars for segment in segments)
    assert "".join(segments).replace(" ", "") == text.replace(" ", "")


def test_a_long_run_of_words_is_cut_between_words() -> None:
    assert all(set(segment.split()) == {"word"} for segment in cut("word " * 200))


ENGLISH = (
    "Of course, I can help you with that. What day would suit you best?",
    "Sure, your order number 4,512 left our warehouse on Nov. 3 and should arrive by 5 p.m. today.",
    "I'm sorry to hear that. Let me check with Dr. Lee right away.",
    "We have two options: the basic plan at $9.99 a month, or the premium plan at $19.99.",
    "No problem at all! May I have your full name, please?",
    "Yes, we are open from 9 a.m. to 6 p.m. on weekdays.",
)
CANTONESE = (
    "好呀，我幫你睇下，你想訂邊一日？",
    "冇問題，你嘅預約改咗去下晝３點。",
    "唔好意思，我哋星期日休息，其他日子都開。",
    "可以呀，總共１，２００蚊，包埋早餐。",
    "多謝你打嚟，請問有咩可以幫到你？",
)


@pytest.mark.parametrize(
    ("replies", "language", "limit_chars"), [(ENGLISH, "en-US", 40), (CANTONESE, "zh-HK", 9)]
)
def test_the_first_segment_comes_early(
    replies: tuple[str, ...], language: str, limit_chars: int
) -> None:
    """12 English tokens are about 48 characters, 6 Cantonese ones about 9."""
    lengths = [len(cut(reply, language)[0]) for reply in replies]
    assert sum(lengths) / len(lengths) <= limit_chars


PIECES = [
    *"abIU 12,.!?:;\n—-\"'()…你好三。，！？、：」「１．ค่ะๆκΣдЮनम।ნა",
    *(
        "Dr. ",
        "p.m. ",
        "www.a.de/?b ",
        " because ",
        "因為",
        "號碼係",
        "ค่ะ ",
        " 지만 ",
        "3. Mai ",
        "Str. ",
    ),
]
LANGUAGES = [
    "en-US",
    "zh-HK",
    "th-TH",
    "de-DE",
    "fr-FR",
    "el-GR",
    "ko-KR",
    "hi-IN",
    "ka-GE",
    "xx",
    "",
]
SPEECH = st.lists(st.sampled_from(PIECES), max_size=100).map("".join)


@settings(max_examples=150, deadline=None)
@given(SPEECH, st.lists(st.integers(0, 120), max_size=6), st.sampled_from(LANGUAGES))
def test_segments_do_not_depend_on_how_the_stream_was_cut(
    text: str, edges: list[int], language: str
) -> None:
    at = tuple(min(edge, len(text)) for edge in edges)
    assert cut(text, language, at=at) == cut(text, language)


@settings(max_examples=150, deadline=None)
@given(st.one_of(SPEECH, st.text(max_size=400)), st.sampled_from(LANGUAGES))
def test_no_word_is_lost(text: str, language: str) -> None:
    def letters(of: str) -> list[str]:
        return [ch for ch in of if ch.isalnum()]

    assert letters("".join(cut(text, language))) == letters(text)


@settings(max_examples=50, deadline=None)
@given(SPEECH)
def test_every_segment_can_be_spoken(text: str) -> None:
    for segment in cut(text):
        assert any(ch.isalnum() for ch in segment)
        assert segment == segment.strip()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.from_regex(r"[0-9]{1,3}([.,:][0-9]{2,3}){0,2}", fullmatch=True), min_size=1))
def test_numbers_stay_whole(numbers: list[str]) -> None:
    numbers = numbers[:12]
    segments = cut(" and ".join(numbers) + ".")
    words = [word.strip(".,") for segment in segments for word in segment.split()]
    assert [word for word in words if word != "and"] == numbers


@pytest.mark.parametrize("text", ["acom\n4.99endcallAB九龍—a", "gent: 1000.50helloI、:"])
def test_thirds_and_halves_of_a_unit_add_up_to_the_same_in_any_order(text: str) -> None:
    """Each has as many units as a clause needs, to the last bit of a float."""
    assert cut(text, at=tuple(range(1, len(text)))) == cut(text)
