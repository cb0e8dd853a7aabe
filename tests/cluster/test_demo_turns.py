from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.demo_turns import aligned, first_frame_s, joined, paired
from tests.cluster.demo_samples import PLACED_US, measured, recording, row, story


def test_zero_is_the_true_end_of_speech_and_the_last_stage_the_callers_own() -> None:
    """The product saw the end 90 ms late: its first frame left at 0.5 and arrived at 0.59."""
    _, turn = joined(story()).turns
    assert turn.stages == pytest.approx(
        {
            "speech_ended": 0.0,
            "committed": 0.49,
            "first_frame_out": 0.59,
            "first_frame_audible": 0.6,
        }
    )


def test_times_count_from_the_first_sample_of_the_recording() -> None:
    early = joined(story())
    late = joined(story(recording_start_s=-0.5))
    assert early.turns[1].agent_start_s == pytest.approx(2.6)
    assert late.turns[1].agent_start_s == pytest.approx(3.1)
    assert late.started_at_us == early.started_at_us - 500_000


def test_a_greeting_comes_first_and_ends_where_it_fell_silent() -> None:
    greeting, turn = joined(story()).turns
    assert (greeting.kind, greeting.turn_id) == ("greeting", 0)
    assert (greeting.agent_start_s, greeting.agent_end_s) == pytest.approx((0.1, 0.9))
    assert (turn.caller_start_s, turn.caller_end_s, turn.agent_end_s) == pytest.approx(
        (1.0, 2.0, 4.0)
    )


def test_an_interrupted_turn_knows_who_cut_it_and_when() -> None:
    second = measured(turn=2, kind="interrupt", speech_start_s=3.4, speech_end_s=4.4)
    call = joined(
        story(
            turns=(measured(), second),
            rows=(row(3.6, outcome="interrupted", heard_text="The ten of "), row(6.0, turn_id=2)),
        )
    )
    first = call.turns[0]
    assert first.interrupted
    assert first.barge_in_at_s == pytest.approx(3.4)
    assert first.heard_text == "The ten of "


def test_a_turn_that_is_not_recorded_is_still_shown() -> None:
    turn = joined(story(rows=())).turns[0]
    assert (turn.caller_text, turn.agent_text, dict(turn.stages)) == ("ten of clubs", "", {})
    assert turn.response_latency_s == 0.6


def test_a_turn_nobody_answered_has_no_reply() -> None:
    unanswered = measured(outcome="unanswered", latency_s=None)
    turn = joined(story(turns=(unanswered,), rows=())).turns[0]
    assert (turn.agent_start_s, turn.agent_end_s, turn.response_latency_s) == (None, None, None)


def test_a_recorded_turn_belongs_to_the_utterance_that_had_ended() -> None:
    turns = [measured(), measured(turn=2, speech_start_s=5.0, speech_end_s=6.0)]
    rows = [row(0.9, kind="greeting"), row(4.0), row(5.2), row(8.0)]
    found = paired(turns, rows, PLACED_US)
    assert [[r.at_us for r in each] for each in found] == [
        [rows[1].at_us, rows[2].at_us],
        [rows[3].at_us],
    ]


def test_audio_that_joined_what_still_played_has_no_known_arrival() -> None:
    runs = recording((1.0, 4.0)).agent_runs()
    assert first_frame_s(runs, 101.0) == pytest.approx(100.99)
    assert first_frame_s(runs, 103.5) is None
    assert first_frame_s(runs, 200.0) is None


def test_without_a_common_event_there_is_no_timeline() -> None:
    assert aligned({"committed": 0.4}, first_frame_s=0.5, audible_s=0.6) == {}
    assert aligned({"first_frame_out": 0.4}, first_frame_s=None, audible_s=0.6) == {}


@settings(max_examples=30)
@given(
    st.dictionaries(st.sampled_from(["eager", "committed", "first_token"]), st.floats(-2, 2)),
    st.floats(-1, 2),
    st.floats(0, 3),
)
def test_distances_between_the_products_stages_are_kept(
    stages: dict[str, float], sent_s: float, arrived_s: float
) -> None:
    shifted = aligned(
        {**stages, "first_frame_out": sent_s}, first_frame_s=arrived_s, audible_s=arrived_s
    )
    assert shifted["first_frame_out"] == pytest.approx(arrived_s)
    for name, at_s in stages.items():
        assert shifted["first_frame_out"] - shifted[name] == pytest.approx(sent_s - at_s, abs=1e-9)
