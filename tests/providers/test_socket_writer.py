"""What goes to a service without a task: at once where it can, by the task where it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from providers.deepgram_stt import DeepgramRecogniser
from providers.settings import DeepgramConfig
from providers.socket_writer import SocketWriter
from providers.websocket import Connection
from tests.support import virtual_time
from tests.support.contract_recogniser import Heard
from tests.support.flux_stage import SPEECH, settle
from tests.support.flux_wire import FluxWire, connected
from tests.support.memory_wire import MemoryWire
from voice.ports import RecogniseRequest, RecogniserStream

FRAMES = [SPEECH[at : at + 160] for at in range(0, 6_400, 160)]


def over_memory(test: Callable[[RecogniserStream, MemoryWire], Awaitable[None]]) -> None:
    """A stream of Deepgram's over a connection of ``websockets``."""

    async def body() -> None:
        wires: list[MemoryWire] = []

        async def connect(_url: str, _key: str, _timeout_s: float) -> Connection:
            wires.append(MemoryWire())
            connection = await wires[-1].connected()
            wires[-1].says(connected())
            return connection

        recogniser = DeepgramRecogniser(DeepgramConfig(api_key="k"), connect)
        stream = await recogniser.open(RecogniseRequest("call", "en-US"), Heard())
        await settle()
        await test(stream, wires[0])
        await recogniser.aclose()

    virtual_time.run(body(), limit_s=60.0)


def test_a_chunk_is_on_its_way_in_the_step_that_completes_it() -> None:
    async def test(stream: RecogniserStream, wire: MemoryWire) -> None:
        for number, frame in enumerate(FRAMES, 1):
            stream.write(frame)
            assert len(wire.sent) == number // 4, "no step of the loop between"
        assert b"".join(wire.sent) == b"".join(FRAMES)

    over_memory(test)


def test_a_service_that_reads_slowly_is_waited_for_and_nothing_is_lost() -> None:
    async def test(stream: RecogniserStream, wire: MemoryWire) -> None:
        assert wire.connection is not None
        for number, frame in enumerate(FRAMES):
            if number == 10:
                wire.connection.pause_writing()
            if number == 30:
                wire.connection.resume_writing()
            stream.write(frame)
            await settle()
            if 15 <= number < 30:
                assert len(wire.sent) == 3, "the one whose drain it waits for, then none"
        assert b"".join(wire.sent) == b"".join(FRAMES)

    over_memory(test)


def test_what_comes_in_one_piece_goes_out_in_order() -> None:
    async def test(stream: RecogniserStream, wire: MemoryWire) -> None:
        stream.write(b"".join(FRAMES[:30]))
        stream.write(FRAMES[30])
        stream.write(FRAMES[31])
        await settle()
        assert {len(chunk) for chunk in wire.sent} == {640}
        assert b"".join(wire.sent) == b"".join(FRAMES[:32])

    over_memory(test)


def test_nothing_is_written_to_a_connection_that_closes() -> None:
    async def test(stream: RecogniserStream, wire: MemoryWire) -> None:
        wire.close()
        before = len(wire.sent)
        for frame in FRAMES[:8]:
            stream.write(frame)
        assert len(wire.sent) == before

    over_memory(test)


def test_other_connections_have_no_writer() -> None:
    async def body() -> None:
        assert SocketWriter.of(FluxWire()) is None
        connection = await MemoryWire().connected()
        writer = SocketWriter.of(connection)
        assert writer is not None
        assert writer.is_ready
        connection.send_in_progress = asyncio.get_running_loop().create_future()
        assert not writer.is_ready, "a message of many frames is under way"

    virtual_time.run(body(), limit_s=10.0)
