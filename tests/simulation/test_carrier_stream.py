"""One stream, on virtual time, in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from simulation.caller_faults import QuietPerson
from simulation.carrier_line import SocketAddress
from simulation.carrier_stream import CarrierStream, Findings, StreamEnd, StreamSetup
from simulation.carrier_ticker import Ticker
from tests.simulation.paper_server import LOUD, PaperAgent, PaperSocket
from tests.support.virtual_time import run

SETUP = StreamSetup(
    SocketAddress("wss://a.example/m", "ws://127.0.0.1:1/m"),
    "12345",
    "AC1",
    "CA1",
    "MZ1",
    {"tok": "t1"},
)


def with_stream(
    use: Callable[[CarrierStream], Awaitable[None]], agent: PaperAgent
) -> tuple[StreamEnd, CarrierStream, QuietPerson]:
    async def whole() -> tuple[StreamEnd, CarrierStream, QuietPerson]:
        person = QuietPerson()
        stream = CarrierStream(SETUP, person, Ticker(), Findings(), agent.opener)
        await stream.open()
        await use(stream)
        return await stream.ended(), stream, person

    return run(whole())


async def hang_up(stream: CarrierStream) -> None:
    await asyncio.sleep(0.5)
    stream.hang_up()


def test_connected_start_media_stop() -> None:
    agent = PaperAgent()
    end, stream, _ = with_stream(hang_up, agent)
    events = [each["event"] for each in agent.sockets[0].received]
    assert events[:2] == ["connected", "start"]
    assert set(events[2:-1]) <= {"media", "mark"}
    assert events[-1] == "stop"
    assert end.hung_up
    assert stream.frames_sent == events.count("media") == pytest.approx(25, abs=1)


def test_the_person_hears_what_was_played_and_not_what_was_sent() -> None:
    end, stream, person = with_stream(hang_up, PaperAgent(greeting=LOUD * 500))
    assert end.hung_up
    heard_bytes = sum(len(piece.audio) for piece in person.heard)
    assert heard_bytes == pytest.approx(0.5 * 8_000, abs=200)
    assert stream.playout.cleared_bytes == 80_000 - heard_bytes


@pytest.mark.parametrize(("greeting", "is_there"), [(b"\xff" * 160, True), (b"", False)])
def test_the_first_frame_counts_though_nothing_is_audible_in_it(
    greeting: bytes, is_there: bool
) -> None:
    _, stream, _ = with_stream(hang_up, PaperAgent(greeting=greeting))
    assert (stream.first_media_s is not None) == is_there
    assert stream.first_media_s in (None, pytest.approx(stream.started_s, abs=0.1))


def test_a_muted_stream_shows_a_gap_in_its_timestamps() -> None:
    async def use(stream: CarrierStream) -> None:
        stream.mute(0.2)
        await hang_up(stream)

    agent = PaperAgent()
    with_stream(use, agent)
    stamps = [int(each["media"]["timestamp"]) for each in agent.sockets[0].of("media")]
    # The first frame falls into the mute, so the first stamp shows how long that lasted.
    assert stamps[0] >= SETUP.first_timestamp_ms + 160
    assert int(agent.sockets[0].of("media")[0]["media"]["chunk"]) == 1


def test_a_server_that_never_answers_the_close_holds_nobody() -> None:
    class Stubborn(PaperAgent):
        async def opener(self, *args: object) -> PaperSocket:
            socket = await PaperAgent.opener(self, *args)  # type: ignore[arg-type]
            socket.close = lambda code=1000: None  # type: ignore[method-assign]
            return socket

    end, _, _ = with_stream(hang_up, Stubborn())
    assert end.hung_up
    assert end.close_code == 1006


def test_ten_minutes_and_more_are_reported_once() -> None:
    async def use(stream: CarrierStream) -> None:
        agent.sockets[0].say(LOUD * 500 * 61)
        assert stream._findings.counts == {31931: 1}
        await hang_up(stream)

    agent = PaperAgent()
    with_stream(use, agent)


def test_a_server_that_stops_reading_loses_frames_and_is_reported_once() -> None:
    async def use(stream: CarrierStream) -> None:
        agent.sockets[0].unsent_bytes = 100_000
        await asyncio.sleep(0.3)
        agent.sockets[0].unsent_bytes = 0
        await hang_up(stream)

    agent = PaperAgent()
    _, stream, _ = with_stream(use, agent)
    assert stream.frames_dropped == pytest.approx(15, abs=1)
    assert stream.frames_sent == pytest.approx(25, abs=1)
    assert stream._findings.counts == {31930: 1}
