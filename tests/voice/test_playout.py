"""Pacing, marks, and what was heard."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.config import PlayoutConfig
from voice.errors import BadVoiceConfig
from voice.events import ClearPlayout, Output, SendAudio, SendMark
from voice.playout import ULAW_SILENCE, Playout, SegmentKey
from voice.ports import FRAME_S, FRAME_SAMPLES

KEY = SegmentKey(3, 1, 2)


class Mouth:
    """A playout with a clock that jumps to its deadlines."""

    def __init__(self, config: PlayoutConfig | None = None) -> None:
        self.log: list[tuple[float, Output]] = []
        self.now = 10.0
        self.playout = Playout(config or PlayoutConfig(), self._note)
        self.playout.begin_reply()

    def _note(self, output: Output) -> None:
        self.log.append((round(self.now, 4), output))

    def give(self, frames: float, *, key: SegmentKey = KEY, whole: bool = True) -> None:
        self.playout.open(key)
        self.playout.append(key, b"\x11" * round(frames * FRAME_SAMPLES))
        if whole:
            self.playout.finish(key)
        self.playout.pump(now=self.now)

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while (at := self.playout.next_deadline()) is not None and at <= end:
            self.now = max(at, self.now)
            self.playout.pump(now=self.now)
        self.now = end

    @property
    def sent(self) -> list[tuple[float, int]]:
        return [
            (at, len(output.ulaw) // FRAME_SAMPLES)
            for at, output in self.log
            if isinstance(output, SendAudio)
        ]

    @property
    def marks(self) -> list[str]:
        return [output.name for _, output in self.log if isinstance(output, SendMark)]

    def heard(self) -> int:
        return self.playout.heard_samples(KEY, now=self.now)


def test_the_first_message_fills_the_lead_and_chunks_follow() -> None:
    mouth = Mouth()
    mouth.give(30)
    mouth.wait(1.0)
    assert mouth.sent[:3] == [(10.0, 10), (10.06, 3), (10.12, 3)]
    assert sum(frames for _, frames in mouth.sent) == 30


def test_no_more_than_the_lead_is_ever_ahead() -> None:
    mouth = Mouth()
    mouth.give(100)
    mouth.wait(3.0)
    played = 0.0
    for at, frames in mouth.sent:
        played = max(played, at) + frames * FRAME_S
        assert played - at <= 0.2 + 1e-6


def test_a_stall_is_caught_up_with_the_lead_at_most() -> None:
    mouth = Mouth()
    mouth.give(100)
    mouth.now = 10.9
    mouth.playout.pump(now=mouth.now)
    assert mouth.sent[1] == (10.9, 10)
    assert len(mouth.sent) == 2


def test_the_last_frame_is_padded_with_silence() -> None:
    mouth = Mouth()
    mouth.give(1.5)
    (_, audio), _ = mouth.log
    assert isinstance(audio, SendAudio)
    assert audio.ulaw == b"\x11" * 240 + bytes([ULAW_SILENCE]) * 80


def test_a_partial_frame_waits_for_the_rest() -> None:
    mouth = Mouth()
    mouth.give(1.5, whole=False)
    assert mouth.sent == [(10.0, 1)]


def test_a_mark_follows_each_segment_and_each_half_second() -> None:
    mouth = Mouth()
    mouth.give(40)
    mouth.give(5, key=SegmentKey(3, 1, 3))
    mouth.wait(2.0)
    assert mouth.marks == ["3.1/2.0", "3.1/2.1", "3.1/3.2"]


def test_segments_follow_each_other_without_a_gap() -> None:
    mouth = Mouth()
    mouth.give(15)
    mouth.give(15, key=SegmentKey(3, 1, 3))
    mouth.wait(1.0)
    assert sum(frames for _, frames in mouth.sent) == 30
    assert mouth.playout.heard_all_at == pytest.approx(10.6)
    assert mouth.playout.underruns == 0


def test_heard_follows_the_clock() -> None:
    mouth = Mouth()
    mouth.give(50)
    assert mouth.heard() == 0
    mouth.wait(0.35)
    assert mouth.heard() == 2800
    mouth.wait(2.0)
    assert mouth.heard() == 8000
    assert mouth.playout.is_all_heard(now=mouth.now)


def test_a_mark_proves_that_its_audio_was_heard() -> None:
    mouth = Mouth()
    mouth.give(10)
    mouth.wait(0.05)
    mouth.playout.mark_played("3.1/2.0", now=mouth.now)
    assert mouth.heard() == 1600
    assert mouth.playout.is_all_heard(now=mouth.now)


def test_a_late_mark_shows_the_carrier_to_be_behind() -> None:
    mouth = Mouth()
    mouth.give(100)
    mouth.wait(0.55)
    mouth.playout.mark_played("3.1/2.0", now=mouth.now)
    mouth.wait(1.0)
    mouth.playout.mark_played("3.1/2.1", now=mouth.now)
    late = mouth.heard()
    assert late == pytest.approx((1.55 - 0.49) * 8000, abs=400)


def test_after_a_clear_an_echo_proves_nothing() -> None:
    mouth = Mouth()
    mouth.give(10)
    mouth.wait(0.05)
    mouth.playout.clear(now=mouth.now)
    mouth.playout.mark_played("3.1/2.0", now=mouth.now)
    mouth.give(10, key=SegmentKey(4, 1, 0))
    assert mouth.playout.heard_samples(SegmentKey(4, 1, 0), now=mouth.now) == 0


def test_a_clear_drops_the_queue_and_says_so() -> None:
    mouth = Mouth()
    mouth.give(50)
    mouth.playout.clear(now=mouth.now)
    mouth.wait(2.0)
    assert isinstance(mouth.log[-1][1], ClearPlayout)
    assert not mouth.playout.has_unsent


def test_a_dry_ear_inside_a_reply_is_counted() -> None:
    mouth = Mouth()
    mouth.give(5, whole=False)
    mouth.wait(0.3)
    mouth.give(5)
    assert mouth.playout.underruns == 1
    assert mouth.playout.underrun_s == pytest.approx(0.2)


def test_silence_between_replies_is_not_an_underrun() -> None:
    mouth = Mouth()
    mouth.give(5)
    mouth.wait(1.0)
    mouth.playout.begin_reply()
    mouth.give(5, key=SegmentKey(4, 1, 0))
    assert mouth.playout.underruns == 0


def test_a_slow_voice_is_sent_before_the_ear_runs_dry() -> None:
    mouth = Mouth()
    mouth.give(10, whole=False)
    mouth.give(2, whole=False)
    mouth.wait(0.19)
    assert mouth.sent == [(10.0, 10), (10.16, 2)]


def test_nothing_is_sent_while_paused() -> None:
    mouth = Mouth()
    mouth.playout.is_paused = True
    mouth.give(10)
    assert mouth.log == []
    assert mouth.playout.next_deadline() is None


def test_what_goes_on_after_a_hole_begins_softly() -> None:
    mouth = Mouth()
    mouth.give(5, whole=False)
    mouth.wait(0.3)
    mouth.give(5)
    (_, before), (_, after), *_ = mouth.log
    assert isinstance(before, SendAudio)
    assert isinstance(after, SendAudio)
    assert set(before.ulaw) == {0x11}
    assert after.ulaw[0] != 0x11
    assert set(after.ulaw[40:]) == {0x11}


@pytest.mark.parametrize(("lead_s", "chunk_frames"), [(0.05, 3), (0.2, 0)])
def test_a_chunk_has_to_fit_into_the_lead(lead_s: float, chunk_frames: int) -> None:
    with pytest.raises(BadVoiceConfig, match="chunk_frames"):
        PlayoutConfig(lead_s=lead_s, chunk_frames=chunk_frames)


@pytest.mark.parametrize(
    ("setting", "value"), [("duck_db", 3.0), ("fade_s", -0.1), ("join_s", -1.0)]
)
def test_levels_and_fades_have_their_bounds(setting: str, value: float) -> None:
    with pytest.raises(BadVoiceConfig):
        PlayoutConfig(**{setting: value})


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3000), st.floats(0.0, 0.3)), max_size=12))
def test_every_byte_comes_out_once_in_order_and_in_whole_frames(
    pieces: list[tuple[int, float]],
) -> None:
    mouth = Mouth(PlayoutConfig(join_s=0.0))
    mouth.playout.open(KEY)
    given_audio = b""
    for number, (size, pause_s) in enumerate(pieces):
        piece = bytes([number + 1]) * size
        given_audio += piece
        mouth.playout.append(KEY, piece)
        mouth.playout.pump(now=mouth.now)
        mouth.wait(pause_s)
    mouth.playout.finish(KEY)
    mouth.playout.pump(now=mouth.now)
    mouth.wait(10.0)
    sent = b"".join(output.ulaw for _, output in mouth.log if isinstance(output, SendAudio))
    assert len(sent) % FRAME_SAMPLES == 0
    assert sent[: len(given_audio)] == given_audio
    assert set(sent[len(given_audio) :]) <= {ULAW_SILENCE}
    assert len(sent) - len(given_audio) < FRAME_SAMPLES
    assert mouth.heard() == len(sent)
