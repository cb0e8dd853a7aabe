"""What a carrier, a caller or a stranger can do wrong, each beside a call that is fine.

Over loopback sockets against the real edge under uvicorn; one stage serves the whole module.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import urlencode

import httpx
import pytest

from cluster import media_socket
from simulation import caller_faults as faults
from simulation import carrier_verbs
from simulation.caller_faults import QuietPerson
from simulation.carrier import Carrier
from simulation.carrier_errors import StreamRefused
from simulation.carrier_stream import CarrierStream
from tests.support.edge_stage import Cast, Door, EdgeStage, answered

pytestmark = pytest.mark.e2e

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def stage() -> Iterator[EdgeStage]:
    with EdgeStage(
        (Cast("good"), Cast("small"), Cast("cold")), calls_per_replica=20
    ).running() as s:
        s.doors["small"].edge.registry.maximum = 1
        yield s


async def until(done: Callable[[], object], within_s: float = 8.0) -> None:
    async with asyncio.timeout(within_s):
        while not done():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def quiet(carrier: Carrier) -> AsyncIterator[tuple[CarrierStream, QuietPerson]]:
    """A caller who says nothing, once the greeting was heard."""
    setup = await faults.stream_setup(carrier, carrier.identity("+14155550100"))
    stream, person = faults.quiet_stream(setup, carrier.ticker)
    await stream.open()
    try:
        await until(lambda: person.heard)
        yield stream, person
    finally:
        stream.hang_up()
        await stream.ended()


def beside_a_good_call(stage: EdgeStage, *troubles: Callable[[EdgeStage], object]) -> None:
    """Play all troubles at once; the call beside them answers its turn as if nothing was."""

    async def scene() -> None:
        good = asyncio.create_task(stage.call(stage.doors["good"]))
        await asyncio.gather(*(trouble(stage) for trouble in troubles))  # type: ignore[call-overload]
        result = await good
        assert answered(result) == ["answered"]
        assert result.leg.status == "completed"
        assert not result.leg.violations.counts
        assert not result.leg.errors.counts

    stage.play(scene())


def owner(door: Door, stream: CarrierStream) -> bool:
    return door.edge.registry.owner_of(stream.setup.call_sid) is not None


# --- messages -------------------------------------------------------------------------------------


async def bad_messages(stage: EdgeStage) -> None:
    """Each is counted and ignored; the call stays up and hears its keys."""
    door = stage.doors["good"]
    async with door.carrier() as carrier, quiet(carrier) as (stream, _):
        before = door.counters["protocol_warnings"]
        faults.send_malformed_json(stream)
        faults.send_non_object(stream)
        faults.send_binary_frame(stream)
        faults.send_bad_base64(stream)
        faults.start_twice(stream)
        faults.send_odd_payloads(stream)  # the empty one is bad, the others are only unusual
        faults.send_unknown_event(stream)
        faults.stop_sending(stream, 0.5)
        await until(lambda: door.counters["protocol_warnings"] >= before + 6)
        stream.send(stream.writer.dtmf("1"))
        stream.send(stream.writer.dtmf("#"))
        await until(lambda: any(turn.kind == "digits" for turn in stage.turns_of(door)))
        assert owner(door, stream)


async def fifty_bad_messages(stage: EdgeStage) -> None:
    """A stream that only sends rubbish is shut, and nothing more is read into the log."""
    door = stage.doors["good"]
    async with door.carrier() as carrier:
        setup = await faults.stream_setup(carrier, carrier.identity("+14155550101"))
        stream, _ = faults.quiet_stream(setup, carrier.ticker)
        await stream.open()
        await until(lambda: owner(door, stream))
        for _ in range(120):
            faults.send_malformed_json(stream)
        assert (await stream.ended()).close_code == 1008
        stream.drop()


async def media_before_start(stage: EdgeStage) -> None:
    door = stage.doors["good"]
    async with door.carrier() as carrier:
        setup = await faults.stream_setup(carrier, carrier.identity("+14155550102"))
        stream = await faults.send_media_before_start(setup, carrier.ticker)
        await until(lambda: owner(door, stream))
        stream.hang_up()
        await stream.ended()


def test_bad_messages_are_counted_and_said(
    stage: EdgeStage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    beside_a_good_call(stage, bad_messages, fifty_bad_messages, media_before_start)
    said = caplog.text
    for message in (
        "media before start",
        "a second start: one socket carries one stream",
        "media.payload is not base64",
        "50 bad messages in a row",
    ):
        assert message in said
    shut = [record for record in caplog.records if "stream shut" in record.message]
    assert len(shut) == 1, "said once, not for each message that followed"


# --- strangers ------------------------------------------------------------------------------------


async def strangers_on_sockets(stage: EdgeStage) -> None:
    door = stage.doors["good"]
    async with door.carrier() as carrier, quiet(carrier) as (stream, _):
        setup = stream.setup
        wrong = await faults.use_wrong_token(setup, carrier.ticker)
        silent = await faults.say_nothing(setup, carrier.ticker)
        second = await faults.open_second_socket(setup, carrier)
        ends = await asyncio.gather(wrong.ended(), silent.ended(), second.ended())
        assert [end.close_code for end in ends] == [1008, 1008, 1008]
        with pytest.raises(StreamRefused) as refused:
            await faults.sign_wrongly(setup, carrier.ticker)
        assert refused.value.code == 31920
        assert owner(door, stream), "the call that has the token goes on"
        for stranger in (wrong, silent, second):
            stranger.drop()


async def strangers_at_webhooks(stage: EdgeStage) -> None:
    door = stage.doors["good"]
    async with httpx.AsyncClient(base_url=door.url, trust_env=False) as client:
        form = {"CallSid": "CA" + "1" * 32, "From": "+14155550100"}
        for path in ("/twilio/voice", "/twilio/resume?s=x", "/twilio/dial?s=x", "/twilio/status"):
            for headers in ({}, {"X-Twilio-Signature": "bm90IHRoaXM="}):
                answer = await client.post(path, data=form, headers=headers)
                assert answer.status_code == 403
                assert "PUBLIC_URL, TWILIO_AUTH_TOKEN" in answer.json()["error"]
        assert (await client.get("/twilio/voice")).status_code == 405
        assert (await client.get("/twilio/media")).status_code == 404

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b"x" * 10_000

        large = urlencode({"x": "y" * 70_000}).encode()
        for content in (large, endless()):
            answer = await client.post("/twilio/voice", content=content, headers=FORM)
            assert answer.status_code == 413
            assert "65536 bytes" in answer.json()["error"]
        answer = await client.post("/twilio/voice", content=b"\xff\xfe=1", headers=FORM)
        assert (answer.status_code, answer.json()["error"]) == (
            400,
            "the body is not a form in UTF-8",
        )
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        ready = await client.get("/readyz")
        assert ready.status_code == 200
        assert ready.json()["waiting_for"] == []


def test_strangers_are_refused_and_told_why(
    stage: EdgeStage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_socket, "START_WITHIN_S", 1.0)
    counters = stage.doors["good"].counters
    before = dict(counters)
    beside_a_good_call(stage, strangers_on_sockets, strangers_at_webhooks)
    assert counters["handshakes_refused"] == before.get("handshakes_refused", 0) + 1
    assert counters["streams_refused"] == before.get("streams_refused", 0) + 3
    assert counters["webhooks_refused"] == before.get("webhooks_refused", 0) + 8
    for message in (
        "wrong or missing X-Twilio-Signature",
        "a newer stream has this call",
        "no start within 1 s",
        "stream token: ",
    ):
        assert message in caplog.text
    for secret in ("+1415555", stage.settings().twilio_auth_token.get_secret_value()):
        assert secret not in caplog.text


# --- lines ----------------------------------------------------------------------------------------


async def lost_connection(stage: EdgeStage) -> None:
    """The carrier asks ``action`` and the call goes on where it was, with all it had said."""
    door = stage.doors["good"]
    async with door.carrier() as carrier:
        person = QuietPerson()
        leg = carrier.dial(carrier.identity("+14155550103"), person)
        running = asyncio.create_task(leg.run())
        await until(lambda: person.heard)
        assert leg.stream is not None
        leg.stream.drop()
        heard = len(person.heard)
        await until(lambda: len(person.heard) > heard)
        await until(lambda: leg.stream is not None)
        assert leg.stream is not None
        leg.stream.hang_up()
        report = await running
        assert report.streams == 2
        assert [error.code for error in report.errors.details] == [31903]


async def slow_reader(stage: EdgeStage) -> None:
    """Whoever reads nothing for a while holds nobody up, and hears the rest afterwards."""
    door = stage.doors["good"]
    async with door.carrier() as carrier, quiet(carrier) as (stream, person):
        await until(lambda: any(len(turn.heard_text) for turn in stage.turns_of(door)))
        heard = len(person.heard)
        stream.send(stream.writer.dtmf("5"))
        stream.send(stream.writer.dtmf("#"))
        await faults.read_slowly(stream, 0.3, times=3)
        await until(lambda: len(person.heard) > heard)
        assert owner(door, stream)


async def the_carriers_word(stage: EdgeStage) -> None:
    """A status callback ends a call whose ``stop`` never came."""
    door = stage.doors["good"]
    async with door.carrier() as carrier:
        identity = carrier.identity("+14155550104")
        setup = await faults.stream_setup(carrier, identity)
        stream, _ = faults.quiet_stream(setup, carrier.ticker)
        await stream.open()
        await until(lambda: owner(door, stream))
        form = {"CallSid": identity.call_sid, "CallStatus": "completed"}
        assert await carrier.webhooks.notify(f"{door.url}/twilio/status", tuple(form.items()))
        assert (await stream.ended()).close_code == 1000
        stream.drop()


def test_lines_that_fail_cost_only_their_own_call(stage: EdgeStage) -> None:
    beside_a_good_call(stage, lost_connection, slow_reader, the_carriers_word)
    assert (True, "carrier_completed") in stage.ends_of(stage.doors["good"])


# --- no room --------------------------------------------------------------------------------------


async def no_room(stage: EdgeStage) -> None:
    """A full replica takes the socket and closes it; after some tries the caller is told."""
    door = stage.doors["small"]
    async with door.carrier() as carrier, quiet(carrier) as (stream, _):
        leg = carrier.dial(carrier.identity("+14155550105"), QuietPerson())
        report = await leg.run()
        assert report.streams == door.edge.settings.max_resumes + 1
        assert report.said == [
            "We are sorry, we have lost the connection. Please call again. Goodbye."
        ]
        assert {error.code for error in report.errors.details} == {31921}
        assert owner(door, stream)
        assert door.counters["streams_turned_away"] == report.streams
        assert door.counters["resumes_exhausted"] == 1


async def not_ready(stage: EdgeStage) -> None:
    door = stage.doors["cold"]
    door.edge.not_ready.append("voice: no answer")
    async with door.carrier() as carrier:
        report = await carrier.dial(carrier.identity("+14155550106"), QuietPerson()).run()
        assert report.said[0].startswith("All our lines are busy")
        assert report.streams == 0
    async with httpx.AsyncClient(base_url=door.url, trust_env=False) as client:
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["waiting_for"] == ["voice: no answer"]
        assert json.loads(answer.text)["counters"]["calls_refused_starting"] == 1


def test_calls_beyond_capacity_are_refused_politely(
    stage: EdgeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier_verbs, "SAY_CHARS_PER_S", 1_000.0)
    beside_a_good_call(stage, no_room, not_ready)
