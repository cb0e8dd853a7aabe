"""The line of a load run."""

from __future__ import annotations

import io

from cluster.load_progress import LoadProgress
from simulation.caller_events import CallEnded, CallerEvent, CallStarted, TurnMeasured


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_load_run_says_how_far_it_is_on_a_terminal_only() -> None:
    now_s = 0.0
    screen, pipe = Screen(), io.StringIO()
    shown, piped = (LoadProgress(2, out, lambda: now_s) for out in (screen, pipe))
    events: list[CallerEvent] = [
        CallStarted(0, 0.1, "CA1"),
        CallStarted(1, 0.2, "CA2"),
        TurnMeasured(0, 3.0, 1, "say", "", "", 1.0, 2.0, "answered", 0.5),
        CallEnded(0, 4.0, "completed", "caller", "completed"),
    ]
    for event in events:
        shown.take(event)
        piped.take(event)
        now_s += 0.3
    shown.clear()
    piped.clear()
    lines = [line.removeprefix("\x1b[2K") for line in screen.getvalue().split("\r")]
    assert lines == ["", "0 of 2 calls over, 1 up, 0 turns", "0 of 2 calls over, 2 up, 1 turns", ""]
    assert shown.line() == "1 of 2 calls over, 1 up, 1 turns"
    assert pipe.getvalue() == ""
