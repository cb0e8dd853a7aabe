"""Clips that were made with other settings are not heard after a change; by calls or by `cache`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from actors.answer_audio import Rendered
from cache.clip_file import ClipFolder
from cache.clip_store import ClipStore
from cache.clips import ClipCache
from cluster import answer_audio
from cluster.agent_speech import speech_source
from cluster.provider_settings import provider_settings
from cluster.settings import Settings
from dialogue.agent import Agent
from providers.settings import ProviderSettings
from tests.support.fake_ear_and_mouth import FakeSpeaker
from tests.support.virtual_time import run

AGENT = Agent("t1", "ann", "v1", "en-US", "You are Ann.", "Hello!", "alto", speaker="elevenlabs")
OTHERS = (
    ("elevenlabs", {"elevenlabs_model": "eleven_multilingual_v2"}),
    ("elevenlabs", {"elevenlabs_base_url": "http://127.0.0.1:9000"}),
    ("cartesia", {"cartesia_model": "sonic-3"}),
    ("openai", {"openai_tts_model": "tts-1"}),
    ("openai", {"openai_tts_base_url": "http://speech.example:8880/v1"}),
    ("openai", {"openai_tts_sample_rate": 16_000}),
    ("azure", {"azure_tts_host": "ws://speech.example:5000"}),
    ("google", {"google_tts_endpoint": "http://127.0.0.1:9001"}),
    ("espeak", {"espeak_words_per_minute": 120}),
)


class Named(FakeSpeaker):
    def __init__(self, name: str) -> None:
        super().__init__(delay_s=0.0)
        self.name = name


def settings(folder: Path, **fields: object) -> Settings:
    return Settings(mode="development", data_dir=folder, **fields)  # type: ignore[arg-type]


def spoken(folder: Path, agent: Agent, deployment: Settings) -> list[str]:
    """What a replica that starts on this folder has its service say."""

    async def at_once(work: Callable[[], object]) -> object:
        return work()

    async def scene() -> list[str]:
        clips = ClipFolder(folder / "clips")
        store = ClipStore(ClipCache(1 << 20), clips, run_blocking=at_once)  # type: ignore[arg-type]
        voice = Named(agent.speaker)
        source = speech_source(provider_settings(deployment), agent, voice, store)
        assert await source.prepare(agent) == []
        await source.aclose()
        return voice.asked

    return run(scene())


@pytest.mark.parametrize(("speaker", "change"), OTHERS)
def test_a_replica_speaks_anew_what_was_made_with_other_settings(
    tmp_path: Path, speaker: str, change: dict[str, object]
) -> None:
    agent = replace(AGENT, speaker=speaker)
    before, after = settings(tmp_path), settings(tmp_path, **change)
    assert spoken(tmp_path, agent, before) == list(agent.fixed_sentences())
    assert spoken(tmp_path, agent, before) == []
    assert spoken(tmp_path, agent, after) == list(agent.fixed_sentences())
    assert spoken(tmp_path, agent, before) == [], "and back"


def test_a_change_at_another_service_makes_nothing_anew(tmp_path: Path) -> None:
    spoken(tmp_path, AGENT, settings(tmp_path))
    assert spoken(tmp_path, AGENT, settings(tmp_path, cartesia_model="sonic-3")) == []


def test_the_default_by_its_name_and_another_password_are_no_change(tmp_path: Path) -> None:
    agent = replace(AGENT, speaker="openai")
    address, model = "http://me:{}@speech.example/v1", "gpt-4o-mini-tts"
    before = settings(tmp_path, openai_tts_base_url=address.format("one"))
    after = settings(tmp_path, openai_tts_base_url=address.format("two"), openai_tts_model=model)
    assert spoken(tmp_path, agent, before)
    assert spoken(tmp_path, agent, after) == []


def test_a_replica_finds_what_was_rendered_with_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(name: str, _known: ProviderSettings) -> FakeSpeaker:
        return Named(name)

    monkeypatch.setattr(answer_audio, "build_speaker", build)

    def rendered(deployment: Settings) -> Rendered:
        return asyncio.run(
            answer_audio.render_answers(deployment, AGENT, ["At nine."], most_chars=10_000)
        )

    one = settings(tmp_path, elevenlabs_model="eleven_multilingual_v2")
    other = settings(tmp_path, elevenlabs_model="eleven_turbo_v2_5")
    assert rendered(one).left == 0
    assert spoken(tmp_path, AGENT, one) == []
    assert spoken(tmp_path, AGENT, other) == list(AGENT.fixed_sentences())
