"""The Realtime client against the emulated service: what works, and each way to go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from dialogue.agent import Agent
from dialogue.realtime import TURN_PRESETS, RealtimeOptions
from providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.realtime import messages
from providers.realtime.config import RealtimeConfig
from providers.realtime.events import (
    AudioArrived,
    RequestRefused,
    ResponseEnded,
    ServerEvent,
    SpeechStarted,
    TextArrived,
    WordsKnown,
)
from providers.realtime.service import OpenAIRealtime
from providers.realtime.socket import RealtimeSocket
from simulation.faults import Faults
from tests.support.realtime_stage import ANSWER, QUICK, SAID, RealtimeStage, realtime, speech

pytestmark = pytest.mark.e2e
FAST = RealtimeOptions(turns=TURN_PRESETS["fast"])
AGENT = Agent("t", "a", "v1", "en-US", "You are Ann.", "Hello.", "Rachel", realtime=FAST)


class Listener:
    """What a session tells, and how it broke."""

    def __init__(self, socket: RealtimeSocket) -> None:
        self.events: list[ServerEvent] = []
        self.errors: list[ProviderError] = []
        self._news = asyncio.Event()
        socket.listen(self._heard, self._broke)

    def _heard(self, event: ServerEvent) -> None:
        self.events.append(event)
        self._news.set()

    def _broke(self, error: ProviderError) -> None:
        self.errors.append(error)
        self._news.set()

    async def until(self, is_it: Callable[[], Any]) -> Any:
        while not (found := is_it()):
            self._news.clear()
            await self._news.wait()
        return found

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


Scene = Callable[[RealtimeStage, OpenAIRealtime], Awaitable[None]]


def run(scene: Scene, emulator: Any = QUICK, **config: Any) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(15), realtime(emulator) as stage:
            wanted = {"api_key": "k", "base_url": stage.base_url, "connect_timeout_s": 2.0}
            await scene(stage, OpenAIRealtime(RealtimeConfig(**(wanted | config))))

    asyncio.run(bounded())


async def say(socket: RealtimeSocket, audio: bytes) -> None:
    for at in range(0, len(audio), 320):
        socket.send(messages.append_audio(audio[at : at + 320]))


def test_speech_in_speech_out_without_transcoding() -> None:
    async def scene(stage: RealtimeStage, service: OpenAIRealtime) -> None:
        socket = await service.open(AGENT, "Be Ann.")
        listener = Listener(socket)
        await say(socket, speech(quiet_s=0.4))
        (ended,) = await listener.until(lambda: listener.of(ResponseEnded))
        assert ended.status == "completed"
        assert ended.usage["realtime_audio_out"] > 0
        (words,) = await listener.until(lambda: listener.of(WordsKnown))
        assert words.text == SAID
        audio = b"".join(event.ulaw for event in listener.of(AudioArrived))
        assert len(audio) == stage.session.conversation.items[-1].audio_bytes
        assert listener.of(TextArrived)[-1].text == ANSWER
        assert len(listener.of(SpeechStarted)) == 1
        assert stage.session.settings.instructions == "Be Ann."
        assert stage.session.settings.turns.silence_s == 0.2
        assert socket.expires_at is not None
        await socket.aclose()
        await socket.aclose()
        assert listener.errors == []

    run(scene)


def test_what_was_really_heard_and_a_refusal_that_ends_nothing() -> None:
    async def scene(stage: RealtimeStage, service: OpenAIRealtime) -> None:
        socket = await service.open(AGENT, "Be Ann.")
        listener = Listener(socket)
        socket.send(messages.ask_to_say("0.0", "Hello, this is Ann speaking.", "English"))
        (ended,) = await listener.until(lambda: listener.of(ResponseEnded))
        assert ended.label == "0.0"
        item_id = listener.of(AudioArrived)[0].item_id
        socket.send(messages.truncate(item_id, 0, 4_000))
        socket.send(messages.CANCEL)
        (refused,) = await listener.until(lambda: listener.of(RequestRefused))
        assert refused.code == "response_cancel_not_active"
        item = stage.session.conversation.find(item_id)
        assert item.truncated_ms == 500
        assert "Hello, this is Ann speaking.".startswith(item.text)
        await socket.aclose()

    run(scene)


def test_a_conversation_that_is_carried_over_is_known() -> None:
    async def scene(stage: RealtimeStage, service: OpenAIRealtime) -> None:
        from dialogue.ports import Message

        socket = await service.open(AGENT, "Be Ann.")
        history = (Message("user", "Hi."), Message("assistant", "Hello…"), Message("user", "Bye."))
        socket.send_all(messages.items_of(history))
        socket.send(messages.ask_for_reply("5.0"))
        listener = Listener(socket)
        await listener.until(lambda: listener.of(ResponseEnded))
        said = [(item.role, item.text) for item in stage.session.conversation][:3]
        assert said == [("user", "Hi."), ("assistant", "Hello…"), ("user", "Bye.")]
        assert stage.session.refused == []
        await socket.aclose()

    run(scene)


@pytest.mark.parametrize(
    ("faults", "kind"),
    [
        (Faults(refuse_connection=True), ProviderUnavailable),
        (Faults(status=500), ProviderUnavailable),
        (Faults(status=401), ProviderRefused),
        (Faults(hang_after_accept=True), ProviderTimeout),
        (Faults(handshake_delay_s=5.0), ProviderTimeout),
        (Faults(garbage_after_messages=0), ProviderProtocolError),
        (Faults(drop_after_messages=1), ProviderUnavailable),
        (Faults(stall_after_messages=1), ProviderTimeout),
    ],
)
def test_a_session_that_cannot_be_had(faults: Faults, kind: type[ProviderError]) -> None:
    async def scene(stage: RealtimeStage, service: OpenAIRealtime) -> None:
        stage.break_it(faults)
        with pytest.raises(ProviderError) as caught:
            await service.open(AGENT, "Be Ann.")
        assert type(caught.value) is kind
        stage.break_it(Faults())
        await (await service.open(AGENT, "Be Ann.")).aclose()

    run(scene, connect_timeout_s=0.3)


@pytest.mark.parametrize(
    ("faults", "kind"),
    [
        (Faults(drop_after_messages=4), ProviderUnavailable),
        (Faults(garbage_after_messages=4), ProviderProtocolError),
    ],
)
def test_a_session_that_breaks_in_the_middle_says_so_once(
    faults: Faults, kind: type[ProviderError]
) -> None:
    async def scene(stage: RealtimeStage, service: OpenAIRealtime) -> None:
        socket = await service.open(AGENT, "Be Ann.")
        listener = Listener(socket)
        stage.break_it(faults)
        await say(socket, speech(quiet_s=0.4))
        (error,) = await listener.until(lambda: listener.errors)
        assert type(error) is kind
        socket.send(messages.CANCEL)
        await socket.aclose()
        assert len(listener.errors) == 1

    run(scene)


def test_a_key_or_a_model_that_is_wrong_names_its_setting() -> None:
    async def scene(stage: RealtimeStage, service: OpenAIRealtime) -> None:
        agent = replace(AGENT, realtime=RealtimeOptions(model="missing-model"))
        with pytest.raises(ProviderRejected) as caught:
            await service.open(agent, "Be Ann.")
        assert caught.value.setting == "OPENAI_REALTIME_MODEL"
        agent = replace(AGENT, realtime=RealtimeOptions(voice="voice_nobody"))
        with pytest.raises(ProviderRejected) as caught:
            await service.open(agent, "Be Ann.")
        assert caught.value.setting == "realtime.voice"
        wrong = OpenAIRealtime(replace(service.config, api_key="bad"))
        with pytest.raises(ProviderRefused) as refused:
            await wrong.open(AGENT, "Be Ann.")
        assert "OPENAI_REALTIME_API_KEY" in refused.value.setting

    run(scene)


def test_the_service_ends_a_session_after_its_longest_time() -> None:
    async def scene(stage: RealtimeStage, service: OpenAIRealtime) -> None:
        socket = await service.open(AGENT, "Be Ann.")
        listener = Listener(socket)
        (error,) = await listener.until(lambda: listener.errors)
        assert isinstance(error, ProviderUnavailable)
        assert error.retryable

    run(scene, replace(QUICK, longest_session_s=0.2))


def test_a_service_that_reads_nothing_keeps_nobody_from_closing() -> None:
    async def scene() -> None:
        over = asyncio.Event()

        async def service(connection: ServerConnection) -> None:
            await connection.send('{"type":"session.created","session":{}}')
            await connection.recv()
            await connection.send('{"type":"session.updated","session":{}}')
            connection.transport.pause_reading()
            await over.wait()
            connection.transport.abort()

        async with serve(service, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            config = RealtimeConfig(api_key="k", base_url=f"http://127.0.0.1:{port}/v1")
            socket = await OpenAIRealtime(config).open(AGENT, "You are Ann.")
            for _ in range(500):  # much more than what systems keep for a socket
                socket.send(messages.append_audio(bytes(24_000)))
            while len(socket._waiting) == 500:
                await asyncio.sleep(0)
            try:
                async with asyncio.timeout(10):
                    await socket.aclose()
            finally:
                socket._connection.transport.abort()
                over.set()

    asyncio.run(scene())
