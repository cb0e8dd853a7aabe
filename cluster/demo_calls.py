"""Places the calls of the demo and follows each on both sides: at the ear and in the call store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from cluster.demo_live import LiveCall
from cluster.demo_script import LANGUAGE, DemoCaller
from cluster.demo_stage import PUBLIC_URL, Stage
from cluster.demo_turns import CallStory
from records.rows import CallRow, TurnRow
from records.store import RecordStore
from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_events import CallerEvent, CallStarted
from simulation.carrier import Carrier, CarrierConfig
from simulation.carrier_ticker import Lateness

_LOOK_EVERY_S = 0.1
_RECORDED_WITHIN_S = 3.0
_LONGEST_CALL_S = 60.0


class DemoPhones:
    """The carrier and the call store of a demo; use as ``async with``.

    Args:
        stage: The running product.
    """

    def __init__(self, stage: Stage) -> None:
        self._carrier = Carrier(
            CarrierConfig(stage.url, stage.auth_token, public_url=PUBLIC_URL), seed=1
        )
        self._store = RecordStore(stage.store_url)
        self._calls = 0

    async def __aenter__(self) -> DemoPhones:
        await self._carrier.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._carrier.__aexit__(None, None, None)
        await self._store.aclose()

    @property
    def lateness(self) -> Lateness:
        """How late the callers' own frames were."""
        return self._carrier.ticker.lateness

    async def talk(self, callers: Sequence[tuple[DemoCaller, LiveCall]]) -> list[CallStory]:
        """Place these calls at once; returns when all are over, in the same order."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._one(caller, live)) for caller, live in callers]
        return [task.result() for task in tasks]

    async def _one(self, caller: DemoCaller, live: LiveCall) -> CallStory:
        call, self._calls = self._calls, self._calls + 1
        placed_us = time.time_ns() // 1_000

        def tell(event: CallerEvent) -> None:
            if isinstance(event, CallStarted):
                live.call_sid = event.call_sid
            live.take(event)

        order = CallOrder(
            script=caller.script(),
            from_number=caller.from_number,
            call=call,
            max_duration_s=_LONGEST_CALL_S,
            record=True,
        )
        async with asyncio.TaskGroup() as group:
            placing = group.create_task(place_call(self._carrier, order, tell))
            following = group.create_task(self._follow(live, placed_us, placing))
        row, rows = following.result()
        return CallStory(
            name=caller.name,
            language=row.language if row is not None and row.language else LANGUAGE,
            placed_us=placed_us,
            result=placing.result(),
            heard=tuple(live.heard),
            rows=tuple(rows),
            call_id=row.call_id if row is not None else "",
        )

    async def _follow(
        self, live: LiveCall, placed_us: int, placing: asyncio.Task[CallResult]
    ) -> tuple[CallRow | None, list[TurnRow]]:
        """Print recorded turns as they appear, until the call is recorded as over."""
        row: CallRow | None = None
        rows: list[TurnRow] = []
        loop = asyncio.get_running_loop()
        over_s: float | None = None
        while True:
            if live.call_sid:
                row = await self._store.call_by_sid(live.call_sid)
            if row is not None:
                rows = await self._store.turns(row.tenant_id, row.call_id)
            live.show(rows, placed_us)
            if placing.done():
                over_s = over_s if over_s is not None else loop.time()
                recorded = row is not None and row.status != "active"
                if recorded or loop.time() - over_s > _RECORDED_WITHIN_S:
                    return row, rows
            await asyncio.sleep(_LOOK_EVERY_S)
