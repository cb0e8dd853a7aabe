from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from providers.failover.delivery import LONGEST_HELD_S, Delivery
from voice.ports import SpeechChunk, TextMark

TEXT = "good morning how are you"
HZ = 8_000
COUNTING = bytes(range(256)) * 40


def chunk(seconds: float, *marks: tuple[int, float]) -> SpeechChunk:
    return SpeechChunk(b"\x01" * round(seconds * HZ), tuple(TextMark(*mark) for mark in marks))


def given_s(delivery: Delivery) -> float:
    return delivery.given_samples / HZ


def test_audio_behind_the_last_word_waits_for_more() -> None:
    delivery = Delivery(TEXT)
    ready = delivery.take(chunk(0.5, (4, 0.3)))
    assert ready is not None
    assert len(ready.ulaw) == 0.3 * HZ
    assert delivery.broke() == (4, True)


def test_the_first_audio_waits_for_nothing() -> None:
    delivery = Delivery(TEXT)
    assert delivery.take(chunk(0.2)) is not None
    assert given_s(delivery) == 0.2


def test_a_word_without_end_is_held_for_a_bounded_time() -> None:
    delivery = Delivery(TEXT)
    delivery.take(chunk(0.5, (4, 0.3)))
    delivery.take(chunk(2.0))
    assert given_s(delivery) == 2.5 - LONGEST_HELD_S


def test_marks_within_a_word_are_no_place_to_stop() -> None:
    delivery = Delivery("don't go")
    delivery.take(chunk(0.5, (3, 0.1), (5, 0.4)))
    assert given_s(delivery) == 0.4
    delivery = Delivery("你好嗎")
    delivery.take(chunk(0.5, (1, 0.1), (2, 0.4)))
    assert delivery.broke() == (2, True)


def test_another_voice_goes_on_with_marks_of_the_whole() -> None:
    delivery = Delivery(TEXT)
    delivery.take(chunk(0.5, (4, 0.3)))
    delivery.broke()
    delivery.go_on(5)
    ready = delivery.take(chunk(0.6, (7, 0.4), (11, 0.6)))
    assert ready is not None
    assert [(mark.chars, round(mark.at_s, 3)) for mark in ready.marks] == [(12, 0.7), (16, 0.9)]
    delivery.take(chunk(0.5))
    assert delivery.finish() is not None
    assert round(given_s(delivery), 3) == 1.4


def test_without_marks_the_place_is_an_estimate() -> None:
    delivery = Delivery(TEXT)
    delivery.take(chunk(0.8))
    chars, is_known = delivery.broke()
    assert not is_known
    assert 8 <= chars <= 16
    assert Delivery(TEXT).broke() == (0, True)


@given(st.lists(st.tuples(st.floats(0, 1.0), st.booleans()), max_size=12), st.data())
def test_everything_is_given_out_once_and_in_order(
    pieces: list[tuple[float, bool]], data: st.DataObject
) -> None:
    delivery = Delivery(TEXT)
    sent = bytearray()
    out = bytearray()
    marks: list[TextMark] = []
    number, chars = 0, 0
    for seconds, has_mark in pieces:
        ulaw = COUNTING[number % 256 :][: round(seconds * HZ)]
        number += len(ulaw)
        sent += ulaw
        new: tuple[TextMark, ...] = ()
        if has_mark:
            chars = min(len(TEXT), chars + data.draw(st.integers(1, 5)))
            new = (TextMark(chars, len(sent) / HZ),)
        for ready in (delivery.take(SpeechChunk(ulaw, new)),):
            if ready is not None:
                out += ready.ulaw
                marks += ready.marks
        assert len(sent) - len(out) <= (LONGEST_HELD_S + 1e-3) * HZ
    rest = delivery.finish()
    if rest is not None:
        out += rest.ulaw
        marks += rest.marks
    assert out == sent
    assert len(marks) == sum(has_mark for _, has_mark in pieces)
    assert delivery.given_samples == len(sent)
