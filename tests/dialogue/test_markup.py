"""Taking out of a reply what a voice must not say."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue.markup import MarkupFilter


def speakable(text: str, *, at: tuple[int, ...] = ()) -> str:
    markup = MarkupFilter()
    edges = [0, *sorted(at), len(text)]
    parts = [markup.feed(text[start:end]) for start, end in pairwise(edges)]
    return " ".join(("".join(parts) + markup.finish()).split())


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Hello, how are you?", "Hello, how are you?"),
        ("**Yes**, it is *really* good.", "Yes, it is really good."),
        ("__Yes__ and _no_, ***both***", "Yes and no, both"),
        ("Use `code` here.", "Use code here."),
        ("~~old~~ new, ~5 km", "old new, ~5 km"),
        ("# Title\n## Sub\nText", "Title Sub Text"),
        ("- one\n* two\n• three\n+ four", "one two three four"),
        ("1. one\n2. two", "1. one 2. two"),
        ("---\n> quoted\n***", "quoted"),
        ("| a | b |\n|---|---|\n| c | d |", "a b c d"),
        ("See [our site](https://x.y/z) now [1].", "See our site now ."),
        ("See <https://a.b/c>.", "See https://a.b/c."),
        ("<speak>Hi <break time='1s'/>there</speak>", "Hi there"),
        ("Wait<br/>here", "Wait here"),
        ("5 < 6 and 7 > 3, I <3 it", "5 < 6 and 7 > 3, I <3 it"),
        ("AT&T, Q&A, fish &amp; chips &#39;n&nbsp;more", "AT&T, Q&A, fish & chips 'n more"),
        ("<think>The caller wants <b>x</b>.</think>Yes.", "Yes."),
        ("Hi<|im_end|>", "Hi"),
        ("Great!😊 Bye👨‍👩‍👧 1️⃣ A→B ✅", "Great! Bye 1 A B"),
        ('```json\n{"a": 1}\n```\nDone.', "Done."),
        ("```\nHello there.\n```", "Hello there."),
        ("```Hello there.```", "Hello there."),
        ("*sighs* Well, *clears throat* yes.", "Well, yes."),
        ("(laughs softly) Sure (about 5 km).", "Sure (about 5 km)."),
        ("[pause] Okay. (笑) 好呀（嘆氣）。", "Okay. 好呀。"),
        ("make it *clear* and (think about it)", "make it clear and (think about it)"),
        ("*Important:* read *every day* now", "Important: read every day now"),
        ("Agent: Hello.", "Hello."),
        ("**Assistant:** Hello.", "Hello."),
        ("AI： 你好", "你好"),
        ("客服：你好", "你好"),
        ("Agent (Sarah): Hello.", "Hello."),
        ("Agent (laughs softly) is here.", "Agent is here."),
        ("[Agent]: Hello.", "Hello."),
        ("**Agent**: Hello.", "Hello."),
        ("*Agent:* Hello.", "Hello."),
        ("Agent : Bonjour.", "Bonjour."),
        ("Asistente: Hola.", "Hola."),
        ("KI-Assistent: Hallo.", "Hallo."),
        ("Оператор: Да.", "Да."),
        ("المساعد: مرحبا", "مرحبا"),
        ("सहायक: नमस्ते", "नमस्ते"),
        ("ผู้ช่วย: สวัสดีค่ะ", "สวัสดีค่ะ"),
        ("オペレーター：はい。", "はい。"),
        ("상담원: 네.", "네."),
        ("AI助手：你好", "你好"),
        ("助理：你好\n助理：再見", "你好 再見"),
        ("Reply: Hello.\nAnswer: yes", "Hello. Answer: yes"),
        ("Ja.\nAnrufer: Und dann?", "Ja."),
        ("好。\n用戶：點解？", "好。"),
        ("Kunde: Weber", "Kunde: Weber"),
        ("*Please* call *now*.", "Please call now."),
        ("Agent Smith is here: really", "Agent Smith is here: really"),
        ("Use: fine", "Use: fine"),
        ("Hi.\nCaller: Yes please.\nAgent: Sure.", "Hi."),
        ("Press # or * now, or *67, room #5.", "Press # or * now, or *67, room #5."),
        ("Mail john_smith@x.com", "Mail john_smith@x.com"),
        ("【4†source】見【重要】", "見重要"),
        ("It is -5 degrees.\n-5 again", "It is -5 degrees. -5 again"),
        ("bad\ud800half\u200bword", "badhalfword"),
        ("क्\u200dष", "क्\u200dष"),
    ],
)
def test_markup_goes_and_words_stay(text: str, spoken: str) -> None:
    assert speakable(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("the end <brea", "the end"),
        ("the end <break time='", "the end"),
        ("a <b and c are words", "a b and c are words"),
        ("see [our site](http", "see our site"),
        ("see [our", "see our"),
        ("ha (laughs", "ha"),
        ("so (about", "so about"),
        ("fish &am", "fish &am"),
        ("AI", "AI"),
        ("<think>never closed, all reasoning", ""),
        ("**", ""),
        ("```python\nprint(1)", ""),
        ("😊", ""),
    ],
)
def test_a_reply_that_ends_in_the_middle_of_markup(text: str, spoken: str) -> None:
    assert speakable(text) == spoken


@pytest.mark.parametrize("text", ["Bye.<end_call>", "<hang_up/>", "Bye. **</end_call>**"])
def test_the_model_may_put_the_receiver_down(text: str) -> None:
    markup = MarkupFilter()
    spoken = markup.feed(text) + markup.finish()
    assert markup.hang_up
    assert "end" not in spoken


@pytest.mark.parametrize("label", ["Agent: ", "助理：", "AI Assistant (Kim): ", "Собеседник"])
def test_a_label_may_come_in_any_number_of_deltas(label: str) -> None:
    text = f"{label}Good day."
    spoken = "Good day." if label[-1] in ": ：" else text
    assert speakable(text, at=tuple(range(1, len(text)))) == spoken


def test_plain_text_is_not_held_back() -> None:
    assert MarkupFilter().feed("Hello there, I") == "Hello there, I"


def test_a_parenthesis_is_held_for_one_word_only() -> None:
    markup = MarkupFilter()
    assert markup.feed("It is (about f") == "It is (about f"


def test_a_tag_that_never_closes_is_given_back() -> None:
    assert speakable("a <b " + "word " * 100).count("word") == 100


PIECES = [*"ab 1\n*_`~#-|<>/[]()&;:!（）【】笑😊\u200d", "laughs", "think", "Agent", "助理", "amp"]
MARKED = st.lists(st.sampled_from(PIECES), max_size=50).map("".join)


@settings(max_examples=50, deadline=None)
@given(MARKED, st.lists(st.integers(0, 60), max_size=6))
def test_the_result_does_not_depend_on_how_the_stream_was_cut(text: str, edges: list[int]) -> None:
    at = tuple(min(edge, len(text)) for edge in edges)
    assert speakable(text, at=at) == speakable(text)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200))
def test_any_text_comes_out_speakable(text: str) -> None:
    speakable(text).encode("utf-8")


@settings(max_examples=50, deadline=None)
@given(st.text(st.sampled_from("abcdefgh ,.?!'\n0123456789你好。，"), max_size=200))
def test_plain_speech_passes_unchanged(text: str) -> None:
    assert speakable(text) == " ".join(text.split())
