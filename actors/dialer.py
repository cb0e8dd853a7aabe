"""Which waiting call is dialled next, and what becomes of it.

Rules
1. Calls are dialled in the order in which they became due; a call is in the machine once.
2. The carrier is asked ``calls_per_s`` times a second at most, however the answers come in, and at
   most ``max_in_flight`` questions are open. A call that proves not to be dialled costs no time.
3. A call is dialled only while the cluster has room for it, beyond what is kept for callers
   (``kept_free``). A call that was dialled takes that room away until the next word about capacity.
   Likewise of its tenant, if that has a limit: the calls of a tenant that has no room wait, and
   those of others are dialled before them.
4. The carrier takes no calls of ours just now (it throttles, or does not take our key): the whole
   queue waits as long as it says, or ever longer, and the call is tried again. That is no fault of
   the call and counts as no attempt.
5. The carrier refuses: the call has failed. It cannot be reached and nothing was done: the call is
   tried again, ``max_attempts`` times in all. It cannot be reached and may have dialled: the call
   has failed with an unknown outcome. No phone is ever rung twice on a guess.

The machine reads no clock and does no I/O; ``now`` is loop time in seconds. Drain ``next_output``
after each event, then re-arm one timer from ``next_deadline``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from actors.dialer_events import (
    OUTCOME_UNKNOWN,
    UNREACHABLE,
    CallAccepted,
    CallDue,
    CallKey,
    CallRefused,
    CallTaken,
    CallWithdrawn,
    CapacityKnown,
    CarrierWasAway,
    CarrierWasBusy,
    Dial,
    Event,
    MarkFailed,
    MarkPlaced,
    MarkWaiting,
    Output,
)


def no_limit(_tenant_id: str, _calls: int) -> int | None:
    """Any number of calls of a tenant."""
    return None


@dataclass(frozen=True, slots=True)
class DialerConfig:
    """How fast and how stubbornly.

    Attributes:
        calls_per_s: Calls placed each second; the carrier's default for an account is 1.
        kept_free: Slots that are left to calls that come in.
        tenant_room: Further calls of a tenant that has so many; None: any number.
        max_in_flight: Questions to the carrier that may be open at once.
        max_attempts: Times a call is tried while the carrier cannot be reached.
        first_backoff_s, last_backoff_s: How long to wait after a failure; doubles in between.
    """

    calls_per_s: float = 1.0
    kept_free: int = 0
    tenant_room: Callable[[str, int], int | None] = no_limit
    max_in_flight: int = 4
    max_attempts: int = 10
    first_backoff_s: float = 1.0
    last_backoff_s: float = 60.0


class Dialer:
    """The machine; see the rules at the top of this file.

    Args:
        config: Rates and bounds.
    """

    def __init__(self, config: DialerConfig) -> None:
        self._config = config
        self._waiting: deque[CallKey] = deque()
        self._attempts: dict[CallKey, int] = {}  # of calls that wait or are in flight
        self._in_flight: set[CallKey] = set()
        self._later: dict[CallKey, float] = {}
        self._free = 0
        self._tenants: dict[str, int] = {}  # room of those with a limit
        self._last_dialled: CallKey | None = None
        self._paced_until = 0.0
        self._throttled_until = 0.0
        self._throttles = 0  # in a row
        self._outbox: deque[Output] = deque()

    @property
    def waiting(self) -> int:
        """Calls that are due or will be tried again."""
        return len(self._waiting) + len(self._later)

    @property
    def in_flight(self) -> int:
        """Questions to the carrier that are open."""
        return len(self._in_flight)

    def held_up_by(self, now: float) -> str:
        """Why the next call is not dialled: one word.

        ``capacity``, ``tenant``, ``throttled``, ``pace`` or ``in_flight``.

        Empty when nothing waits or nothing holds it up.
        """
        if not self._waiting:
            return ""
        if self._free <= 0:
            return "capacity"
        if self._next_in_line() is None:
            return "tenant"
        if self._throttled_until > now:
            return "throttled"
        if self._paced_until > now:
            return "pace"
        return "in_flight" if len(self._in_flight) >= self._config.max_in_flight else ""

    def receive(self, event: Event, *, now: float) -> None:
        """Take one event in; answers about calls that are not in flight change nothing."""
        match event:
            case CallDue(key=key):
                if key not in self._attempts:
                    self._attempts[key] = max(0, event.attempts)
                    self._waiting.append(key)
            case CallWithdrawn(key=key):
                self._withdraw(key)
            case CapacityKnown(free=free):
                self._free = max(0, free - self._config.kept_free - len(self._in_flight))
                self._tenants = dict(event.tenants)
            case CallAccepted(key=key):
                if self._is_over(key):
                    self._throttles = 0
                    self._outbox.append(MarkPlaced(key, event.call_sid))
            case CallRefused(key=key):
                if self._is_over(key):
                    self._throttles = 0
                    self._outbox.append(MarkFailed(key, event.code, event.message))
            case CallTaken(key=key):
                self._hear_taken(key, now)
            case CarrierWasBusy(key=key):
                self._hear_busy(event, now)
            case CarrierWasAway(key=key):
                self._hear_nothing(event, now)
            case _:
                assert_never(event)
        self._dial(now)

    def next_output(self) -> Output | None:
        """The oldest request, or None when there is none left."""
        return self._outbox.popleft() if self._outbox else None

    def next_deadline(self) -> float | None:
        """Loop time at which ``handle_deadline`` wants to be called, or None."""
        deadlines = list(self._later.values())
        is_ready = self._free > 0 and len(self._in_flight) < self._config.max_in_flight
        if is_ready and self._next_in_line() is not None:
            deadlines.append(self._next_dial_at)
        return min(deadlines, default=None)

    def handle_deadline(self, *, now: float) -> None:
        """Dial what has come due at ``now``; early or repeated calls do no harm."""
        due = [key for key, at in self._later.items() if at <= now]
        for key in due:
            del self._later[key]
            self._waiting.append(key)
        self._dial(now)

    def _dial(self, now: float) -> None:
        config = self._config
        while (
            self._free > 0
            and self._next_dial_at <= now
            and len(self._in_flight) < config.max_in_flight
            and (key := self._next_in_line()) is not None
        ):
            self._waiting.remove(key)
            self._free -= 1
            self._count_of_tenant(key[0], -1)
            self._in_flight.add(key)
            self._last_dialled = key
            self._paced_until = now + 1 / config.calls_per_s
            self._outbox.append(Dial(key, self._attempts[key] + 1))

    @property
    def tenants(self) -> set[str]:
        """Whose calls wait, for their turn or to be tried again."""
        return {tenant for tenant, _ in (*self._waiting, *self._later)}

    def _next_in_line(self) -> CallKey | None:
        """The first that waits and whose tenant has room."""
        return next((key for key in self._waiting if self._tenants.get(key[0], 1) > 0), None)

    def _count_of_tenant(self, tenant: str, more: int) -> None:
        if tenant in self._tenants:
            self._tenants[tenant] += more

    @property
    def _next_dial_at(self) -> float:
        return max(self._paced_until, self._throttled_until)

    def _is_over(self, key: CallKey) -> bool:
        """Forget a call in flight; False if it was not in flight."""
        if key not in self._in_flight:
            return False
        self._in_flight.discard(key)
        del self._attempts[key]
        return True

    def _hear_taken(self, key: CallKey, now: float) -> None:
        if not self._is_over(key):
            return
        self._free += 1
        self._count_of_tenant(key[0], 1)
        if key == self._last_dialled:
            self._paced_until = now

    def _hear_busy(self, event: CarrierWasBusy, now: float) -> None:
        if event.key not in self._in_flight:
            return
        self._in_flight.discard(event.key)
        self._free += 1
        self._count_of_tenant(event.key[0], 1)
        # Questions that were open together are throttled together: that is one throttling.
        if self._throttled_until <= now:
            self._throttles += 1
        wait_s = self._backoff_s(self._throttles - 1)
        if event.retry_after_s is not None:
            wait_s = max(event.retry_after_s, 1 / self._config.calls_per_s)
        self._throttled_until = max(self._throttled_until, now + wait_s)
        self._waiting.appendleft(event.key)
        attempts = self._attempts[event.key]
        self._outbox.append(MarkWaiting(event.key, wait_s, attempts, event.why))

    def _hear_nothing(self, event: CarrierWasAway, now: float) -> None:
        key = event.key
        if key not in self._in_flight:
            return
        attempts = self._attempts[key] + 1
        if event.maybe_done or attempts >= self._config.max_attempts:
            self._is_over(key)
            why = OUTCOME_UNKNOWN if event.maybe_done else UNREACHABLE
            self._outbox.append(MarkFailed(key, 0, f"{why}: {event.message}"))
            return
        self._in_flight.discard(key)
        self._free += 1
        self._count_of_tenant(key[0], 1)
        delay_s = self._backoff_s(attempts - 1)
        self._attempts[key] = attempts
        self._later[key] = now + delay_s
        self._outbox.append(MarkWaiting(key, delay_s, attempts, f"{UNREACHABLE}: {event.message}"))

    def _withdraw(self, key: CallKey) -> None:
        if key in self._in_flight or key not in self._attempts:
            return
        del self._attempts[key]
        self._later.pop(key, None)
        if key in self._waiting:
            self._waiting.remove(key)

    def _backoff_s(self, failures: int) -> float:
        config = self._config
        return min(config.last_backoff_s, config.first_backoff_s * 2.0 ** min(failures, 30))
