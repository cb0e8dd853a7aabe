"""How much is measured: calls, seconds, kills."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.chaos.faults import FAULTS, ROLES, Fault

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


@dataclass(frozen=True, slots=True)
class ChaosPlan:
    """One run.

    Attributes:
        calls: At once.
        faults: In order.
        roles: Of ``faults.ROLES``.
        seed: Decides who says what in which order.
        healthy_s: Length of the healthy run that each fault is held against.
        before_s: Healthy calls before the fault, in each run with one.
        fault_s: How long the fault lasts.
        after_s: How long it is looked on afterwards.
        kills: How many streams are killed, for each role.
        turns: Utterances of a caller in each call; then the line calls again.
        replicas: Ingress replicas of the product.
        call_actors: CallActors of the product.
    """

    calls: int = 20
    faults: tuple[Fault, ...] = FAULTS
    roles: tuple[str, ...] = ROLES
    seed: int = 1
    healthy_s: float = 60.0
    before_s: float = 15.0
    fault_s: float = 60.0
    after_s: float = 10.0
    kills: int = 100
    turns: int = 4
    replicas: int = 2
    call_actors: int = 2

    @property
    def ramp_s(self) -> float:
        """Over how long the calls begin."""
        return min(10.0, 0.5 * self.calls)

    @property
    def processes(self) -> int:
        """How many processes of the product hold a view of providers' health."""
        return self.replicas + self.call_actors
