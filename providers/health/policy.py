"""The numbers of the policy, in one place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class HealthPolicy:
    """When a unit is left and when it is used again. Times in seconds, shares from 0 to 1.

    Attributes:
        run_doubts: Bad attempts in a row that make a unit suspect.
        share_doubts: Share of bad ones that does, among ``share_minimum`` at least.
        run_opens: Bad attempts in a row, nobody seeing a good one, that open.
        share_opens: Share of bad ones lately (fading, half-life ``fade_s``) that opens.
        share_minimum: Attempts in the window before shares count.
        share_minimum_bad: Bad ones in the window before a share opens: where little is asked, a
            single fresh one outweighs all good ones that have faded.
        steady_share_opens: Share of bad ones since any moment of the last minute that opens; a
            provider that fails one in ten looks well to every shorter view.
        steady_minimum_bad: Bad ones since then before that counts.
        steady_minimum_back: The same of one that came back within the last minute.
        slow_share_opens: Share of good ones that took over ``slow_ratio`` times the median.
        slow_minimum: Attempts in the window before that counts.
        slow_ratio: Times the unit's own median.
        suspect_s: How long suspicion lasts after the last bad one.
        probe_gaps_s: From opening to the first probe, and between failed ones.
        probe_good_gap_s: From a good probe to the next.
        probe_timeout_s: A probe without an answer is a failed one.
        good_probes: Good ones in a row that close.
        good_probes_partial: The same of one that was left for a share of bad ones: who answers
            half of what it is asked passes three in a row every eighth time.
        good_probes_steady: The same of one that was left for a small share over a long time: who
            fails one in ten passes eight in a row two times in five, and twenty one time in eight.
        jitter_ratio: Gaps are up to this much longer, so that probers do not march in step.
        busy_s: How long a unit that is busy stays open, at least.
        busy_longest_s: And at most, whatever it says: a header can be wrong by a century.
        refused_s: How long after a refused key.
        ramp: ``(since closing, share of new calls)``, ascending.
        flaps: Openings within ``flap_window_s`` that demote.
        flap_window_s: See ``flaps``.
        demote_s: A demoted unit comes after all others for this long.
        board_stale_s: A board this old is not relied upon.
        report_s: Reports go out this often while something is wrong.
        report_calm_s: And this often while nothing is.
    """

    run_doubts: int = 1
    share_doubts: float = 0.1
    run_opens: int = 4
    share_opens: float = 0.4
    share_minimum: int = 10
    share_minimum_bad: int = 2
    steady_share_opens: float = 0.06
    steady_minimum_bad: int = 5
    steady_minimum_back: int = 3
    slow_share_opens: float = 0.2
    slow_minimum: int = 20
    slow_ratio: float = 2.5
    suspect_s: float = 5.0
    probe_gaps_s: tuple[float, ...] = (1.0, 1.0, 2.0, 4.0, 8.0, 10.0)
    probe_good_gap_s: float = 1.0
    probe_timeout_s: float = 2.0
    good_probes: int = 3
    good_probes_partial: int = 8
    good_probes_steady: int = 20
    jitter_ratio: float = 0.2
    busy_s: float = 1.0
    busy_longest_s: float = 3_600.0
    refused_s: float = 60.0
    ramp: tuple[tuple[float, float], ...] = ((0.0, 0.1), (3.0, 0.5), (10.0, 1.0))
    flaps: int = 3
    flap_window_s: float = 600.0
    demote_s: float = 600.0
    board_stale_s: float = 2.0
    report_s: float = 0.1
    report_calm_s: float = 0.5


# For the cluster's view: one soft failure somewhere is no news when a thousand requests a second
# are made, since three in a thousand are past 1.15 x P99 on a good day.
SHARED_POLICY = HealthPolicy(run_doubts=2)

# A call asks a recogniser once, for one stream, and one that hears nothing has been compared with
# another that was sent the same and did: few are seen, and each of them says more.
_OF_STREAMS: Final[dict[str, Any]] = {"share_minimum": 4, "suspect_s": 15.0, "run_doubts": 1}


def policy_of(operation: str, policy: HealthPolicy) -> HealthPolicy:
    """The numbers for units of this operation (``unit.Operation``)."""
    return replace(policy, **_OF_STREAMS) if operation == "stt.first_partial" else policy
