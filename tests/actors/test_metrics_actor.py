"""The shell of the metrics, without Ray."""

from __future__ import annotations

import asyncio

import pytest

from actors import metrics_actor
from actors.metrics_actor import SWEEP_EVERY_S, MetricsActor
from actors.metrics_driver import MetricsDriver
from tests.support.virtual_time import run


class Stumbling(MetricsDriver):
    """Falls over at its first look for those who are gone."""

    sweeps = 0

    def sweep(self, *, now: float) -> None:
        self.sweeps += 1
        if self.sweeps == 1:
            raise KeyError("nobody thought of it")
        super().sweep(now=now)


def test_a_mistake_does_not_end_the_search_for_those_who_are_gone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(metrics_actor, "_is_restarted", lambda: False)  # asks Ray
    monkeypatch.setattr(metrics_actor, "MetricsDriver", Stumbling)

    async def scene() -> None:
        actor = MetricsActor()
        await actor.status()
        await asyncio.sleep(3.5 * SWEEP_EVERY_S)
        driver = actor._driver
        assert isinstance(driver, Stumbling)
        assert driver.sweeps >= 3

    run(scene())
    assert caplog.text.count("nobody thought of it") <= 1
