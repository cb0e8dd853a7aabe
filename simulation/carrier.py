"""The carrier: places calls to one server, many at a time, on one clock and one HTTP client."""

from __future__ import annotations

import ssl
from random import Random
from types import TracebackType
from urllib.parse import urlsplit

import httpx

from simulation.callee import Phones
from simulation.callee_book import Callee, CalleeBook
from simulation.carrier_leg import PhoneLeg
from simulation.carrier_line import Opener
from simulation.carrier_parts import CallPlan, CarrierConfig, LegParts, LegReport
from simulation.carrier_record import CallLog
from simulation.carrier_signature import PublicAddress
from simulation.carrier_socket import open_socket
from simulation.carrier_stream import Person
from simulation.carrier_ticker import Ticker
from simulation.carrier_webhooks import CallIdentity, Webhooks, new_sid

__all__ = ["Carrier", "CarrierConfig", "LegReport", "PhoneLeg"]


class Carrier:
    """Places calls to one server; use as ``async with Carrier(config) as carrier``.

    Args:
        config: The number's configuration.
        seed: Makes ids, tokens and first timestamps repeatable.
        transport: Carries webhooks; the network unless a test brings its own.
        opener: Opens media sockets; likewise.
        phones: Whoever a call may be transferred to; nobody can be reached when None.

    Raises:
        ValueError: ``url`` or ``public_url`` is not an http(s) address.
    """

    def __init__(
        self,
        config: CarrierConfig,
        seed: int = 0,
        transport: httpx.AsyncBaseTransport | None = None,
        opener: Opener = open_socket,
        phones: Phones | None = None,
    ) -> None:
        self.config = config
        self.random = Random(seed)
        self.address = PublicAddress(config.url, config.public_url)
        host = urlsplit(config.url).hostname or ""
        self.on_loopback = host in {"127.0.0.1", "::1", "localhost"}
        self.tls = ssl.create_default_context() if config.url.startswith("https") else None
        # No proxy stands between us and our own machine, whatever the environment says.
        self._http = httpx.AsyncClient(
            transport=transport,
            trust_env=not self.on_loopback,
            verify=self.tls or not self.on_loopback,
            limits=httpx.Limits(max_connections=200, keepalive_expiry=30.0),
        )
        self.webhooks = Webhooks(self._http, self.address, config.auth_token, self.random)
        self.ticker = Ticker(config.slots)
        self.phones = phones or Phones(CalleeBook(Callee(outcome="failed", after_s=0.0)))
        self.log = CallLog()
        self._opener = opener

    async def __aenter__(self) -> Carrier:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    def identity(self, from_number: str, to_number: str = "+14155550199") -> CallIdentity:
        """A new call between two numbers."""
        return CallIdentity(
            self.config.account_sid, new_sid("CA", self.random), from_number, to_number
        )

    def dial(
        self, identity: CallIdentity, person: Person | None, plan: CallPlan | None = None
    ) -> PhoneLeg:
        """A leg, ready to ``run``; see ``PhoneLeg``."""
        return PhoneLeg(self.parts(), identity, person, plan)

    def parts(self) -> LegParts:
        """What every leg of this carrier shares."""
        return LegParts(
            config=self.config,
            address=self.address,
            webhooks=self.webhooks,
            ticker=self.ticker,
            random=self.random,
            tls=self.tls,
            allow_insecure=self.on_loopback,
            opener=self._opener,
            phones=self.phones,
            log=self.log,
        )
