"""Emulated services over raw websockets for stages of the edge, and the settings that find them."""

from __future__ import annotations

from collections.abc import Callable

from simulation.cartesia_tts import CartesiaConfig, CartesiaTextToSpeech
from simulation.deepgram_flux import DeepgramConfig, DeepgramFlux
from simulation.faults import FaultBoard
from simulation.fingerprint import ClipIndex
from simulation.openai_transcription import OpenAITranscriptionEmulator, TranscriptionConfig
from simulation.scribe import ScribeConfig, ScribeEmulator
from simulation.voice_sound import HummingVoice
from simulation.wire_server import Service

Where = Callable[[int], dict[str, str]]


def emulated_ear(name: str, index: ClipIndex, board: FaultBoard) -> tuple[Service, Where]:
    """A recogniser's emulator, and the settings for the port that it listens on."""
    if name == "scribe":
        scribe = ScribeEmulator(ScribeConfig(lag_s=0.02, commit_lag_s=0.02), index, board)
        return scribe, lambda port: {
            "scribe_base_url": f"http://127.0.0.1:{port}",
            "scribe_api_key": "k",
        }
    if name == "openai_transcription":
        quick = TranscriptionConfig(words_s=0.02)
        return OpenAITranscriptionEmulator(quick, index, board), lambda port: {
            "openai_stt_base_url": f"http://127.0.0.1:{port}/v1",
            "openai_stt_api_key": "k",
        }
    flux = DeepgramFlux(DeepgramConfig(lag_s=0.02), index, board)
    return flux, lambda port: {"deepgram_base_url": f"http://127.0.0.1:{port}"}


def emulated_cartesia(board: FaultBoard) -> CartesiaTextToSpeech:
    """Speaks at once."""
    return CartesiaTextToSpeech(CartesiaConfig(first_byte_s=0.0), HummingVoice(), board)
