"""The cluster that is simulated: how many of what carry so many calls, and what was assumed."""

from __future__ import annotations

import math
from dataclasses import dataclass

RAY_MESSAGE_S = 0.0007
"""CPU of one awaited actor call on each of its two sides, s (2.5 GHz core, Ray 2.60)."""
RAY_WAY_S = 0.0015
"""From question to answer with nobody else asking, s."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A cluster with ``calls`` calls in progress.

    Attributes:
        calls: In progress, on average.
        call_s: Mean length of a call, exponential.
        turn_every_s: Between two turns of a call.
        calls_per_replica: That one ingress replica can carry.
        calls_per_actor: That one CallActor can carry.
        fill: Share of the seats that is taken.
        calls_per_node: That one machine carries.
    """

    calls: int
    call_s: float = 180.0
    turn_every_s: float = 6.0
    calls_per_replica: int = 100
    calls_per_actor: int = 50
    fill: float = 0.8
    calls_per_node: int = 400

    @property
    def replicas(self) -> int:
        """Ingress replicas."""
        return math.ceil(self.calls / self.fill / self.calls_per_replica)

    @property
    def actors(self) -> int:
        """CallActors."""
        return math.ceil(self.calls / self.fill / self.calls_per_actor)

    @property
    def processes(self) -> int:
        """Everything that reports to a shared actor."""
        return self.replicas + self.actors

    @property
    def nodes(self) -> int:
        """Machines."""
        return math.ceil(self.calls / self.fill / self.calls_per_node)

    @property
    def calls_per_s(self) -> float:
        """New calls a second."""
        return self.calls / self.call_s

    @property
    def turns_per_s(self) -> float:
        """Turns that end, a second."""
        return self.calls / self.turn_every_s
