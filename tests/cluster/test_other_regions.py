"""Calls that are given to other regions: the product on both sides, no sockets between them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from xml.etree import ElementTree

import httpx

from actors.metrics_counts import EventCounts
from actors.wire import Grants
from cluster.call_services import CallServices
from cluster.edge import Edge
from cluster.edge_parts import EdgeParts
from cluster.other_regions import PROBE_EVERY_S, OtherRegions
from cluster.regions import RegionTable, region_table
from cluster.settings import Settings
from cluster.voice_routes import BUSY
from cluster.webhooks import build_app
from dialogue.agent import Agent
from simulation.carrier_signature import sign
from telemetry.ledger import MetricsLedger
from tests.support import virtual_time
from tests.support.local_mind_pool import LocalMindPool

EU, US = "https://eu.example.com", "https://us.example.com"
REGIONS = f"eu={EU} DE FR us={US} US *"
TOKEN = "t" * 32
AGENT = Agent("default", "ann", "v1", "en-US", "You are Ann.", "Hello!", "voice")


class World(httpx.AsyncBaseTransport):
    """The network between regions: hosts, and what answers there.

    Attributes:
        asked: Method, host and path of each request.
        broken: Hosts that nobody reaches.
        hung: Hosts that take a request and never answer.
        odd: Hosts that raise what nobody thought of.
    """

    def __init__(self) -> None:
        self.apps: dict[str, httpx.ASGITransport] = {}
        self.asked: list[str] = []
        self.broken: set[str] = set()
        self.hung: set[str] = set()
        self.odd: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        self.asked.append(f"{request.method} {host}{request.url.path}")
        if host in self.broken:
            raise httpx.ConnectError("nobody there")
        if host in self.odd:
            raise RuntimeError("a transport with a bug")
        if host in self.hung:
            await asyncio.Event().wait()
        return await self.apps[host].handle_async_request(request)


class Place:
    """One region: an edge of the product with its webhooks."""

    def __init__(self, world: World, name: str, url: str, slots: int, **settings: Any) -> None:
        pool = LocalMindPool({}, {}, names=())
        pool.stock.granted(Grants({"a": slots}, ("a",), active_calls=0, capacity=9))
        plain: dict[str, Any] = {
            "public_url": url,
            "twilio_auth_token": TOKEN,
            "default_agent": "ann",
            **settings,
        }
        self.edge = Edge(
            Settings(**{"_env_file": None, **plain}),
            EdgeParts(
                agents={(AGENT.tenant_id, "ann"): AGENT},
                call_parts={},
                pool=pool,
                wall_clock_us=lambda: 1_760_000_000_000_000,
                counts=EventCounts(MetricsLedger("door", 1)),
                cluster_view=lambda: None,
                planned_end=_nothing_planned,
            ),
        )
        self.edge.not_ready.clear()
        table = region_table(REGIONS, name, url)
        assert table is not None
        http = httpx.AsyncClient(transport=world)
        self.regions = OtherRegions(table, TOKEN, self.edge.count, http, lambda: 0.5)
        self.services = CallServices(self.edge, regions=self.regions)
        app = httpx.ASGITransport(build_app(self.edge, self.services))
        world.apps[url.removeprefix("https://")] = app
        self.url = url
        self.counters = self.edge.parts.counters
        self.client = httpx.AsyncClient(transport=app, base_url=url)

    async def call(self, number: int = 1, **form: str) -> str:
        """What the carrier is told about a new call."""
        return (await self.post("/twilio/voice", number, **form)).text

    async def post(self, target: str, number: int = 1, **form: str) -> httpx.Response:
        """A webhook that the carrier has signed."""
        sent = {"CallSid": f"CA{number}", "CallStatus": "ringing", **form}
        headers = {"X-Twilio-Signature": sign(self.url + target, sent.items(), TOKEN)}
        return await self.client.post(target, data=sent, headers=headers)


async def _nothing_planned(_call_sid: str) -> bool:
    return False


def play(
    scene: Callable[[World, Place, Place], Awaitable[None]], eu_slots: int = 9, us_slots: int = 9
) -> None:
    async def whole() -> None:
        world = World()
        eu = Place(world, "eu", EU, eu_slots)
        us = Place(world, "us", US, us_slots)
        await scene(world, eu, us)
        await eu.services.aclose()
        await us.services.aclose()

    virtual_time.run(whole())


def stream_of(twiml: str) -> tuple[str, str]:
    """Origins of the stream and of its ``action``."""
    connect = ElementTree.fromstring(twiml).find("Connect")
    assert connect is not None, twiml
    stream = connect.find("Stream")
    assert stream is not None, twiml
    return "/".join(stream.attrib["url"].split("/")[:3]), "/".join(
        connect.attrib["action"].split("/")[:3]
    )


def test_a_caller_of_another_region_gets_stream_and_action_of_that_region() -> None:
    async def scene(world: World, eu: Place, us: Place) -> None:
        assert stream_of(await eu.call(FromCountry="US")) == ("wss://us.example.com", US)
        assert world.asked == ["POST us.example.com/twilio/voice"]
        assert (eu.counters["calls_admitted"], us.counters["calls_admitted"]) == (0, 1)
        assert eu.counters["calls_passed_on"] == 1

    play(scene)


def test_a_caller_of_this_region_stays_and_nobody_is_asked() -> None:
    async def scene(world: World, eu: Place, us: Place) -> None:
        assert stream_of(await eu.call(FromCountry="DE")) == ("wss://eu.example.com", EU)
        assert stream_of(await us.call(FromCountry="BR")) == ("wss://us.example.com", US)
        assert world.asked == []

    play(scene)


def test_a_call_that_we_placed_stays_where_its_token_is_known() -> None:
    async def scene(world: World, eu: Place, us: Place) -> None:
        token = eu.services.urls.token("default", "ann", "0" * 32, "outbound")
        answer = await eu.post(f"/twilio/voice?o={token}", FromCountry="US")
        assert stream_of(answer.text) == ("wss://eu.example.com", EU)
        assert world.asked == []

    play(scene)


def test_a_region_that_nobody_reaches_costs_no_call() -> None:
    async def scene(world: World, eu: Place, us: Place) -> None:
        world.broken.add("us.example.com")
        assert stream_of(await eu.call(FromCountry="US")) == ("wss://eu.example.com", EU)
        assert eu.counters["regions_unanswered"] == 1

    play(scene)


def test_a_region_that_hangs_is_not_waited_for_as_long_as_the_carrier_waits() -> None:
    async def scene(world: World, eu: Place, us: Place) -> None:
        world.hung.add("us.example.com")
        async with asyncio.timeout(4.0):
            assert stream_of(await eu.call(FromCountry="US")) == ("wss://eu.example.com", EU)

    play(scene)


def test_a_region_that_failed_twice_is_not_asked_any_more() -> None:
    async def scene(world: World, eu: Place, us: Place) -> None:
        world.broken.add("us.example.com")
        for number in range(4):
            await eu.call(number, FromCountry="US")
        assert len(world.asked) == 2
        assert eu.regions.status() == {"us": False}
        assert (await eu.client.get("/readyz")).json()["regions"] == {"us": False}

    play(scene)


def test_probes_find_out_without_a_call_and_find_out_again() -> None:
    async def scene(world: World, eu: Place, us: Place) -> None:
        world.broken.add("us.example.com")
        eu.regions.start()
        await asyncio.sleep(3 * PROBE_EVERY_S)
        assert eu.regions.status() == {"us": False}
        world.asked.clear()
        await eu.call(1, FromCountry="US")
        assert [line for line in world.asked if line.startswith("POST")] == []
        world.broken.clear()
        await asyncio.sleep(4 * PROBE_EVERY_S)
        assert eu.regions.status() == {"us": True}
        assert stream_of(await eu.call(2, FromCountry="US")) == ("wss://us.example.com", US)

    play(scene)


def test_a_mistake_does_not_end_the_probes() -> None:
    async def scene(world: World, eu: Place, us: Place) -> None:
        world.odd.add("us.example.com")
        eu.regions.start()
        await asyncio.sleep(3 * PROBE_EVERY_S)
        world.odd.clear()
        world.broken.add("us.example.com")
        await asyncio.sleep(6 * PROBE_EVERY_S)
        assert eu.regions.status() == {"us": False}

    play(scene)


def test_a_region_that_is_not_ready_gets_no_calls() -> None:
    async def scene(world: World, eu: Place, us: Place) -> None:
        us.edge.not_ready[:] = ["voice"]
        eu.regions.start()
        await asyncio.sleep(3 * PROBE_EVERY_S)
        assert eu.regions.status() == {"us": False}

    play(scene)


def test_a_region_that_is_full_refuses_and_the_call_is_answered_here() -> None:
    async def scene(world: World, eu: Place, us: Place) -> None:
        for number in range(3):
            said = await eu.call(number, FromCountry="US")
            assert stream_of(said) == ("wss://eu.example.com", EU)
        assert eu.counters["regions_refused"] == 3
        assert eu.regions.status() == {"us": True}  # full is not away
        assert (await us.post("/twilio/voice?via=eu", 9, FromCountry="US")).status_code == 503

    play(scene, us_slots=0)


def test_a_call_for_which_there_is_no_place_here_goes_to_the_second_region() -> None:
    async def scene(world: World, eu: Place, us: Place) -> None:
        assert stream_of(await eu.call(FromCountry="DE")) == ("wss://us.example.com", US)

    play(scene, eu_slots=0)


def test_when_all_are_full_the_caller_hears_it_and_nobody_asks_in_circles() -> None:
    async def scene(world: World, eu: Place, us: Place) -> None:
        assert BUSY in await eu.call(1, FromCountry="DE")
        assert BUSY in await eu.call(2, FromCountry="US")
        assert world.asked == ["POST us.example.com/twilio/voice"] * 2
        # The carrier itself always gets its TwiML with 200.
        assert (await eu.post("/twilio/voice", 3, FromCountry="DE")).status_code == 200

    play(scene, eu_slots=0, us_slots=0)


def test_a_repeated_webhook_gets_the_same_words_and_asks_nobody_again() -> None:
    async def scene(world: World, eu: Place, us: Place) -> None:
        first = await eu.call(FromCountry="US")
        assert await eu.call(FromCountry="US") == first
        assert len(world.asked) == 1

    play(scene)


def test_a_url_that_the_carrier_could_not_reach_says_who_is_away() -> None:
    """Its fallback request names it; the answer that led there is not given again."""

    async def scene(world: World, eu: Place, us: Place) -> None:
        await eu.call(FromCountry="US")
        again = await eu.call(FromCountry="US", ErrorCode="11200", ErrorUrl=f"{US}/twilio/resume")
        assert stream_of(again) == ("wss://eu.example.com", EU)

    play(scene)


def test_a_form_that_nobody_signed_is_refused_there_and_answered_here() -> None:
    """Two regions with different tokens: said in the log, and no call is lost by it."""

    async def scene(world: World, eu: Place, us: Place) -> None:
        table: RegionTable = eu.regions._table
        others = OtherRegions(
            table, "another token", eu.edge.count, httpx.AsyncClient(transport=world)
        )
        assert await others.nearer({"CallSid": "CA1", "FromCountry": "US"}) is None
        assert others.status() == {"us": True}
        assert us.counters["webhooks_refused"] == 1
        await others.aclose()

    play(scene)


def test_a_stream_that_was_lost_and_finds_no_place_begins_anew_in_the_second_region() -> None:
    async def scene(world: World, eu: Place, us: Place) -> None:
        twiml = await eu.call(FromCountry="DE")  # takes the only slot
        connect = ElementTree.fromstring(twiml).find("Connect")
        assert connect is not None
        action = connect.attrib["action"].removeprefix(EU).partition("#")[0]
        again = await eu.post(action, CallStatus="in-progress", FromCountry="DE")
        assert stream_of(again.text) == ("wss://us.example.com", US)

    play(scene, eu_slots=1)
