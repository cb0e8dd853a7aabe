"""Calls in English, Spanish, Malay, Mandarin and Cantonese through real clients and emulators."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from cluster.agent_languages import asks_of
from dialogue.agent import SpokenLanguage
from dialogue.languages import language_of, phrases_of
from dialogue.relay_options import RelayLanguage, RelayOptions
from providers.table import build_speaker
from simulation.relay_timing import RelayTiming
from tests.support.edge_stage import Cast, EdgeStage, provider_settings
from tests.support.relay_phone import RelayPhone, until
from voice.ports import SpeakRequest

pytestmark = pytest.mark.e2e

TAGS = ("es-ES", "ms-MY", "zh-CN", "zh-HK")
QUICK = RelayTiming(partial_lag_s=0.02, endpoint_s=0.06, first_byte_s=0.01)
RELAY = RelayOptions(
    tts_provider="Google",
    voice="en-US-Journey-O",
    languages=(RelayLanguage("cmn-CN"), RelayLanguage("es-MX")),
)
LANGUAGES = tuple(
    SpokenLanguage(tag, "elevenlabs", "Rachel", ("azure",), phrases_of(tag), asks_of(tag))
    for tag in TAGS
)


@pytest.fixture(scope="module")
def stage() -> Iterator[EdgeStage]:
    casts = (Cast("many", reply="Yes.", mode="relay", relay=RELAY, languages=LANGUAGES),)
    with EdgeStage(casts).running() as running:
        yield running


def test_a_relayed_call_goes_through_five_languages(stage: EdgeStage) -> None:
    said = (
        "Can we speak Spanish?",
        "quiero una mesa para dos",
        "saya mahu tempah untuk dua orang",
        "boleh saya tahu bila",
        "boleh cakap 中文",
        "我想订一张桌子",
        "可以说粤语吗",
        "唔該我想訂枱",
        "English, please",
        "thank you very much",
    )

    async def call() -> tuple[list[dict[str, object]], list[tuple[str, str]]]:
        door = stage.doors["many"]
        async with door.carrier(relay=QUICK) as line, RelayPhone(line) as phone:
            await phone.up()
            await until(lambda: len(stage.turns_of(door)) == 1)
            for number, words in enumerate(said, start=2):
                phone.person.say(words, 0.25)
                await until(lambda number=number: len(stage.turns_of(door)) == number)
            told = [(each.spoken, each.heard) for each in phone.line.languages]
            report = await phone.hang_up()
            assert not report.violations.counts, report.violations.details
            assert not report.errors.counts, report.errors.details
            uses = [use for turn in stage.turns_of(door) for use in turn.tools]
            return uses, told

    uses, told = stage.play(call())
    assert [(use["language"], use["why"]) for use in uses] == [
        ("es-ES", "asked"),
        ("ms-MY", "heard"),
        ("zh-CN", "asked"),
        ("zh-HK", "asked"),
        ("en-US", "asked"),
    ]
    codes = ["es-MX", "ms-MY", "cmn-CN", "zh-HK", "en-US"]
    assert told == [(code, code) for code in codes], "as the agent has declared them"
    asked = [request.messages[0].text for request in stage.asked("many")]
    assert "plain Spanish" in asked[1]
    assert "plain Malay" in asked[4]
    assert "plain Mandarin Chinese" in asked[5]
    assert "plain Cantonese" in asked[7]
    assert "plain English" in asked[-1]


def test_azure_speaks_every_one_with_the_voice_of_the_table(stage: EdgeStage) -> None:
    async def speak() -> dict[str, int]:
        from simulation.azure_tts import AzureTextToSpeech
        from simulation.azure_tts_session import AzureTtsConfig
        from simulation.control import Control
        from simulation.faults import FaultBoard
        from simulation.voice_sound import HummingVoice
        from simulation.wire_server import WireServer

        board = FaultBoard()
        emulator = AzureTextToSpeech(AzureTtsConfig(first_byte_s=0.0), HummingVoice(), board)
        server = WireServer(emulator, Control(board))
        port = await server.start("127.0.0.1", 0)
        settings = stage.settings(azure_tts_host=f"ws://127.0.0.1:{port}")
        speaker = build_speaker("azure", provider_settings(settings))
        spoken: dict[str, int] = {}
        try:
            for tag in ("en-US", *TAGS):
                row = language_of(tag)
                assert row is not None
                request = SpeakRequest("call-1", row.phrases.goodbye, row.voice(tag), tag)
                chunks = [chunk async for chunk in speaker.speak(request)]
                spoken[tag] = sum(len(chunk.ulaw) for chunk in chunks)
        finally:
            await speaker.aclose()
            await server.close()
            emulator.close()
            await asyncio.sleep(0)
        return spoken

    spoken = stage.play(speak())
    assert all(count > 1_600 for count in spoken.values()), spoken
