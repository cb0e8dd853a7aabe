"""What the agent asked, told from what the caller heard."""

from __future__ import annotations

import pytest

from voice.lexicon import Asked, what_was_asked


@pytest.mark.parametrize(
    ("language", "text", "asked"),
    [
        ("en-US", "", Asked("none")),
        ("en-US", "Thanks, one moment.", Asked("none")),
        ("en-US", "Your table is booked for Monday.", Asked("none")),
        ("en-US", "How can I help you today?", Asked("open")),
        ("en-US", "When would you like to come in?", Asked("open")),
        ("en-US", "And your name?", Asked("open")),
        ("en-US", "Is that correct?", Asked("yes_no")),
        ("en-US", "Great. Would you like me to book it?", Asked("yes_no")),
        ("en-US", "Did you say nine one five?", Asked("yes_no")),
        ("en-US", "Shall I send the code to your phone number?", Asked("yes_no")),
        ("en-US", "Would you prefer Monday or Tuesday?", Asked("choice")),
        ("en-US", "Small, medium or large?", Asked("choice")),
        ("en-US", "What's your phone number?", Asked("digits", 10)),
        ("en-GB", "What's your phone number?", Asked("digits", 11)),
        ("en-ZA", "What's your phone number?", Asked("digits", None)),
        ("en-US", "Could I have your phone number, please?", Asked("digits", 10)),
        ("en-US", "Could you tell me the last four digits? Take your time.", Asked("digits", 4)),
        ("en-US", "Please enter your 6 digit code.", Asked("digits", 6)),
        ("en-US", "What is your zip code?", Asked("digits", 5)),
        ("en-GB", "And what's the postcode?", Asked("digits", None)),
        ("en-US", "What's your date of birth?", Asked("digits", None)),
        ("en-US", "In what year were you born?", Asked("digits", 4)),
        ("de-DE", "Wie lautet Ihre Telefonnummer?", Asked("digits", None)),
        ("de-DE", "Nennen Sie mir bitte Ihre Postleitzahl.", Asked("digits", 5)),
        ("de-DE", "Wie ist Ihre vierstellige PIN?", Asked("digits", 4)),
        ("de-DE", "Ist das richtig?", Asked("yes_no")),
        ("de-DE", "Passt es Ihnen montags oder dienstags?", Asked("choice")),
        ("de-DE", "Was kann ich für Sie tun?", Asked("open")),
        ("es-ES", "¿Cuál es su número de teléfono?", Asked("digits", 9)),
        ("es-ES", "¿Es correcto?", Asked("yes_no")),
        ("es-MX", "Dígame los últimos cuatro dígitos.", Asked("digits", 4)),
        ("es-ES", "¿Me dice los cuatro últimos dígitos?", Asked("digits", 4)),
        ("fr-FR", "Quels sont les quatre derniers chiffres ?", Asked("digits", 4)),
        ("en-US", "What's the last four of your social?", Asked("digits", 4)),
        ("en-US", "What happened in the last four days?", Asked("open")),
        ("fr-FR", "Pouvez-vous me donner votre code postal ?", Asked("digits", 5)),
        ("fr-FR", "Est-ce correct ?", Asked("yes_no")),
        ("it-IT", "Come posso aiutarla?", Asked("open")),
        ("pt-BR", "Prefere segunda ou terça?", Asked("choice")),
        ("zh-CN", "请问您的手机号是多少？", Asked("digits", 11)),
        ("zh-CN", "请提供六位验证码。", Asked("digits", 6)),
        ("zh-CN", "需要我帮您确认一下吗", Asked("yes_no")),
        ("zh-CN", "您要大杯还是小杯？", Asked("choice")),
        ("zh-CN", "有什么可以帮您？", Asked("open")),
        ("zh-HK", "請問你電話幾多號呀？", Asked("digits", 8)),
        ("zh-HK", "請講你身份證頭四位數字", Asked("digits", 4)),
        ("yue", "啱唔啱？", Asked("yes_no")),
        ("yue", "你確定嗎？", Asked("yes_no")),
        ("yue", "你想要細杯定係大杯？", Asked("choice")),
        ("yue", "有咩可以幫到你？", Asked("open")),
        ("ja-JP", "お電話番号を教えていただけますか？", Asked("digits", None)),
        ("ja-JP", "4桁の暗証番号を入力してください", Asked("digits", 4)),
        ("ja-JP", "こちらでよろしいでしょうか", Asked("yes_no")),
        ("ja-JP", "ご用件は何でしょうか？", Asked("open")),
        ("ko-KR", "전화번호가 어떻게 되세요?", Asked("digits", None)),
        ("ko-KR", "비밀번호 네 자리를 말씀해 주세요", Asked("digits", 4)),
        ("ko-KR", "맞으신가요?", Asked("yes_no")),
        ("ko-KR", "무엇을 도와드릴까요?", Asked("open")),
        ("ru-RU", "Назовите ваш номер телефона.", Asked("digits", None)),
        ("pl-PL", "Czy to się zgadza?", Asked("yes_no")),
        ("tr-TR", "Telefon numaranızı alabilir miyim?", Asked("digits", None)),
        ("th-TH", "ขอทราบเบอร์โทรศัพท์ครับ", Asked("digits", None)),
        ("xx", "Hm?", Asked("open")),
        ("en-US", "Could you tell me a little more about that?", Asked("open")),
        ("en-GB", "May I have your name, please?", Asked("open")),
        ("en-US", "Could you confirm that?", Asked("yes_no")),
        ("en-US", "Can you tell me your six-digit code?", Asked("digits", 6)),
        ("de-DE", "Können Sie mir mehr dazu sagen?", Asked("open")),
        ("de-DE", "Können Sie am Freitag kommen?", Asked("yes_no")),
        ("es-ES", "¿Me puede contar un poco más?", Asked("open")),
        ("it-IT", "Mi può dire qualcosa di più?", Asked("open")),
        ("fr-FR", "Pouvez-vous m'en dire plus ?", Asked("open")),
        ("zh-CN", "您能再说详细一点吗？", Asked("open")),
        ("zh-HK", "可唔可以講多少少？", Asked("open")),
        ("zh-HK", "可唔可以聽日嚟？", Asked("yes_no")),
    ],
)
def test_what_kind_of_answer_is_waited_for(language: str, text: str, asked: Asked) -> None:
    assert what_was_asked(text, language) == asked


def test_the_last_question_counts() -> None:
    text = "What's your phone number? Thank you. And is that a mobile?"
    assert what_was_asked(text, "en-US") == Asked("yes_no")


def test_a_question_far_back_is_forgotten() -> None:
    text = "Is that right? " + "We open at nine on weekdays. " * 30
    assert what_was_asked(text, "en-US") == Asked("none")
