"""What an act has to show before a test believes that calls outlived its faults."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cluster.survival.act import Act
from cluster.survival.faults import Fault
from tests.support.ray_phone import note

_STRIKES_PROCESSES = ("kill", "hang", "lose", "drain")


def require_survived(act: Act, faults: Sequence[Fault]) -> None:
    """Every fault met somebody on the phone, no call was lost or refused, and everything came back.

    How long a caller waited is a benchmark: on a busy machine the callers themselves are late. That
    is noted, and lost calls count all the same. They count from the first call to the last one,
    also between two strikes.

    Raises:
        ClusterError: Something broke the act off.
        AssertionError: Something of the above is not so.
    """
    found = act.judged()
    for each in found:
        strikes = [(len(strike.pids), strike.met, strike.whole_s) for strike, _ in each.strikes]
        note(each.fault.name, each.total, "processes, calls met, whole after:", strikes)
        note(each.fault.name, f"callers late by {each.lateness_ms:.0f} ms (P99)", each.doubt)
    if act.trouble is not None:
        raise act.trouble
    assert act.usual.turns, "nobody was answered while all was well"
    assert [each.fault.name for each in found] == [fault.name for fault in faults]
    for each in found:
        assert each.strikes, f"{each.fault.name}: nothing was struck"
    struck_at = min(strike.at for each in found for strike, _ in each.strikes)
    lost = [(each.ended_at - struck_at, each.why) for each in act.stories if each.is_lost]
    refused = [(c.placed_at - struck_at, c.why) for c in act.stories if not c.was_admitted]
    assert not lost, f"calls were lost, seconds after the first strike, and why: {lost}"
    assert not refused, f"calls were refused, seconds after the first strike, and why: {refused}"
    for each in found:
        assert not each.met_nobody, f"{each.fault.name}: nobody was on the phone there"
        for strike, _ in each.strikes:
            is_struck = strike.pids or each.fault.how not in _STRIKES_PROCESSES
            assert is_struck, f"{each.fault.name}: no process was there to be struck"
            assert math.isfinite(strike.whole_s), f"{each.fault.name}: not whole again"
