"""What a run showed, stage by stage, and the lines through it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from benchmarks.phase import PhaseResult
from benchmarks.plan import StagePlan
from benchmarks.process_cost import GROUPS, server_part
from benchmarks.stats import Line, fit_line

FITTED_CALLS = range(1, 26)


@dataclass(slots=True)
class StageResult:
    """What one stage showed; ``failure`` when it did not start."""

    plan: StagePlan
    phases: list[PhaseResult] = field(default_factory=list)
    failure: str = ""
    start_s: float = 0.0

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
            "fit": {name: line.as_dict() for name, line in fits(self).items()},
            "phases": [phase.as_dict() for phase in self.phases],
        }


def fits(stage: StageResult) -> dict[str, Line]:
    """Lines over the valid phases of 1 to 25 talking calls: per-call cost and what stands still.

    Keys: ``cpu:GROUP`` (ms of CPU a second) and ``memory:GROUP`` (MB), each against calls, and
    ``cpu:server``, ``memory:server``.
    """
    phases = [p for p in stage.of_kind("talk") if p.valid and p.plan.calls in FITTED_CALLS]
    lines = {}
    for group in GROUPS:
        lines[f"cpu:{group}"] = fit_line([(p.plan.calls, p.cpu_ms_per_s(group)) for p in phases])
        lines[f"memory:{group}"] = fit_line([(p.plan.calls, p.memory[group]) for p in phases])
    lines["cpu:server"] = fit_line([(p.plan.calls, p.server_ms_per_s) for p in phases])
    lines["memory:server"] = fit_line([(p.plan.calls, server_part(p.memory)) for p in phases])
    return {name: line for name, line in lines.items() if line is not None}
