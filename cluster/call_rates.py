"""How many new calls a second one number, and one account of the carrier, may bring: a machine.

A number that somebody rings a thousand times a minute must not take the seats of all others. What
counts is whom the carrier's form names, the called number and the account: the carrier's own
addresses are shared by all its customers, so they say nothing.

Rules
1. Each has a bucket that fills at its rate and holds ``BURST_S`` seconds of it, one call at least:
   campaigns begin with a burst, attacks go on.
2. A call takes from both buckets or, when one of them is empty, from neither.
3. The bucket that was used longest ago is forgotten when there are too many: it is full by then.

A replica counts for itself: what all replicas let in together is so many times as much.
Synchronous.
"""

from __future__ import annotations

from collections import OrderedDict

BURST_S = 4.0
MOST_BUCKETS = 10_000


class CallRates:
    """The buckets of one replica.

    Args:
        per_number: New calls a second to one of our numbers; 0: any number.
        per_account: New calls a second of one account of the carrier; 0: any number.
    """

    def __init__(self, per_number: float, per_account: float) -> None:
        self._numbers = _Buckets(per_number)
        self._accounts = _Buckets(per_account)

    def refusal(self, number: str, account: str, *, now: float) -> str:
        """Take a new call, or say whose rate is used up: ``number_rate`` or ``account_rate``.

        Args:
            number: That was called.
            account: The carrier's id of it.
            now: Loop time, s.
        """
        if self._numbers.level(number, now) < 1.0:
            return "number_rate"
        if self._accounts.level(account, now) < 1.0:
            return "account_rate"
        self._numbers.take(number)
        self._accounts.take(account)
        return ""


class _Buckets:
    """Of one kind: what is in each, and when that was so; the one used last at the end."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._most = max(1.0, per_s * BURST_S)
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def level(self, key: str, now: float) -> float:
        if not self._per_s:
            return self._most
        level, at = self._levels.pop(key, (self._most, now))
        level = min(self._most, level + max(0.0, now - at) * self._per_s)
        self._levels[key] = (level, now)
        while len(self._levels) > MOST_BUCKETS:
            self._levels.popitem(last=False)
        return level

    def take(self, key: str) -> None:
        if self._per_s:
            level, at = self._levels[key]
            self._levels[key] = (level - 1.0, at)
