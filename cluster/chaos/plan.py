"""How much is measured: calls, seconds, kills.

All of it takes nearly half an hour: callers go on calling while one thing after another is
broken, each kind of work in its turn, so that what was broken is well again before its turn comes.
"""

from __future__ import annotations

from dataclasses import dataclass

from cluster.chaos.faults import FAULTS, ROLES, Fault, roles_of

CLIPS = (
    "goforward",
    "card001",
    "something",
    "eot_en_question",
    "card002",
    "weather",
    "pv_en",
    "librivox_0880",
)

DOWN_S = 40.0
# For ``about_s``, as such runs have shown them.
START_AND_STOP_S = 35.0
HANG_UP_S = 12.0
BETWEEN_S = 4.0
WELL_S = 20.0
A_KILL_S = {"recognise": 1.8, "think": 1.7, "speak": 1.7}


@dataclass(frozen=True, slots=True)
class ChaosPlan:
    """One run.

    Attributes:
        calls: At once.
        faults: In order.
        roles: Of ``faults.ROLES``.
        seed: Decides who says what in which order.
        healthy_s: For how long all is well at the beginning of each act. What callers wait for
            then, over all acts, is what each fault is held against.
        fault_s: How long a fault lasts, those aside that last some times as long
            (``faults.Fault.lasts``).
        kills: How many streams are killed, for each role.
        turns: Utterances of a caller in each call; then the line calls again.
        replicas: Ingress replicas of the product.
        call_actors: CallActors of the product.
    """

    calls: int = 20
    faults: tuple[Fault, ...] = FAULTS
    roles: tuple[str, ...] = ROLES
    seed: int = 1
    healthy_s: float = 20.0
    fault_s: float = 14.0
    kills: int = 100
    turns: int = 4
    replicas: int = 2
    call_actors: int = 2

    @property
    def acts(self) -> list[tuple[Fault, ...]]:
        """The faults, those of one product together."""
        numbers = sorted({fault.act for fault in self.faults})
        return [tuple(f for f in self.faults if f.act == number) for number in numbers]

    @property
    def about_s(self) -> float:
        """How long all of it takes, roughly."""
        seconds = 0.0
        for act in self.acts:
            seconds += START_AND_STOP_S + self.ramp_s + self.healthy_s + HANG_UP_S
            for fault in act:
                for role in roles_of(fault, self.roles):
                    seconds += self.lasts_s(fault, role) + BETWEEN_S
                    seconds += WELL_S if fault.kind == "down" else 0.0
        return seconds

    def lasts_s(self, fault: Fault, role: str) -> float:
        """How long something is broken; of kills, roughly."""
        if fault.kind == "killed":
            return self.kills * A_KILL_S.get(role, max(A_KILL_S.values()))
        # When all are down a call ends with its third reply that fails.
        return max(self.fault_s * fault.lasts, DOWN_S if fault.kind == "down" else 0.0)

    @property
    def ramp_s(self) -> float:
        """Over how long the calls begin."""
        return min(10.0, 0.3 * self.calls)

    @property
    def processes(self) -> int:
        """How many processes of the product hold a view of providers' health."""
        return self.replicas + self.call_actors
