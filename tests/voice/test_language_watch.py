"""When a caller wants, or speaks, another language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.language_watch import Change, LanguageWatch

NAMES = {
    "en-US": ("english", "inglés", "inggeris", "英文"),
    "es-ES": ("español", "spanish"),
    "ms-MY": ("melayu", "malay"),
    "zh-CN": ("普通话", "中文", "mandarin"),
    "zh-HK": ("廣東話", "cantonese"),
}


def watch(current: str = "en-US", *tags: str) -> LanguageWatch:
    chosen = tags or tuple(NAMES)
    return LanguageWatch(current, {tag: NAMES[tag] for tag in {current, *chosen}})


@pytest.mark.parametrize(
    ("current", "words", "wanted"),
    [
        ("en-US", "Can we speak Spanish?", "es-ES"),
        ("en-US", "do you speak Malay", "ms-MY"),
        ("en-US", "Spanish, please.", "es-ES"),
        ("en-US", "I don't speak English well, can we talk in Spanish", "es-ES"),
        ("en-US", "could you switch to Cantonese", "zh-HK"),
        ("en-US", "Español por favor", "es-ES"),
        ("zh-HK", "可唔可以講英文？", "en-US"),
        ("zh-HK", "普通话", "zh-CN"),
        ("zh-CN", "能不能说廣東話", "zh-HK"),
        ("es-ES", "¿Habla inglés?", "en-US"),
        ("ms-MY", "boleh cakap inggeris", "en-US"),
    ],
)
def test_who_asks_gets_it_at_once(current: str, words: str, wanted: str) -> None:
    assert watch(current).hear(words) == Change(wanted, "asked")


@pytest.mark.parametrize(
    ("current", "words"),
    [
        ("en-US", "what time does the Spanish class on Friday begin"),
        ("en-US", "I don't speak Spanish"),
        ("en-US", "No, not Malay."),
        ("en-US", "can we speak English"),
        ("en-US", "do you speak German"),
        ("en-US", "my wife is Spanish but she will not come with us on Sunday"),
        ("zh-HK", "我唔識講普通话"),
        ("en-US", ""),
        ("en-US", "..."),
    ],
)
def test_what_is_no_wish(current: str, words: str) -> None:
    assert watch(current).hear(words) is None


@pytest.mark.parametrize(
    ("current", "first", "second", "spoken"),
    [
        ("en-US", "quiero una mesa para dos", "para mañana por la noche", "es-ES"),
        ("en-US", "saya mahu tempah untuk dua orang", "boleh saya tahu bila", "ms-MY"),
        ("en-US", "我想订一张桌子", "明天晚上可以吗", "zh-CN"),
        ("zh-CN", "我想訂枱唔該", "聽晚得唔得呀，我哋四位㗎", "zh-HK"),
        ("es-ES", "I would like to book a table", "for two at eight please", "en-US"),
    ],
)
def test_who_speaks_it_for_two_turns_gets_it(
    current: str, first: str, second: str, spoken: str
) -> None:
    one, other = (current, spoken) if spoken != current else (current, current)
    machine = watch(one, other)
    assert machine.hear(first) is None
    assert machine.hear(second) == Change(spoken, "heard")
    assert machine.current == spoken
    assert machine.hear(second) is None


def test_a_turn_in_the_calls_language_starts_the_count_anew() -> None:
    machine = watch("en-US", "es-ES")
    assert machine.hear("quiero una mesa para dos") is None
    assert machine.hear("sorry, I would like to have a table for two") is None
    assert machine.hear("quiero una mesa para dos") is None


def test_what_says_nothing_changes_no_count() -> None:
    machine = watch("en-US", "es-ES")
    assert machine.hear("quiero una mesa para dos") is None
    for words in ("okay", "García", "415 555"):
        assert machine.hear(words) is None
    assert machine.hear("para mañana por la noche") == Change("es-ES", "heard")


def test_the_recogniser_counts_first() -> None:
    machine = watch("en-US")
    assert machine.hear("Lopez Garcia", "es") is None
    assert machine.hear("Madrid Barcelona", "es-MX") == Change("es-ES", "heard")


def test_one_word_in_its_language_is_a_name() -> None:
    machine = watch("en-US")
    for _ in range(3):
        assert machine.hear("Lopez", "es") is None


def test_a_language_that_the_agent_does_not_have_is_nothing() -> None:
    machine = watch("en-US", "es-ES")
    for _ in range(3):
        assert machine.hear("ich möchte einen Tisch für zwei", "de") is None
        assert machine.hear("我想订一张桌子") is None


def test_an_agent_of_one_language_changes_nothing() -> None:
    machine = LanguageWatch("en-US", {"en-US": ("english",)})
    assert machine.hear("can we speak Spanish") is None


@given(st.text(max_size=200), st.sampled_from(["", "es", "zz", "zh-HK"]))
def test_any_words_are_taken(text: str, recognised: str) -> None:
    change = watch().hear(text, recognised)
    assert change is None or change.language in NAMES
