"""Every fault reaches a server as what it claims to be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from simulation import caller_faults as faults
from simulation.carrier import Carrier, CarrierConfig
from simulation.carrier_errors import TwimlRejected
from simulation.carrier_stream import CarrierStream, StreamSetup
from tests.simulation.paper_server import PaperAgent, PaperWeb, paper_carrier
from tests.simulation.tone_server import ToneServer, tone_server
from tests.support.virtual_time import run

pytestmark = pytest.mark.e2e

Use = Callable[[Carrier, StreamSetup, ToneServer], Awaitable[None]]


def against_a_server(use: Use) -> None:
    async def whole() -> None:
        async with (
            tone_server() as server,
            Carrier(CarrierConfig(server.url, "12345")) as carrier,
        ):
            setup = await faults.stream_setup(carrier, carrier.identity("+14155550100"))
            await use(carrier, setup, server)

    asyncio.run(whole())


async def until(server: ToneServer, found: Callable[[str | bytes], bool]) -> str | bytes:
    async with asyncio.timeout(5):
        while True:
            for message in server.messages:
                if found(message):
                    return message
            await asyncio.sleep(0.005)


def is_event(name: str) -> Callable[[str | bytes], bool]:
    return lambda message: isinstance(message, str) and f'"event":"{name}"' in message


@pytest.mark.parametrize(
    ("fault", "arrives"),
    [
        (faults.send_malformed_json, lambda m: m == '{"event":"media","media":{'),
        (faults.send_non_object, lambda m: m == '["media"]'),
        (faults.send_binary_frame, lambda m: m == b"\xff" * 160),
        (faults.send_unknown_event, is_event("weather")),
        (faults.send_bad_base64, lambda m: "*** not base64 ***" in str(m)),
        (faults.send_odd_payloads, lambda m: isinstance(m, str) and len(m) > 10_000),
    ],
)
def test_a_fault_on_an_open_stream(
    fault: Callable[[CarrierStream], None], arrives: Callable[[str | bytes], bool]
) -> None:
    async def use(carrier: Carrier, setup: StreamSetup, server: ToneServer) -> None:
        stream, _ = faults.quiet_stream(setup, carrier.ticker)
        await stream.open()
        fault(stream)
        await until(server, arrives)
        stream.drop()

    against_a_server(use)


def test_two_starts_a_second_socket_and_a_slow_reader() -> None:
    async def use(carrier: Carrier, setup: StreamSetup, server: ToneServer) -> None:
        stream, _ = faults.quiet_stream(setup, carrier.ticker)
        await stream.open()
        faults.start_twice(stream)
        second = await faults.open_second_socket(setup, carrier)
        await faults.read_slowly(stream, 0.02, times=2)
        faults.stop_sending(second, 0.05)
        await until(server, is_event("media"))
        starts = [json.loads(m) for m in server.messages if is_event("start")(m)]
        assert len(starts) == 3
        assert len({start["streamSid"] for start in starts}) == 2
        assert len({start["start"]["callSid"] for start in starts}) == 1
        faults.lose_connection(stream)
        assert (await stream.ended()).close_code == 1006
        second.drop()

    against_a_server(use)


def test_streams_that_begin_wrongly() -> None:
    async def use(carrier: Carrier, setup: StreamSetup, server: ToneServer) -> None:
        silent = await faults.say_nothing(setup, carrier.ticker)
        early = await faults.send_media_before_start(setup, carrier.ticker)
        start = json.loads(await until(server, is_event("start")))
        events = [json.loads(message)["event"] for message in server.messages[:3]]
        assert events == ["connected", "media", "start"]
        assert start["start"]["customParameters"] == {"tok": "t1"}
        server.messages.clear()
        early.drop()
        wrong = await faults.use_wrong_token(setup, carrier.ticker)
        start = json.loads(await until(server, is_event("start")))
        assert start["start"]["customParameters"] == {"tok": "1tx"}
        forged = await faults.sign_wrongly(setup, carrier.ticker)
        signatures = [dict(headers)["x-twilio-signature"] for headers in server.upgrades]
        assert signatures[0] == signatures[1] == signatures[2] != signatures[3]
        for stream in (silent, wrong, forged):
            stream.drop()

    against_a_server(use)


def test_a_repeated_webhook_carries_one_token() -> None:
    async def use(carrier: Carrier, setup: StreamSetup, server: ToneServer) -> None:
        await faults.repeat_webhook(carrier, carrier.identity("+14155550100"))
        tokens = [headers["i-twilio-idempotency-token"] for _, _, headers in server.requests]
        assert tokens[-1] == tokens[-2] != tokens[0]

    against_a_server(use)


def test_a_webhook_without_a_stream_says_so() -> None:
    async def whole() -> None:
        web = PaperWeb({"/twilio/voice": ["<Response><Hangup/></Response>"]})
        async with paper_carrier(PaperAgent(), web) as carrier:
            await faults.stream_setup(carrier, carrier.identity("+14155550100"))

    with pytest.raises(TwimlRejected, match="no <Connect>"):
        run(whole())
