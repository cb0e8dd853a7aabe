"""What is measured in which order: stages (a product with its emulators) of phases (calls).

Phases of one stage run one after another on the same product, fewest calls first, so that memory
shows what further calls add to a product that has never carried so many; then some *again*, which
shows what a call takes where its memory is there already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

PARTS = ("micro", "chat", "frames", "calls", "overhead", "setup", "fit")


@dataclass(frozen=True, slots=True)
class Lags:
    """How slow the emulated providers are, seconds."""

    recognise_s: float
    think_s: float
    speak_s: float
    per_token_s: float = 0.0


AGAIN_S = 6.0
ZERO = Lags(0.0, 0.0, 0.0)
TYPICAL = Lags(0.15, 0.3, 0.2, 0.012)


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """Calls that are up at once, and for how long they are watched.

    Attributes:
        kind: ``talk`` in turns, ``again`` the same on a product that has carried as many before
            (for its memory alone), ``listen`` without a word, ``idle`` without calls, ``setup`` for
            short calls one after another.
        calls: At once.
        window_s: Measured with all calls up.
    """

    kind: Literal["talk", "again", "listen", "idle", "setup"]
    calls: int
    window_s: float


@dataclass(frozen=True, slots=True)
class StagePlan:
    """One product and its phases.

    Attributes:
        name: In tables.
        environment: Further settings of the product.
        recogniser: Who hears the callers: the SDK of the one, or the websocket of the other.
        product_cores: Where the product runs; empty for anywhere.
        other_cores: Where emulators and callers run; empty for anywhere.
        agents: Folder of the agents, below ``benchmarks/agents``.
    """

    name: str
    lags: Lags
    speculate: bool
    phases: tuple[PhasePlan, ...]
    replicas: int = 1
    call_actors: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    recogniser: Literal["azure", "deepgram"] = "azure"
    product_cores: frozenset[int] = frozenset()
    other_cores: frozenset[int] = frozenset()
    agents: str = ""

    @property
    def lags_in_words(self) -> str:
        """For tables: recognise/think/speak in milliseconds."""
        lags = self.lags
        return "/".join(f"{s * 1_000:.0f}" for s in (lags.recognise_s, lags.think_s, lags.speak_s))


def _talk(*calls_and_s: tuple[int, float]) -> tuple[PhasePlan, ...]:
    return tuple(PhasePlan("talk", calls, window_s) for calls, window_s in calls_and_s)


def _again(*calls: int) -> tuple[PhasePlan, ...]:
    return tuple(PhasePlan("again", each, AGAIN_S) for each in calls)


def full_plan(parts: frozenset[str]) -> list[StagePlan]:
    """Everything of ``parts``, long enough for percentiles."""
    default: tuple[PhasePlan, ...] = (PhasePlan("idle", 0, 12),)
    if "calls" in parts:
        default += _talk((1, 25), (5, 25), (10, 30), (20, 75), (25, 60)) + _again(1, 10, 25)
    if "frames" in parts:
        default += (PhasePlan("listen", 20, 20),)
    if "setup" in parts:
        default += (PhasePlan("setup", 5, 20),)
    plan = []
    if "overhead" in parts:
        cold = _talk((1, 25), (10, 40), (20, 45), (25, 75))
        plan.append(StagePlan("zero, cold", ZERO, False, cold + _again(1, 10, 25)))
        plan.append(
            StagePlan("zero, speculative", ZERO, True, _talk((1, 20), (10, 30), (20, 30), (25, 60)))
        )
        cold = _talk((1, 20), (10, 25), (20, 25), (25, 60))
        plan.append(StagePlan("lags, cold", TYPICAL, False, cold))
    if len(default) > 1:
        plan.append(StagePlan("lags, speculative (default)", TYPICAL, True, default))
    if "fit" in parts:
        many = _talk((35, 25), (50, 25))
        plan.append(StagePlan("two ingress replicas", TYPICAL, True, many, replicas=2))
    return plan


def quick_plan(parts: frozenset[str]) -> list[StagePlan]:
    """A few short phases: enough to see that nothing is badly off, too few turns for tails."""
    plan = []
    if "overhead" in parts:
        plan.append(StagePlan("zero, cold", ZERO, False, _talk((10, 20))))
    default: tuple[PhasePlan, ...] = (PhasePlan("idle", 0, 5),)
    if "calls" in parts:
        default += _talk((1, 12), (10, 15), (20, 20))
    if "frames" in parts:
        default += (PhasePlan("listen", 10, 8),)
    if "setup" in parts:
        default += (PhasePlan("setup", 2, 8),)
    if len(default) > 1:
        plan.append(StagePlan("lags, speculative (default)", TYPICAL, True, default))
    return plan


def limited(plan: list[StagePlan], at_most_calls: int, scale: float) -> list[StagePlan]:
    """The plan without phases of more than ``at_most_calls``, windows multiplied by ``scale``."""
    stages = []
    for stage in plan:
        phases = tuple(
            replace(phase, window_s=max(5.0, phase.window_s * scale))
            for phase in stage.phases
            if phase.calls <= at_most_calls
        )
        if phases:
            stages.append(replace(stage, phases=phases))
    return stages
