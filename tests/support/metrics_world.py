"""A MetricsActor without Ray that can be slow, away, forgetful or restarted."""

from __future__ import annotations

import asyncio
from typing import Any

from actors.errors import MetricsAwayError
from actors.metrics_driver import MetricsDriver

SWEEP_EVERY_S = 1.0


class FakeMetricsActor:
    """A ``MetricsLink`` to a driver in this process; what crosses is plain data.

    Attributes:
        slow_s: Every answer takes so long.
        away: True while nobody answers.
        lose_answers: Reports arrive, but their answers do not.
        reports: Every report that has arrived.
        in_flight: Reports under way; ``most_in_flight`` is the most there ever were.
    """

    def __init__(self) -> None:
        self.incarnation = 1_000
        self.driver = MetricsDriver(self.incarnation)
        self.slow_s = 0.0
        self.away = False
        self.lose_answers = False
        self.reports: list[dict[str, Any]] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._swept_at = 0.0

    async def report(self, plain: dict[str, Any]) -> dict[str, Any]:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.slow_s:
                await asyncio.sleep(self.slow_s)
            if self.away:
                raise MetricsAwayError("away")
            return self.take(crossed(plain))
        finally:
            self.in_flight -= 1

    def take(self, plain: dict[str, Any]) -> dict[str, Any]:
        self.reports.append(plain)
        now = asyncio.get_running_loop().time()
        if now - self._swept_at >= SWEEP_EVERY_S:
            self._swept_at = now
            self.driver.sweep(now=now)
        answer = self.driver.report(plain, now=now)
        if self.lose_answers:
            raise MetricsAwayError("the answer was lost")
        return answer

    def restart(self) -> None:
        """All that it knew is gone."""
        self.incarnation += 1_000_000
        self.driver = MetricsDriver(self.incarnation)


def crossed(plain: Any) -> Any:
    """A copy, as it arrives at the other side; nothing but plain data crosses."""
    if isinstance(plain, dict):
        return {str(key): crossed(value) for key, value in plain.items()}
    if isinstance(plain, list):
        return [crossed(item) for item in plain]
    assert plain is None or type(plain) in {bool, int, float, str, bytes}, type(plain)
    return plain
