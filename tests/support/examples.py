"""How many examples of each property a run tries: a quarter of them unless it asks for all.

Each run draws others, so that they add up; ``make test-properties`` tries them all at once.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

QUICK, FULL = "quick", "full"
QUICK_RATIO = 0.25
LEAST = 10


def load_profiles() -> None:
    """Make both profiles known, and the quick one that of this run."""
    for name in (QUICK, FULL):
        # How long an example takes says how busy the machine is, and nothing about the product.
        settings.register_profile(name, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile(QUICK)


def quick_count(examples: int) -> int:
    """How many of ``examples`` a quick run tries."""
    return min(examples, max(LEAST, round(examples * QUICK_RATIO)))


def take_fewer_examples(items: Iterable[pytest.Item]) -> None:
    """Lower what the tests say themselves, which no profile does; nothing in a full run."""
    if settings.get_current_profile_name() != QUICK:
        return
    done: set[int] = set()
    for item in items:
        test = getattr(item, "obj", None)
        if not is_hypothesis_test(test) or id(test) in done:
            continue
        done.add(id(test))  # the same for every parameter
        said = getattr(test, "_hypothesis_internal_use_settings", None)
        if said is not None:
            fewer = settings(said, max_examples=quick_count(said.max_examples))
            test._hypothesis_internal_use_settings = fewer
