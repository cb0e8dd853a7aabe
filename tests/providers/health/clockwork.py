"""A unit, steady chance and a clock for the tests of health."""

from __future__ import annotations

from providers.health.local import LocalHealth
from providers.health.signals import Sign, Signal
from providers.health.unit import Unit

UNIT = Unit("acme", "llm.ttft", "west", "model-1", "c0ffee00").key
OTHER = Unit("other", "llm.ttft").key
START_S = 1_000.0


def middle() -> float:
    """Chance, always in the middle."""
    return 0.5


def never() -> float:
    """Chance without any spread."""
    return 0.0


GOOD = Signal(Sign.ANSWERED, latency_s=0.2)
DOWN = Signal(Sign.UNAVAILABLE)
SILENT = Signal(Sign.SILENT)


def worker(name: str = "w1") -> LocalHealth:
    return LocalHealth(name, never)
