"""Quick emulators on loopback, one service each, for the tests of the real clients."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass

from simulation.azure_stt import AzureConfig, AzureSpeechToText
from simulation.clip_library import load_library
from simulation.control import Control
from simulation.deepgram_flux import DeepgramConfig, DeepgramFlux
from simulation.elevenlabs_tts import ElevenLabsConfig, ElevenLabsTextToSpeech
from simulation.faults import FaultBoard, Faults
from simulation.fingerprint import ClipIndex
from simulation.openai_chat import OpenAIChat, OpenAIConfig
from simulation.voice_sound import HummingVoice
from simulation.wire_server import Service, WireServer

CLIP = "goforward"
SPANISH = "pv_es"
CANTONESE = "int_yue_dang"


@dataclass(frozen=True, slots=True)
class Stage:
    """A service that listens."""

    address: str
    board: FaultBoard
    control: Control
    server: WireServer
    service: str

    def break_it(self, faults: Faults) -> None:
        self.board.set(self.service, faults)

    def mend_it(self) -> None:
        self.board.set(self.service, Faults())

    @property
    def open_connections(self) -> int:
        return len(self.server._connections)

    async def settle(self, open_connections: int, limit_s: float = 3.0) -> None:
        """Wait until that many connections are open."""
        async with asyncio.timeout(limit_s):
            while self.open_connections != open_connections:
                await asyncio.sleep(0.005)


def run_for_real(body: Awaitable[None], limit_s: float = 20.0) -> None:
    """Run on real time, with real sockets."""

    async def bounded() -> None:
        async with asyncio.timeout(limit_s):
            await body

    asyncio.run(bounded())


@functools.cache
def speech() -> bytes:
    """A known clip and half a second of silence."""
    return load_library().clip(CLIP).ulaw + b"\xff" * 4_800


@functools.cache
def _index() -> ClipIndex:
    return ClipIndex([load_library().clip(name) for name in (CLIP, SPANISH, CANTONESE)])


@contextlib.asynccontextmanager
async def _listen(service: Service, board: FaultBoard) -> AsyncIterator[Stage]:
    control = Control(board)
    server = WireServer(service, control)
    port = await server.start("127.0.0.1", 0)
    try:
        yield Stage(f"127.0.0.1:{port}", board, control, server, service.name)
    finally:
        await server.close()


@contextlib.asynccontextmanager
async def azure() -> AsyncIterator[Stage]:
    board = FaultBoard()
    config = AzureConfig(interim_lag_s=0.01, final_lag_s=0.01)
    async with _listen(AzureSpeechToText(config, _index(), board), board) as stage:
        yield stage


@contextlib.asynccontextmanager
async def deepgram() -> AsyncIterator[Stage]:
    board = FaultBoard()
    config = DeepgramConfig(lag_s=0.01)
    async with _listen(DeepgramFlux(config, _index(), board), board) as stage:
        yield stage


@contextlib.asynccontextmanager
async def openai() -> AsyncIterator[Stage]:
    board = FaultBoard()
    config = OpenAIConfig(first_token_s=0.0, per_token_s=0.001)
    async with _listen(OpenAIChat(config, board), board) as stage:
        yield stage


@contextlib.asynccontextmanager
async def elevenlabs() -> AsyncIterator[Stage]:
    board = FaultBoard()
    config = ElevenLabsConfig(first_byte_s=0.0, piece_s=0.1, speed_ratio=0.0)
    service = ElevenLabsTextToSpeech(config, HummingVoice(), board)
    try:
        async with _listen(service, board) as stage:
            yield stage
    finally:
        service.close()
