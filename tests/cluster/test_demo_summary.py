from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from cluster.demo_summary import Files, print_summary, problems_of
from cluster.demo_turns import CallStory, joined
from simulation.carrier_leg import LegReport
from simulation.carrier_messages import Violation
from simulation.carrier_ticker import Lateness
from tests.cluster.demo_samples import measured, story


def printed(*stories: CallStory, lateness: Lateness | None = None) -> str:
    out = StringIO()
    files = Files((Path("out/call-1-carl.wav"),), Path("out/report.html"))
    print_summary(
        Console(file=out, width=80),
        stories,
        [joined(each) for each in stories],
        files,
        lateness or Lateness(),
    )
    return out.getvalue()


def test_a_good_run_has_no_problem() -> None:
    assert problems_of([story()]) == []
    text = printed(story(turns=(measured(barge_in_stop_s=0.24),)))
    assert "600 ms" in text
    assert "240 ms" in text
    assert "out/report.html" in text
    assert "✗" not in text


def test_everything_that_went_wrong_is_a_sentence() -> None:
    leg = LegReport("CA1", status="completed", ended_by="agent", streams=1)
    leg.violations.note(Violation(31951, "media without a payload"))
    bad = story(
        leg=leg,
        turns=(measured(outcome="unanswered", latency_s=None),),
        greeting_s=None,
        call_id="",
    )
    assert problems_of([bad]) == [
        "Carl's call ended early, by the agent",
        "Carl was not greeted",
        "Carl's turn 1 “ten of clubs” was unanswered",
        "Carl's call: 31951: media without a payload",
        "Carl's call is not in the call store",
    ]
    assert printed(bad).count("✗") == 5


@pytest.mark.parametrize(
    ("leg", "said"),
    [
        (
            LegReport("CA1", "completed", "agent", said=["All lines are busy."]),
            "“All lines are busy.”",
        ),
        (LegReport("CA1", "completed", "agent"), "nothing"),
        (LegReport("CA1", "busy", "agent"), "the busy tone"),
        (LegReport("CA1", "no-answer", "agent"), "“not in service”"),
    ],
)
def test_a_refused_call_is_not_called_completed(leg: LegReport, said: str) -> None:
    refused = story(leg=leg, turns=(), greeting_s=None, call_id="", rows=())
    assert problems_of([refused]) == [f"Carl's call was refused: Carl heard {said}"]


@pytest.mark.parametrize(
    ("leg", "said"),
    [
        (LegReport("CA1", "failed", "error", stream_asked=True), "failed"),
        (LegReport("CA1", "completed", "error", streams=1), "ended early, by an error"),
    ],
)
def test_a_call_that_broke_off_says_how(leg: LegReport, said: str) -> None:
    assert problems_of([story(leg=leg)]) == [f"Carl's call {said}"]


def test_a_busy_machine_is_said() -> None:
    late = Lateness()
    for _ in range(10):
        late.add(0.03)
    assert "This machine was busy" in printed(story(), lateness=late)
