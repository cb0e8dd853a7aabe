from __future__ import annotations

from io import StringIO
from pathlib import Path

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
    leg = LegReport("CA1", status="completed", ended_by="agent")
    leg.violations.note(Violation(31951, "media without a payload"))
    bad = story(
        leg=leg,
        turns=(measured(outcome="unanswered", latency_s=None),),
        greeting_s=None,
        call_id="",
    )
    assert problems_of([bad]) == [
        "Carl's call: completed, ended by agent",
        "Carl was not greeted",
        "Carl's turn 1 “ten of clubs” was unanswered",
        "Carl's call: 31951: media without a payload",
        "Carl's call is not in the call store",
    ]
    assert printed(bad).count("✗") == 5


def test_a_busy_machine_is_said() -> None:
    late = Lateness()
    for _ in range(10):
        late.add(0.03)
    assert "This machine was busy" in printed(story(), lateness=late)
