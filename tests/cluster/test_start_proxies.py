"""HAProxy that takes too long to start on a busy machine is waited for, not the end of a start."""

from __future__ import annotations

from typing import Any

import pytest
import ray
from ray import serve
from ray.exceptions import ActorDiedError

from cluster import run_serve
from cluster.errors import ClusterError
from cluster.run_serve import START_FAILED, start_proxies, start_ray

OPTIONS = {"host": "127.0.0.1", "port": 8000}


class FakeServe:
    """Fails so many times, then starts."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.starts: list[dict[str, Any]] = []

    def start(self, *, http_options: dict[str, Any]) -> None:
        self.starts.append(http_options)
        if len(self.starts) <= self.failures:
            raise ActorDiedError


@pytest.mark.parametrize("failures", [0, 1])
def test_the_death_of_the_first_proxy_is_survived(
    failures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeServe(failures)
    monkeypatch.setattr(serve, "start", fake.start)
    start_proxies(OPTIONS)
    assert fake.starts == [OPTIONS] * (failures + 1)


def test_a_second_death_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeServe(2)
    monkeypatch.setattr(serve, "start", fake.start)
    with pytest.raises(ClusterError, match=rf"^{START_FAILED} Ray Serve: .*died") as error:
        start_proxies(OPTIONS)
    assert "\n" not in str(error.value)
    assert len(fake.starts) == 2


def test_a_ray_that_is_not_there_in_time_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(**_: Any) -> None:
        raise Exception("The current node timed out during startup.\nAnd more.")

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(run_serve.shared_memory, "require", lambda: None)
    monkeypatch.setattr(ray, "init", late)
    with pytest.raises(ClusterError, match=r"Ray: The current node timed out during startup\.$"):
        start_ray(dashboard=False)


def test_a_signal_within_ray_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_off(**_: Any) -> None:
        raise SystemError

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(run_serve.shared_memory, "require", lambda: None)
    monkeypatch.setattr(ray, "init", broken_off)
    with pytest.raises(SystemError):
        start_ray(dashboard=False)
