"""A pool of Deepgram's sockets on connections made of nothing, and somebody who speaks into it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from providers.deepgram_stt import DeepgramRecogniser
from providers.errors import ProviderRefused
from providers.settings import DeepgramConfig
from simulation.clip_library import load_library
from tests.support import virtual_time
from tests.support.contract_recogniser import Heard
from tests.support.flux_wire import FluxWires
from voice.ports import RecogniserStream

REFUSED = ProviderRefused("no", "deepgram", "DEEPGRAM_API_KEY")
QUIET = b"\xff" * 160
SPEECH = load_library().clip("goforward").ulaw + QUIET * 50
WHOLE = ["Go forward ten meters."]


def pooled(
    test: Callable[[DeepgramRecogniser, FluxWires], Awaitable[None]], **fields: object
) -> None:
    async def body() -> None:
        wires = FluxWires()
        config = DeepgramConfig(api_key="k", **fields)  # type: ignore[arg-type]
        recogniser = DeepgramRecogniser(config, wires.connect)
        await test(recogniser, wires)
        await recogniser.aclose()
        assert wires.open == []

    virtual_time.run(body(), limit_s=120.0)


async def settle() -> None:
    """Let everything happen that waits for no timer."""
    for _ in range(20):
        await asyncio.sleep(0)


async def talk(stream: RecogniserStream, audio: bytes = SPEECH) -> None:
    """Speak in real time, which is virtual."""
    for at in range(0, len(audio), 160):
        stream.write(audio[at : at + 160])
        await asyncio.sleep(0.02)
    await settle()


def texts(heard: Heard) -> list[str]:
    """The finished phrases."""
    return [final.text for final in heard.finals]
