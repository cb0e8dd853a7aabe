"""The slots one ingress replica has in hand: spent at once, refilled in the background.

Rules
1. ``take`` answers from memory, the actor with most slots first.
2. Every call on which a slot was spent is told by its id with the next sync, and so is every new
   call whose stream has come here; again with the one after, until an answer says that it arrived
   (or it is ``UNTOLD_KEPT_S`` old).
3. Grants replace nothing: they are added (a negative one takes slots back for other replicas, as
   far as they were not spent meanwhile). Slots of an actor that is not alive any more are void.
4. A call that has lost its actor comes before new ones: while one waits for a slot, slots are kept
   for it.
5. While the directory is away and the stock is empty, the actors known last are used in turn: their
   own capacity refuses what is too much.

Synchronous; ``now`` is loop time in seconds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from actors.seat_ledger import SPENT_COUNTS_S
from actors.tenant_leases import TenantLeases
from actors.wire import Grants, ReplicaSync

SMALLEST_STOCK = 8
UNTOLD_KEPT_S = SPENT_COUNTS_S  # later it counts no more, or its seat does
MOVER_ASKS_WITHIN_S = 0.5  # one that has not asked again by then has given up


@dataclass(frozen=True, slots=True)
class _Spent:
    actor: str
    at: float
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class _Mover:
    avoid: str
    asked_at: float


class LeaseStock:
    """The stock of one replica.

    Attributes:
        target: Slots that it would like to have in hand.
        waiting: New callers who wait for a slot.
        left: Slots of the cluster for new calls beside this stock, at the last sync.
        cluster_active: Calls of the cluster, at the last sync.
        cluster_on_way: Calls whose stream has not come yet, at the last sync.
        cluster_capacity: Calls the cluster can carry, at the last sync.
        cluster_minds: Calls that its CallActors can, at the last sync.
        sync_every_s: How often the directory wants to hear of this stock.
        tenants: Leases of tenants with a limit.
    """

    def __init__(self) -> None:
        self._held: dict[str, int] = {}
        self._placed: dict[str, _Spent] = {}  # by call id
        self._moved: dict[str, _Spent] = {}
        self._begun: dict[str, float] = {}
        self._movers: dict[str, _Mover] = {}
        self._alive: tuple[str, ...] = ()
        self._alive_version = 0
        self._retired: frozenset[str] = frozenset()
        self._away = False
        self._turn = 0
        self.target = SMALLEST_STOCK
        self.waiting = 0
        self.left = 0
        self.cluster_active = 0
        self.cluster_on_way = 0
        self.cluster_capacity = 0
        self.cluster_minds = 0
        self.sync_every_s = 1.0
        self.tenants = TenantLeases()

    @property
    def alive(self) -> tuple[str, ...]:
        """CallActors that may be given calls, at the last sync."""
        return self._alive

    @property
    def retired(self) -> frozenset[str]:
        """CallActors whose calls are to go on elsewhere, at the last sync."""
        return self._retired

    @property
    def held(self) -> dict[str, int]:
        """Actor to free slots in hand (a copy)."""
        return dict(self._held)

    @property
    def free(self) -> int:
        """Slots in hand for new calls."""
        return max(0, sum(self._held.values()) - len(self._movers))

    @property
    def away(self) -> bool:
        """True while the directory does not answer."""
        return self._away and bool(self._alive)

    @property
    def low(self) -> bool:
        """True when it is time to sync before the next second is over."""
        return self.free < self.target // 2 + 1

    def take(self, call_id: str, *, now: float, avoid: str = "", tenant: str = "") -> str | None:
        """Spend a slot on this call; None when there is none.

        Args:
            call_id: The call that gets it.
            now: Loop time, s.
            avoid: For a call that leaves this actor; such a call has a stream already.
            tenant: Whose new call it is, if that tenant has a limit.
        """
        actor = self._choose(avoid)
        if actor is None:
            if avoid:
                self._movers[call_id] = _Mover(avoid, now)
            return None
        self._movers.pop(call_id, None)
        spent = self._moved if avoid else self._placed
        spent[call_id] = _Spent(actor, now, tenant)
        self.tenants.drop(call_id)
        return actor

    def _choose(self, avoid: str) -> str | None:
        names = [name for name, count in self._held.items() if count > 0 and name != avoid]
        if names and (avoid or self.free):
            name = max(names, key=lambda item: self._held[item])
            self._held[name] -= 1
            return name
        known = [name for name in self._alive if name != avoid]
        if self._away and known:
            self._turn += 1
            return known[self._turn % len(known)]
        return None

    def begun(self, call_id: str, *, now: float) -> None:
        """The stream of a new call has come to this replica."""
        self._begun[call_id] = now

    def report(
        self, replica_id: str, *, active_calls: int, max_calls: int, now: float
    ) -> ReplicaSync:
        """What the directory is to know. Tell ``granted`` when it was answered."""
        self._forget_old(now)
        spent = [*self._placed.values(), *self._moved.values()]
        # Many calls a second want a bigger stock: enough for two seconds like the last one.
        self.target = max(SMALLEST_STOCK, 2 * len(spent))
        limits, held, waiting = self.tenants.report(now=now)
        return ReplicaSync(
            replica_id=replica_id,
            active_calls=active_calls,
            max_calls=max_calls,
            held=self.held,
            used=dict(Counter(item.actor for item in spent)),
            want=self.target,
            placed={call_id: item.actor for call_id, item in self._placed.items()},
            moved={call_id: item.actor for call_id, item in self._moved.items()},
            begun=tuple(self._begun),
            waiting=self.waiting,
            moving=self._unserved_movers(),
            knows=self._alive_version,
            tenant_limits=limits,
            tenant_held=held,
            tenant_waiting=waiting,
            tenant_of={key: item.tenant for key, item in self._placed.items() if item.tenant},
        )

    def granted(self, grants: Grants, told: ReplicaSync | None = None) -> None:
        """Take the directory's answer to the report ``told``."""
        self._away = False
        self.tenants.granted(grants)
        version = grants.alive_version
        # To who knew them at the question names are not told, whatever was voided since.
        untold = told is not None and version != 0 and told.knows == version
        if not untold and (not version or version != self._alive_version):
            self._alive, self._alive_version = grants.alive, version
            self._retired = frozenset(grants.retired)
        for name, count in grants.granted.items():
            self._held[name] = max(0, self._held.get(name, 0) + count)
        alive = set(self._alive)
        self._held = {name: count for name, count in self._held.items() if name in alive}
        self.left = grants.left
        self.cluster_active = grants.active_calls
        self.cluster_on_way = grants.on_way
        self.cluster_capacity = grants.capacity
        self.cluster_minds = grants.minds
        self.sync_every_s = grants.every_ms / 1_000
        if told is not None:
            _drop(self._placed, told.placed)
            _drop(self._moved, told.moved)
            for call_id in told.begun:
                self._begun.pop(call_id, None)

    def void(self, actor: str) -> None:
        """This actor is lost: its slots are worth nothing."""
        self._held.pop(actor, None)
        self._alive = tuple(name for name in self._alive if name != actor)
        self._alive_version = 0  # whether it is alive after all is to be told again

    def directory_away(self) -> None:
        """The directory did not answer."""
        self._away = True
        self.tenants.directory_away()

    def _unserved_movers(self) -> int:
        """Moving calls that no slot in hand suits."""
        in_hand = sum(self._held.values())
        suits = [in_hand - self._held.get(mover.avoid, 0) for mover in self._movers.values()]
        return max(0, len(suits) - min(suits, default=0))

    def _forget_old(self, now: float) -> None:
        for call_id, mover in list(self._movers.items()):
            if now - mover.asked_at > MOVER_ASKS_WITHIN_S:
                del self._movers[call_id]
        for spent in (self._placed, self._moved):
            for call_id, item in list(spent.items()):
                if now - item.at > UNTOLD_KEPT_S:
                    del spent[call_id]
        for call_id, at in list(self._begun.items()):
            if now - at > UNTOLD_KEPT_S:
                del self._begun[call_id]


def _drop(spent: dict[str, _Spent], told: dict[str, str]) -> None:
    """Forget what was told, but not what became of the same call since."""
    for call_id, actor in told.items():
        if call_id in spent and spent[call_id].actor == actor:
            del spent[call_id]
