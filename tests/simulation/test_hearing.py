"""Audible or not: decided by level."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.caller_script import line_noise
from simulation.hearing import (
    ULAW_TO_LINEAR,
    AgentStarted,
    AgentStopped,
    Ear,
    decode_ulaw,
    is_loud,
    speech_bounds_s,
)
from simulation.playout_clock import Heard
from tests.simulation.paper_server import LOUD, QUIET


def test_the_decode_table_is_g711() -> None:
    """SHA-256 over the 256 values as little-endian int16, from the reference."""
    digest = hashlib.sha256(ULAW_TO_LINEAR.astype("<i2").tobytes()).hexdigest()
    assert digest == "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827"
    assert decode_ulaw(b"\xff\x7f\x00\x80").tolist() == [0, 0, -32124, 32124]


def test_line_noise_is_not_loud() -> None:
    import base64

    for payload in line_noise():
        frame = base64.b64decode(payload)
        assert len(frame) == 160
        assert not is_loud(frame[:80])


def test_leading_silence_is_no_answer() -> None:
    ear = Ear()
    assert ear.listen(Heard(10.0, QUIET * 5 + LOUD * 5)) == [AgentStarted(pytest.approx(10.1))]


def test_a_click_is_no_answer() -> None:
    ear = Ear()
    click = LOUD[:80] + QUIET[:80]
    assert ear.listen(Heard(0.0, QUIET + click + QUIET * 10)) == []
    assert not ear.speaking


def test_stopping_is_dated_to_the_last_loud_window() -> None:
    ear = Ear(stop_gap_s=0.3)
    ear.listen(Heard(0.0, LOUD * 5))
    assert ear.advance(now=0.35) == []
    assert ear.advance(now=0.4) == [AgentStopped(pytest.approx(0.1))]
    assert ear.advance(now=9.0) == []


def test_played_silence_stops_too() -> None:
    events = Ear(stop_gap_s=0.2).listen(Heard(0.0, LOUD * 5 + QUIET * 20))
    assert events[1:] == [AgentStopped(pytest.approx(0.1))]


def test_a_short_pause_is_not_a_stop() -> None:
    assert len(Ear(stop_gap_s=0.3).listen(Heard(0.0, LOUD * 5 + QUIET * 10 + LOUD * 5))) == 1


def test_cutting_the_reply_stops_it_at_once() -> None:
    ear = Ear()
    ear.listen(Heard(0.0, LOUD * 5))
    assert ear.cut() == [AgentStopped(pytest.approx(0.1))]
    assert ear.cut() == []


def test_after_a_clear_a_short_silence_is_a_stop() -> None:
    ear = Ear()
    ear.listen(Heard(0.0, LOUD * 5))
    ear.cleared(now=0.1)
    assert ear.advance(now=0.19) == []
    assert ear.advance(now=0.2) == [AgentStopped(pytest.approx(0.1))]


def test_what_was_cleared_and_is_said_again_goes_on() -> None:
    ear = Ear()
    ear.listen(Heard(0.0, LOUD * 5))
    ear.cleared(now=0.1)
    assert ear.listen(Heard(0.101, LOUD * 10)) == []
    assert ear.advance(now=0.45) == [], "and its pauses are pauses again"
    assert ear.advance(now=0.61) == [AgentStopped(pytest.approx(0.301))]


def test_windows_do_not_depend_on_how_audio_is_cut_into_pieces() -> None:
    audio = QUIET * 3 + LOUD * 7 + QUIET * 30
    whole, pieces = Ear(), Ear()
    expected = whole.listen(Heard(0.0, audio))
    got = []
    for at in range(0, len(audio), 37):
        got += pieces.listen(Heard(at / 8_000, audio[at : at + 37]))
    assert [type(event) for event in got] == [type(event) for event in expected]
    for mine, theirs in zip(got, expected, strict=True):
        assert mine.at_s == pytest.approx(theirs.at_s)


def test_speech_bounds_of_a_clip() -> None:
    assert speech_bounds_s(QUIET * 10 + LOUD * 10 + QUIET) == pytest.approx((0.2, 0.4))
    assert speech_bounds_s(QUIET * 10) is None


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=400), max_size=10))
def test_any_bytes_can_be_heard(chunks: list[bytes]) -> None:
    ear, at_s = Ear(), 0.0
    for chunk in chunks:
        ear.listen(Heard(at_s, chunk))
        at_s += len(chunk) / 8_000
    ear.advance(now=at_s + 10)
    assert not ear.speaking
