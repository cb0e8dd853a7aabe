"""Quick emulators of Google's services on loopback, for the tests of the real clients."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from simulation.control import Control
from simulation.faults import FaultBoard, Faults
from simulation.google_server import GoogleServer, GrpcService
from simulation.google_stt import GoogleSpeechToText, GoogleSttConfig
from simulation.google_tts import GoogleTextToSpeech, GoogleTtsConfig
from simulation.voice_sound import HummingVoice
from tests.providers.stage import _index

QUICK_EARS = GoogleSttConfig(interim_lag_s=0.01, final_lag_s=0.01)
QUICK_VOICE = GoogleTtsConfig(first_byte_s=0.0, speed_ratio=0.0)


@dataclass(frozen=True, slots=True)
class GoogleStage:
    """A service that listens."""

    address: str
    board: FaultBoard
    server: GoogleServer
    service: str

    @property
    def endpoint(self) -> str:
        return f"http://{self.address}"

    def break_it(self, faults: Faults) -> None:
        self.board.set(self.service, faults)

    def mend_it(self) -> None:
        self.board.set(self.service, Faults())


@dataclass(frozen=True, slots=True)
class EarStage(GoogleStage):
    ears: GoogleSpeechToText

    async def settle(self, streams: int, limit_s: float = 3.0) -> None:
        """Wait until that many streams are open over there."""
        async with asyncio.timeout(limit_s):
            while self.ears.streams != streams:
                await asyncio.sleep(0.005)


@dataclass(frozen=True, slots=True)
class VoiceStage(GoogleStage):
    voice: GoogleTextToSpeech

    async def settle(self, speaking: int = 0, limit_s: float = 3.0) -> None:
        """Wait until that many texts are being spoken over there."""
        async with asyncio.timeout(limit_s):
            while self.voice.speaking != speaking:
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def _listen(
    service: GrpcService, board: FaultBoard
) -> AsyncIterator[tuple[str, GoogleServer]]:
    server = GoogleServer(service, Control(board))
    port = await server.start("127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{port}", server
    finally:
        await server.close()


@contextlib.asynccontextmanager
async def google_ears(config: GoogleSttConfig = QUICK_EARS) -> AsyncIterator[EarStage]:
    board = FaultBoard()
    ears = GoogleSpeechToText(config, _index(), board)
    async with _listen(ears, board) as (address, server):
        yield EarStage(address, board, server, ears.name, ears)


@contextlib.asynccontextmanager
async def google_voice(config: GoogleTtsConfig = QUICK_VOICE) -> AsyncIterator[VoiceStage]:
    board = FaultBoard()
    voice = GoogleTextToSpeech(config, HummingVoice(), board)
    try:
        async with _listen(voice, board) as (address, server):
            yield VoiceStage(address, board, server, voice.name, voice)
    finally:
        voice.close()
