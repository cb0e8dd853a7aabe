"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.chaos.plan import CLIPS, ChaosPlan
from cluster.survival.faults import FAULTS, Fault

START_AND_STOP_S = 40.0
HANG_UP_S = 12.0
WHOLE_AGAIN_S = 4.0
NODE_AGAIN_S = 30.0  # until it has been started again, and calls have come to it
USUAL_TURNS = 8 * len(CLIPS)
A_TURN_S = 6.5
LONGEST_WELL_S = 180.0


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
        usual_turns: That are answered while all is well.
    """

    calls: int = 20
    repeat: int = 20
    faults: tuple[Fault, ...] = FAULTS
    seed: int = 1
    well_at_least_s: float = 20.0
    replicas: int = 2
    call_actors: int = 2
    turns: int = 4
    usual_turns: int = USUAL_TURNS

    @property
    def well_s(self) -> float:
        """Until every clip was answered some times, and not much shorter than a fault is watched.

        How long an answer takes depends on the words; the longest of many waits is longer than the
        longest of few.
        """
        watched_s = max((fault.watched_s for fault in self.faults), default=0.0)
        turns_s = self.usual_turns * A_TURN_S / self.calls
        return max(self.well_at_least_s, turns_s, min(self.repeat * watched_s, LONGEST_WELL_S))

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
        strikes_s = sum(
            self.repeat
            * (fault.watched_s + (NODE_AGAIN_S if fault.part == "node" else WHOLE_AGAIN_S))
            for fault in self.faults
        )
        return START_AND_STOP_S + self.callers.ramp_s + self.well_s + strikes_s + HANG_UP_S
