"""The directory of a big cluster: the real machine and the real stocks, on virtual time.

Calls come at random to replicas, are placed, begin elsewhere, end. The directory is one process:
what it is asked waits while it works. How long it works is measured on the machine that runs this
(its own code) and assumed for Ray's part (``shape.RAY_MESSAGE_S``).
"""

from __future__ import annotations

import heapq
import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from actors.directory import Directory, DirectoryConfig
from actors.directory_actor import LOOK_EVERY_S
from actors.lease_stock import LeaseStock
from actors.wire import Grants, ReplicaSync
from benchmarks.scale_simulation.shape import RAY_MESSAGE_S, RAY_WAY_S, Shape
from benchmarks.stats import nearest_rank

_RING_S = 0.3  # from the webhook to the stream
_LATELY_S = 10.0
_PATIENCE_S = 1.5


@dataclass(slots=True)
class _Actor:
    active: int = 0
    lately: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class _Replica:
    stock: LeaseStock
    active: int = 0
    asked_at: float = -1.0
    is_asking: bool = False


class DirectoryWorld:
    """One cluster; ``run`` plays some seconds of it.

    Attributes:
        new_calls: That came.
        refused: Of those, calls for which no slot was to be had in time.
        waited: Of those, calls that found no slot in their replica's stock.
    """

    def __init__(self, shape: Shape, seed: int) -> None:
        self._shape = shape
        self._dice = random.Random(seed)
        self._directory = Directory(
            DirectoryConfig(shape.calls_per_actor, shape.actors, shape.actors)
        )
        self._actors = {f"callactor-{n:06d}": _Actor() for n in range(shape.actors)}
        self._replicas = [_Replica(LeaseStock()) for _ in range(shape.replicas)]
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._now = 0.0
        self._busy_until = 0.0
        self._asked = 0
        self._own_s: list[float] = []
        self._waits_s: list[float] = []
        self._messages = self._worked_s = 0.0
        self._sent_bytes = 0
        self._begun_at = 0.0
        self.new_calls = self.refused = self.waited = 0

    def run(self, warm_s: float, measured_s: float) -> dict[str, float]:
        """Play; figures are of the last ``measured_s`` seconds."""
        self._fill()
        self._later(0.0, self._ask_actors)
        for replica in self._replicas:
            self._later(self._dice.uniform(0.0, 1.0), partial(self._tick, replica))
        self._later(self._dice.expovariate(self._shape.calls_per_s), self._call)
        self._play_until(warm_s)
        self._forget()
        self._play_until(warm_s + measured_s)
        return self._figures(measured_s)

    def _fill(self) -> None:
        names = list(self._actors)
        for number in range(self._shape.calls):
            actor = self._actors[names[number % len(names)]]
            replica = self._replicas[number % len(self._replicas)]
            actor.active += 1
            replica.active += 1
            self._end_later(actor, replica)

    def _forget(self) -> None:
        self._own_s.clear()
        self._waits_s.clear()
        self._messages = self._worked_s = 0.0
        self._sent_bytes = self.new_calls = self.refused = self.waited = 0

    def _play_until(self, until: float) -> None:
        while self._queue and self._queue[0][0] <= until:
            self._now, _, do = heapq.heappop(self._queue)
            do()
        self._now = until

    def _later(self, after_s: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self._now + after_s, next(self._order), do))

    def _served(self, own_s: float) -> float:
        """One message of the directory; when it is done."""
        began = max(self._now, self._busy_until)
        self._busy_until = began + own_s + RAY_MESSAGE_S
        self._own_s.append(own_s)
        self._worked_s += own_s + RAY_MESSAGE_S
        self._messages += 1
        return self._busy_until

    def _ask_actors(self) -> None:
        """A share of them each time, in turn, as the directory's shell does."""
        names = list(self._actors)
        share = LOOK_EVERY_S / self._directory.ask_every_s if self._asked else 1.0
        for _ in range(max(1, round(share * len(names)))):
            name = names[self._asked % len(names)]
            self._asked += 1
            self._report(name)
        self._later(LOOK_EVERY_S, self._ask_actors)

    def _report(self, name: str) -> None:
        actor = self._actors[name]
        actor.lately = {c: at for c, at in actor.lately.items() if self._now - at < _LATELY_S}
        began_s = time.perf_counter()
        self._directory.actor_reported(
            name,
            capacity=self._shape.calls_per_actor,
            active=actor.active,
            now=self._now,
            recent=list(actor.lately),
        )
        self._served(time.perf_counter() - began_s)

    def _tick(self, replica: _Replica) -> None:
        self._sync(replica)
        self._later(replica.stock.sync_every_s, lambda: self._tick(replica))

    def _sync(self, replica: _Replica) -> None:
        if replica.is_asking:
            return
        replica.is_asking, replica.asked_at = True, self._now
        report = replica.stock.report(
            str(id(replica)),
            active_calls=replica.active,
            max_calls=self._shape.calls_per_replica,
            now=self._now,
        )
        plain = report.to_plain()
        began_s = time.perf_counter()
        answer = self._directory.sync(ReplicaSync.from_plain(plain), now=self._now).to_plain()
        done_at = self._served(time.perf_counter() - began_s)
        self._sent_bytes += sum(map(len, answer["alive"])) + 200
        self._waits_s.append(done_at - self._now + RAY_WAY_S)

        def answered() -> None:
            replica.is_asking = False
            replica.stock.granted(Grants.from_plain(answer), report)

        self._later(done_at - self._now + RAY_WAY_S, answered)

    def _call(self) -> None:
        self.new_calls += 1
        call_id = f"{self.new_calls:032d}{next(self._order)}"
        replica = self._dice.choice(self._replicas)
        self._place(call_id, replica, self._now)
        self._later(self._dice.expovariate(self._shape.calls_per_s), self._call)

    def _place(self, call_id: str, replica: _Replica, came_at: float) -> None:
        name = replica.stock.take(call_id, now=self._now)
        if replica.stock.low:
            self._sync(replica)
        if name is not None:
            self._later(_RING_S, lambda: self._begin(call_id, name))
        elif self._now - came_at > _PATIENCE_S:
            self.refused += 1
        else:
            self.waited += self._now == came_at
            self._later(0.05, lambda: self._place(call_id, replica, came_at))

    def _begin(self, call_id: str, name: str) -> None:
        actor, replica = self._actors[name], self._dice.choice(self._replicas)
        actor.active += 1
        actor.lately[call_id] = self._now
        replica.active += 1
        replica.stock.begun(call_id, now=self._now)
        self._end_later(actor, replica)

    def _end_later(self, actor: _Actor, replica: _Replica) -> None:
        def end() -> None:
            actor.active -= 1
            replica.active -= 1

        self._later(self._dice.expovariate(1 / self._shape.call_s), end)

    def _figures(self, measured_s: float) -> dict[str, float]:
        return {
            "messages_per_s": self._messages / measured_s,
            "own_us": 1e6 * sum(self._own_s) / max(1, len(self._own_s)),
            "own_p99_us": 1e6 * _rank(self._own_s, 0.99),
            "core_percent": 100 * self._worked_s / measured_s,
            "answer_p50_ms": 1e3 * _rank(self._waits_s, 0.5),
            "answer_p99_ms": 1e3 * _rank(self._waits_s, 0.99),
            "sent_kb_per_s": self._sent_bytes / 1e3 / measured_s,
            "new_calls": self.new_calls,
            "found_no_slot_percent": 100 * self.waited / max(1, self.new_calls),
            "refused_percent": 100 * self.refused / max(1, self.new_calls),
        }


def _rank(values: list[float], q: float) -> float:
    return nearest_rank(sorted(values), q) if values else 0.0
