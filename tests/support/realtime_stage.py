"""A quick emulated Realtime service on loopback, and what callers say to it."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator
from dataclasses import dataclass

from simulation.clip_library import load_library
from simulation.control import Control
from simulation.faults import FaultBoard, Faults
from simulation.fingerprint import ClipIndex
from simulation.openai_realtime import OpenAIRealtimeEmulator
from simulation.realtime_session import EmulatedSession, RealtimeEmulatorConfig
from simulation.voice_sound import HummingVoice
from simulation.wire_server import WireServer

CLIP = "goforward"
SAID = "Go forward ten meters."
ANSWER = "All right, going forward ten meters. Tell me when you would like me to stop."
QUIET = b"\xff" * 160
QUICK = RealtimeEmulatorConfig(first_audio_s=0.0, piece_s=0.2, speed_ratio=0.0, words_s=0.0)


@dataclass(frozen=True, slots=True)
class RealtimeStage:
    """The service that listens."""

    address: str
    emulator: OpenAIRealtimeEmulator
    server: WireServer
    board: FaultBoard

    @property
    def base_url(self) -> str:
        return f"http://{self.address}/v1"

    @property
    def session(self) -> EmulatedSession:
        """The newest one."""
        return self.emulator.sessions[-1]

    def break_it(self, faults: Faults) -> None:
        self.board.set("openai_realtime", faults)

    def drop(self) -> None:
        self.server.drop_all()


@functools.cache
def index() -> ClipIndex:
    library = load_library()
    return ClipIndex([library.clip(name) for name in (CLIP, "card001", "card003")])


@functools.cache
def speech(clip: str = CLIP, quiet_s: float = 0.8) -> bytes:
    """A known clip and silence behind it."""
    return load_library().clip(clip).ulaw + QUIET * round(quiet_s * 50)


@contextlib.asynccontextmanager
async def realtime(config: RealtimeEmulatorConfig = QUICK) -> AsyncIterator[RealtimeStage]:
    """Says everything at once unless told otherwise."""
    board = FaultBoard()
    emulator = OpenAIRealtimeEmulator(config, index(), HummingVoice(), board)
    server = WireServer(emulator, Control(board))
    port = await server.start("127.0.0.1", 0)
    try:
        yield RealtimeStage(f"127.0.0.1:{port}", emulator, server, board)
    finally:
        await server.close()
        emulator.close()
