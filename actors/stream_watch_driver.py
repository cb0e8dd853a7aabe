"""Takes calls from ingress replicas that hang or retire: the server side of ``stream_beats``.

A replica that hangs keeps its sockets open, so the carrier waits for it and the caller hears
nothing. Its process is ended: the sockets close with it, and the carrier asks ``action`` what now.
A call that nobody has taken up a moment later (its replica could not be ended, its host does not
answer) is told by REST to ask.

A replica that Ray Serve has retired (deploy, scale-in) is told so with its next beat: Serve tells
user code only when the drain is over. It then moves its calls itself (``actors.replica_drain``).
So does every replica with the calls that come to it through HAProxy of a node that is drained.

An asyncio driver without Ray.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final, Literal

from actors.leaving import Leaving
from actors.rounds import for_ever
from actors.stream_watch import LostReplica, ReplicaPlace, StreamWatch, WatchedCall
from actors.switch_wishes import SwitchWishes

logger = logging.getLogger(__name__)

VERSION = 1
LOOK_EVERY_S = 0.1
COMES_BACK_WITHIN_S = 1.5  # by itself, once its socket is closed
MOVED_AT_ONCE = 10
GREETED_WITHIN_S = 0.5
MOVES_AGAIN_AFTER_S = (0.5, 1.0, 2.0, 4.0)
ASK_WHO_LEAVES_EVERY_S = 1.0
REFUSES_WITHIN_S = 3.0  # one of an older version does not say that it does

Ending = Literal["gone", "kept", "lives"]
"""What became of a process that was to be ended: it is gone, nobody could end it, or it answers
again and was left alone."""

GONE: Final = "gone"
KEPT: Final = "kept"
LIVES: Final = "lives"

EndProcess = Callable[[ReplicaPlace], Awaitable[Ending]]
"""End the process at this place for good, unless it answers again. Never raises."""

MoveCall = Callable[[WatchedCall], Awaitable[bool]]
"""Have the carrier ask ``action`` for this call now; False when it may be tried again, as with a
carrier that is busy or away. Never raises."""

Greets = Callable[[str], Awaitable[bool]]
"""Whether a replica answers at this address, within ``GREETED_WITHIN_S``. Never raises."""

WhoLeaves = Callable[[], Awaitable[Leaving | None]]
"""Which replicas and roads are to be no more; None when it is not known: all is as before."""


async def nobody_greets(_address: str) -> bool:
    """Replicas that cannot be asked."""
    return False


async def nobody_leaves() -> Leaving | None:
    """A cluster whose replicas and nodes stay."""
    return Leaving()


class StreamWatchDriver:
    """Watches replicas.

    Args:
        end_process: See ``EndProcess``.
        move_call: See ``MoveCall``.
        who_leaves: See ``WhoLeaves``; asked about once a second.
        greets: See ``Greets``.
    """

    def __init__(
        self,
        end_process: EndProcess,
        move_call: MoveCall,
        who_leaves: WhoLeaves = nobody_leaves,
        greets: Greets = nobody_greets,
    ) -> None:
        self._end_process = end_process
        self._move_call = move_call
        self._who_leaves = who_leaves
        self._greets = greets
        self._addresses: dict[str, str] = {}
        self._greeted: set[str] = set()
        self._leaving: Leaving | None = None  # nobody has said yet
        self._roads: dict[ReplicaPlace, dict[str, int]] = {}
        self._watch = StreamWatch()
        self._wishes = SwitchWishes(self._watch)
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._draining_at: float | None = None
        self._refusing: set[str] = set()
        self.totals = {"replicas_ended": 0, "calls_moved": 0}

    @property
    def calls(self) -> int:
        """Calls in progress, by what the replicas told last."""
        return self._watch.calls

    def drain(self) -> int | None:
        """Tell every replica with its next beat to take no new calls.

        Returns:
            The calls in progress; None while no replica has told of any or none, and while one may
            still be letting somebody in of whom it has not told.
        """
        now = asyncio.get_running_loop().time()
        if self._draining_at is None:
            self._draining_at = now
        replicas = set(self._watch.replicas)
        is_sure = replicas <= self._refusing or now - self._draining_at >= REFUSES_WITHIN_S
        return self.calls if replicas and is_sure else None

    def calls_by_place(self) -> dict[ReplicaPlace, int]:
        """How many calls each replica has, by what it told last."""
        return self._watch.calls_by_place()

    def calls_by_road(self) -> dict[ReplicaPlace, dict[str, int]]:
        """How many of them come through each node that is to go, by what each told last."""
        return {at: self._roads.get(at, {}) for at in self._watch.calls_by_place()}

    def beat(self, plain: Mapping[str, Any]) -> dict[str, Any]:
        """One replica beats; see ``actors.stream_beats`` for the message. Returns the answer.

        Raises:
            ValueError: It cannot be read.
        """
        if self._looking is None:
            loop = asyncio.get_running_loop()
            self._looking = loop.create_task(
                for_ever(self._look, LOOK_EVERY_S, "the watch of replicas")
            )
            self._asking = loop.create_task(
                for_ever(self._ask_who_leaves, ASK_WHO_LEAVES_EVERY_S, "who retires is not known")
            )
        try:
            replica_id, leaves = str(plain["replica"]), bool(plain.get("leaves"))
            place = ReplicaPlace(str(plain["node"]), int(plain["pid"]))
            told = plain.get("calls")
            calls = None if told is None else [_call(each) for each in told]
            roads = {str(road): int(count) for road, count in (plain.get("roads") or {}).items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"not a beat: {type(error).__name__}") from None
        self._roads[place] = roads
        self._addresses[replica_id] = str(plain.get("at") or "")
        if leaves:
            self._roads.pop(place)
            self._addresses.pop(replica_id)
            self._watch.goodbye(replica_id)
            self._refusing.discard(replica_id)
            return self._answer(replica_id, place, wants_calls=False)
        now = asyncio.get_running_loop().time()
        wants = self._watch.beat(replica_id, place, calls, now=now)
        if plain.get("refuses") and not wants:
            self._refusing.add(replica_id)
        else:
            self._refusing.discard(replica_id)
        return self._answer(replica_id, place, wants_calls=wants)

    def switch(self, call_id: str, mode: str) -> bool:
        """Have a call carried in another way; False when no replica has told of it."""
        return self._wishes.ask(call_id, mode, now=asyncio.get_running_loop().time())

    def _answer(self, replica_id: str, place: ReplicaPlace, *, wants_calls: bool) -> dict[str, Any]:
        now, known = asyncio.get_running_loop().time(), self._leaving
        replicas = {} if known is None else known.replicas
        roads = None if known is None else known.roads
        return {
            "v": VERSION,
            "wants_calls": wants_calls,
            "drain": self._draining_at is not None,
            "retire": place in replicas,
            "retire_within_s": _left(replicas.get(place), now),
            "roads": roads and {road: _left(until, now) for road, until in roads.items()},
            "switch": self._wishes.of_replica(replica_id, now=now),
            "overtaken": {
                call_id: list(epoch)
                for call_id, epoch in self._watch.overtaken_of(replica_id).items()
            },
        }

    async def aclose(self) -> None:
        """Stop watching."""
        own = (self._looking, self._asking, *self._tasks)
        tasks = [task for task in own if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        for replica_id in self._watch.doubtful(now=now):
            address = self._addresses.get(replica_id)
            if address and replica_id not in self._greeted:
                self._greeted.add(replica_id)
                self._begin(self._greet(replica_id, address))
        for lost in self._watch.look(now=now):
            self._roads.pop(lost.place, None)
            self._addresses.pop(lost.replica_id, None)
            self._begin(self._rescue(lost))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _greet(self, replica_id: str, address: str) -> None:
        try:
            if await self._greets(address):
                self._watch.answered(replica_id, now=asyncio.get_running_loop().time())
        finally:
            self._greeted.discard(replica_id)

    async def _ask_who_leaves(self) -> None:
        self._leaving = await self._who_leaves() or self._leaving

    async def _rescue(self, lost: LostReplica) -> None:
        logger.error(
            "ingress replica %s (process %d) does not beat: its %d calls are to be taken from it",
            lost.replica_id,
            lost.place.pid,
            len(lost.calls),
        )
        ending = await self._end_process(lost.place)
        if ending == LIVES or (ending == KEPT and self._beats_again(lost)):
            logger.warning("ingress replica %s answers again: it has its calls", lost.replica_id)
            return
        if ending == GONE:
            self.totals["replicas_ended"] += 1
            if lost.calls:
                await asyncio.sleep(COMES_BACK_WITHIN_S)
        slots = asyncio.Semaphore(MOVED_AT_ONCE)

        def is_wanted(call: WatchedCall) -> bool:
            has_it_again = ending == KEPT and self._beats_again(lost)
            return self._watch.is_still_of(call, lost.replica_id) and not has_it_again

        async def move(call: WatchedCall) -> None:
            for times, pause_s in enumerate((0.0, *MOVES_AGAIN_AFTER_S)):
                await asyncio.sleep(pause_s)
                async with slots:
                    if not is_wanted(call):
                        return
                    self.totals["calls_moved"] += not times
                    logger.warning(
                        "call %s: the carrier is told to ask where it goes on", call.call_id
                    )
                    if await self._move_call(call):
                        return

        await asyncio.gather(*(move(call) for call in lost.calls if is_wanted(call)))

    def _beats_again(self, lost: LostReplica) -> bool:
        """Whether a replica that was given up has told of its calls since."""
        return lost.replica_id in self._watch.replicas


def _left(until: float | None, now: float) -> float | None:
    return None if until is None else max(0.0, until - now)


def _call(plain: Mapping[str, Any]) -> WatchedCall:
    number, minted_us = plain["epoch"]
    return WatchedCall(
        str(plain["call_id"]),
        str(plain["call_sid"]),
        (int(number), int(minted_us)),
        dict(plain["claims"]),
    )
