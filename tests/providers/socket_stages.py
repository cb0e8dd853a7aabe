"""Quick emulators of services over raw websockets, on loopback, and clients of ours for them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from providers.cartesia_tts import CartesiaSpeaker
from providers.openai_transcription_stt import OpenAITranscriptionRecogniser
from providers.scribe_stt import ScribeRecogniser
from providers.socket_settings import CartesiaConfig, OpenAITranscriptionConfig, ScribeConfig
from simulation import cartesia_tts as cartesia_service
from simulation import openai_transcription as openai_service
from simulation import scribe as scribe_service
from simulation.faults import FaultBoard
from simulation.voice_sound import HummingVoice
from tests.providers.stage import Stage, _index, _listen, speech
from tests.support.contract_recogniser import Heard
from voice.ports import RecogniserStream

WHOLE = ["Go forward ten meters."]


@contextlib.asynccontextmanager
async def scribe_stage() -> AsyncIterator[tuple[Stage, scribe_service.ScribeEmulator]]:
    board = FaultBoard()
    config = scribe_service.ScribeConfig(lag_s=0.01, commit_lag_s=0.01)
    service = scribe_service.ScribeEmulator(config, _index(), board)
    async with _listen(service, board) as stage:
        yield stage, service


@contextlib.asynccontextmanager
async def scribe(**fields: object) -> AsyncIterator[tuple[Stage, ScribeRecogniser]]:
    async with scribe_stage() as (stage, _):
        known = {"api_key": "k", "base_url": f"http://{stage.address}", **fields}
        recogniser = ScribeRecogniser(ScribeConfig(**known))  # type: ignore[arg-type]
        try:
            yield stage, recogniser
        finally:
            await recogniser.aclose()


@contextlib.asynccontextmanager
async def openai_stage() -> AsyncIterator[tuple[Stage, openai_service.OpenAITranscriptionEmulator]]:
    board = FaultBoard()
    config = openai_service.TranscriptionConfig(words_s=0.02)
    service = openai_service.OpenAITranscriptionEmulator(config, _index(), board)
    async with _listen(service, board) as stage:
        yield stage, service


@contextlib.asynccontextmanager
async def openai_stt(
    **fields: object,
) -> AsyncIterator[tuple[Stage, OpenAITranscriptionRecogniser]]:
    async with openai_stage() as (stage, _):
        known = {"api_key": "k", "base_url": f"http://{stage.address}/v1", **fields}
        config = OpenAITranscriptionConfig(**known)  # type: ignore[arg-type]
        recogniser = OpenAITranscriptionRecogniser(config)
        try:
            yield stage, recogniser
        finally:
            await recogniser.aclose()


@contextlib.asynccontextmanager
async def cartesia_stage(
    config: cartesia_service.CartesiaConfig | None = None,
) -> AsyncIterator[tuple[Stage, cartesia_service.CartesiaTextToSpeech]]:
    """Says everything at once unless told otherwise."""
    board = FaultBoard()
    quick = cartesia_service.CartesiaConfig(first_byte_s=0.0, piece_s=0.1, speed_ratio=0.0)
    service = cartesia_service.CartesiaTextToSpeech(config or quick, HummingVoice(), board)
    try:
        async with _listen(service, board) as stage:
            yield stage, service
    finally:
        service.close()


@contextlib.asynccontextmanager
async def cartesia(**fields: object) -> AsyncIterator[tuple[Stage, CartesiaSpeaker]]:
    async with cartesia_stage() as (stage, _):
        known = {"api_key": "k", "base_url": f"http://{stage.address}", **fields}
        speaker = CartesiaSpeaker(CartesiaConfig(**known))  # type: ignore[arg-type]
        try:
            yield stage, speaker
        finally:
            await speaker.aclose()


async def talk(stream: RecogniserStream, heard: Heard) -> None:
    """Write the speech faster than anybody speaks, but not all at once."""
    audio = speech() + b"\xff" * 8_000
    for at in range(0, len(audio), 1_280):
        stream.write(audio[at : at + 1_280])
        await asyncio.sleep(0.002)
    await heard.final()


def texts(heard: Heard) -> list[str]:
    """The finished phrases."""
    return [final.text for final in heard.finals]
