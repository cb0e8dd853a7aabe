"""An ingress replica tells the watch that it lives, and which calls it has.

``{"v": 1, "replica", "node", "pid", "at", "calls": [{"call_id", "call_sid", "epoch", "claims"}] |
null, "leaves", "roads", "refuses"}`` is answered by ``{"v": 1, "wants_calls", "drain", "retire",
"retire_within_s", "roads", "switch", "overtaken"}``: ``switch`` is a mapping of call ids to modes,
``overtaken`` one of calls that another replica has to the newer epoch of that one. ``roads`` of
the answer names nodes that are to go, by address, and in how many seconds (or null), and is null
itself while the watch does not know: then those of before are; that of the beat says how many
calls still come through each of them. ``at`` is where the replica answers HTTP, as ``HOST:PORT``;
empty while it is not known. ``refuses``: new calls have been refused since a ``drain``
was heard, and ``calls`` are all that there will be. The calls are told when they have changed, and
when the watch asks for them (it may be a new one): all of them, so with many calls not more often
than once in ``NEWS_A_CALL_S`` for each.

Nothing in a call waits for it. It runs on the loop that carries the calls: when that stands still,
so do the beats, and that is what they are for.

An asyncio driver without Ray.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from providers.traces import trace_of

logger = logging.getLogger(__name__)

VERSION = 1
BEAT_EVERY_S = 0.5
LOOK_EVERY_S = 0.1
NEWS_A_CALL_S = 0.001
UNHEARD_S = 1.0  # half the lease that the watch gives (``actors.stream_watch``)
ANSWER_WITHIN_S = 2.0  # beyond what the way to the watch allows itself

Plain = dict[str, Any]
Roads = Mapping[str, float | None]
SendBeat = Callable[[Plain], Awaitable[Mapping[str, Any]]]
"""Hand a beat to the watch; its answer. Raises ``OSError`` or ``TimeoutError`` when it is away."""


class Leaves(Protocol):
    """What takes calls elsewhere (``actors.replica_drain_driver``); None seconds: no haste."""

    def retire(self, within_s: float | None = None) -> None:
        """This replica is to go."""

    def leave_roads(self, roads: Roads) -> None:
        """These nodes are to go, by address, and no others."""

    def calls_by_road(self, roads: Collection[str]) -> Mapping[str, int]:
        """How many calls come through HAProxy of each of them."""


class StreamBeats:
    """The beats of one replica.

    Args:
        replica_id: Of this incarnation.
        node: Id of the node it runs on.
        send: The way to the watch.
        calls: The calls in progress, as plain data.
        on_drain: Told whether new calls are to be refused.
        on_switch: Told, again and again, how a call is to be carried: its id, and the mode.
        leaving: Told, again and again, that this replica is to go, or a node.
        on_overtaken: Told, again and again, of a call that another replica has: its id, and the
            epoch under which that one has it.
        on_unheard: Told, again and again, while no beat is answered: whoever watches may take this
            replica for hung, and its calls elsewhere.
        address: Where it answers HTTP.
    """

    def __init__(  # noqa: PLR0913 - what each is for stands above
        self,
        replica_id: str,
        node: str,
        send: SendBeat,
        calls: Callable[[], Sequence[Plain]],
        on_drain: Callable[[bool], None],
        on_switch: Callable[[str, str], object] = lambda _call_id, _mode: None,
        leaving: Leaves | None = None,
        on_overtaken: Callable[[str, tuple[int, int]], object] = lambda _call_id, _epoch: None,
        on_unheard: Callable[[], object] = lambda: None,
        address: Callable[[], str] = lambda: "",
    ) -> None:
        self._who: Plain = {
            "v": VERSION,
            "replica": replica_id,
            "node": node,
            "pid": os.getpid(),
        }
        self._send = send
        self._calls = calls
        self._on_drain = on_drain
        self._on_switch = on_switch
        self._leaving = leaving
        self._on_overtaken = on_overtaken
        self._on_unheard = on_unheard
        self._address = address
        self._answered_at: float | None = None
        self._roads: Roads = {}
        self._told: Sequence[Plain] | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_away = False
        self._refuses = False

    def start(self) -> None:
        """Begin to beat. Idempotent."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="stream-beats")

    async def aclose(self) -> None:
        """Say goodbye: this end is planned."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._beat({**self._who, "calls": None, "leaves": True})

    async def _run(self) -> None:
        trouble = ""
        while True:  # who does not beat is ended with all of its calls: no mistake is worth that
            try:
                await self._beat_on()
            except Exception as error:  # noqa: BLE001 - see above
                if trouble != (trouble := trace_of(error)):
                    logger.error("the beats of this replica: %s", trouble)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _beat_on(self) -> None:
        loop = asyncio.get_running_loop()
        beat_at = news_at = loop.time()
        while True:
            calls, now = list(self._calls()), loop.time()
            is_news = now >= news_at and calls != self._told
            if is_news or now >= beat_at:
                beat_at = now + BEAT_EVERY_S
                if is_news:
                    news_at = now + NEWS_A_CALL_S * len(calls)
                told: Plain = {"calls": calls if is_news else None, "at": self._address()}
                if self._refuses:
                    told["refuses"] = calls == self._told or is_news
                if self._roads and self._leaving is not None:
                    told["roads"] = dict(self._leaving.calls_by_road(self._roads))
                answer = await self._beat_until_answered({**self._who, **told})
                if answer is not None:
                    if answer.get("wants_calls"):
                        self._told, news_at = None, now
                    elif is_news:
                        self._told = calls
                    self._heed(answer)
                    if self._told is None:
                        continue
            await asyncio.sleep(LOOK_EVERY_S)

    def _heed(self, answer: Mapping[str, Any]) -> None:
        self._refuses = bool(answer.get("drain"))
        self._on_drain(self._refuses)
        if (roads := answer.get("roads")) is not None:
            self._roads = roads
        for call_id, (number, minted_us) in (answer.get("overtaken") or {}).items():
            self._on_overtaken(str(call_id), (int(number), int(minted_us)))
        if self._leaving is not None:
            if answer.get("retire"):
                self._leaving.retire(answer.get("retire_within_s"))
            self._leaving.leave_roads(self._roads)
        for call_id, mode in (answer.get("switch") or {}).items():
            self._on_switch(str(call_id), str(mode))

    async def _beat_until_answered(self, plain: Plain) -> Mapping[str, Any] | None:
        """The answer; None when there is none. One that is late makes nobody silent."""
        beats = [asyncio.ensure_future(self._beat(plain))]
        try:
            while not (await asyncio.wait(beats[:1], timeout=BEAT_EVERY_S))[0]:
                self._say_unheard()
                beats.append(asyncio.ensure_future(self._beat({**plain, "calls": None})))
            return beats[0].result()
        finally:
            for beat in beats:
                beat.cancel()
            await asyncio.gather(*beats, return_exceptions=True)

    async def _beat(self, plain: Plain) -> Mapping[str, Any] | None:
        """The answer; None when there is none."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                answer = await self._send(plain)
        except OSError as error:  # a timeout is one
            if not self._is_away:
                logger.warning("nobody watches this replica: %s", str(error) or "no answer")
            self._is_away = True
            self._say_unheard()
            return None
        self._is_away = False
        self._answered_at = asyncio.get_running_loop().time()
        return answer

    def _say_unheard(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._answered_at is None:
            self._answered_at = now
        if now - self._answered_at >= UNHEARD_S:
            self._on_unheard()
