"""Settings of the property tests: enough examples to be useful, and never a race with the clock."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def examples(count: int = 50) -> settings:
    """``count`` examples without a deadline: a busy machine is no fault of the code."""
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])
