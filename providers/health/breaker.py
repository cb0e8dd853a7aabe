"""The breaker of one unit: whether callers may use it.

Rules
1. closed -> suspect on the first doubt; suspect is used, but hedged early and passed over in ties.
2. -> open on a run, on a share of bad ones (lately, or steadily over the window), on slow ones, or
   because the provider asked for it (429, a refused key). No caller touches an open unit.
3. open -> half-open when a probe is sent. Callers still do not touch it. A failed probe opens it
   again, with a longer gap; enough good ones in a row close, more of one that failed only some
   requests, and the more the fewer they were. One never answered has failed.
4. What the provider asked for extends the time until the next probe, and never shortens it.
5. After closing, new calls come back along a ramp; calls that left stay where they are.
6. A unit that opened too often lately is demoted: used after all others.

Synchronous; chance comes in as ``jitter``, a function that returns 0 to 1.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Final, Literal

from providers.health.evidence import STEADY_WINDOW_S, Recent
from providers.health.policy import HealthPolicy

State = Literal["closed", "suspect", "open", "half_open"]
Trigger = Literal["doubt", "calm", "trip", "probe", "probe_failed", "recovered"]

TRANSITIONS: Final[dict[tuple[State, Trigger], State]] = {
    ("closed", "doubt"): "suspect",
    ("suspect", "calm"): "closed",
    ("closed", "trip"): "open",
    ("suspect", "trip"): "open",
    ("open", "probe"): "half_open",
    ("half_open", "probe_failed"): "open",
    ("half_open", "recovered"): "closed",
    ("open", "recovered"): "closed",
}

_LONGEST_SPREAD_S = 10.0


class Breaker:
    """The state of one unit.

    Attributes:
        state: See the rules.
        reason: Why it opened last: ``run``, ``share``, ``steady``, ``slow``, ``busy``, ``refused``.
        openings: How often it has opened.
        recoveries: How often it has closed again.
        closed_at_s: When it closed last; minus infinity if it never opened.
        demoted_until_s: See rule 6; minus infinity for never.
    """

    def __init__(self, policy: HealthPolicy, jitter: Callable[[], float]) -> None:
        self._policy = policy
        self._jitter = jitter
        self._opened: deque[float] = deque(maxlen=policy.flaps)
        self._calm_at_s = math.inf
        self._probe_at_s = math.inf
        self._probe_sent_s: float | None = None
        self._shut_until_s = -math.inf
        self._failed_probes = 0
        self._good_probes = 0
        self.state: State = "closed"
        self.reason = ""
        self.probe_number = 0
        self.openings = 0
        self.recoveries = 0
        self.closed_at_s = -math.inf
        self.demoted_until_s = -math.inf

    @property
    def usable(self) -> bool:
        """True while callers may use it."""
        return self.state in {"closed", "suspect"}

    def judge(self, recent: Recent, *, now: float) -> None:
        """Take what was seen lately; idempotent."""
        if recent.shut_until_s > max(now, self._shut_until_s):
            self.shut(recent.shut_until_s, "busy", now=now)
        if not self.usable:
            return
        is_back = now - self.closed_at_s <= STEADY_WINDOW_S
        reason = trip_reason(recent, self._policy, is_back=is_back)
        if reason:
            self._open(reason, now)
        elif is_doubtful(recent, self._policy):
            doubt_s = recent.last_bad_s if math.isfinite(recent.last_bad_s) else now
            calm_at_s = doubt_s + self._policy.suspect_s
            if calm_at_s > now:
                self._calm_at_s = calm_at_s
                if self.state == "closed":
                    self._go("doubt")

    def shut(self, until_s: float, reason: str, *, now: float) -> None:
        """Open, and do not probe before ``until_s``; an earlier time than known changes nothing."""
        if until_s <= max(now, self._shut_until_s):
            return
        self._shut_until_s = until_s
        if self.usable:
            self._open(reason, now)
            return
        if self.state == "half_open":
            self._fail_probe(now)
        self._probe_at_s = max(self._probe_at_s, self._asked_for_s(now))

    def probe_due(self, *, now: float) -> bool:
        """Whether a probe should be sent."""
        return self._probe_sent_s is None and now >= self._probe_at_s

    def probe_sent(self, *, now: float) -> int:
        """A probe is on its way.

        Returns:
            Its number, for ``probe_answered``.
        """
        if self.state == "open":
            self._go("probe")
        self._probe_sent_s = now
        self.probe_number += 1
        return self.probe_number

    def probe_answered(self, number: int, *, ok: bool, now: float) -> None:
        """What became of a probe; answers to older probes are ignored."""
        if self.state != "half_open" or self._probe_sent_s is None or number != self.probe_number:
            return
        self._probe_sent_s = None
        if not ok:
            self._fail_probe(now)
            return
        self._good_probes += 1
        if self._good_probes < self._probes_wanted():
            self._probe_at_s = now + self._jittered(self._policy.probe_good_gap_s)
        else:
            self.recovered(now=now)

    def _probes_wanted(self) -> int:
        policy = self._policy
        partial = {"share": policy.good_probes_partial, "steady": policy.good_probes_steady}
        return partial.get(self.reason, policy.good_probes)

    def recovered(self, *, now: float) -> None:
        """It works again, as its own probes or somebody else's have shown."""
        if self.usable:
            return
        self._go("recovered")
        self.recoveries += 1
        self.closed_at_s = now
        self._probe_at_s = math.inf
        self._probe_sent_s = None
        self._failed_probes = 0
        self._good_probes = 0

    def next_deadline(self) -> float | None:
        """When ``handle_deadline`` or ``probe_due`` has something to say; None for never."""
        if self._probe_sent_s is not None:
            return self._probe_sent_s + self._policy.probe_timeout_s
        due_s = self._calm_at_s if self.state == "suspect" else self._probe_at_s
        return due_s if math.isfinite(due_s) else None

    def handle_deadline(self, *, now: float) -> None:
        """Suspicion ends; a probe without an answer has failed."""
        if self.state == "suspect" and now >= self._calm_at_s:
            self._go("calm")
        sent_s = self._probe_sent_s
        if sent_s is not None and now >= sent_s + self._policy.probe_timeout_s:
            self.probe_answered(self.probe_number, ok=False, now=now)

    def share_of_new_calls(self, *, now: float) -> float:
        """How much of the new calls it may take, 0 to 1; see rules 5 and 6."""
        if not self.usable:
            return 0.0
        return ramp_share(max(self.closed_at_s, self.demoted_until_s), self._policy, now=now)

    def _open(self, reason: str, now: float) -> None:
        self._go("trip")
        self.reason = reason
        self.openings += 1
        self._opened.append(now)
        self._probe_sent_s = None
        self._failed_probes = 0
        self._good_probes = 0
        full = len(self._opened) == self._policy.flaps
        if full and now - self._opened[0] <= self._policy.flap_window_s:
            self.demoted_until_s = now + self._policy.demote_s
        self._plan_probe(now)

    def _fail_probe(self, now: float) -> None:
        self._probe_sent_s = None
        self._good_probes = 0
        self._failed_probes += 1
        self._go("probe_failed")
        self._plan_probe(now)

    def _plan_probe(self, now: float) -> None:
        gaps = self._policy.probe_gaps_s
        gap_s = gaps[min(self._failed_probes, len(gaps) - 1)]
        self._probe_at_s = max(now + self._jittered(gap_s), self._asked_for_s(now))

    def _asked_for_s(self, now: float) -> float:
        """When the provider allows a probe; later by chance, so that not all come at once."""
        left_s = self._shut_until_s - now
        if left_s <= 0:
            return now
        spread_s = min(left_s, _LONGEST_SPREAD_S) * self._policy.jitter_ratio * self._jitter()
        return now + left_s + spread_s

    def _jittered(self, gap_s: float) -> float:
        return gap_s * (1.0 + self._policy.jitter_ratio * self._jitter())

    def _go(self, trigger: Trigger) -> None:
        self.state = TRANSITIONS[self.state, trigger]


def trip_reason(recent: Recent, policy: HealthPolicy, *, is_back: bool = False) -> str:
    """Why a unit with this evidence is to be opened; empty when it is not.

    Args:
        recent: What was seen.
        policy: When that is too much.
        is_back: It was left within the last minute, and is on probation.
    """
    attempts = recent.good + recent.bad
    if recent.run >= policy.run_opens:
        return "run"
    has_share = attempts >= policy.share_minimum and recent.bad >= policy.share_minimum_bad
    if has_share and recent.fading_share >= policy.share_opens:
        return "share"
    fewest = policy.steady_minimum_back if is_back else policy.steady_minimum_bad
    if any(bad >= max(fewest, policy.steady_share_opens * among) for among, bad in recent.lately):
        return "steady"
    if recent.slow_of >= policy.slow_minimum and recent.slow_share >= policy.slow_share_opens:
        return "slow"
    return ""


def is_doubtful(recent: Recent, policy: HealthPolicy) -> bool:
    """Whether a unit with this evidence is suspect."""
    if recent.run >= policy.run_doubts:
        return True
    attempts = recent.good + recent.bad
    return attempts >= policy.share_minimum and recent.fading_share >= policy.share_doubts


def ramp_share(since_s: float, policy: HealthPolicy, *, now: float) -> float:
    """Share of new calls for a unit that may be used again since ``since_s``."""
    share = 0.0
    for after_s, allowed in policy.ramp:
        if now - since_s >= after_s:
            share = allowed
    return share
