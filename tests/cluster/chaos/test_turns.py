"""A turn on both sides: what the caller waited for, heard, lost."""

from __future__ import annotations

import json
import math

import pytest

from cluster.chaos.sound import HeardSound, longest_hole_s
from cluster.chaos.turns import turns_of
from dialogue.agent import Phrases
from simulation.openai_replies import answer
from tests.cluster.chaos.samples import PLACED_AT, recorded
from tests.cluster.demo_samples import PLACED_S, measured, recording, row

REPLY = answer([{"role": "user", "content": "ten of clubs"}], [], ()).text
GREETING = row(0.95, turn_id=0, kind="greeting", caller_text="", heard_text="Hello")
GOOD = row(4.1, agent_text=REPLY, heard_text=REPLY)


def test_an_answered_turn_waits_for_its_first_sound() -> None:
    call = recorded((measured(),), (GREETING, GOOD), (0.1, 0.9), (2.6, 4.0))
    (turn,) = turns_of([call])
    assert (turn.sound_s, turn.reply_s) == (0.6, 0.6)
    assert turn.dead_air_s == pytest.approx(0.6, abs=0.02)
    assert turn.hole_s == 0.0
    assert (turn.words_lost, turn.words_extra, turn.reply_lost, turn.reply_extra) == (0, 0, 0, 0)
    assert turn.ended_at == pytest.approx(PLACED_AT + 2.0)
    assert not turn.is_failed


def test_a_breath_is_a_sound_and_no_reply() -> None:
    """The product's first frame was 1.5 s after its end of speech; its clock is 0.1 s behind."""
    healthy = recorded((measured(),), (GREETING, GOOD), (0.1, 0.9), (2.6, 4.0))
    late = row(
        7.0,
        agent_text=REPLY,
        heard_text=REPLY,
        timeline={"speech_ended": 0.0, "filler_out": 0.7, "first_frame_out": 1.5},
    )
    call = recorded((measured(latency_s=0.8),), (late,), (2.8, 2.9), (3.6, 5.0))
    first, second = turns_of([healthy, call])
    assert first.reply_s == 0.6
    assert second.sound_s == 0.8
    assert second.reply_s == pytest.approx(1.6)
    assert second.dead_air_s == pytest.approx(0.8, abs=0.03)


def test_an_apology_is_no_reply() -> None:
    sorry = Phrases().apology
    call = recorded((measured(),), (row(4.1, agent_text=sorry, heard_text=sorry),), (2.6, 4.0))
    (turn,) = turns_of([call])
    assert turn.sound_s == 0.6
    assert math.isinf(turn.reply_s)
    assert turn.is_failed
    assert json.loads(json.dumps(turn.as_dict()))["reply_s"] is None


def test_nothing_at_all_is_dead_air_until_the_caller_speaks_again() -> None:
    turns = (
        measured(outcome="unanswered", latency_s=None),
        measured(turn=2, speech_start_s=9.0, speech_end_s=10.0, outcome="call_ended"),
    )
    found = turns_of([recorded(turns, (), (0.1, 0.9))])
    assert found[0].dead_air_s == pytest.approx(7.0)
    assert math.isinf(found[0].sound_s)


def test_words_are_compared_over_the_whole_call() -> None:
    """One utterance that was taken in two pieces is whole; one that came shorter is not."""
    turns = (
        measured(),
        measured(turn=2, text="go forward ten meters", speech_start_s=6.0, speech_end_s=8.0),
    )
    rows = (
        row(4.1, caller_text="Ten", agent_text=REPLY, heard_text=REPLY),
        row(4.2, caller_text="of clubs."),
        row(10.0, caller_text="Go forward meters."),
    )
    found = turns_of([recorded(turns, rows, (2.6, 4.0), (8.6, 10.0), duration_s=14.0)])
    assert [(turn.words_lost, turn.words_extra) for turn in found] == [(0, 0), (1, 0)]


def test_a_reply_that_broke_off_and_went_on_is_held_against_the_whole_one() -> None:
    words = REPLY.split()
    broken = " ".join(words[:2] + words[3:] + words[-2:])
    call = recorded((measured(),), (row(4.1, heard_text=broken),), (2.6, 4.0))
    (turn,) = turns_of([call])
    assert (turn.reply_lost, turn.reply_extra) == (1, 2)


@pytest.mark.parametrize(("outcome", "lost"), [("failed", 2), ("interrupted", 0)])
def test_a_reply_that_nobody_could_finish_has_lost_words(outcome: str, lost: int) -> None:
    words = " ".join(REPLY.split()[:-2])
    call = recorded((measured(),), (row(4.1, heard_text=words, outcome=outcome),), (2.6, 4.0))
    (turn,) = turns_of([call])
    assert turn.reply_lost == lost


def test_a_hole_inside_a_reply_is_found_and_a_gap_before_it_is_not() -> None:
    sound = HeardSound(recording((0.1, 0.9), (2.6, 4.0), (4.51, 5.0)), PLACED_S)
    assert sound.hole_s(2.5, 9.0) == pytest.approx(0.5)
    assert sound.hole_s(4.2, 9.0) == 0.0
    assert longest_hole_s([]) == 0.0


def test_dead_air_is_judged_by_level_and_not_by_bytes() -> None:
    sound = HeardSound(recording((1.0, 1.5), (3.5, 4.0)), PLACED_S)
    assert sound.dead_air_s(1.0, 4.0) == pytest.approx(2.0, abs=0.02)
    assert sound.dead_air_s(0.0, 1.5) == pytest.approx(1.0, abs=0.02)
    assert sound.dead_air_s(5.0, 8.0) == 3.0
