"""The emulated speech endpoint of OpenAI: against the real SDK, and what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import openai
import pytest

from simulation.openai_tts import RATE_HZ
from simulation.voice_sound import HummingVoice
from telephony import g711
from tests.providers import speaker_stages as stages
from tests.providers.stage import Stage, run_for_real

pytestmark = pytest.mark.e2e
TEXT = "Hello there, you two."


def scene(test: Callable[[openai.AsyncOpenAI, Stage], Awaitable[None]], key: str = "k") -> None:
    async def body() -> None:
        async with stages.openai_tts() as stage:
            address = f"http://{stage.address}/v1"
            async with openai.AsyncOpenAI(base_url=address, api_key=key, max_retries=0) as client:
                await test(client, stage)

    run_for_real(body())


def asked(**changes: Any) -> dict[str, Any]:
    known = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": TEXT, "response_format": "pcm"}
    return known | changes


def test_the_sdk_gets_samples_of_the_same_speech_at_three_times_the_rate() -> None:
    async def test(client: openai.AsyncOpenAI, stage: Stage) -> None:
        whole = await client.audio.speech.create(**asked())
        samples = np.frombuffer(whole.content, "<i2")
        expected = HummingVoice().speak(TEXT, "en", "alloy").ulaw
        assert len(samples) == 3 * len(expected)
        alike = np.corrcoef(samples[::3], g711.decode(expected))[0, 1]
        assert alike > 0.99
        wav = await client.audio.speech.create(**asked(response_format="wav"))
        assert wav.content[:4] + wav.content[8:12] == b"RIFFWAVE"
        assert int.from_bytes(wav.content[24:28], "little") == RATE_HZ
        assert wav.content[44:] == whole.content

    scene(test)


def test_the_sdk_streams_it_in_pieces() -> None:
    async def test(client: openai.AsyncOpenAI, stage: Stage) -> None:
        async with client.audio.speech.with_streaming_response.create(**asked()) as response:
            pieces = [piece async for piece in response.iter_bytes()]
        assert len(pieces) > 3
        assert response.headers["content-type"] == "audio/pcm"
        models = [model.id async for model in client.models.list()]
        assert models == ["gpt-4o-mini-tts", "tts-1"]

    scene(test)


@pytest.mark.parametrize(
    ("changes", "error", "param"),
    [
        ({"voice": "Rachel"}, openai.BadRequestError, "voice"),
        ({"input": ""}, openai.BadRequestError, "input"),
        ({"input": "a" * 4_097}, openai.BadRequestError, "input"),
        ({"response_format": "opus"}, openai.BadRequestError, "response_format"),
        ({"stream_format": "sse"}, openai.BadRequestError, "stream_format"),
        ({"model": "missing-model"}, openai.NotFoundError, "model"),
    ],
)
def test_what_is_refused_says_which_field(
    changes: dict[str, Any], error: type[openai.APIStatusError], param: str
) -> None:
    async def test(client: openai.AsyncOpenAI, stage: Stage) -> None:
        with pytest.raises(error) as caught:
            await client.audio.speech.create(**asked(**changes))
        assert caught.value.param == param

    scene(test)


def test_a_wrong_key_and_a_wrong_path_are_refused() -> None:
    async def test(client: openai.AsyncOpenAI, stage: Stage) -> None:
        with pytest.raises(openai.AuthenticationError):
            await client.audio.speech.create(**asked())

    async def other(client: openai.AsyncOpenAI, stage: Stage) -> None:
        with pytest.raises(openai.NotFoundError):
            await client.embeddings.create(model="m", input="x")

    scene(test, key="bad")
    scene(other)


def test_hanging_up_ends_the_synthesis() -> None:
    async def test(client: openai.AsyncOpenAI, stage: Stage) -> None:
        service: Any = stage.server._service
        object.__setattr__(service, "_config", type(service._config)(speed_ratio=1.0))
        async with client.audio.speech.with_streaming_response.create(**asked()) as response:
            await anext(response.iter_bytes())
            assert service.speaking == 1
        async with asyncio.timeout(2):
            while service.speaking:
                await asyncio.sleep(0.002)

    scene(test)
