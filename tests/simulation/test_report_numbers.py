from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.report_numbers import as_clock, in_ms, numbers_of, spans_of, unheard_text
from tests.simulation.report_samples import STAGES, call, turn


def test_every_step_is_a_span() -> None:
    spans = {span.label: (span.start_s, span.end_s) for span in spans_of(STAGES)}
    assert spans == {
        "Eager endpoint": (0.0, 0.12),
        "Final transcript": (0.0, 0.2),
        "Turn committed": (0.0, 0.25),
        "LLM first token": (0.25, 0.35),
        "First segment": (0.35, 0.38),
        "TTS first byte": (0.381, 0.45),
        "First frame out": (0.45, 0.452),
        "First sound heard": (0.452, 0.5),
    }


def test_audio_that_was_ready_before_the_turn_was_taken_was_held() -> None:
    spans = spans_of({"committed": 0.25, "speak_first_byte": 0.1, "first_frame_out": 0.26})
    assert [(span.label, span.phase) for span in spans][-1] == ("Held for the turn", "held")


def test_steps_that_were_not_measured_are_left_out() -> None:
    assert [span.label for span in spans_of({"committed": 0.2, "first_token": 0.3})] == [
        "Turn committed",
        "LLM first token",
    ]
    assert spans_of({}) == ()


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from([*STAGES, "new"]), st.floats(-10, 10)))
def test_no_step_is_shorter_than_nothing(stages: dict[str, float]) -> None:
    assert all(span.length_s >= 0 for span in spans_of(stages))


def test_a_run_is_summed_over_its_calls() -> None:
    first = call(
        turn(turn_id=0, kind="greeting", response_latency_s=None),
        turn(response_latency_s=0.4),
        turn(response_latency_s=0.6, interrupted=True),
        underruns=1,
    )
    numbers = numbers_of([first, call(turn(response_latency_s=0.5), protocol_errors=("x",))])
    assert (numbers.turns, numbers.measured, numbers.barge_ins) == (3, 3, 1)
    assert (numbers.underruns, numbers.protocol_errors) == (1, 1)
    assert numbers.p50_s == pytest.approx(0.5)
    assert numbers.p95_s == pytest.approx(0.59)
    assert numbers.duration_s == 4.0


def test_nothing_measured_is_a_dash() -> None:
    assert numbers_of([]).p50_s is None
    assert (in_ms(None), in_ms(0.4321), as_clock(67.9)) == ("–", "432 ms", "1:07")


@pytest.mark.parametrize(
    ("heard", "interrupted", "rest"),
    [
        ("Yes, until ", True, "six today."),
        ("Yes", False, ""),
        ("No", True, ""),
        ("", True, "Yes, until six today."),
    ],
)
def test_what_was_not_heard(heard: str, interrupted: bool, rest: str) -> None:
    assert unheard_text(turn(heard_text=heard, interrupted=interrupted)) == rest
