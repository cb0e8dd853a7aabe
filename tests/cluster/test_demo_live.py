from __future__ import annotations

from io import StringIO

from rich.console import Console

from cluster.demo_live import LiveCall, StartProgress, print_waterfalls
from cluster.demo_script import DemoCaller
from cluster.demo_turns import joined
from simulation.caller_events import AgentHeard, CallEnded, CallerSaid
from tests.cluster.demo_samples import PLACED_US, measured, row, story

CARL = DemoCaller("Carl", "cyan", "+14155550101", ())


def live(*, prefixed: bool = False) -> tuple[LiveCall, StringIO]:
    out = StringIO()
    return LiveCall(Console(file=out, width=80), CARL, prefixed=prefixed), out


def lines(out: StringIO) -> list[str]:
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def said(at_s: float, text: str) -> CallerSaid:
    return CallerSaid(0, at_s, text, "clip", at_s + 1.0)


def test_words_of_the_caller_are_printed_when_they_are_said() -> None:
    call, out = live()
    call.take(said(1.0, "ten of clubs"))
    assert lines(out) == ["1.0 s Carl ten of clubs"]


def test_the_agents_words_carry_their_onset_and_latency() -> None:
    call, out = live()
    call.take(AgentHeard(0, 2.6, True))
    call.take(measured())
    call.show([row(4.1)], PLACED_US)
    call.show([row(4.1)], PLACED_US)
    assert lines(out) == ["2.6 s Agent The ten of clubs. Another one? 600 ms"]


def test_an_interruption_is_printed_after_what_it_cut_off() -> None:
    call, out = live()
    call.take(AgentHeard(0, 2.6, True))
    call.take(measured())
    call.take(said(3.4, "seven of clubs"))
    assert lines(out) == []
    call.show([row(3.6, outcome="interrupted", heard_text="The ten of ")], PLACED_US)
    assert lines(out) == [
        "2.6 s Agent The ten of— [clubs. Another one?] 600 ms",
        "3.4 s Carl seven of clubs ← talks over the agent",
    ]


def test_words_that_wait_are_not_lost_when_the_call_ends() -> None:
    call, out = live(prefixed=True)
    call.take(AgentHeard(0, 2.6, True))
    call.take(said(3.4, "seven of clubs"))
    call.take(CallEnded(0, 4.0, "completed", "agent", "ended_early"))
    assert lines(out) == ["3.4 s Carl │ Carl seven of clubs ← talks over the agent"]


def test_the_waterfall_says_what_an_interrupted_caller_heard() -> None:
    second = measured(turn=2, kind="interrupt", speech_start_s=3.4, speech_end_s=4.4)
    rows = (row(3.6, outcome="interrupted", heard_text="The ten of "), row(6.0, turn_id=2))
    out = StringIO()
    print_waterfalls(
        Console(file=out, width=100), joined(story(turns=(measured(), second), rows=rows))
    )
    text = " ".join(out.getvalue().split())
    assert "interrupted after 0.8 s; heard: “The ten of”; never heard: “clubs. Another" in text
    assert "Turn committed" in text


def test_every_step_of_the_start_is_a_line_with_its_time() -> None:
    out = StringIO()
    with StartProgress(Console(file=out, width=80)) as progress:
        progress.started("Ray")
        progress.done("Ray")
        progress.note("HAProxy is not available")
    assert lines(out)[0].startswith("✓ Ray 0.")
    assert lines(out)[1] == "HAProxy is not available"
