"""How many ingress replicas there are to be, from what each of them says of itself.

Rules
1. More, once calls take more than ``FULL`` of the seats: the next replica takes some ten seconds to
   be warm, a new machine minutes.
2. Fewer, once those that stay would be less than ``SPARE`` full. Who is on the phone on one that
   goes is moved between two turns (``actors.replica_drain``), so that is not done lightly.
3. Calls are those in progress, those whose stream is on its way, and those that wait for a slot.
4. While event loops are late, one more than run, and none fewer; the next one for that after
   ``AFTER_S``: it takes so long until it shows whether one was enough.
5. A replica that has told nothing yet is there, and empty.

Ray Serve runs ``policy`` in its controller, which gets it whole and not by its name, and waits
before it acts on what that says (``scaling_config``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

FULL: Final = 0.7
SPARE: Final = 0.5
LATE_S: Final = 0.03
AFTER_S: Final = 60.0
# Of Serve: how long it is to be so before there are more, or fewer.
MORE_AFTER_S: Final = 1.0
FEWER_AFTER_S: Final = 300.0
# Means over so long. Replicas report every ten seconds, and Serve wants more than that.
LOOK_BACK_S: Final = 11.0


@dataclass(frozen=True, slots=True)
class ReplicaLoad:
    """What one ingress replica says of itself.

    Attributes:
        calls: In progress here.
        seats: Calls that it takes at most.
        waiting: New callers who wait here for a slot.
        cluster_calls: Seats of the whole cluster that are taken, those included whose stream is on
            its way, as this replica heard last.
        late_s: How late the latest tick of each second was.
    """

    calls: float = 0.0
    seats: float = 0.0
    waiting: float = 0.0
    cluster_calls: float = 0.0
    late_s: float = 0.0

    def to_plain(self) -> dict[str, float]:
        """For Serve, which knows numbers by their names."""
        return {
            "calls": self.calls,
            "seats": self.seats,
            "waiting": self.waiting,
            "cluster_calls": self.cluster_calls,
            "late_s": self.late_s,
        }


def wanted_replicas(
    loads: list[ReplicaLoad], *, running: int, wanted_now: int, since_more_s: float
) -> int:
    """How many replicas there are to be.

    Args:
        loads: Of the replicas that have told something.
        running: Replicas that run.
        wanted_now: How many there are to be by now.
        since_more_s: Since more of them were wanted, seconds; infinite for never.
    """
    seats = min((load.seats for load in loads if load.seats > 0), default=0.0)
    if not seats:
        return wanted_now
    known = max(load.cluster_calls for load in loads)
    calls = max(sum(load.calls for load in loads), known) + sum(load.waiting for load in loads)
    fewest, most = math.ceil(calls / (seats * FULL)), math.ceil(calls / (seats * SPARE))
    wanted = max(fewest, min(most, wanted_now), 1)
    if sum(load.late_s for load in loads) / len(loads) <= LATE_S:
        return wanted
    more = running + 1 if since_more_s >= AFTER_S else running
    return max(wanted, more, wanted_now)


def policy(context: Any) -> tuple[int, dict[str, Any]]:
    """The same for Ray Serve: an ``AutoscalingContext`` to a number, and nothing to remember."""
    loads = _loads(context.aggregated_metrics or {})
    last = context.last_scale_up_time
    wanted = wanted_replicas(
        loads,
        running=context.current_num_replicas,
        wanted_now=context.target_num_replicas,
        since_more_s=math.inf if last is None else context.current_time - last,
    )
    return wanted, {}


def _loads(metrics: Mapping[str, Mapping[Any, float]]) -> list[ReplicaLoad]:
    names = tuple(ReplicaLoad().to_plain())
    replicas = {replica for name in names for replica in metrics.get(name, {})}
    return [
        ReplicaLoad(**{name: metrics.get(name, {}).get(replica, 0.0) for name in names})
        for replica in replicas
    ]


def scaling_config(fewest: int, most: int) -> Any:
    """Serve's ``AutoscalingConfig`` for this many replicas."""
    from ray.serve.config import AutoscalingConfig, AutoscalingPolicy

    rules = f"{__name__}:policy"
    by_calls = AutoscalingPolicy(policy_function=rules)  # type: ignore[no-untyped-call]
    return AutoscalingConfig(
        min_replicas=fewest,
        max_replicas=most,
        upscale_delay_s=MORE_AFTER_S,
        downscale_delay_s=FEWER_AFTER_S,
        look_back_period_s=LOOK_BACK_S,
        policy=by_calls,
    )
