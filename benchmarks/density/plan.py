"""Which calls are placed on which product, to see what each further one costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.plan import TYPICAL, ZERO, PhasePlan, StagePlan

Recogniser = Literal["deepgram", "azure"]
PARTS = ("cpu", "overhead", "setup", "lag")
STEPS: dict[Recogniser, tuple[int, ...]] = {
    "deepgram": (1, 10, 20, 30, 40, 50),
    # A process carries at most 25 recognisers of the SDK.
    "azure": (1, 5, 10, 15, 20, 25),
}
NEW_CALLS_A_SECOND = 10
_CALL_S = 3.0  # of those short calls (phase.SETUP_CALL_S)
_LAG_CALLS, _LAG_S = 20, 45.0
# One replica and one CallActor carry every step, and neither is full at the last one.
ROOM = {"CALLCLUSTER_CALLS_PER_REPLICA": "100", "CALLCLUSTER_CALLS_PER_ACTOR": "100"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be measured.

    Attributes:
        steps: Calls at once, in this order; empty for those of the recogniser.
        window_s: How long each step is watched.
        cores: Of the product, and of those who measure it; empty for anywhere.
    """

    recognisers: tuple[Recogniser, ...] = ("deepgram", "azure")
    parts: frozenset[str] = frozenset(PARTS)
    steps: tuple[int, ...] = ()
    window_s: float = 25.0
    cores: tuple[frozenset[int], frozenset[int]] = (frozenset(), frozenset())

    def plans(self) -> list[StagePlan]:
        """The products in turn: for each recogniser those of its parts."""
        return [plan for name in self.recognisers for plan in self._plans_of(name)]

    def _plans_of(self, recogniser: Recogniser) -> list[StagePlan]:
        steps = self.steps or STEPS[recogniser]
        plans = []
        phases: tuple[PhasePlan, ...] = ()
        if "cpu" in self.parts:
            phases += (PhasePlan("idle", 0, max(8.0, self.window_s / 2)),)
            phases += self._talk(steps)
        if "setup" in self.parts and recogniser == self.recognisers[0]:
            lines = round(NEW_CALLS_A_SECOND * _CALL_S)
            phases += (PhasePlan("setup", lines, self.window_s),)
        if phases:
            plans.append(self._stage(f"{recogniser}, calls", recogniser, phases, cold=False))
        if "overhead" in self.parts:
            few = tuple(dict.fromkeys((steps[0], steps[len(steps) // 2], steps[-1])))
            plans.append(
                self._stage(f"{recogniser}, zero, cold", recogniser, self._talk(few), cold=True)
            )
        if "lag" in self.parts:
            one = (PhasePlan("talk", _LAG_CALLS, max(_LAG_S, self.window_s)),)
            plans.append(self._stage(f"{recogniser}, lag", recogniser, one, cold=False))
        return plans

    def _talk(self, steps: Sequence[int]) -> tuple[PhasePlan, ...]:
        return tuple(PhasePlan("talk", calls, self.window_s) for calls in steps)

    def _stage(
        self, name: str, recogniser: Recogniser, phases: tuple[PhasePlan, ...], *, cold: bool
    ) -> StagePlan:
        product_cores, other_cores = self.cores
        return StagePlan(
            name,
            ZERO if cold else TYPICAL,
            not cold,
            phases,
            environment=ROOM,
            recogniser=recogniser,
            product_cores=product_cores,
            other_cores=other_cores,
        )
