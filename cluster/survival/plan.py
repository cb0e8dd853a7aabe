"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.chaos.plan import CLIPS, ChaosPlan
from cluster.survival.faults import FAULTS, Fault

START_AND_STOP_S = 40.0
HANG_UP_S = 12.0
WHOLE_AGAIN_S = 4.0
USUAL_TURNS = 5 * len(CLIPS)
A_TURN_S = 6.5


@dataclass(frozen=True, slots=True)
class SurvivalPlan:
    """One run.

    Attributes:
        calls: At once.
        repeat: How often each fault strikes.
        faults: In order.
        seed: Decides who says what in which order, and which process is struck.
        well_at_least_s: For how long all is well at the beginning, unless so few callers need
            longer: what they wait for then is what each fault is held against.
        replicas: Ingress replicas of the product.
        call_actors: CallActors of the product.
        turns: Utterances of a caller in each call; then the line calls again.
    """

    calls: int = 20
    repeat: int = 20
    faults: tuple[Fault, ...] = FAULTS
    seed: int = 1
    well_at_least_s: float = 20.0
    replicas: int = 2
    call_actors: int = 2
    turns: int = 4

    @property
    def well_s(self) -> float:
        """Until every clip was answered some times: how long that takes depends on the words."""
        return max(self.well_at_least_s, USUAL_TURNS * A_TURN_S / self.calls)

    @property
    def callers(self) -> ChaosPlan:
        """The same, for those who place calls."""
        return ChaosPlan(
            calls=self.calls,
            seed=self.seed,
            turns=self.turns,
            replicas=self.replicas,
            call_actors=self.call_actors,
        )

    @property
    def about_s(self) -> float:
        """How long all of it takes, roughly."""
        strikes_s = sum(self.repeat * (fault.watched_s + WHOLE_AGAIN_S) for fault in self.faults)
        return START_AND_STOP_S + self.callers.ramp_s + self.well_s + strikes_s + HANG_UP_S
