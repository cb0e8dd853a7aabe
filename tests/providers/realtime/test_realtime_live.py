"""The Realtime client against the real service: ``make test-live``. It costs a few cents."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from dialogue.agent import Agent
from dialogue.realtime import TURN_PRESETS, RealtimeOptions
from providers.errors import ProviderError, ProviderRefused
from providers.realtime import messages
from providers.realtime.events import AudioArrived, RequestRefused, ResponseEnded, WordsKnown
from providers.realtime.service import OpenAIRealtime
from providers.realtime.socket import RealtimeSocket
from simulation.clip_library import load_library
from tests.providers.realtime.test_socket_e2e import Listener
from tests.providers.stage import run_for_real
from tests.providers.test_live import known, unless_asked_for
from voice.ports import FRAME_S, FRAME_SAMPLES

pytestmark = pytest.mark.live
FAST = RealtimeOptions(turns=TURN_PRESETS["fast"])
AGENT = Agent("t", "a", "v1", "en-US", "Answer in one word.", "", "Rachel", realtime=FAST)
SPEECH = load_library().clip("goforward").ulaw + b"\xff" * 16_000
LIMIT_S = 60.0

Scene = Callable[[RealtimeSocket, Listener], Awaitable[None]]


@pytest.fixture(autouse=True)
def _asked_for(request: pytest.FixtureRequest) -> None:
    unless_asked_for(request)
    try:
        OpenAIRealtime(known().openai_realtime)
    except ProviderError as error:
        pytest.skip(str(error))


def with_session(scene: Scene) -> None:
    async def play() -> None:
        socket = await OpenAIRealtime(known().openai_realtime).open(AGENT, AGENT.prompt)
        try:
            await scene(socket, Listener(socket))
        finally:
            await socket.aclose()

    run_for_real(play(), LIMIT_S)


def test_a_sentence_is_said_in_mu_law_and_taken_back() -> None:
    async def scene(socket: RealtimeSocket, listener: Listener) -> None:
        socket.send(messages.ask_to_say("0.1", "Hello, this is Ann.", "English"))
        (ended,) = await listener.until(lambda: listener.of(ResponseEnded))
        assert (ended.status, ended.label) == ("completed", "0.1")
        assert ended.usage["realtime_audio_out"] > 0
        audio = listener.of(AudioArrived)
        assert sum(len(piece.ulaw) for piece in audio) > 4_000
        socket.send(messages.truncate(audio[0].item_id, 0, 1_600))
        socket.send(messages.ask_for_reply("1.1"))
        await listener.until(lambda: len(listener.of(ResponseEnded)) == 2)
        assert listener.of(RequestRefused) == []

    with_session(scene)


def test_speech_is_heard_written_down_and_answered() -> None:
    async def scene(socket: RealtimeSocket, listener: Listener) -> None:
        for at in range(0, len(SPEECH), 2 * FRAME_SAMPLES):
            socket.send(messages.append_audio(SPEECH[at : at + 2 * FRAME_SAMPLES]))
            await asyncio.sleep(2 * FRAME_S)
        await listener.until(lambda: listener.of(ResponseEnded))
        (words, *_) = await listener.until(lambda: listener.of(WordsKnown))
        assert "forward" in words.text.lower()
        assert listener.of(AudioArrived)

    with_session(scene)


def test_a_wrong_key_is_refused() -> None:
    async def play() -> None:
        wrong = OpenAIRealtime(replace(known().openai_realtime, api_key="sk-wrong"))
        with pytest.raises(ProviderRefused):
            await wrong.open(AGENT, AGENT.prompt)

    run_for_real(play(), LIMIT_S)
