"""The limits of all credentials, divided among the processes: what the ProviderHealthActor leases.

Rules
1. One desk for each limit (``providers.health.quota``); the newest word about its size holds.
2. A keeper of a new term does not know what its predecessor had leased. From the first message that
   speaks of an older term on, it grants nothing more for ``LEASE_S``: by then everybody has said
   what they keep, or may not use it any more. It says so (``settles``).
3. More workers ask less often.

Messages (plain data, ``{"v": 1, ...}``, unknown fields ignored)

    lease  ``reporter``, ``term`` (of the last answer; 0 before the first), ``wishes`` (by key:
           ``providers.health.quotas.Quotas.wishes``); answered by ``term``, ``leases`` (by key:
           number, added, asked back, fullness), ``wait_s`` and, while that is so, ``settles``
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from providers.health.board import whole
from providers.health.errors import HealthDataInvalid
from providers.health.quota import LEASE_S, Lease, QuotaDesk
from providers.health.quotas import wish_of

logger = logging.getLogger(__name__)

VERSION: Final = 1
WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = LEASE_S / 3
CALLS_A_SECOND: Final = 200
_MOST_LIMITS: Final = 200


class QuotaDesks:
    """Answers wishes.

    Args:
        clock: Seconds, UTC.
        term: Larger after each restart.
    """

    def __init__(self, clock: Callable[[], float], term: int) -> None:
        self._clock = clock
        self._term = term
        self._desks: dict[str, QuotaDesk] = {}
        self._settled_at_s: float | None = None

    def lease(self, plain: Any) -> dict[str, Any]:
        """Answer one worker.

        Raises:
            HealthDataInvalid: The message cannot be read.
        """
        if not isinstance(plain, Mapping) or not isinstance(plain.get("reporter"), str):
            raise HealthDataInvalid("a message is a mapping with a reporter")
        wishes, worker = plain.get("wishes", {}), plain["reporter"]
        if not isinstance(wishes, Mapping) or len(wishes) > _MOST_LIMITS:
            raise HealthDataInvalid(f"wishes are a mapping of at most {_MOST_LIMITS} keys")
        now = self._clock()
        self._succeed(whole(plain.get("term", 0)), now)
        leases: dict[str, list[Any]] = {}
        for key, entry in wishes.items():
            lease = self._answer(str(key), worker, entry, now)
            if lease is not None:
                fullness = round(lease.fullness, 4)
                leases[str(key)] = [lease.number, lease.added, lease.asked_back, fullness]
        workers = max((desk.workers for desk in self._desks.values()), default=0)
        wait_s = min(max(WAIT_S, workers / CALLS_A_SECOND), LONGEST_WAIT_S)
        answer = {"v": VERSION, "term": self._term, "leases": leases, "wait_s": wait_s}
        return {**answer, "settles": True} if self._settles(now) else answer

    def status(self) -> dict[str, list[float]]:
        """For people: limit, leased and fullness of each."""
        return {
            key: [desk.limit, desk.leased, round(desk.fullness, 3)]
            for key, desk in self._desks.items()
        }

    def _succeed(self, term: int, now: float) -> None:
        if 0 < term < self._term and self._settled_at_s is None:
            self._settled_at_s = now + LEASE_S
            logger.info("leases of an earlier keeper run out before new ones are given")

    def _settles(self, now: float) -> bool:
        return self._settled_at_s is not None and now < self._settled_at_s

    def _answer(self, key: str, worker: str, entry: Any, now: float) -> Lease | None:
        limit, wish = wish_of(worker, entry)
        desk = self._desks.get(key)
        if desk is None:
            if len(self._desks) >= _MOST_LIMITS:
                raise HealthDataInvalid(f"more than {_MOST_LIMITS} limits")
            desk = self._desks[key] = QuotaDesk(limit)
        desk.limit = limit
        if self._settles(now):
            wish = replace(wish, more=0)
        return desk.receive(wish, now=now)
