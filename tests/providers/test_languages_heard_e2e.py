"""Which language was spoken, as each service that can tell says it, against the emulators."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from providers.azure_stt import AzureRecogniser
from providers.deepgram_stt import DeepgramRecogniser
from providers.settings import AzureSpeechConfig, DeepgramConfig
from simulation.clip_library import load_library
from tests.providers import socket_stages
from tests.providers import stage as stages
from tests.providers.stage import CANTONESE, SPANISH, run_for_real
from tests.support.contract_recogniser import Heard
from voice.lexicon.registry import lexicon_for
from voice.ports import Recogniser, RecogniseRequest

pytestmark = pytest.mark.e2e

Staged = Callable[[], AbstractAsyncContextManager[Recogniser]]


@contextlib.asynccontextmanager
async def azure(*, identifies: bool = True) -> AsyncIterator[Recogniser]:
    async with stages.azure() as stage:
        host = f"ws://{stage.address}"
        recogniser = AzureRecogniser(AzureSpeechConfig(host=host, identifies_languages=identifies))
        yield recogniser
        await recogniser.aclose()


@contextlib.asynccontextmanager
async def deepgram() -> AsyncIterator[Recogniser]:
    async with stages.deepgram() as stage:
        config = DeepgramConfig(api_key="k", base_url=f"http://{stage.address}")
        recogniser = DeepgramRecogniser(config)
        yield recogniser
        await recogniser.aclose()


@contextlib.asynccontextmanager
async def scribe() -> AsyncIterator[Recogniser]:
    async with socket_stages.scribe() as (_, recogniser):
        yield recogniser


@contextlib.asynccontextmanager
async def transcription() -> AsyncIterator[Recogniser]:
    async with socket_stages.openai_stt(model="gpt-transcribe") as (_, recogniser):
        yield recogniser


async def heard_in(recogniser: Recogniser, clip: str, *others: str) -> tuple[str, str]:
    """The words of one clip, in a call that began in English, and what language they are in."""
    heard = Heard()
    stream = await recogniser.open(RecogniseRequest("call", "en-US", (), others), heard)
    stream.write(load_library().clip(clip).ulaw + b"\xff" * 12_000)
    await heard.final()
    await stream.close()
    assert not heard.failures
    languages = [final.language for final in heard.finals]
    return " ".join(final.text for final in heard.finals), languages[0] if languages else ""


@pytest.mark.parametrize(
    ("staged", "clip", "language"),
    [
        (azure, CANTONESE, "zh-HK"),
        (scribe, CANTONESE, "zh-HK"),
        (deepgram, SPANISH, "es-ES"),
        (transcription, SPANISH, "es-ES"),
        (azure, stages.CLIP, "en-US"),
    ],
)
def test_what_the_caller_changes_to_is_heard_and_named(
    staged: Staged, clip: str, language: str
) -> None:
    async def body() -> None:
        async with staged() as recogniser:
            text, told = await heard_in(recogniser, clip, "zh-HK", "es-ES")
            assert text
            assert lexicon_for(told).language == lexicon_for(language).language

    run_for_real(body())


@pytest.mark.parametrize("staged", [azure, scribe])
def test_with_one_language_there_is_no_opinion(staged: Staged) -> None:
    async def body() -> None:
        async with staged() as recogniser:
            assert await heard_in(recogniser, stages.CLIP) == ("Go forward ten meters.", "")

    run_for_real(body())


def test_identification_can_be_switched_off() -> None:
    async def body() -> None:
        async with azure(identifies=False) as recogniser:
            assert await heard_in(recogniser, CANTONESE, "zh-HK") == ("", "")

    run_for_real(body())
