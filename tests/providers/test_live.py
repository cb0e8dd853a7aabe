"""The contracts against the real services: ``make test-live``. It costs a few cents and needs keys.

Every provider of the table that needs a key is asked, whoever adds one; one whose key or address is
missing is skipped and says so. Keys, addresses and models are those of the environment and of
``.env``, as for the product, so that a server of one's own can be held to the contract too. A
speaker needs a voice: ``LIVE_VOICE_ELEVENLABS`` and so on, where the one below is not there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest

from cluster.provider_settings import provider_settings
from cluster.settings import Settings
from dialogue.ports import Thinker
from providers.errors import ProviderRefused, ProviderRejected
from providers.settings import ProviderSettings
from providers.table import CAPABILITIES, RECOGNISERS, SPEAKERS, THINKERS
from simulation.clip_library import load_library
from tests.providers.stage import run_for_real
from tests.support.contract_recogniser import Heard, RecogniserContract
from tests.support.contract_speaker import SpeakerContract
from tests.support.contract_thinker import ThinkerContract
from voice.ports import FRAME_S, FRAME_SAMPLES, Recogniser, RecogniserStream, Speaker

pytestmark = pytest.mark.live

VOICES = {
    "cartesia": "f786b574-daa5-4673-aa0c-cbe3e8534c02",
    "elevenlabs": "21m00Tcm4TlvDq8ikWAM",
    "azure": "en-US-AvaMultilingualNeural",
    "google": "en-US-Chirp3-HD-Aoede",
    "openai": "alloy",
}
SPEECH = load_library().clip("goforward").ulaw + b"\xff" * 16_000
LIMIT_S = 90.0

Build = Callable[[ProviderSettings], Any]


def known() -> ProviderSettings:
    """What the environment holds."""
    return provider_settings(Settings(mode="development"))


def missing(build: Build) -> str:
    """What keeps a provider from being built; empty when nothing does."""

    async def try_it() -> str:
        try:
            built = build(known())
        except ProviderRefused as error:
            return str(error)
        except ProviderRejected as error:
            if error.setting in os.environ:
                raise
            return str(error)
        await built.aclose()
        return ""

    return asyncio.run(try_it())


def unless_asked_for(request: pytest.FixtureRequest) -> None:
    """A plain ``pytest`` spends nobody's money."""
    if "live" not in request.config.getoption("markexpr"):
        pytest.skip("only with -m live: it asks real services (make test-live)")


class LiveContract:
    """Skips what cannot be asked.

    Attributes:
        kind: ``recogniser``, ``thinker`` or ``speaker``.
        provider: Its name in the table.
        build: From the table.
    """

    kind = ""
    provider = ""
    build: Build

    @pytest.fixture(autouse=True, scope="class")
    def _can_be_asked(self, request: pytest.FixtureRequest) -> None:
        unless_asked_for(request)
        cls = request.cls
        if reason := missing(cls.build):
            pytest.skip(f"{cls.kind} {cls.provider}: {reason}")
        if cls.kind == "speaker" and not cls.voice:
            pytest.skip(f"speaker {cls.provider}: set LIVE_VOICE_{cls.provider.upper()}")

    def run(self, body: Awaitable[None]) -> None:
        run_for_real(body, LIMIT_S)

    @classmethod
    @contextlib.asynccontextmanager
    async def built(cls) -> AsyncIterator[Any]:
        provider = cls.build(known())
        try:
            yield provider
        finally:
            await provider.aclose()


class LiveRecogniser(LiveContract, RecogniserContract):
    @contextlib.asynccontextmanager
    async def recogniser(self) -> AsyncIterator[Recogniser]:
        async with self.built() as recogniser:
            yield recogniser

    def speech(self) -> bytes:
        return SPEECH

    async def talk(self, stream: RecogniserStream, heard: Heard) -> None:
        """In real time: nobody speaks faster, and no service promises to listen faster."""
        for at in range(0, len(SPEECH), FRAME_SAMPLES):
            stream.write(SPEECH[at : at + FRAME_SAMPLES])
            await asyncio.sleep(FRAME_S)
        await heard.final()


class LiveThinker(LiveContract, ThinkerContract):
    @contextlib.asynccontextmanager
    async def thinker(self) -> AsyncIterator[Thinker]:
        async with self.built() as thinker:
            yield thinker


class LiveSpeaker(LiveContract, SpeakerContract):
    length_slack_samples = 24_000  # no two takes of a sentence are alike

    @contextlib.asynccontextmanager
    async def speaker(self) -> AsyncIterator[Speaker]:
        async with self.built() as speaker:
            yield speaker


def contracts(kind: str, table: Mapping[str, Build], base: type[LiveContract]) -> None:
    """One class of tests for each provider of ``table`` that needs a key."""
    for name, build in table.items():
        capabilities = CAPABILITIES[kind, name]
        if not capabilities.needs_key:
            continue
        members: dict[str, Any] = {"kind": kind, "provider": name, "build": staticmethod(build)}
        if kind == "speaker":
            members["voice"] = os.environ.get(f"LIVE_VOICE_{name.upper()}", VOICES.get(name, ""))
            members["has_marks"] = capabilities.text_marks
        title = f"Test{kind.capitalize()}{name.capitalize()}"
        globals()[title] = type(title, (base,), members)


contracts("recogniser", RECOGNISERS, LiveRecogniser)
contracts("thinker", THINKERS, LiveThinker)
contracts("speaker", SPEAKERS, LiveSpeaker)
