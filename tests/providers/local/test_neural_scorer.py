"""Speech by network and level: by rule with a network that obeys, and with the real one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.local.neural_scorer import NeuralScorer
from providers.local.silero import Floats, SileroVad
from tests.voice.test_levels import frames, noise, tone, voice

SLOT = np.array([0])
Sound = npt.NDArray[np.int16]


class ObedientNetwork:
    """Says what it was told to; a state that mixes all windows of a call shows every confusion."""

    def __init__(self, says: float = 0.9) -> None:
        self.says = says

    def probabilities(self, windows: Floats, states: Floats) -> tuple[Floats, Floats]:
        return np.full(len(windows), self.says, np.float32), states


class MixingNetwork:
    """A made-up network whose answer depends on all that its call was given; exact by row."""

    def probabilities(self, windows: Floats, states: Floats) -> tuple[Floats, Floats]:
        loud = np.round(np.abs(windows).max(axis=1) * 64) / 64
        after = np.round(states * 512) / 1_024
        after[0, :, 0] += loud
        return np.minimum(after[0, :, 0] * 2, 1.0), after


def run(scorer: NeuralScorer, sound: Sound, slot: int = 0) -> list[bool]:
    slots = np.array([slot])
    return [bool(scorer.score(frame[None, :], slots)[0][0]) for frame in sound]


LOUD = frames(np.concatenate([noise(0.5, -60.0), noise(0.5, -60.0) + tone(0.5, 440.0, -25.0)]))


@pytest.mark.parametrize(
    ("says", "is_speech"),
    [(0.05, False), (0.3, True), (0.9, True)],
    ids=["sure that it is none", "half sure, and it stands out", "sure"],
)
def test_a_loud_frame_is_speech_if_the_network_agrees(says: float, is_speech: bool) -> None:
    verdicts = run(NeuralScorer(ObedientNetwork(says), 1), LOUD)
    assert not any(verdicts[:25])
    assert all(verdicts[26:]) is is_speech
    assert any(verdicts) is is_speech


def test_half_sure_is_not_enough_for_what_hardly_stands_out() -> None:
    faint = frames(np.concatenate([noise(0.5, -52.0), noise(0.5, -52.0) + noise(0.5, -43.0, 2)]))
    assert not any(run(NeuralScorer(ObedientNetwork(0.3), 1), faint))
    assert any(run(NeuralScorer(ObedientNetwork(0.6), 1), faint))


def test_a_quiet_line_costs_no_window() -> None:
    scorer = NeuralScorer(ObedientNetwork(), 1)
    run(scorer, frames(noise(3.0, -58.0)))
    assert scorer.windows == 0


def test_the_network_runs_on_while_it_hears_something() -> None:
    """A talker whose level falls to that of the line is still listened to."""
    scorer = NeuralScorer(ObedientNetwork(), 1)
    run(scorer, LOUD)
    before = scorer.windows
    run(scorer, frames(noise(1.0, -60.0)))
    assert scorer.windows - before == pytest.approx(31, abs=1)


def test_the_network_rests_soon_after_the_last_sound() -> None:
    network = ObedientNetwork()
    scorer = NeuralScorer(network, 1)
    run(scorer, LOUD)
    network.says = 0.01
    before = scorer.windows
    run(scorer, frames(noise(2.0, -60.0)))
    assert scorer.windows - before <= 9


def test_the_level_ends_speech_before_the_network_does() -> None:
    scorer = NeuralScorer(ObedientNetwork(0.9), 1)
    run(scorer, LOUD)
    after = run(scorer, frames(noise(0.2, -60.0)))
    assert after == [True] + [False] * 9


def test_one_quiet_frame_is_no_end() -> None:
    scorer = NeuralScorer(ObedientNetwork(0.9), 1)
    run(scorer, LOUD)
    gap = np.concatenate([frames(noise(0.02, -60.0)), LOUD[-5:]])
    assert all(run(scorer, gap))


def test_where_the_line_is_nearly_as_loud_as_the_talker_the_network_alone_decides() -> None:
    """Hardly any room: soft syllables sink to the noise, and are speech all the same."""
    network = ObedientNetwork(0.0)
    scorer = NeuralScorer(network, 1)
    run(scorer, frames(noise(8.0, -40.0)))
    network.says = 0.9
    loud = frames(noise(0.5, -40.0) + voice(0.5, -36.0))
    run(scorer, loud)
    assert all(run(scorer, frames(noise(0.3, -40.0))))
    network.says = 0.0
    assert not any(run(scorer, frames(noise(0.3, -40.0)))[2:])


def test_a_louder_talker_before_does_not_silence_a_softer_one_for_long() -> None:
    scorer = NeuralScorer(ObedientNetwork(0.9), 1)
    run(scorer, frames(noise(0.5, -62.0)))
    run(scorer, frames(tone(0.5, 440.0, -6.0)))
    soft = run(scorer, frames(noise(2.0, -62.0) + tone(2.0, 440.0, -40.0)))
    assert all(soft[-50:])


def test_levels_are_those_of_the_frames() -> None:
    _, levels = NeuralScorer(ObedientNetwork(), 1).score(frames(tone(0.02, 1_000.0, -20.0)), SLOT)
    assert levels.dtype == np.float32
    assert levels[0] == pytest.approx(-20.0, abs=0.2)


def test_no_calls_is_no_work() -> None:
    verdicts, levels = NeuralScorer(ObedientNetwork(), 1).score(
        np.zeros((0, 160), np.int16), np.zeros(0, np.intp)
    )
    assert len(verdicts) == len(levels) == 0
    assert verdicts.dtype == np.bool_


# --- what every scorer keeps: a call is its own, whoever sits beside it ---------------------------


def calls(count: int) -> list[Sound]:
    """Different voices on different lines, in pieces of a second."""
    made = []
    for seed in range(count):
        line = noise(1.6, -62.0 + 3 * seed, seed)
        line[2_000 + 800 * seed : 8_000] += voice(0.75 - 0.1 * seed, -30.0 + seed)[
            : 6_000 - 800 * seed
        ]
        made.append(frames(line))
    return made


CALLS = calls(4)


@st.composite
def seatings(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """For each call: its slot, the tick at which it joins, and how often it has no frame."""
    slots = draw(st.permutations(range(6)))
    return [
        (slots[n], draw(st.integers(0, 30)), draw(st.integers(2, 9))) for n in range(len(CALLS))
    ]


def seated(scorer: NeuralScorer, seats: Sequence[tuple[int, int, int]]) -> list[list[bool]]:
    """Play all calls at once, each with its own gaps."""
    verdicts: list[list[bool]] = [[] for _ in CALLS]
    tick = 0
    while any(len(mine) < len(call) for mine, call in zip(verdicts, CALLS, strict=True)):
        rows = [
            n
            for n, (_, joins, skips) in enumerate(seats)
            if tick >= joins and tick % skips and len(verdicts[n]) < len(CALLS[n])
        ]
        for slot, joins, _ in seats:
            if tick == joins:
                scorer.reset(slot)
        if rows:
            sound = np.stack([CALLS[n][len(verdicts[n])] for n in rows])
            said, _ = scorer.score(sound, np.array([seats[n][0] for n in rows]))
            for n, is_speech in zip(rows, said.tolist(), strict=True):
                verdicts[n].append(is_speech)
        tick += 1
    return verdicts


ALONE = [run(NeuralScorer(MixingNetwork(), 1), call) for call in CALLS]


@given(seats=seatings(), again=seatings())
@settings(deadline=None, max_examples=20)
def test_a_call_is_scored_as_if_it_were_alone_whoever_sat_there_before(
    seats: list[tuple[int, int, int]], again: list[tuple[int, int, int]]
) -> None:
    scorer = NeuralScorer(MixingNetwork(), 1)
    assert seated(scorer, seats) == ALONE
    assert seated(scorer, again) == ALONE


def test_with_the_real_network_too(silero: SileroVad, spoken: Sound) -> None:
    sounds = [spoken, np.roll(spoken, 37, axis=0), spoken[::-1].copy()]
    together = NeuralScorer(silero, 1)
    slots = np.array([5, 0, 3])
    said = [together.score(np.stack(rows), slots)[0] for rows in zip(*sounds, strict=True)]
    for row, sound in enumerate(sounds):
        alone = run(NeuralScorer(silero, 4), sound, slot=2)
        differ = [at for at, mine in enumerate(alone) if bool(said[at][row]) != mine]
        assert differ == []


# --- the real network -----------------------------------------------------------------------------


def test_words_are_found_where_they_are(silero: SileroVad, spoken: Sound) -> None:
    """The words last from 1.51 s to 3.37 s."""
    verdicts = run(NeuralScorer(silero, 1), spoken)
    first, last = verdicts.index(True), len(verdicts) - verdicts[::-1].index(True)
    assert first * 0.02 == pytest.approx(1.51, abs=0.1)
    assert last * 0.02 == pytest.approx(3.37, abs=0.15)
    assert sum(verdicts[first:last]) > 0.9 * (last - first)


def test_a_keyboard_is_no_caller(silero: SileroVad) -> None:
    random = np.random.default_rng(8)
    line = noise(4.0, -62.0)
    for at in random.integers(0, len(line) - 240, 14):
        line[at : at + 240] += random.normal(0, 0.2, 240) * np.exp(-np.arange(240) / 40)
    assert sum(run(NeuralScorer(silero, 1), frames(line))) <= 6


def test_words_are_heard_after_a_minute_of_noise(silero: SileroVad, spoken: Sound) -> None:
    """The network by itself goes deaf by then."""
    scorer = NeuralScorer(silero, 1)
    hiss = noise(60.0, -47.0)
    sound = np.concatenate([frames(hiss), spoken])
    noisy = sound[3_000:] + frames(noise(len(spoken) * 0.02, -47.0, 3))
    run(scorer, sound[:3_000])
    verdicts = run(scorer, noisy)
    assert sum(verdicts[76:168]) > 75
    assert sum(verdicts[:70]) < 5
