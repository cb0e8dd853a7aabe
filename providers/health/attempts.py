"""One request over several candidates, until the first useful output.

Rules
1. The first candidate is asked. When its hedge time comes, the next one is asked too, if the budget
   allows. First useful output wins, whoever gives it; the others are cancelled.
2. A hard failure, or a deadline, asks the next at once. That is no hedge and costs no budget.
3. At most ``MOST_AT_ONCE`` run together and ``MOST_ASKED`` are asked in all. A candidate past its
   deadline still runs, and may win, until its place is needed.
4. A candidate is told of once: answered, failed, or silent past its silence time. One that answers
   after it was silent is told of again: it is well, only slow.
5. A loser is let run until its silence time, and only listened to: cancelled earlier, the slowest
   answers would never be measured, and a provider that hangs would look well behind its hedges.
   Its own first output, or its silence time, ends it.
6. A stale pooled socket is asked once more, at once; that says nothing about the provider.
7. When the caller speaks or hangs up before the first output, nobody is to blame.
8. Of requests that may not be doubled (``one_at_a_time``) no two ever run: where another one would
   be hedged, the first is closed at its silence time, within the same budget, and then the next is
   asked. Should all who are left fail, one that was only silent is asked once more.

Shape of a machine: events in with ``now``, outputs out. ``providers.failover.contest`` drives it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from providers.health.deadline import Timing
from providers.health.signals import Sign, Signal

MOST_AT_ONCE = 2
MOST_ASKED = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody to ask.

    Attributes:
        unit: Key of the unit.
        timing: When to do what about it.
    """

    unit: str
    timing: Timing


@dataclass(frozen=True, slots=True)
class OutputCame:
    """The first useful output of an attempt."""

    attempt: int


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """An attempt ended without one."""

    attempt: int
    signal: Signal


@dataclass(frozen=True, slots=True)
class RequestAbandoned:
    """Nobody wants the output any more."""


Event = OutputCame | AttemptFailed | RequestAbandoned


@dataclass(frozen=True, slots=True)
class StartAttempt:
    """Ask a candidate.

    Attributes:
        attempt: Its number, from 0, for later events.
        unit: Whom to ask.
        why: ``again`` is for a stale socket.
    """

    attempt: int
    unit: str
    why: Literal["first", "hedge", "failover", "again"]


@dataclass(frozen=True, slots=True)
class CancelAttempt:
    """Close its stream."""

    attempt: int


@dataclass(frozen=True, slots=True)
class UseAttempt:
    """Its output is the one; drop that of all others."""

    attempt: int
    unit: str
    waited_s: float


@dataclass(frozen=True, slots=True)
class TellHealth:
    """Something seen of a unit."""

    unit: str
    signal: Signal


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nobody answered: say something from the cache."""

    waited_s: float


Output = StartAttempt | CancelAttempt | UseAttempt | TellHealth | GiveUp


@dataclass(slots=True)
class _Running:
    attempt: int
    candidate: Candidate
    began_s: float
    told: bool = False
    hedged: bool = False
    late: bool = False


class Attempts:
    """One request.

    Args:
        candidates: Best first; at least one.
        may_hedge: Asked before each call that is made early.
        now: Seconds.
        one_at_a_time: See rule 8.

    Attributes:
        winner: Unit that gave the output; None before, and when nobody did.
        hedges: Calls that were made early.
        calls: Calls to providers in all.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        may_hedge: Callable[[], bool],
        *,
        now: float,
        one_at_a_time: bool = False,
    ) -> None:
        if not candidates:
            raise ValueError("a request needs at least one candidate")
        self._left = deque(candidates[:MOST_ASKED])
        self._at_once = 1 if one_at_a_time else MOST_AT_ONCE
        self._only_silent: deque[Candidate] = deque()
        self._may_hedge = may_hedge
        self._running: dict[int, _Running] = {}
        self._outputs: deque[Output] = deque()
        self._began_s = now
        self._again_used = False
        self._decided = False
        self.winner: str | None = None
        self.hedges = 0
        self.calls = 0
        self._start("first", now)

    @property
    def done(self) -> bool:
        """True when no event can change anything any more."""
        return self._decided and not self._running

    def next_output(self) -> Output | None:
        """The next thing to do; None when there is nothing."""
        return self._outputs.popleft() if self._outputs else None

    def next_deadline(self) -> float | None:
        """When ``handle_deadline`` is to be called; None for never."""
        at_s = min((self._due_s(run) for run in self._running.values()), default=math.inf)
        return at_s if math.isfinite(at_s) else None

    def receive(self, event: Event, *, now: float) -> None:
        """Take one event; those about attempts that ended are ignored."""
        match event:
            case OutputCame(attempt):
                if run := self._running.pop(attempt, None):
                    self._answered(run, now)
            case AttemptFailed(attempt, signal):
                if run := self._running.pop(attempt, None):
                    self._failed(run, signal, now)
            case RequestAbandoned():
                self._decided = True
                for attempt in list(self._running):
                    self._cancel(attempt)
            case _:
                assert_never(event)

    def handle_deadline(self, *, now: float) -> None:
        """Do what has come due: a hedge, silence, a deadline."""
        for run in list(self._running.values()):
            if run.attempt in self._running and now >= self._due_s(run) - 1e-9:
                self._due(run, now)

    def _due_s(self, run: _Running) -> float:
        timing = run.candidate.timing
        due = [math.inf]
        if not run.told:
            due.append(timing.silent_after_s)
        if not self._decided and not run.late:
            due.append(timing.deadline_s)
        if self._can_hedge(run):
            due.append(self._early_s(run))
        return run.began_s + min(due)

    def _can_hedge(self, run: _Running) -> bool:
        if (
            self._decided
            or run.hedged
            or not self._left
            or run.candidate.timing.hedge_after_s is None
        ):
            return False
        return self._at_once == 1 or len(self._running) < self._at_once

    def _early_s(self, run: _Running) -> float:
        """When another one is asked, after this one was; its timing has a time for it."""
        timing = run.candidate.timing
        # Closed before its silence time it could not be told from one that hangs, see rule 5.
        return timing.silent_after_s if self._at_once == 1 else timing.hedge_after_s or 0.0

    def _due(self, run: _Running, now: float) -> None:
        timing = run.candidate.timing
        waited_s = now - run.began_s + 1e-9
        if self._can_hedge(run) and waited_s >= self._early_s(run):
            run.hedged = True
            if self._may_hedge():
                self.hedges += 1
                if self._at_once == 1:
                    self._replace(run, now)
                    return
                self._start("hedge", now)
        if waited_s >= timing.silent_after_s and not run.told:
            run.told = True
            self._outputs.append(TellHealth(run.candidate.unit, Signal(Sign.SILENT)))
            if self._decided:
                self._cancel(run.attempt)
                return
        if waited_s >= timing.deadline_s and not run.late and not self._decided:
            run.late = True
            self._go_on(now)

    def _replace(self, run: _Running, now: float) -> None:
        """Give up on one that is silent, and ask the next."""
        self._outputs.append(TellHealth(run.candidate.unit, Signal(Sign.SILENT)))
        self._cancel(run.attempt)
        self._only_silent.append(run.candidate)
        self._start("failover", now)

    def _answered(self, run: _Running, now: float) -> None:
        signal = Signal(Sign.ANSWERED, latency_s=now - run.began_s)
        self._outputs.append(TellHealth(run.candidate.unit, signal))
        if self._decided:
            self._outputs.append(CancelAttempt(run.attempt))
            return
        self._decided = True
        self.winner = run.candidate.unit
        self._outputs.append(UseAttempt(run.attempt, self.winner, now - self._began_s))
        for other in list(self._running.values()):
            if other.told:
                self._cancel(other.attempt)

    def _failed(self, run: _Running, signal: Signal, now: float) -> None:
        if signal.sign is Sign.STALE_SOCKET:
            if not self._again_used and not self._decided:
                self._again_used = True
                self._left.appendleft(run.candidate)
                self._start("again", now)
                return
            signal = Signal(Sign.UNAVAILABLE)
        if not (run.told and signal.weight == "bad"):
            self._outputs.append(TellHealth(run.candidate.unit, signal))
        if self._decided:
            return
        if not self._left and self._only_silent and self.calls < MOST_ASKED:
            self._left.append(self._only_silent.popleft())
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        """Somebody failed or is late: ask the next, unless a hedge is under way already."""
        in_time = [run for run in self._running.values() if not run.late]
        if in_time:
            return
        if self._left:
            while len(self._running) >= self._at_once:
                self._cancel(min(self._running))
            self._start("failover", now)
            return
        self._decided = True
        for attempt in list(self._running):
            self._cancel(attempt)
        self._outputs.append(GiveUp(now - self._began_s))

    def _start(self, why: Literal["first", "hedge", "failover", "again"], now: float) -> None:
        candidate = self._left.popleft()
        attempt = self.calls
        self.calls += 1
        self._running[attempt] = _Running(attempt, candidate, now)
        self._outputs.append(StartAttempt(attempt, candidate.unit, why))

    def _cancel(self, attempt: int) -> None:
        del self._running[attempt]
        self._outputs.append(CancelAttempt(attempt))
