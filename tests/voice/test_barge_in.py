"""Ducked, silenced, on again: what a caller's sound does, frame by frame."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.barge_in import DOUBT_LASTS_S, BargeIn, Move, Stage
from voice.config import BargeInConfig
from voice.errors import BadVoiceConfig
from voice.ports import FRAME_S

QUIET_S = BargeInConfig().resume_silence_s


class Line:
    """A caller's frames, one after another."""

    def __init__(self, *, understood: bool = True) -> None:
        self.barge_in = BargeIn(BargeInConfig())
        self.barge_in.has_heard_words = understood
        self.now = 50.0
        self.moves: list[tuple[float, Move]] = []
        self.since = 50.0

    def hear(self, seconds: float, *, speech: bool = True, echo: bool = False) -> list[Move]:
        """The moves while this is heard."""
        self.since = self.now
        before = len(self.moves)
        for _ in range(round(seconds / FRAME_S)):
            self.now = round(self.now + FRAME_S, 6)
            move = self.barge_in.hear(is_speech=speech, is_echo=echo, now=self.now)
            if move is not None:
                self.moves.append((round(self.now - self.since, 3), move))
        return [move for _, move in self.moves[before:]]

    def quiet(self, seconds: float) -> list[Move]:
        return self.hear(seconds, speech=False)

    @property
    def last(self) -> tuple[float, Move]:
        """The last move, and how long into its stretch of sound or quiet it came."""
        return self.moves[-1]


def test_sound_ducks_then_silences() -> None:
    line = Line()
    assert line.hear(0.4) == [Move.DUCK, Move.PAUSE]
    assert line.moves == [(0.04, Move.DUCK), (0.12, Move.PAUSE)]
    assert line.barge_in.stage is Stage.PAUSED


def test_a_click_does_nothing() -> None:
    line = Line()
    for _ in range(10):
        assert line.hear(0.02) == []
        assert line.quiet(0.1) == []


def test_a_short_sound_only_ducks() -> None:
    line = Line()
    assert line.hear(0.1) == [Move.DUCK]
    assert line.quiet(0.5) == [Move.RESTORE]
    assert line.last == (0.12, Move.RESTORE)


def test_a_stammer_adds_up() -> None:
    line = Line()
    moves = []
    for _ in range(4):
        moves += line.hear(0.06) + line.quiet(0.06)
    assert moves == [Move.DUCK, Move.PAUSE]


def test_a_brief_sound_without_words_is_over_when_it_is_quiet() -> None:
    line = Line()
    line.hear(0.5)
    assert line.quiet(1.0) == [Move.RESUME]
    assert line.last == (QUIET_S, Move.RESUME)


def test_after_a_longer_sound_words_are_waited_for() -> None:
    line = Line()
    line.hear(0.8)
    assert line.quiet(1.0) == [Move.RESUME]
    assert line.last[0] == pytest.approx(1.2 - 0.8, abs=FRAME_S)


def test_a_gap_in_the_sound_is_not_its_end() -> None:
    line = Line()
    line.hear(0.3)
    gap_s = QUIET_S - 0.04
    assert line.quiet(gap_s) + line.hear(0.2) + line.quiet(gap_s) == []
    assert line.quiet(0.1) == [Move.RESUME]


def test_a_listeners_word_lets_the_reply_go_on_sooner() -> None:
    line = Line()
    line.hear(0.4)
    assert line.barge_in.hear_backchannel(now=line.now) is None, "not while it is being said"
    line.quiet(0.14)
    assert line.barge_in.hear_backchannel(now=line.now) is Move.RESUME
    assert line.barge_in.hear_backchannel(now=line.now) is None


def test_lasting_sound_of_a_caller_who_is_usually_understood_is_noise() -> None:
    line = Line()
    assert line.hear(2.1) == [Move.DUCK, Move.PAUSE, Move.RESUME]
    assert line.last == (2.0, Move.RESUME)
    assert line.hear(5.0) == [], "and does not count until it is over"
    line.quiet(0.5)
    assert line.hear(0.06) == [Move.DUCK]


def test_lasting_sound_of_a_caller_who_was_never_understood_stops() -> None:
    line = Line(understood=False)
    assert line.hear(2.1)[-1] is Move.STOP


def test_a_pause_for_nothing_makes_the_next_one_harder_for_a_while() -> None:
    line = Line()
    line.hear(0.4)
    line.quiet(1.0)
    line.hear(0.4)
    assert line.last == (0.18, Move.PAUSE)
    line.quiet(DOUBT_LASTS_S + 1.0)
    line.hear(0.4)
    assert line.last == (0.12, Move.PAUSE)
    assert (line.barge_in.pauses, line.barge_in.resumes) == (3, 2)


def test_a_noisy_line_has_to_sound_for_longer() -> None:
    line = Line()
    line.barge_in.hear_noise(until=line.now + 1.0)
    line.hear(0.4)
    assert line.last == (0.18, Move.PAUSE)


def test_an_echo_counts_a_quarter() -> None:
    line = Line()
    assert line.hear(0.3, echo=True) == []
    line.quiet(1.0)
    assert line.hear(0.12, echo=True) + line.hear(0.16) == [Move.DUCK, Move.PAUSE]


def test_a_new_reply_begins_at_full_level() -> None:
    line = Line()
    line.hear(0.4)
    line.barge_in.reset()
    assert line.barge_in.stage is Stage.FULL
    assert line.barge_in.sound_s == 0.0
    assert line.barge_in.next_deadline() is None


def test_a_pause_ends_by_itself_when_frames_stop_coming() -> None:
    line = Line()
    line.hear(0.4)
    at = line.barge_in.next_deadline()
    assert at == pytest.approx(line.now + QUIET_S + 0.1)
    assert line.barge_in.handle_deadline(now=at - 0.01) is None
    assert line.barge_in.handle_deadline(now=at) is Move.RESUME
    assert line.barge_in.next_deadline() is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"duck_speech_s": 0.0},
        {"duck_speech_s": 0.3, "pause_speech_s": 0.2},
        {"pause_speech_s": 3.0},
        {"pause_speech_s": 0.8, "window_s": 0.6},
    ],
)
def test_amounts_have_an_order(wrong: dict[str, float]) -> None:
    with pytest.raises(BadVoiceConfig):
        BargeInConfig(**wrong)


@pytest.mark.parametrize("speech_s", [0.04, 0.16, 0.4, 1.0, 3.0])
def test_any_amount_of_sound_can_be_asked_for(speech_s: float) -> None:
    config = BargeInConfig.pausing_after(speech_s)
    assert config.pause_speech_s == speech_s
    assert config.duck_speech_s <= speech_s <= config.window_s


FROM = {
    Move.DUCK: {Stage.FULL},
    Move.RESTORE: {Stage.DUCKED},
    Move.PAUSE: {Stage.FULL, Stage.DUCKED},
    Move.RESUME: {Stage.PAUSED},
    Move.STOP: {Stage.PAUSED},
}


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 60)), max_size=20),
    st.booleans(),
)
def test_moves_follow_the_stages_and_no_pause_lasts(
    stretches: list[tuple[bool, bool, int]], understood: bool
) -> None:
    line = Line(understood=understood)
    barge_in = line.barge_in
    paused = 0
    for is_speech, is_echo, frames in stretches:
        for _ in range(frames):
            line.now += FRAME_S
            before = barge_in.stage
            move = barge_in.hear(is_speech=is_speech, is_echo=is_echo, now=line.now)
            assert move is None or before in FROM[move]
            if move is Move.STOP:
                return
            paused = paused + 1 if barge_in.stage is Stage.PAUSED else 0
            assert paused * FRAME_S < 12.0
    assert barge_in.resumes <= barge_in.pauses
