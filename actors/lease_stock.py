"""The slots one ingress replica has in hand: spent at once, refilled in the background.

Rules
1. ``take`` answers from memory, the actor with most slots first.
2. What was taken is reported with the next sync (``take_used``); a sync that failed gives it back
   to be reported again.
3. Grants replace nothing: they are added (a negative one takes slots back for other replicas, as
   far as they were not spent meanwhile). Slots of an actor that is not alive any more are void.
4. While the directory is away and the stock is empty, the actors known last are used in turn: their
   own capacity refuses what is too much.
"""

from __future__ import annotations

from actors.wire import Grants

SMALLEST_STOCK = 8


class LeaseStock:
    """The stock of one replica."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}
        self._used: dict[str, int] = {}
        self._alive: tuple[str, ...] = ()
        self._away = False
        self._turn = 0
        self.target = SMALLEST_STOCK
        self.cluster_active = 0
        self.cluster_capacity = 0

    @property
    def held(self) -> dict[str, int]:
        """Actor to free slots in hand (a copy)."""
        return dict(self._held)

    @property
    def free(self) -> int:
        """Slots in hand."""
        return sum(self._held.values())

    @property
    def away(self) -> bool:
        """True while the directory does not answer."""
        return self._away and bool(self._alive)

    @property
    def low(self) -> bool:
        """True when it is time to sync before the next second is over."""
        return self.free < self.target // 2 + 1

    def take(self, *, avoid: str = "") -> str | None:
        """Spend a slot; None when there is none."""
        names = [name for name, count in self._held.items() if count > 0 and name != avoid]
        if names:
            name = max(names, key=lambda item: self._held[item])
            self._held[name] -= 1
            self._used[name] = self._used.get(name, 0) + 1
            return name
        known = [name for name in self._alive if name != avoid]
        if self._away and known:
            self._turn += 1
            return known[self._turn % len(known)]
        return None

    def take_used(self) -> dict[str, int]:
        """What was spent since the last sync; the counters start again."""
        used, self._used = self._used, {}
        # Many calls a second want a bigger stock: enough for two seconds like the last one.
        self.target = max(SMALLEST_STOCK, 2 * sum(used.values()))
        return used

    def give_back_used(self, used: dict[str, int]) -> None:
        """The sync that carried ``used`` failed: report it again."""
        for name, count in used.items():
            self._used[name] = self._used.get(name, 0) + count

    def granted(self, grants: Grants) -> None:
        """Take the directory's answer."""
        self._away = False
        self._alive = grants.alive
        for name, count in grants.granted.items():
            self._held[name] = max(0, self._held.get(name, 0) + count)
        self._held = {name: count for name, count in self._held.items() if name in grants.alive}
        self.cluster_active = grants.active_calls
        self.cluster_capacity = grants.capacity

    def void(self, actor: str) -> None:
        """This actor is lost: its slots are worth nothing."""
        self._held.pop(actor, None)
        self._alive = tuple(name for name in self._alive if name != actor)

    def directory_away(self) -> None:
        """The directory did not answer."""
        self._away = True
