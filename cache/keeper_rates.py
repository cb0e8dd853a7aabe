"""How much one caller and one tenant may write: nobody fills or bends the cache of all.

Two limits in time, as token buckets, and one in number: of the questions that lead to one answer,
so many at most came from one caller alone, and so many at most there are.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, TypeVar

Key = TypeVar("Key")
_MOST_KEYS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Rates:
    """Limits of what calls may write; imports are not limited by them.

    Attributes:
        caller_burst: Answers of one caller that are kept at once: those of a long call.
        caller_per_s: And so many a second from then on.
        tenant_burst: Answers of one tenant that are kept at once.
        tenant_per_s: And so many a second from then on: 50 calls that learn every turn.
        answer_questions: Questions that lead to one answer of a scope.
        answer_questions_of_one: Of these, as many as one caller alone may add.
    """

    caller_burst: float = 40.0
    caller_per_s: float = 0.1
    tenant_burst: float = 2_000.0
    tenant_per_s: float = 20.0
    answer_questions: int = 200
    answer_questions_of_one: int = 8


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float


class RateLimits:
    """Token buckets by key; the least recently used are forgotten."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._callers: OrderedDict[bytes, _Bucket] = OrderedDict()
        self._tenants: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, tenant_id: str, caller: bytes, now_s: float) -> bool:
        """Whether this caller may write one more answer now; both buckets pay for it.

        Args:
            tenant_id: Of the caller.
            caller: ``cache.scope.caller_mark``.
            now_s: Epoch seconds; a clock that was set back costs nobody anything.
        """
        rates = self._rates
        of_caller = _filled(self._callers, caller, rates.caller_burst, rates.caller_per_s, now_s)
        of_tenant = _filled(self._tenants, tenant_id, rates.tenant_burst, rates.tenant_per_s, now_s)
        if of_caller.tokens < 1.0 or of_tenant.tokens < 1.0:
            return False
        of_caller.tokens -= 1.0
        of_tenant.tokens -= 1.0
        return True


def _filled(
    buckets: OrderedDict[Key, _Bucket], key: Key, burst: float, per_s: float, now_s: float
) -> _Bucket:
    bucket = buckets.setdefault(key, _Bucket(burst, now_s))
    bucket.tokens = min(burst, bucket.tokens + max(0.0, now_s - bucket.at_s) * per_s)
    bucket.at_s = now_s
    buckets.move_to_end(key)
    if len(buckets) > _MOST_KEYS:
        buckets.popitem(last=False)
    return bucket
