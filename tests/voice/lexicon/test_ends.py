"""What last words say about the end of a turn: sentences of callers, none taken from the tables."""

from __future__ import annotations

import pytest

from voice.lexicon import Cue, end_cue

UNFINISHED = [
    ("en-US", "I'd like to change my appointment to"),
    ("en-US", "could you tell me if the"),
    ("en-US", "I was calling because"),
    ("en-US", "I ordered it on Monday and um"),
    ("en-US", "my name is"),
    ("en-US", "the doctor will"),
    ("en-US", "so I think we"),
    ("en-US", "I have a question about your"),
    ("en-US", "it was, well, in..."),
    ("en-US", "where is"),
    ("en-GB", "It's very"),
    ("de-DE", "ich hätte gern einen Tisch für"),
    ("de-DE", "ich rufe an, weil"),
    ("de-DE", "könnten Sie mir sagen, ob der"),
    ("de-DE", "also ähm"),
    ("es-MX", "quisiera cambiar la cita para el"),
    ("es-ES", "no puedo ir porque"),
    ("es-ES", "me llamo"),
    ("it-IT", "vorrei prenotare un tavolo per"),
    ("it-IT", "volevo sapere se"),
    ("fr-FR", "je voudrais réserver une table pour"),
    ("fr-FR", "c'est à propos de la"),
    ("fr-FR", "euh je"),
    ("pt-BR", "eu queria marcar uma consulta com"),
    ("pt-PT", "o meu número é"),
    ("zh-CN", "我想订一张桌子给"),
    ("zh-CN", "我不能去因为"),
    ("zh-CN", "麻烦帮我查一下明天的"),
    ("zh-TW", "請問你們"),
    ("zh-HK", "我想訂枱同埋"),
    ("yue", "我唔得閒因為"),
    ("yue-HK", "我個電話號碼係"),
    ("zh-HK", "即係"),
    ("ja-JP", "明日の三時に"),
    ("ja-JP", "予約を"),
    ("ja-JP", "えっと"),
    ("ko-KR", "내일 오후에 예약을"),
    ("ko-KR", "제가 못 가는데"),
    ("nl-NL", "ik wil graag een afspraak met"),
    ("pl-PL", "chciałbym zmienić termin na"),
    ("ru-RU", "я хочу записаться к"),
    ("tr-TR", "yarın için bir"),
    ("sv-SE", "jag skulle vilja boka ett bord för"),
    ("hi-IN", "मैं कल नहीं आ सकता क्योंकि"),
    ("ar-SA", "أريد أن أحجز طاولة في"),
    ("vi-VN", "tôi muốn đặt bàn cho hai người vào"),
    ("id-ID", "saya mau pesan meja untuk"),
    ("el-GR", "θέλω να κλείσω ένα τραπέζι για"),
    ("th-TH", "อยากจองโต๊ะสำหรับ"),
]

NOT_UNFINISHED = [
    ("en-US", "where are you from"),
    ("en-US", "what is it for"),
    ("en-US", "I can't log in"),
    ("en-US", "could you hold on"),
    ("en-US", "yes I am"),
    ("en-US", "I think so"),
    ("en-US", "at 9 am"),
    ("en-US", "my wife would like one as well"),
    ("en-US", "I don't know how much it is"),
    ("en-US", "s w one n o"),
    ("de-DE", "wann fängt das an"),
    ("de-DE", "rufen Sie mich bitte an"),
    ("de-DE", "machen Sie bitte die Tür auf"),
    ("de-DE", "ich lade Sie ein"),
    ("de-DE", "wie viel kostet das"),
    ("es-ES", "qué hora es"),
    ("es-ES", "sí, así es"),
    ("it-IT", "quanto costa, che cos'è"),
    ("fr-FR", "oui c'est ça"),
    ("pt-BR", "que horas são"),
    ("zh-CN", "可以"),
    ("zh-CN", "请你告诉我"),
    ("zh-CN", "你们几点开门"),
    ("zh-CN", "不是"),
    ("yue", "唔可以"),
    ("yue", "係我"),
    ("ja-JP", "待って"),
    ("ja-JP", "ちょっと待って"),
    ("ko-KR", "오늘 회의"),
    ("nl-NL", "waar gaat het over"),
    ("sv-SE", "vad är det för"),
]

FINISHED = [
    ("en-US", "no that's all thank you"),
    ("en-US", "yes please"),
    ("en-GB", "okay bye"),
    ("en-US", "What time do you close on Sunday?"),
    ("de-DE", "nein danke"),
    ("es-ES", "eso es todo, gracias"),
    ("it-IT", "a posto così, grazie mille"),
    ("fr-FR", "non merci, c'est tout"),
    ("pt-BR", "é só isso, obrigado"),
    ("zh-CN", "你们星期天开门吗"),
    ("zh-CN", "没有了谢谢"),
    ("zh-HK", "你哋星期日開到幾點呀"),
    ("yue", "唔使喇唔該"),
    ("yue", "得唔得㗎"),
    ("ja-JP", "明日の予約をお願いします"),
    ("ja-JP", "何時まで開いていますか"),
    ("ko-KR", "내일 예약하고 싶은데요"),
    ("ko-KR", "몇 시까지 하세요"),
    ("th-TH", "ขอบคุณมากครับ"),
    ("ar-EG", "كم السعر؟"),
]


@pytest.mark.parametrize(("language", "text"), UNFINISHED)
def test_something_must_follow(language: str, text: str) -> None:
    cue = end_cue(text, language)
    assert (cue.cue, bool(cue.why)) == (Cue.HOLD, True)


@pytest.mark.parametrize(("language", "text"), NOT_UNFINISHED)
def test_a_last_word_that_misleads_does_not_hold(language: str, text: str) -> None:
    assert end_cue(text, language).cue is not Cue.HOLD


@pytest.mark.parametrize(("language", "text"), FINISHED)
def test_people_stop_here(language: str, text: str) -> None:
    assert end_cue(text, language).cue is Cue.DONE


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-US", "yes"),
        ("en-US", "not really"),
        ("de-DE", "ja genau"),
        ("zh-CN", "对"),
        ("yue", "係呀"),
    ],
)
def test_whether_a_bare_yes_is_all_depends_on_the_question(language: str, text: str) -> None:
    assert end_cue(text, language).cue is Cue.NEUTRAL


@pytest.mark.parametrize(
    ("text", "language", "why"),
    [
        ("fish and", "en", "ends in a conjunction"),
        ("a table for", "en", "ends in a preposition"),
        ("um", "en", "only a hesitation"),
        ("mein", "de", "ends in a determiner"),
        ("我想食嘅話", "yue", "ends in a conjunction"),
        ("好喎", "yue", "ends in a final particle"),
        ("", "en", "no words"),
    ],
)
def test_the_reason_is_short_and_says_which_evidence_it_is(
    text: str, language: str, why: str
) -> None:
    assert end_cue(text, language).why == why


@pytest.mark.parametrize(
    "text", ["I was thinking...", "on Monday,", "the thing is —", "周一，", "えー、"]
)
def test_a_text_that_trails_off_holds_in_every_language(text: str) -> None:
    for language in ("en", "zh", "ja", "xx", ""):
        assert end_cue(text, language).cue is Cue.HOLD


def test_a_question_mark_does_not_finish_a_hesitation() -> None:
    assert end_cue("is it, um?", "en").cue is Cue.HOLD
    assert end_cue("is it open?", "en").cue is Cue.DONE


@pytest.mark.parametrize("suffix", ["", ".", " ", ".  "])
def test_a_full_stop_is_no_evidence(suffix: str) -> None:
    """Recognisers set one wherever the caller paused."""
    assert end_cue("I'd like a table for" + suffix, "en").cue is Cue.HOLD
    assert end_cue("I'd like a table" + suffix, "en").cue is Cue.NEUTRAL


def test_only_the_tail_counts() -> None:
    long = "we went to the shop and then we came back home again " * 40
    assert end_cue(long + "and", "en").cue is Cue.HOLD
    assert end_cue("and " + long, "en").cue is Cue.NEUTRAL


def test_spelling_of_apostrophes_and_width_does_not_matter() -> None:
    assert end_cue("I’d", "en") == end_cue("i'd", "en") == end_cue("Ｉ'ｄ", "en")
    assert end_cue("cafe\u0301 et", "fr").cue is Cue.HOLD


def test_the_same_word_is_judged_by_its_language() -> None:
    assert end_cue("he said he would die", "en").cue is Cue.NEUTRAL
    assert end_cue("ich nehme dann die", "de").cue is not end_cue("ich sehe gern die", "de").cue
    assert end_cue("it goes like a sol", "en").cue is Cue.NEUTRAL
    assert end_cue("係", "yue-HK").cue is Cue.NEUTRAL


@pytest.mark.parametrize(
    "tag", ["zh-HK", "zh-Hant-HK", "zh_HK", "zh-MO", "yue", "yue-Hant-HK", "YUE"]
)
def test_hong_kong_speaks_cantonese(tag: str) -> None:
    assert end_cue("我想訂枱同埋", tag).cue is Cue.HOLD
    assert end_cue("好㗎", tag).cue is Cue.DONE


def test_a_particle_ends_a_short_turn_but_not_a_story() -> None:
    story = "琴日我同我阿媽去咗街市買餸跟住就見到阿強佢話佢而家喺隔離間舖頭做嘢"
    assert end_cue("佢做緊嘢喎", "yue").cue is Cue.DONE
    assert end_cue(story + "喎", "yue").cue is Cue.NEUTRAL


@pytest.mark.parametrize("tag", ["", "x", "-", "tlh", "zz-ZZ", "en--", "日本語", "en-US-x-private"])
def test_an_unknown_language_is_served_by_what_holds_everywhere(tag: str) -> None:
    assert end_cue("well um", tag).cue is Cue.HOLD
    assert end_cue("rumpelstiltskin", tag).cue is Cue.NEUTRAL
