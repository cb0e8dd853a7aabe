"""The edge with all that calls need, without Ray: the API, the tables, the dialer, a carrier.

The carrier is the emulated one behind its REST interface, asked by Twilio's own client.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

from actors.dialer_driver import Room
from cluster.back_office_parts import BackOfficeParts, OfficeHours, carrier_of
from cluster.call_services import CallServices, OutsideWorld
from cluster.call_stores import CallStores
from cluster.edge import Edge
from cluster.wall_clock import wall_clock_us
from records.database import Database
from records.edge_rows import CallRequestRow
from records.rows import JournalRow
from records.store import RecordStore
from simulation.callee import Phones
from simulation.callee_book import Callee, CalleeBook
from simulation.carrier_leg import PhoneLeg
from simulation.control import Control
from simulation.exchange import Exchange, ExchangeConfig
from simulation.faults import FaultBoard
from simulation.twilio_rest import TwilioRestApi
from simulation.wire_server import WireServer
from telephony.rest import CarrierRest
from tests.support.edge_stage import TOKEN, Door, EdgeStage

T = TypeVar("T")
ACCOUNT = "AC" + "0" * 31 + "1"
OURS = "+14155550199"
THEIRS = "+14155550123"
OTHERS = "+14155550177"
SETTINGS: dict[str, Any] = {
    "twilio_account_sid": ACCOUNT,
    "twilio_phone_number": OURS,
    "calls_per_second": 100,
}
_EMULATORS = 0


class CallingStage:
    """Use ``await CallingStage.open(stage, folder)`` on the stage's loop, then ``aclose``.

    Attributes:
        api: A client of the API; sends the key of the default tenant if there is one.
        free_slots, by_tenant: What the dialer is told of the cluster.
    """

    def __init__(self, stage: EdgeStage, folder: Path) -> None:
        self.stage = stage
        self.folder = folder
        self.free_slots: int | None = 10
        self.by_tenant: dict[str, int] = {}
        self.board = FaultBoard()
        self.journal: list[JournalRow] = []
        self.hours = OfficeHours()
        self._office: BackOfficeParts | None = None
        self._carriers: list[CarrierRest] = []  # of every office that was
        self._working: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, stage: EdgeStage, folder: Path, callee: Callee | None = None, **settings: Any
    ) -> CallingStage:
        """Listening, dialing, with an API."""
        self = cls(stage, folder)
        agent, _, recogniser, speech = stage.built["good"]
        agent = dataclasses.replace(agent, **settings.pop("agent", {}))
        self.hours = settings.pop("hours", self.hours)
        self.callee = callee or Callee(after_s=0.05, talk_s=1.0)

        async def furnish(edge: Edge) -> CallServices:
            return await self._furnish(edge)

        # The mind reads the settings of its agent, and so do the tables.
        base = await self._base()
        self.door: Door = await stage.open_door(
            agent,
            recogniser,
            speech,
            furnish,
            twilio_api_base_url=base,
            **{**SETTINGS, **settings},
        )
        self.api = httpx.AsyncClient(base_url=self.door.url, timeout=10)
        return self

    async def _base(self) -> str:
        """The REST interface listens before anybody knows where the edge will."""
        config = ExchangeConfig(
            url="http://127.0.0.1:9", auth_token=TOKEN, account_sid=ACCOUNT, calls_per_s=100
        )
        book = CalleeBook(self.callee)
        global _EMULATORS
        _EMULATORS += 1
        self.exchange = Exchange(config, _EMULATORS, Phones(book))
        await self.exchange.__aenter__()
        self._server = WireServer(TwilioRestApi(self.exchange), Control(self.board))
        port = await self._server.start("127.0.0.1", 0)
        return f"http://127.0.0.1:{port}"

    async def _furnish(self, edge: Edge) -> CallServices:
        settings = edge.settings
        self.database = Database(f"sqlite+aiosqlite:///{self.folder}/calls.sqlite3", migrates=True)
        self.stores = CallStores(self.database)
        await RecordStore(self.database).prepare()
        self.carrier = carrier_of(settings)
        self.services = CallServices(
            edge, OutsideWorld(self.stores, self.journal.append, self.carrier, self.nudge)
        )
        await self.services.start()
        self.office(settings)
        return self.services

    def office(self, settings: Any = None) -> BackOfficeParts:
        """Begin (again) to dial."""

        async def room() -> Room | None:
            return None if self.free_slots is None else Room(self.free_slots, self.by_tenant)

        settings = settings or self.door.edge.settings
        carrier = carrier_of(settings)
        assert carrier is not None
        self._carriers.append(carrier)
        self._office = BackOfficeParts(settings, self.stores, carrier, room, self.hours)
        self._working = asyncio.get_running_loop().create_task(self._office.run())
        return self._office

    def kill_office(self) -> None:
        """The dialer dies, whatever it does just now."""
        assert self._working is not None
        assert self._office is not None
        self._working.cancel()
        dialer = self._office._dialer
        for task in list(dialer._tasks) if dialer is not None else ():
            task.cancel()

    def nudge(self) -> None:
        if self._office is not None:
            self._office.nudge()

    async def aclose(self) -> None:
        await self.api.aclose()
        self.kill_office()
        await self.services.aclose()
        for carrier in (self.carrier, *self._carriers):
            if carrier is not None:
                await carrier.close()
        await self._server.close()
        await self.exchange.__aexit__(None, None, None)
        await self.database.aclose()

    # --- what tests ask --------------------------------------------------------------------------

    async def place(self, key: str = "", **body: Any) -> httpx.Response:
        """``POST /v1/calls`` to ``THEIRS`` unless told otherwise."""
        headers = {"Idempotency-Key": key} if key else {}
        return await self.api.post("/v1/calls", json={"to": THEIRS, **body}, headers=headers)

    async def placed(self, **body: Any) -> str:
        """A call that was accepted; its id."""
        answer = await self.place(**body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["call_id"])

    async def until_state(self, call_id: str, *states: str) -> dict[str, Any]:
        """The call, as soon as it is in one of the states."""

        async def look() -> dict[str, Any] | None:
            call = (await self.api.get(f"/v1/calls/{call_id}")).json()
            return call if call["state"] in states else None

        return await until(look)

    async def request(self, call_id: str) -> CallRequestRow:
        row = await self.stores.requests.get("default", call_id)
        assert row is not None
        return row

    def legs(self) -> list[PhoneLeg]:
        """Every call that the carrier knows."""
        return [leg for leg in self.exchange.log if isinstance(leg, PhoneLeg)]


async def until(look: Callable[[], Awaitable[T | None]], within_s: float = 15.0) -> T:
    """The first answer that is not None (or False)."""
    async with asyncio.timeout(within_s):
        while True:
            if found := await look():
                return found
            await asyncio.sleep(0.02)


def now_us() -> int:
    return wall_clock_us()
