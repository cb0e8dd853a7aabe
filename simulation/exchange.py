"""The account at the carrier: its numbers, the calls that come in and the calls that are placed.

A ``Carrier`` that keeps what REST shows. Calls out wait in line, and begin at the account's rate.

async with Exchange(ExchangeConfig(url="http://127.0.0.1:8000", auth_token="...")) as exchange:
    exchange.place("+14155550100", "+14155550199", plan)
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType

import httpx

from simulation.callee import Phones
from simulation.callee_book import Callee, CalleeBook
from simulation.carrier import Carrier
from simulation.carrier_leg import PhoneLeg
from simulation.carrier_line import Opener
from simulation.carrier_parts import CallPlan, CarrierConfig
from simulation.carrier_socket import open_socket
from simulation.carrier_stream import Person
from simulation.carrier_webhooks import CallIdentity, new_sid


@dataclass(frozen=True, slots=True)
class ExchangeConfig:
    """The account.

    Attributes:
        url: Where the server listens to which ``public_url`` leads.
        auth_token: Signs webhooks, and opens the REST interface.
        public_url: The name the server goes by; ``url`` if empty.
        account_sid: ``AC...``.
        numbers: E.164 numbers that the account owns; calls out are placed from these.
        calls_per_s: How many calls out are begun in a second at most.
    """

    url: str = "http://127.0.0.1:8000"
    auth_token: str = "emulated"  # noqa: S105 (not a secret: what the emulator takes)
    public_url: str = ""
    account_sid: str = "AC" + "0" * 31 + "1"
    numbers: tuple[str, ...] = ("+14155550199",)
    calls_per_s: float = 1.0


@dataclass(slots=True)
class OwnedNumber:
    """A number of the account and where it sends its calls, as REST shows it."""

    sid: str
    number: str
    voice_url: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str = ""
    voice_fallback_method: str = "POST"
    status_callback: str = ""
    status_callback_method: str = "POST"
    friendly_name: str = ""
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Exchange(Carrier):
    """One account; use as ``async with Exchange(config) as exchange``.

    Args:
        config: See ``ExchangeConfig``.
        seed: Makes ids repeatable.
        phones: Whoever may be called; everybody answers when None.
        transport: Carries webhooks; the network unless a test brings its own.
        opener: Opens media sockets; likewise.

    Raises:
        ValueError: ``url`` or ``public_url`` is not an http(s) address.
    """

    def __init__(
        self,
        config: ExchangeConfig,
        seed: int = 0,
        phones: Phones | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        opener: Opener = open_socket,
    ) -> None:
        super().__init__(
            CarrierConfig(
                url=config.url,
                auth_token=config.auth_token,
                public_url=config.public_url,
                account_sid=config.account_sid,
            ),
            seed,
            transport,
            opener,
            phones or Phones(CalleeBook()),
        )
        self.account = config
        self._numbers: dict[str, OwnedNumber] = {}
        for number in config.numbers:
            self.buy(number)
        self._loop = asyncio.get_running_loop()
        self._queue: deque[PhoneLeg] = deque()
        self._queued = asyncio.Event()
        self._running: dict[asyncio.Task[object], PhoneLeg] = {}
        self._dispatcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Exchange:
        self._dispatcher = self._loop.create_task(self._dispatch())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        tasks: list[asyncio.Task[object]] = list(self._running)
        if self._dispatcher is not None:
            self._dispatcher.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await super().__aexit__(kind, error, trace)

    # Numbers

    def numbers(self) -> Iterator[OwnedNumber]:
        """Every number of the account."""
        return iter(self._numbers.values())

    def number(self, sid: str) -> OwnedNumber | None:
        """A number by its sid."""
        return next((each for each in self.numbers() if each.sid == sid), None)

    def buy(self, number: str) -> OwnedNumber:
        """The account owns ``number`` (E.164) from now on."""
        if number not in self._numbers:
            sid = new_sid("PN", self.random)
            self._numbers[number] = OwnedNumber(sid, number, friendly_name=number)
        return self._numbers[number]

    def owns(self, number: str) -> bool:
        """Whether the account has ``number`` (E.164)."""
        return number in self._numbers

    # Calls

    def dial(
        self, identity: CallIdentity, person: Person | None, plan: CallPlan | None = None
    ) -> PhoneLeg:
        """A leg that REST knows of. A call to a number goes where the number says."""
        leg = super().dial(identity, person, plan or self._plan_of(identity.to_number))
        self.log.add(leg)
        return leg

    def place(self, to_number: str, from_number: str, plan: CallPlan) -> PhoneLeg:
        """Place a call out: it waits in line, and is then begun. ``plan.out`` says how it rings."""
        identity = CallIdentity(
            self.config.account_sid,
            new_sid("CA", self.random),
            from_number,
            to_number,
            "outbound-api",
        )
        leg = self.dial(identity, None, plan)
        leg.record.queue_time_ms = round(1_000 * len(self._queue) / self.account.calls_per_s)
        self._queue.append(leg)
        self._queued.set()
        return leg

    def call_in(self, from_number: str, to_number: str, caller: Callee) -> PhoneLeg:
        """Somebody calls one of the account's numbers, and does as ``caller`` says."""
        identity = self.identity(from_number, to_number)
        person = self.phones.pick_up(caller, identity.call_sid, self._loop.time())
        leg = self.dial(identity, person)
        self._begin(leg)
        return leg

    def forget_queued(self, leg: PhoneLeg) -> None:
        """A call that waits in line is not wanted any more: it ends now, canceled."""
        if leg in self._queue:
            self._queue.remove(leg)
            self._begin(leg)

    def _plan_of(self, number: str) -> CallPlan | None:
        owned = self._numbers.get(number)
        if owned is None or not owned.voice_url:
            return None
        return CallPlan(
            url=owned.voice_url,
            method=owned.voice_method,
            fallback_url=owned.voice_fallback_url,
            fallback_method=owned.voice_fallback_method,
            status_url=owned.status_callback,
            status_method=owned.status_callback_method,
            status_states=self.config.status_events,
        )

    def _begin(self, leg: PhoneLeg) -> None:
        task: asyncio.Task[object] = self._loop.create_task(leg.run())
        self._running[task] = leg
        task.add_done_callback(self._running.pop)

    async def _dispatch(self) -> None:
        while True:
            await self._queued.wait()
            if self._queue:
                self._begin(self._queue.popleft())
                await asyncio.sleep(1 / self.account.calls_per_s)
            else:
                self._queued.clear()
