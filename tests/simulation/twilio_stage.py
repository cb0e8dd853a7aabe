"""The emulated account on a real port, beside a server that answers its webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from twilio.rest import Client

from simulation.callee import Phones
from simulation.callee_book import Callee, CalleeBook
from simulation.control import Control
from simulation.exchange import Exchange, ExchangeConfig
from simulation.exchange_control import ExchangeControl
from simulation.faults import FaultBoard
from simulation.twilio_rest import TwilioRestApi
from simulation.wire_server import WireServer
from tests.simulation.paper_server import tone_clip
from tests.simulation.tone_server import ToneConfig, ToneServer, tone_server

ACCOUNT, TOKEN = "AC" + "0" * 31 + "1", "emulated"
THEIRS, OURS = "+14155550123", "+14155550199"


@dataclass
class TwilioStage:
    """What a scene plays on."""

    url: str
    server: ToneServer
    exchange: Exchange
    board: FaultBoard

    def client(self, token: str = TOKEN, account_sid: str = ACCOUNT) -> Any:
        """Twilio's own client, unmodified but for its base URL."""
        client = Client(account_sid, token)
        client.api.base_url = self.url
        return client

    def forms(self, path: str) -> list[dict[str, str]]:
        return [form for asked, form, _ in self.server.requests if asked == path]

    async def until(self, is_so: Callable[[], object]) -> None:
        """Wait for something that is certain to come."""
        while not is_so():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def twilio_stage(
    callee: Callee | None = None, calls_per_s: float = 100.0
) -> AsyncIterator[TwilioStage]:
    async with tone_server(ToneConfig()) as server:
        book = CalleeBook()
        book.put(THEIRS, callee or Callee(after_s=0.05))
        config = ExchangeConfig(server.url, TOKEN, calls_per_s=calls_per_s)
        async with Exchange(config, phones=Phones(book, tone_clip)) as exchange:
            board = FaultBoard()
            control = Control(board)
            ExchangeControl(exchange, control)
            wire = WireServer(TwilioRestApi(exchange), control)
            port = await wire.start("127.0.0.1", 0)
            exchange.log.api_url = f"http://127.0.0.1:{port}"
            try:
                yield TwilioStage(exchange.log.api_url, server, exchange, board)
            finally:
                await wire.close()


def on_stage(
    scene: Callable[[TwilioStage], Awaitable[Any]], callee: Callee | None = None, **stage: Any
) -> Any:
    """Run a scene; it fails after 20 s."""

    async def whole() -> Any:
        async with twilio_stage(callee, **stage) as place:
            return await scene(place)

    return asyncio.run(asyncio.wait_for(whole(), 20))
