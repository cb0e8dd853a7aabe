"""Short things callers say, judged on their own."""

from __future__ import annotations

import pytest

from voice.lexicon import (
    has_stop_word,
    is_backchannel,
    is_filler,
    is_polite_tail,
    is_yes_or_no,
)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", "Yes."),
        ("en-US", "um, yeah, sure"),
        ("en-US", "No, thank you!"),
        ("en-US", "yes it is"),
        ("en-US", "NOPE"),
        ("en-US", "okay"),
        ("de-DE", "Ja, genau."),
        ("de-DE", "nein danke"),
        ("es-ES", "sí, claro"),
        ("es-ES", "si"),
        ("it-IT", "sì certo"),
        ("fr-FR", "oui, tout à fait"),
        ("fr-FR", "non merci"),
        ("pt-BR", "não, obrigado"),
        ("zh-CN", "对，没错"),
        ("zh-TW", "不用了謝謝"),
        ("zh-HK", "係呀係呀"),
        ("yue", "唔使喇唔該"),
        ("ja-JP", "はい、お願いします"),
        ("ja-JP", "いいえ、結構です。"),
        ("ko-KR", "네, 맞아요"),
        ("nl-NL", "ja hoor"),
        ("ru-RU", "да, конечно"),
        ("tr-TR", "evet, doğru"),
        ("hi-IN", "जी हाँ"),
        ("ar-SA", "نعم صحيح"),
        ("th-TH", "ใช่ครับ"),
        ("vi-VN", "dạ vâng"),
        ("pl-PL", "tak, zgadza się"),
        ("xx", "ok"),
    ],
)
def test_a_yes_or_a_no(language: str, text: str) -> None:
    assert is_yes_or_no(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", ""),
        ("en-US", "um"),
        ("en-US", "please"),
        ("en-US", "yes I'd like a table"),
        ("en-US", "no on Tuesday"),
        ("de-DE", "ja aber"),
        ("es-ES", "si puede ser"),
        ("zh-CN", "是明天"),
        ("zh-HK", "即係"),
        ("yue", "係聽日"),
        ("ja-JP", "はい明日です"),
        ("en-US", "yes " * 40),
    ],
)
def test_more_than_a_yes_or_a_no(language: str, text: str) -> None:
    assert not is_yes_or_no(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", "Mhm."),
        ("en-US", "uh-huh"),
        ("en-US", "oh okay, I see"),
        ("de-DE", "ach so, ja"),
        ("fr-FR", "d'accord"),
        ("es-ES", "ajá, claro"),
        ("it-IT", "ah, capisco"),
        ("zh-CN", "嗯嗯"),
        ("zh-CN", "哦，这样啊"),
        ("zh-HK", "哦係咩"),
        ("yue", "嗯，明白"),
        ("ja-JP", "はいはい"),
        ("ja-JP", "なるほど"),
        ("ko-KR", "아, 그렇군요"),
        ("th-TH", "อ๋อ ครับ"),
        ("xx", "mm-hmm"),
    ],
)
def test_a_listener_says(language: str, text: str) -> None:
    assert is_backchannel(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", ""),
        ("en-US", "okay but"),
        ("en-US", "wait"),
        ("en-US", "uh-huh, and what about Friday"),
        ("zh-CN", "嗯但是"),
        ("yue", "等陣"),
        ("ja-JP", "はい、でも"),
    ],
)
def test_a_listener_who_wants_the_floor(language: str, text: str) -> None:
    assert not is_backchannel(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", "stop"),
        ("en-US", "okay hold on a second"),
        ("en-US", "No, no, that's not it"),
        ("de-DE", "Moment mal bitte"),
        ("es-ES", "espere un momento"),
        ("fr-FR", "attendez"),
        ("it-IT", "un attimo"),
        ("pt-BR", "peraí"),
        ("zh-CN", "等一下"),
        ("zh-HK", "等陣先,唔係呢個意思"),
        ("yue", "停"),
        ("ja-JP", "ちょっと待ってください"),
        ("ko-KR", "잠깐만요"),
        ("ru-RU", "подождите"),
        ("nl-NL", "wacht even"),
        ("th-TH", "เดี๋ยวก่อน"),
        ("xx", "STOP!"),
    ],
)
def test_the_agent_must_stop(language: str, text: str) -> None:
    assert has_stop_word(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", "mhm"),
        ("en-US", "no problem"),
        ("en-US", "I can't wait to see it"),
        ("en-US", "nonstop"),
        ("es-ES", "para mañana"),
        ("pt-BR", "para duas pessoas"),
        ("zh-CN", "是不是明天"),
        ("zh-CN", "附近可以停车吗"),
        ("zh-HK", "係唔係聽日"),
        ("yue", "有冇得停車場泊"),
        ("zh-CN", "特别好"),
    ],
)
def test_words_that_only_look_like_a_stop(language: str, text: str) -> None:
    assert not has_stop_word(text, language)


@pytest.mark.parametrize(
    ("language", "text", "is_one"),
    [
        ("en", "um", True),
        ("en", "uh, you know", True),
        ("en", "um yes", False),
        ("en", "", False),
        ("de", "ähm", True),
        ("fr", "euh bah", True),
        ("zh", "那个", True),
        ("yue", "即係", True),
        ("ja", "えーと", True),
        ("ko", "음 그게", True),
        ("xx", "hmm", True),
    ],
)
def test_only_hesitation(language: str, text: str, is_one: bool) -> None:
    assert is_filler(text, language) is is_one


@pytest.mark.parametrize(
    ("language", "extra", "is_one"),
    [
        ("en", "", True),
        ("en", " please.", True),
        ("en", "thanks very much", True),
        ("en", "um, please", True),
        ("en", "please, for two", False),
        ("de", "bitte", True),
        ("de", "bitte morgen", False),
        ("zh", "谢谢", True),
        ("yue", "唔該晒", True),
        ("yue", "呀唔該", True),
        ("yue", "唔該聽日", False),
        ("ja", "お願いします", True),
        ("fr", "s'il vous plaît", True),
        ("xx", "demain", False),
    ],
)
def test_politeness_adds_nothing(language: str, extra: str, is_one: bool) -> None:
    assert is_polite_tail(extra, language) is is_one
