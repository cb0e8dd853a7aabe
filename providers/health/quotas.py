"""What one process may ask of its providers at once: its part of the limit of each credential.

Rules
1. Nothing is limited that nobody has set a limit for.
2. What belongs to a call that is in is never refused here: it is counted, beyond what is held if
   need be, and others are asked first while somebody is nearly full. New calls are turned away.
3. A recogniser's stream lasts as long as its call, so it is *reserved* before the call is answered.
   Another process may get the call: what was reserved is free again after ``RESERVED_S``.
4. A rate is a number of requests in any minute: each of them uses its unit for that long.
5. While the desk is away nothing is limited; the provider itself will say what is too much.
6. A desk that has just gone, or has just come and may grant nothing yet, is no reason to turn a new
   call away: it is let in beyond what is held (``beyond``) as long as what others used, when the
   desk told it last, and what is used here leave room in the limit. What others let in since then
   is not known, and may be too much.

Synchronous; ``actors.provider_health_leaser`` carries wishes and leases.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from providers.health.board import numbers_of, whole
from providers.health.errors import HealthDataInvalid
from providers.health.quota import Lease, QuotaPurse, Wish

RESERVED_S: Final = 5.0
RATE_S: Final = 60.0
FEWEST_SPARE: Final = 2
SPARE_RATIO: Final = 0.25


@dataclass(frozen=True, slots=True)
class QuotaLimit:
    """What one credential allows for one kind of work.

    Attributes:
        work: ``recognise``, ``think``, ``speak`` or ``converse``.
        provider: As agents name it.
        units: Streams at once, or requests a minute.
        per_minute: Which of both.
        credential: Label of the key (``providers.health.unit.credential_label``).
    """

    work: str
    provider: str
    units: int
    per_minute: bool = False
    credential: str = ""

    @property
    def key(self) -> str:
        """Names it among all processes."""
        kind = "rate" if self.per_minute else "streams"
        return f"{self.work}/{self.provider}/{self.credential}/{kind}"


class _Account:
    """One limit, as this process uses it."""

    def __init__(self, limit: QuotaLimit, worker: str) -> None:
        self.limit = limit
        self.purse = QuotaPurse(worker)
        self.is_used = False
        self.over = 0
        self.elsewhere = 0  # in use in other processes, as the desk told it last
        self._ends: deque[float] = deque()  # of the requests of a rate

    @property
    def busy(self) -> int:
        return self.purse.in_use + self.over

    @property
    def want(self) -> int:
        if not self.is_used:
            return 0
        return self.busy + max(FEWEST_SPARE, math.ceil(SPARE_RATIO * self.busy))

    @property
    def is_short(self) -> bool:
        return self.is_used and (self.over > 0 or self.purse.in_use >= self.purse.held)

    @property
    def fits_beyond(self) -> bool:
        """Whether one more stays within the limit, as far as is known."""
        return self.elsewhere + self.busy < self.limit.units

    def answered(self, lease: Lease, *, knows_all: bool) -> None:
        if self.purse.answered(lease):
            in_use = round(lease.fullness * self.limit.units)
            told = max(0, in_use - self.purse.told_in_use)
            self.elsewhere = told if knows_all else max(told, self.elsewhere)

    def begin(self, now: float) -> None:
        self.settle(now)
        if not self.purse.take(now=now):
            self.over += 1
        if self.limit.per_minute:
            self._ends.append(now + RATE_S)

    def end(self) -> None:
        if self.over:
            self.over -= 1
        else:
            self.purse.give_back()

    def settle(self, now: float) -> None:
        """What has run out is over; what was used beyond the lease is covered by what is free."""
        while self._ends and self._ends[0] <= now:
            self._ends.popleft()
            self.end()
        while self.over and self.purse.take(now=now):
            self.over -= 1


class Quotas:
    """The limits of one process.

    Args:
        worker: Name of the process; no other one, before or after, has it.
        limits: Of this deployment; the same in all of its processes.
        clock: Seconds.

    Attributes:
        on_short: Called when more is needed than is held; must not wait.
        is_desk_able: Whether the desk answers, and can grant what is free.
    """

    def __init__(
        self,
        worker: str = "",
        limits: Iterable[QuotaLimit] = (),
        clock: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._accounts = {(each.work, each.provider): _Account(each, worker) for each in limits}
        self._clock = clock
        self._reserved: dict[str, tuple[_Account, float]] = {}
        self.on_short: Callable[[], None] = _nobody
        self.is_desk_able = True

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return bool(self._accounts)

    @property
    def limited(self) -> list[tuple[str, str]]:
        """Work and provider of every limit."""
        return list(self._accounts)

    def limits(self, work: str, provider: str) -> bool:
        """Whether there is one for this; from now on some of it is held ahead of need."""
        account = self._accounts.get((work, provider))
        if account is not None:
            account.is_used = True
        return account is not None

    # --- in calls ---------------------------------------------------------------------------------

    def begin(self, work: str, provider: str) -> Callable[[], None]:
        """A stream is opened or a request is made; call what is returned when it is over."""
        account = self._accounts.get((work, provider))
        if account is None:
            return _nobody
        account.begin(self._clock())
        if account.is_short:
            self.on_short()
        return _nobody if account.limit.per_minute else _once(account.end)

    def fullness(self, work: str, provider: str) -> float:
        """Share of the limit in use in the whole cluster; 0 without a limit, or a desk."""
        account = self._accounts.get((work, provider))
        if account is None or not account.purse.is_leased(now=self._clock()):
            return 0.0
        return account.purse.fullness

    # --- before a call is answered ----------------------------------------------------------------

    def has_room(self, work: str, providers: Sequence[str]) -> bool:
        """Whether one of these takes another call."""
        return any(self.fullness(work, name) < 1.0 for name in providers)

    def reserve(
        self, call_id: str, work: str, providers: Sequence[str], *, beyond: bool = False
    ) -> bool:
        """Keep a unit of the first of these that has one for this call; False when none has.

        ``beyond``: the desk cannot be asked; rule 6 decides.
        """
        now = self._clock()
        self._forget(now)
        if call_id in self._reserved:
            return True
        for name in providers:
            account = self._accounts.get((work, name))
            if account is None or not account.purse.is_leased(now=now):
                return True
            account.settle(now)
            if account.purse.fullness < 1.0 and account.purse.take(now=now):
                self._reserved[call_id] = account, now + RESERVED_S
                return True
            if beyond and account.fits_beyond:
                account.over += 1
                self._reserved[call_id] = account, now + RESERVED_S
                return True
            self.on_short()
        return False

    def begun(self, call_id: str) -> None:
        """The call is here: what was reserved is for its own stream now."""
        reserved = self._reserved.pop(call_id, None)
        if reserved is not None:
            reserved[0].end()

    def _forget(self, now: float) -> None:
        for call_id in [name for name, (_, until_s) in self._reserved.items() if until_s <= now]:
            self.begun(call_id)

    # --- from and to the desk ---------------------------------------------------------------------

    def wishes(self) -> dict[str, list[int]]:
        """By key of the limit: the limit, then number, kept, in use and more of a ``Wish``."""
        now = self._clock()
        self._forget(now)
        found = {}
        for account in self._accounts.values():
            account.settle(now)
            wish = account.purse.wish(account.want, now=now, over=account.over)
            units = account.limit.units
            found[account.limit.key] = [units, wish.number, wish.kept, wish.in_use, wish.more]
        return found

    def desk_away(self) -> None:
        """The desk did not answer."""
        self.is_desk_able = False

    def answered(self, leases: Mapping[str, Any], *, settles: bool = False) -> None:
        """Take the answers, by key of the limit.

        Args:
            leases: As the desk has sent them.
            settles: The desk is new: it knows not yet what all use, and grants nothing more.

        Raises:
            HealthDataInvalid: They are no leases.
        """
        now = self._clock()
        self.is_desk_able = not settles
        for account in self._accounts.values():
            if (plain := leases.get(account.limit.key)) is not None:
                account.answered(lease_of(plain), knows_all=not settles)
                account.settle(now)

    def status(self) -> dict[str, dict[str, float]]:
        """For people, by work and provider."""
        return {
            f"{work}.{provider}": {
                "limit": account.limit.units,
                "held": account.purse.held,
                "in_use": account.busy,
                "cluster_used_ratio": round(self.fullness(work, provider), 3),
            }
            for (work, provider), account in self._accounts.items()
        }


def wish_of(worker: str, plain: Any) -> tuple[int, Wish]:
    """The limit and the wish that one entry of ``Quotas.wishes`` says.

    Raises:
        HealthDataInvalid: It is none.
    """
    if not isinstance(plain, list) or len(plain) < 5:
        raise HealthDataInvalid("a wish is a list of limit, number, kept, in use and more")
    limit, number, kept, in_use, more = (whole(value) for value in plain[:5])
    return limit, Wish(worker, number, kept, in_use, more)


def lease_of(plain: Any) -> Lease:
    """The lease that a list of number, added, asked back and fullness says.

    Raises:
        HealthDataInvalid: It is none.
    """
    if not isinstance(plain, list) or len(plain) < 4:
        raise HealthDataInvalid("a lease is a list of number, added, asked back and fullness")
    number, added, asked_back = (whole(value) for value in plain[:3])
    (fullness,) = numbers_of(plain[3:4])
    return Lease(number, added, asked_back, max(0.0, fullness))


def _once(end: Callable[[], None]) -> Callable[[], None]:
    """``end``, which does nothing when it is called again."""
    ends = [end]

    def ended() -> None:
        if ends:
            ends.pop()()

    return ended


def _nobody() -> None:
    """Nobody waits for it."""
