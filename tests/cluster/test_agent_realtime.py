"""How one model hears and speaks for an agent, as its file says it; and what it needs to do so."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from cluster.agents import load_agent
from cluster.errors import AgentFileError
from cluster.provider_settings import missing_keys, provider_settings
from cluster.realtime_parts import as_metered, realtime_service
from cluster.retirements import retiring
from cluster.settings import Settings
from dialogue.agent import Agent
from dialogue.realtime import RealtimeOptions, RealtimeTurns
from providers.errors import ProviderRefused
from providers.health.local import LocalHealth
from providers.health.view import HealthView

HEAD = "language: en-US\nvoice: Rachel\nprompt: You are Ann.\n"
REALTIME = "mode: [realtime, pipeline]\n"
KEYS = {"azure_speech_host": "ws://a", "elevenlabs_api_key": "k", "openai_base_url": "http://o/v1"}
VIEW = HealthView(LocalHealth("w", lambda: 0.0), lambda: 1.0)


def load(tmp_path: Path, text: str) -> Agent:
    path = tmp_path / "a.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return load_agent(path, "t")


def settings(**fields: str) -> Settings:
    return Settings(_env_file=None, mode="development", **fields)


def test_without_a_word_everything_is_the_default(tmp_path: Path) -> None:
    agent = load(tmp_path, REALTIME)
    assert agent.modes == ("realtime", "pipeline")
    assert agent.realtime == RealtimeOptions()


def test_a_preset_alone_and_one_with_numbers_of_ones_own(tmp_path: Path) -> None:
    fast = load(tmp_path, REALTIME + "realtime: {turns: fast}\n").realtime.turns
    assert fast == RealtimeTurns("server_vad", 0.5, 0.3, 0.2)
    own = load(tmp_path, REALTIME + "realtime: {turns: {preset: fast, threshold: 0.7}}\n")
    assert own.realtime.turns == RealtimeTurns("server_vad", 0.7, 0.3, 0.2)
    semantic = load(tmp_path, REALTIME + "realtime: {turns: {preset: semantic, eagerness: high}}\n")
    assert semantic.realtime.turns.eagerness == "high"


def test_everything_that_is_said_is_kept_and_changes_the_version(tmp_path: Path) -> None:
    text = (
        "realtime: {model: gpt-realtime-2.1-mini, voice: cedar, speed: 1.1, effort: low, "
        "noise_reduction: near_field}\n"
    )
    agent = load(tmp_path, REALTIME + text)
    assert agent.realtime == RealtimeOptions(
        "gpt-realtime-2.1-mini", "cedar", 1.1, "low", "near_field"
    )
    assert agent.agent_version != load(tmp_path, REALTIME).agent_version


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("realtime: {voice: Rachel}\n", "marin"),
        ("realtime: {effort: much}\n", "minimal"),
        ("realtime: {speed: 9}\n", "realtime.speed"),
        ("realtime: {turns: quick}\n", "there are: default, fast"),
        ("realtime: {turns: {threshold: 2}}\n", "realtime.turns.threshold"),
        ("realtime: {turns: {eagerness: low}}\n", "of semantic_vad"),
        ("realtime: {turns: {preset: semantic, silence_s: 0.3}}\n", "of server_vad"),
        ("realtime: {vad: fast}\n", "vad"),
    ],
)
def test_a_mistake_is_named_when_the_file_is_read(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(AgentFileError) as caught:
        load(tmp_path, REALTIME + text)
    assert words in str(caught.value)


def test_a_missing_key_is_named_before_the_first_call(tmp_path: Path) -> None:
    agent = load(tmp_path, REALTIME)
    known = {k: v for k, v in KEYS.items() if k != "openai_base_url"}
    (missing,) = missing_keys(settings(**known, azure_openai_api_key="k"), [agent])[-1:]
    assert "uses realtime: set OPENAI_REALTIME_API_KEY or OPENAI_API_KEY" in missing
    assert missing_keys(settings(**KEYS), [agent]) == []
    assert missing_keys(settings(**KEYS), [load(tmp_path, "")]) == []
    with pytest.raises(ProviderRefused):
        realtime_service([agent], provider_settings(settings(**known)), VIEW)
    assert realtime_service([load(tmp_path, "")], provider_settings(settings()), VIEW) is None


def test_a_key_of_openai_is_not_shown_to_another_service() -> None:
    own = provider_settings(
        settings(openai_api_key="secret", openai_realtime_base_url="http://h/v1")
    )
    assert (own.openai_realtime.api_key, own.openai_realtime.base_url) == ("", "http://h/v1")
    same = provider_settings(settings(openai_api_key="secret"))
    assert same.openai_realtime.api_key == "secret"
    assert "secret" not in repr(same.openai_realtime)


def test_a_model_that_is_about_to_go_is_told(tmp_path: Path) -> None:
    agent = load(tmp_path, REALTIME + "realtime: {model: gpt-realtime}\n")
    (found,) = retiring([agent], provider_settings(settings(**KEYS)), date(2027, 1, 1))
    assert (found.model, found.retires_on) == ("gpt-realtime", date(2027, 1, 20))
    assert found.advice == "change realtime.model in the agent's file"
    agent = load(tmp_path, REALTIME)
    known = settings(**KEYS, openai_realtime_model="gpt-realtime")
    (found,) = retiring([agent], provider_settings(known), date(2027, 1, 1))
    assert found.advice == "set OPENAI_REALTIME_MODEL"


def test_metrics_name_who_really_hears(tmp_path: Path) -> None:
    assert as_metered(load(tmp_path, REALTIME)).recogniser == "openai_realtime"
    assert as_metered(load(tmp_path, "")).recogniser == "azure"
