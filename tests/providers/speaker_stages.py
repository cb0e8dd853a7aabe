"""Quick emulators of services that speak, on loopback, for the tests of the real clients."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from simulation.azure_tts import AzureTextToSpeech
from simulation.azure_tts_session import AzureTtsConfig
from simulation.faults import FaultBoard
from simulation.openai_tts import OpenAITextToSpeech, OpenAITtsConfig
from simulation.voice_sound import HummingVoice
from tests.providers.stage import Stage, _listen


@contextlib.asynccontextmanager
async def azure_tts(config: AzureTtsConfig | None = None) -> AsyncIterator[Stage]:
    """Says everything at once unless told otherwise."""
    board = FaultBoard()
    quick = AzureTtsConfig(first_byte_s=0.0, speed_ratio=0.0)
    service = AzureTextToSpeech(config or quick, HummingVoice(), board)
    try:
        async with _listen(service, board) as stage:
            yield stage
    finally:
        service.close()


@contextlib.asynccontextmanager
async def openai_tts(config: OpenAITtsConfig | None = None) -> AsyncIterator[Stage]:
    """Says everything at once unless told otherwise."""
    board = FaultBoard()
    quick = OpenAITtsConfig(first_byte_s=0.0, speed_ratio=0.0)
    service = OpenAITextToSpeech(config or quick, HummingVoice(), board)
    try:
        async with _listen(service, board) as stage:
            yield stage
    finally:
        service.close()
