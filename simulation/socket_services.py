"""Emulators of services that are spoken to over raw websockets, beside the others of a process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from simulation.cartesia_tts import CartesiaConfig, CartesiaTextToSpeech
from simulation.faults import FaultBoard
from simulation.fingerprint import ClipIndex
from simulation.openai_transcription import OpenAITranscriptionEmulator, TranscriptionConfig
from simulation.scribe import ScribeConfig, ScribeEmulator
from simulation.voice_sound import SpokenVoice
from simulation.wire_server import Service


@dataclass(frozen=True, slots=True)
class SocketServicesConfig:
    """Where they listen and how quick they are; port 0 takes a free one."""

    cartesia_port: int = 0
    openai_stt_port: int = 0
    scribe_port: int = 0
    cartesia: CartesiaConfig = field(default_factory=CartesiaConfig)
    openai_stt: TranscriptionConfig = field(default_factory=TranscriptionConfig)
    scribe: ScribeConfig = field(default_factory=ScribeConfig)


@dataclass(frozen=True, slots=True)
class RunningSocketServices:
    """Their addresses, for the settings of the same names."""

    cartesia_base_url: str = ""
    openai_stt_base_url: str = ""
    scribe_base_url: str = ""


class SocketServices:
    """The emulators of one process.

    Args:
        config: See there.
        index: The clips that are recognised.
        voice: Speaks.
        board: Their faults.
    """

    def __init__(
        self, config: SocketServicesConfig, index: ClipIndex, voice: SpokenVoice, board: FaultBoard
    ) -> None:
        self._config = config
        self._cartesia = CartesiaTextToSpeech(config.cartesia, voice, board)
        self._openai_stt = OpenAITranscriptionEmulator(config.openai_stt, index, board)
        self._scribe = ScribeEmulator(config.scribe, index, board)

    async def start(
        self, host: str, listen: Callable[[Service, int], Awaitable[int]]
    ) -> RunningSocketServices:
        """Have them listen. Raises ``OSError`` when a port is taken."""
        config = self._config
        cartesia = await listen(self._cartesia, config.cartesia_port)
        openai_stt = await listen(self._openai_stt, config.openai_stt_port)
        scribe = await listen(self._scribe, config.scribe_port)
        return RunningSocketServices(
            f"http://{host}:{cartesia}", f"http://{host}:{openai_stt}/v1", f"http://{host}:{scribe}"
        )

    def close(self) -> None:
        """Give the voice's thread back."""
        self._cartesia.close()
