"""What the tests of the whole product ask of an act: none of it passes unseen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cluster.errors import DemoFailed
from cluster.survival.act import Act, FaultRun
from cluster.survival.faults import BY_NAME
from cluster.survival.figures import LATEST_MS, Strike
from tests.cluster.survival.test_figures import CALL, TURN
from tests.support.survived import require_survived

CUT, DRAIN = BY_NAME["line-cut"], BY_NAME["node-drain"]
STRIKE = Strike("listening", 30.0, 38.0, pids=(7,), whole_s=1.0, met=2)


def an_act() -> Act:
    """Two faults that everybody outlived."""
    return Act([FaultRun(CUT, [STRIKE]), FaultRun(DRAIN, [STRIKE])], (5.0, 20.0), [CALL], [TURN])


def test_an_act_that_everybody_outlived_is_believed_also_of_late_callers() -> None:
    act = an_act()
    act.runs[0].lateness_ms = 10 * LATEST_MS
    require_survived(act, (CUT, DRAIN))


def test_an_act_that_was_broken_off_raises_what_broke_it_off() -> None:
    act = an_act()
    act.runs, act.trouble = [], DemoFailed("the node was not drained")
    with pytest.raises(DemoFailed, match="not drained"):
        require_survived(act, (DRAIN,))


def test_each_fault_has_to_strike() -> None:
    act = an_act()
    with pytest.raises(AssertionError):
        require_survived(act, (CUT, DRAIN, BY_NAME["deploy"]))
    act.runs[0].strikes = []
    with pytest.raises(AssertionError, match="nothing was struck"):
        require_survived(act, (CUT, DRAIN))
    act.runs[0].strikes = [replace(STRIKE, pids=())]
    require_survived(act, (CUT, DRAIN))  # that of connections strikes no process
    act.runs[1].strikes = [replace(STRIKE, pids=())]
    with pytest.raises(AssertionError, match="no process"):
        require_survived(act, (CUT, DRAIN))
    act.runs[1].strikes = [STRIKE]
    act.runs[0].strikes = [replace(STRIKE, met=0)]
    with pytest.raises(AssertionError, match="nobody was on the phone"):
        require_survived(act, (CUT, DRAIN))
    act.runs[0].strikes = [replace(STRIKE, whole_s=float("inf"))]
    with pytest.raises(AssertionError, match="not whole again"):
        require_survived(act, (CUT, DRAIN))


def test_a_call_that_is_lost_or_refused_between_two_strikes_counts() -> None:
    act = an_act()
    act.stories.append(replace(CALL, placed_at=39.0, ended_at=45.0, is_lost=True))
    with pytest.raises(AssertionError, match="lost"):
        require_survived(act, (CUT, DRAIN))
    act.stories[-1] = replace(CALL, placed_at=39.0, ended_at=45.0, was_admitted=False)
    with pytest.raises(AssertionError, match="refused"):
        require_survived(act, (CUT, DRAIN))


def test_callers_whom_nobody_answered_outlived_nothing() -> None:
    act = an_act()
    act.turns = []
    with pytest.raises(AssertionError, match="nobody was answered"):
        require_survived(act, (CUT, DRAIN))
