"""What every test shares: no Ray outside the Ray suite."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _no_ray_outside_its_suite(request: pytest.FixtureRequest, monkeypatch: Any) -> None:
    """Unit tests never start Ray: a driver or a machine that needs it is in the wrong room."""
    if request.node.get_closest_marker("ray") is not None:
        return
    import ray

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("ray.init() in a unit test: mark the test with @pytest.mark.ray")

    monkeypatch.setattr(ray, "init", refuse)
