"""Ducked, paused, resumed: what reaches an ear at the end of a line with delay.

The carrier is the emulator's model of it (``simulation.playout_clock``), written from the published
behaviour and not from ours.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.playout_clock import PlayoutClock
from voice.config import PlayoutConfig
from voice.ducking import levels
from voice.events import ClearPlayout, Output, SendAudio, SendMark
from voice.playout import Playout, SegmentKey
from voice.ports import FRAME_SAMPLES

KEY, NEXT = SegmentKey(3, 1, 0), SegmentKey(3, 1, 1)
EXACT = PlayoutConfig(duck_db=0.0, fade_s=0.0, join_s=0.0)
QUIET = 0xFF


def speech(samples: int, seed: int = 1) -> bytes:
    """Bytes that do not repeat, none of them silence."""
    return bytes(np.random.default_rng(seed).integers(0, 100, samples, np.uint8))


class Line:
    """A playout, the way to the carrier, and an ear."""

    def __init__(self, config: PlayoutConfig = EXACT, delay_s: float = 0.0) -> None:
        self.now = 10.0
        self.delay_s = delay_s
        self.carrier = PlayoutClock()
        self.log: list[Output] = []
        self.echoes: list[tuple[float, str]] = []
        self.heard: list[tuple[float, bytes]] = []
        self.playout = Playout(config, self._carry)
        self.playout.begin_reply()

    def _carry(self, output: Output) -> None:
        self.log.append(output)
        there = self.now + self.delay_s
        match output:
            case SendAudio(ulaw=ulaw):
                self.carrier.media(ulaw, now=there)
            case SendMark(name=name):
                self._echo(self.carrier.mark(name, now=there), there)
            case ClearPlayout():
                self._echo(self.carrier.clear(now=there), there)

    def _echo(self, names: list[str], there: float) -> None:
        self.echoes += [(there + self.delay_s, name) for name in names]

    def give(self, audio: bytes, *, key: SegmentKey = KEY, whole: bool = True) -> None:
        self.playout.open(key)
        self.playout.append(key, audio)
        if whole:
            self.playout.finish(key)
        self.playout.pump(now=self.now)

    def wait(self, seconds: float, *, echoes: bool = True) -> None:
        """Whole milliseconds, one after another."""
        for _ in range(round(seconds * 1000)):
            self.now = round(self.now + 0.001, 6)
            at = self.playout.next_deadline()
            if at is not None and at <= self.now + 1e-9:
                self.playout.pump(now=self.now)
            there = self.now + self.delay_s
            self._echo(self.carrier.advance(now=there), there)
            while self.echoes and self.echoes[0][0] <= self.now:
                _, name = self.echoes.pop(0)
                if echoes:
                    self.playout.mark_played(name, now=self.now)

    @property
    def ear(self) -> bytes:
        """What was heard up to what is heard when a message sent now arrives."""
        self.carrier.advance(now=self.now + self.delay_s)
        self.heard += [(each.start_s, each.audio) for each in self.carrier.take_heard()]
        return b"".join(audio for _, audio in self.heard)

    def heard_at(self, offset: int) -> float:
        """When the byte at ``offset`` of all that was heard reached the ear."""
        total = len(self.ear)
        assert offset < total
        for start_s, audio in self.heard:
            if offset < len(audio):
                return start_s + offset / 8000
            offset -= len(audio)
        raise AssertionError

    @property
    def clears(self) -> int:
        return sum(isinstance(output, ClearPlayout) for output in self.log)


def test_a_duck_is_heard_at_once_whatever_the_lead() -> None:
    line = Line(PlayoutConfig(lead_s=0.5), delay_s=0.04)
    audio = b"\x80" * 16_000
    line.give(audio)
    line.wait(0.3)
    line.playout.duck(now=line.now)
    line.wait(0.3)
    heard = np.abs(levels()[np.frombuffer(line.ear, np.uint8)])
    softer = int(np.argmax(heard < heard[0]))
    assert line.heard_at(softer) == pytest.approx(10.3 + 0.04, abs=0.002)
    assert heard[2400 + 160] == pytest.approx(heard[0] * 10 ** (-18 / 20), rel=0.05)
    assert len(heard) == 4800


def test_a_ducked_voice_loses_and_repeats_nothing() -> None:
    line = Line(delay_s=0.07)
    audio = speech(16_000)
    line.give(audio)
    line.wait(0.333)
    line.playout.duck(now=line.now)
    line.wait(0.2)
    line.playout.restore(now=line.now)
    line.wait(3.0)
    assert line.ear == audio
    assert line.carrier.underruns == []
    assert line.playout.underruns == 0


def test_a_ducked_voice_is_turned_up_within_the_shorter_lead() -> None:
    line = Line(PlayoutConfig())
    line.give(b"\x80" * 16_000)
    line.wait(0.3)
    line.playout.duck(now=line.now)
    line.wait(0.3)
    line.playout.restore(now=line.now)
    restored_at = line.now
    line.wait(0.3)
    assert line.clears == 1
    heard = np.abs(levels()[np.frombuffer(line.ear, np.uint8)])
    full = [at for at in range(2600, len(heard)) if heard[at] == heard[0]]
    assert line.heard_at(full[0]) - restored_at <= 0.08 + 0.06 + 0.002


def test_a_pause_is_silence_at_once_and_goes_on_from_the_exact_sample() -> None:
    line = Line(delay_s=0.03)
    audio = speech(16_000)
    line.give(audio)
    line.wait(0.517)
    line.playout.pause(now=line.now)
    line.wait(1.0)
    assert line.ear == audio[:4136]
    assert line.playout.heard_samples(KEY, now=line.now) == 4136
    assert line.playout.next_deadline() is None
    line.playout.resume(now=line.now)
    line.wait(3.0)
    assert line.ear == audio
    assert line.heard_at(4136) == pytest.approx(11.517 + 0.03, abs=0.001)
    assert line.playout.underruns == 0
    assert line.playout.heard_samples(KEY, now=line.now) == 16_000


def test_frames_lie_after_taking_back_where_they_lay_before() -> None:
    line = Line()
    line.give(speech(16_000))
    line.wait(0.517)
    line.playout.pause(now=line.now)
    line.playout.resume(now=line.now)
    line.wait(0.5)
    after = line.log[line.log.index(ClearPlayout()) + 1 :]
    sizes = [len(output.ulaw) for output in after if isinstance(output, SendAudio)]
    assert (4136 + sizes[0]) % FRAME_SAMPLES == 0
    assert all(size % FRAME_SAMPLES == 0 for size in sizes[1:])


def test_a_pause_dies_away_and_what_dies_away_is_said_again() -> None:
    line = Line(replace(EXACT, fade_s=0.04))
    audio = speech(8_000)
    line.give(audio)
    line.wait(0.3)
    line.playout.pause(now=line.now)
    line.wait(0.5)
    faded = line.ear
    assert faded[:2400] == audio[:2400]
    assert len(faded) == 2400 + 320
    assert faded[-8:] == bytes([QUIET]) * 8
    assert line.playout.heard_samples(KEY, now=line.now) == 2400
    line.playout.resume(now=line.now)
    line.wait(2.0)
    assert line.ear[2720:] == audio[2400:]
    assert line.playout.heard_samples(KEY, now=line.now) == 8_000


def test_a_voice_cleared_while_it_dies_away_was_heard_to_where_it_was_whole() -> None:
    line = Line(replace(EXACT, fade_s=0.04))
    line.give(speech(8_000))
    line.wait(0.3)
    line.playout.pause(now=line.now)
    line.wait(0.02)
    assert line.playout.heard_samples(KEY, now=line.now) == 2400
    line.playout.resume(now=line.now)
    line.playout.duck(now=line.now)
    line.wait(1.0)
    assert line.playout.heard_samples(KEY, now=line.now) == 8_000


def test_taking_back_crosses_segments() -> None:
    line = Line()
    first, second = speech(2_400), speech(4_000, seed=2)
    line.give(first)
    line.give(second, key=NEXT)
    line.wait(0.25)
    line.playout.pause(now=line.now)
    assert line.playout.has_unsent
    line.wait(0.5)
    line.playout.resume(now=line.now)
    line.wait(0.1)
    assert line.playout.heard_samples(KEY, now=line.now) == 2_400
    assert line.playout.heard_samples(NEXT, now=line.now) == 400
    line.wait(2.0)
    assert line.ear == first + second


def test_the_padding_of_a_segment_is_not_said_twice() -> None:
    line = Line()
    audio = speech(1_000)
    line.give(audio)
    line.wait(0.05)
    line.playout.pause(now=line.now)
    line.playout.resume(now=line.now)
    line.wait(1.0)
    assert line.ear == audio + bytes([QUIET]) * (-1_000 % FRAME_SAMPLES)


def test_marks_are_named_anew_after_taking_back() -> None:
    line = Line()
    line.give(speech(8_000))
    line.wait(0.7)
    line.playout.duck(now=line.now)
    line.wait(2.0)
    names = [output.name for output in line.log if isinstance(output, SendMark)]
    assert len(names) == len(set(names))
    assert line.playout.is_all_heard(now=line.now)


def test_a_filler_that_was_not_heard_is_not_said_after_a_pause() -> None:
    line = Line()
    audio = speech(4_800)
    line.give(audio[:2_400], whole=False)
    line.wait(0.2)
    line.playout.insert_filler(b"\x80" * 800, 3, 1, now=line.now)
    line.playout.pause(now=line.now)
    line.wait(0.2)
    line.playout.resume(now=line.now)
    line.give(audio[2_400:])
    line.wait(2.0)
    assert line.ear == audio
    assert line.playout.heard_samples(KEY, now=line.now) == 4_800


def test_a_filler_that_was_begun_is_said_to_its_end() -> None:
    line = Line()
    audio = speech(4_800)
    line.give(audio[:2_400], whole=False)
    line.wait(0.4)
    line.playout.insert_filler(b"\x80" * 2_400, 3, 1, now=line.now)
    line.wait(0.1)
    line.playout.pause(now=line.now)
    line.wait(0.2)
    line.playout.resume(now=line.now)
    line.give(audio[2_400:])
    line.wait(2.0)
    assert line.ear == audio[:2_400] + b"\x80" * 2_400 + audio[2_400:]
    assert line.playout.heard_samples(KEY, now=line.now) == 4_800


def test_what_was_settled_is_never_taken_back() -> None:
    line = Line()
    line.give(speech(1_600))
    line.playout.discard()
    line.playout.duck(now=line.now)
    assert not line.playout.has_unsent
    line.wait(1.0)
    assert line.ear == b""


def test_memory_is_bounded_over_a_long_reply() -> None:
    line = Line()
    line.playout.open(KEY)
    for _ in range(60):
        line.playout.append(KEY, speech(8_000))
        line.playout.pump(now=line.now)
        line.wait(1.0)
    kept = line.playout._queue._sent
    assert sum(piece.size for piece in kept) <= 2 * 8_000 + 4_000


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("give"), st.integers(0, 4_000)),
        st.tuples(st.just("wait"), st.integers(0, 400)),
        st.tuples(st.sampled_from(["duck", "restore", "pause", "resume", "next"]), st.just(0)),
    ),
    max_size=30,
)


@settings(max_examples=120, deadline=None)
@given(STEPS, st.sampled_from([0.0, 0.013, 0.08]), st.sampled_from([0.06, 0.2, 0.5]), st.booleans())
def test_whatever_happens_the_ear_hears_a_beginning_of_what_was_given(
    steps: list[tuple[str, int]], delay_s: float, lead_s: float, echoes: bool
) -> None:
    line = Line(replace(EXACT, lead_s=lead_s), delay_s)
    given_audio, segment = b"", 0
    heard_before = 0
    line.playout.open(KEY)

    def key() -> SegmentKey:
        return SegmentKey(3, 1, segment)

    def check() -> None:
        nonlocal heard_before
        ear = line.ear
        assert given_audio.startswith(ear.replace(bytes([QUIET]), b"")), "but for padding"
        heard = sum(
            line.playout.heard_samples(SegmentKey(3, 1, each), now=line.now)
            for each in range(segment + 1)
        )
        assert abs(heard - len(ear)) <= 1, "what was heard is known to the sample"
        assert heard >= heard_before, "and never taken back"
        heard_before = heard

    for step, amount in steps:
        if step == "give":
            audio = speech(amount, seed=len(given_audio) + 1)
            given_audio += audio
            line.give(audio, key=key(), whole=False)
        elif step == "wait":
            line.wait(amount / 1000, echoes=echoes)
        elif step == "next":
            line.playout.finish(key())
            segment += 1
            line.playout.open(key())
            line.playout.pump(now=line.now)
        else:
            getattr(line.playout, step)(now=line.now)
        check()
    line.playout.resume(now=line.now)
    line.give(b"", key=key())
    line.wait(len(given_audio) / 8000 + 1.5, echoes=echoes)
    check()
    assert line.ear.replace(bytes([QUIET]), b"") == given_audio


@pytest.mark.parametrize("lead_s", [0.06, 0.08, 0.2])
@pytest.mark.parametrize("is_ducked", [False, True])
def test_less_than_a_chunk_is_sent_in_time_whatever_the_lead(
    lead_s: float, is_ducked: bool
) -> None:
    line = Line(replace(EXACT, lead_s=lead_s, duck_db=-18.0, duck_ramp_s=0.0))
    line.give(speech(4_800), whole=False)
    line.wait(0.1)
    if is_ducked:
        line.playout.duck(now=line.now)
    line.wait(0.3)
    line.give(speech(320), whole=False)
    line.wait(0.18)
    line.give(speech(160), whole=False)
    line.wait(0.2)
    assert len(line.ear) == 5_280
    assert line.playout.next_deadline() is None
