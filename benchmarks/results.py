"""What a run showed, stage by stage, and the lines through it."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

from benchmarks.phase import PhaseResult
from benchmarks.plan import StagePlan
from benchmarks.process_cost import CALL_ACTORS, DIRECTORY, GROUPS, HAPROXY, INGRESS, server_part
from benchmarks.stats import Line, Spread, fit_line

FITTED_CALLS = range(1, 26)
CARRIERS = (HAPROXY, INGRESS, CALL_ACTORS, DIRECTORY)


@dataclass(slots=True)
class StageResult:
    """What one stage showed.

    Attributes:
        failure: Why it did not start; empty when it did.
        floor: How long the emulators themselves take, before any call.
    """

    plan: StagePlan
    phases: list[PhaseResult] = field(default_factory=list)
    failure: str = ""
    start_s: float = 0.0
    floor: dict[str, Spread] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        """True when every phase counts."""
        return not self.failure and all(phase.valid for phase in self.phases)

    def of_kind(self, kind: str) -> list[PhaseResult]:
        """Its phases of one kind."""
        return [phase for phase in self.phases if phase.plan.kind == kind]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "name": self.plan.name,
            "lags_ms": self.plan.lags_in_words,
            "speculate": self.plan.speculate,
            "ingress_replicas": self.plan.replicas,
            "environment": dict(self.plan.environment),
            "start_s": round(self.start_s, 1),
            "failure": self.failure,
            "emulators_alone": {name: found.as_dict() for name, found in self.floor.items()},
            "fit": {name: line.as_dict() for name, line in fits(self).items()},
            "phases": [phase.as_dict() for phase in self.phases],
        }


def fits(stage: StageResult, calls: Container[int] = FITTED_CALLS) -> dict[str, Line]:
    """Lines over the valid phases of ``calls`` talking calls: per-call cost and what stands still.

    Keys: ``cpu:GROUP`` (ms of CPU a second) and ``memory:GROUP`` (MB), each against calls, and
    ``cpu:server``, ``memory:server``; ``memory:calls`` leaves Ray's own processes out, which grow
    and shrink with their own affairs. ``memory_again:GROUP`` and ``memory_again:server`` are of the
    phases on a product that has carried as many before.
    """
    phases = [p for p in stage.of_kind("talk") if p.valid and p.plan.calls in calls]
    lines = {}
    for group in GROUPS:
        lines[f"cpu:{group}"] = fit_line([(p.plan.calls, p.cpu_ms_per_s(group)) for p in phases])
        lines[f"memory:{group}"] = fit_line([(p.plan.calls, p.memory[group]) for p in phases])
    lines["cpu:server"] = fit_line([(p.plan.calls, p.server_ms_per_s) for p in phases])
    lines["memory:server"] = fit_line([(p.plan.calls, server_part(p.memory)) for p in phases])
    again = [p for p in stage.of_kind("again") if p.valid]
    for name in GROUPS:
        lines[f"memory_again:{name}"] = fit_line([(p.plan.calls, p.memory[name]) for p in again])
    lines["memory_again:server"] = fit_line([(p.plan.calls, server_part(p.memory)) for p in again])
    lines["memory:calls"] = fit_line(
        [(p.plan.calls, sum(p.memory[group] for group in CARRIERS)) for p in phases]
    )
    return {name: line for name, line in lines.items() if line is not None}
