"""How many examples of each property a run tries: a quarter of them unless it asks for all.

The same code is tried on the same examples, so that a change and not chance turns a run red;
``make test-properties`` tries all of them, and ``make fuzz`` draws new ones every time.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

QUICK, FULL, FRESH = "quick", "full", "fresh"
RATIOS = {QUICK: 0.25, FULL: 1.0, FRESH: 10.0}
LEAST = 10


def load_profiles() -> None:
    """Make the profiles known, and the quick one that of this run."""
    for name in (QUICK, FULL, FRESH):
        # How long an example takes says how busy the machine is, and nothing about the product.
        settings.register_profile(
            name,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
            derandomize=name != FRESH,
        )
    settings.load_profile(QUICK)


def count(examples: int, profile: str) -> int:
    """How many examples a run tries where the test says ``examples``."""
    return max(min(examples, LEAST), round(examples * RATIOS[profile]))


def set_counts(items: Iterable[pytest.Item]) -> None:
    """Change what the tests say themselves, which no profile does."""
    profile = settings.get_current_profile_name()
    done: set[int] = set()
    for item in items:
        test = getattr(item, "obj", None)
        if not is_hypothesis_test(test) or id(test) in done:
            continue
        done.add(id(test))  # the same for every parameter
        said = getattr(test, "_hypothesis_internal_use_settings", None)
        if said is not None:
            counted = settings(said, max_examples=count(said.max_examples, profile))
            test._hypothesis_internal_use_settings = counted
