"""Scripts are drawn from a seed; clips are encoded once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from random import Random

import pytest

from simulation.caller_script import (
    Interrupt,
    Leave,
    Listen,
    Speak,
    conversation,
    line_noise,
    prepare,
)
from tests.simulation.paper_server import LOUD, QUIET, tone_clip

CLIPS = [tone_clip(name) for name in "abcd"]


def test_a_conversation_listens_between_turns_and_hangs_up() -> None:
    steps = list(conversation(CLIPS, 2, Random(1)))
    kinds = [type(step) for step in steps]
    assert kinds == [Listen, Speak, Listen, Speak, Listen, Leave]


def test_the_same_seed_gives_the_same_script() -> None:
    scripts = [list(conversation(CLIPS, 9, Random(7), 0.5)) for _ in range(2)]
    assert scripts[0] == scripts[1]
    assert scripts[0] != list(conversation(CLIPS, 9, Random(8), 0.5))


def test_every_clip_is_used_before_any_is_used_again() -> None:
    steps = islice(conversation(CLIPS, 0, Random(1)), 200)
    names = [step.clip.name for step in steps if isinstance(step, Speak)]
    for at in range(0, 96, 4):
        assert sorted(names[at : at + 4]) == list("abcd")


def test_every_later_turn_may_be_an_interruption() -> None:
    kinds = [type(step) for step in conversation(CLIPS, 4, Random(1), 1.0)]
    assert kinds == [Listen, Speak, Interrupt, Interrupt, Interrupt, Listen, Leave]


@dataclass(frozen=True)
class PlainWord:
    end_s: float


@dataclass(frozen=True)
class PlainClip:
    name: str
    transcript: str
    ulaw: bytes
    words: tuple[PlainWord, ...]
    speech_end_s: float


def test_a_prepared_clip_knows_its_audible_onset_and_its_true_end() -> None:
    clip = PlainClip("x", "yes", QUIET * 5 + LOUD * 10 + QUIET, (PlainWord(0.29),), 0.29)
    ready = prepare(clip)
    assert len(ready.payloads) == 16
    assert ready.speech_start_s == pytest.approx(0.1)
    assert ready.speech_end_s == 0.29
    assert ready.word_ends_s == (0.29,)


def test_the_clips_that_ship_can_be_prepared() -> None:
    from simulation.clip_library import load_library

    clip = load_library().by_language("en-US")[0]
    ready = prepare(clip)
    assert len(ready.payloads) * 160 == len(clip.ulaw)
    assert abs(ready.speech_start_s - clip.speech_start_s) < 0.25


def test_line_noise_repeats_by_seed() -> None:
    assert line_noise(3) == line_noise(3) != line_noise(4)
    assert len(line_noise()) == 50
