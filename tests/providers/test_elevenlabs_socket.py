"""One socket and its segments, on virtual time, against a connection held in memory."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK
from websockets.frames import Close

from providers.elevenlabs_segment import Segment
from providers.elevenlabs_socket import VoiceSocket
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.settings import ElevenLabsConfig
from tests.support import virtual_time

CONFIG = ElevenLabsConfig(api_key="k", keep_alive_s=8.0)
AUDIO = b"\x80" * 800


class FakeConnection:
    """The service's end is this object: ``say`` sends, ``heard`` is what came."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.closed = False
        self.gone = False
        self._inbox: asyncio.Queue[str | Exception] = asyncio.Queue()

    async def send(self, message: str) -> None:
        if self.closed or self.gone:
            raise ConnectionClosedOK(None, None)
        self.heard.append(json.loads(message))

    async def recv(self) -> str | bytes:
        message = await self._inbox.get()
        if isinstance(message, Exception):
            self.closed = True
            raise message
        return message

    async def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._inbox.put_nowait(ConnectionClosedOK(None, None))

    def say(self, **message: object) -> None:
        self._inbox.put_nowait(json.dumps(message))

    def say_raw(self, message: str) -> None:
        self._inbox.put_nowait(message)

    def audio(self, context_id: str, ulaw: bytes = AUDIO) -> None:
        self.say(audio=base64.b64encode(ulaw).decode(), contextId=context_id, isFinal=None)

    def final(self, context_id: str) -> None:
        self.say(isFinal=True, contextId=context_id)

    def break_off(self, code: int) -> None:
        self._inbox.put_nowait(ConnectionClosedError(Close(code, ""), None))

    def closes(self) -> list[str]:
        return [m["context_id"] for m in self.heard if m.get("close_context")]


async def begun(socket: VoiceSocket, text: str = "Hello.") -> Segment:
    segment = socket.begin(text)
    await socket.send(segment, text)
    return segment


async def moment() -> None:
    await asyncio.sleep(0.001)


def on_socket(test: Any, config: ElevenLabsConfig = CONFIG) -> None:
    async def body() -> None:
        connection = FakeConnection()
        socket = VoiceSocket(connection, config, ("v", "en"))
        await test(connection, socket)
        await socket.aclose()

    virtual_time.run(body())


def test_a_segment_is_closed_when_its_first_audio_came_and_not_before() -> None:
    async def test(connection: FakeConnection, socket: VoiceSocket) -> None:
        segment = await begun(socket)
        await moment()
        assert connection.closes() == []
        connection.audio(segment.context_id)
        connection.audio(segment.context_id)
        await moment()
        assert connection.closes() == [segment.context_id]
        connection.final(segment.context_id)
        sizes = []
        while (chunk := await segment.next_chunk()) is not None:
            sizes.append(len(chunk.ulaw))
        assert sizes == [800, 800]
        segment.abandon()
        assert connection.closes() == [segment.context_id]
        assert socket.room == 5

    on_socket(test)


def test_a_dropped_segment_is_closed_and_holds_its_place_until_confirmed() -> None:
    async def test(connection: FakeConnection, socket: VoiceSocket) -> None:
        segment = await begun(socket)
        segment.abandon()
        await moment()
        assert connection.closes() == [segment.context_id]
        assert socket.room == 4
        connection.audio(segment.context_id)
        connection.final(segment.context_id)
        await moment()
        assert socket.room == 5
        assert not segment.heard

    on_socket(test)


def test_five_segments_are_all_and_their_audio_does_not_mix() -> None:
    async def test(connection: FakeConnection, socket: VoiceSocket) -> None:
        segments = [await begun(socket) for _ in range(5)]
        assert socket.room == 0
        assert len({segment.context_id for segment in segments}) == 5
        for size, segment in enumerate(segments, 1):
            connection.audio(segment.context_id, b"\x80" * size)
        for size, segment in enumerate(segments, 1):
            chunk = await segment.next_chunk()
            assert chunk is not None
            assert len(chunk.ulaw) == size

    on_socket(test)


@pytest.mark.parametrize("heard_first", [False, True])
def test_silence_is_a_timeout_and_the_socket_takes_no_more(heard_first: bool) -> None:
    async def test(connection: FakeConnection, socket: VoiceSocket) -> None:
        segment = await begun(socket)
        other = await begun(socket)
        if heard_first:
            connection.audio(segment.context_id)
            await segment.next_chunk()
        started_s = asyncio.get_running_loop().time()
        with pytest.raises(ProviderTimeout):
            await segment.next_chunk()
        assert asyncio.get_running_loop().time() - started_s == pytest.approx(3.0, abs=0.01)
        assert socket.room == 0
        assert not socket.usable
        assert not connection.closed
        connection.audio(other.context_id)
        connection.final(other.context_id)
        assert await other.next_chunk() is not None
        assert await other.next_chunk() is None
        await moment()
        assert connection.closed

    on_socket(test)


def test_a_slow_listener_is_no_slow_service() -> None:
    async def test(connection: FakeConnection, socket: VoiceSocket) -> None:
        segment = await begun(socket)
        connection.audio(segment.context_id)
        connection.final(segment.context_id)
        await asyncio.sleep(60)
        assert await segment.next_chunk() is not None
        assert await segment.next_chunk() is None

    on_socket(test)


def test_a_segment_without_audio_failed() -> None:
    async def test(connection: FakeConnection, socket: VoiceSocket) -> None:
        segment = await begun(socket)
        connection.final(segment.context_id)
        with pytest.raises(ProviderUnavailable, match="without audio"):
            await segment.next_chunk()
        assert socket.usable

    on_socket(test)


def test_a_broken_socket_fails_its_segments_after_what_they_have() -> None:
    async def test(connection: FakeConnection, socket: VoiceSocket) -> None:
        segment = await begun(socket)
        connection.audio(segment.context_id)
        connection.break_off(1011)
        await moment()
        assert await segment.next_chunk() is not None
        with pytest.raises(ProviderUnavailable, match="1011"):
            await segment.next_chunk()
        assert socket.dead
        assert socket.room == 0

    on_socket(test)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ('{"message": "m", "error": "max_active_conversations", "code": 1008}', ProviderBusy),
        ("\x00 garbage {", ProviderProtocolError),
        ("[1]", ProviderProtocolError),
        ('{"audio": "!", "contextId": "s1"}', ProviderProtocolError),
    ],
)
def test_errors_and_garbage_end_the_socket(raw: str, kind: type[ProviderError]) -> None:
    async def test(connection: FakeConnection, socket: VoiceSocket) -> None:
        segment = await begun(socket)
        connection.say_raw(raw)
        with pytest.raises(kind):
            await segment.next_chunk()
        await moment()
        assert socket.dead
        assert connection.closed

    on_socket(test)


def test_messages_for_nobody_are_ignored() -> None:
    async def test(connection: FakeConnection, socket: VoiceSocket) -> None:
        connection.audio("s99")
        connection.final("s99")
        connection.say(audio="AAAA")
        connection.say(contextId=7, isFinal=True)
        await moment()
        assert socket.usable
        assert socket.room == 5

    on_socket(test)


def test_an_idle_socket_is_kept_alive_by_an_empty_context() -> None:
    async def test(connection: FakeConnection, socket: VoiceSocket) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(7)
        socket.tend(loop.time())
        await moment()
        assert connection.heard == []
        await asyncio.sleep(1)
        socket.tend(loop.time())
        await moment()
        first, last = connection.heard
        assert first["text"] == " "
        assert last == {"context_id": first["context_id"], "close_context": True}
        assert socket.room == 4
        connection.final(first["context_id"])
        await moment()
        assert socket.room == 5

    on_socket(test)


def test_a_close_that_is_never_confirmed_retires_the_socket() -> None:
    async def test(connection: FakeConnection, socket: VoiceSocket) -> None:
        (await begun(socket)).abandon()
        await asyncio.sleep(11)
        socket.tend(asyncio.get_running_loop().time())
        await moment()
        assert not socket.usable
        assert connection.closed

    on_socket(test)


def test_voice_settings_go_with_each_segment() -> None:
    async def test(connection: FakeConnection, socket: VoiceSocket) -> None:
        await begun(socket)
        assert connection.heard[0]["voice_settings"] == {"speed": 1.1}
        assert "voice_settings" not in connection.heard[1]

    on_socket(test, ElevenLabsConfig(api_key="k", voice_settings=(("speed", 1.1),)))


@pytest.mark.parametrize("audio", [7, "no base64!", "UklGRgAAAABXQVZF"])
def test_nonsense_for_one_segment_is_nothing_to_the_others_of_the_socket(audio: object) -> None:
    """Five calls may share it."""

    async def test(connection: FakeConnection, socket: VoiceSocket) -> None:
        ill, well = await begun(socket), await begun(socket)
        connection.say(audio=audio, contextId=ill.context_id)
        connection.audio(well.context_id)
        connection.final(well.context_id)
        with pytest.raises(ProviderProtocolError):
            await ill.next_chunk()
        chunk = await well.next_chunk()
        assert chunk is not None
        assert chunk.ulaw == AUDIO
        assert await well.next_chunk() is None
        assert not socket.usable, "it gets no more"

    on_socket(test)


def test_speech_without_an_end_is_ended() -> None:
    async def test(connection: FakeConnection, socket: VoiceSocket) -> None:
        segment = await begun(socket)
        for _ in range(30):
            connection.audio(segment.context_id, b"\x80" * 8_000)
        for _ in range(26):  # 20 s, and one for each character
            assert await segment.next_chunk() is not None
        with pytest.raises(ProviderProtocolError, match="without an end"):
            await segment.next_chunk()

    on_socket(test)
