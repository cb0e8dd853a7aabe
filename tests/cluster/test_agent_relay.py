"""How the carrier hears and speaks for an agent, as its file says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.agents import load_agent
from cluster.errors import AgentFileError
from dialogue.agent import Agent
from dialogue.relay_options import RelayLanguage

HEAD = "language: en-US\nprompt: You are Ann.\n"
GOOGLE = "relay: {tts_provider: Google, voice: en-US-Journey-O"


def load(tmp_path: Path, text: str) -> Agent:
    path = tmp_path / "a.yaml"
    voice = "f2" if "espeak" in text else "Rachel"
    path.write_text(f"{HEAD}voice: {voice}\n{text}", encoding="utf-8")
    return load_agent(path, "t")


def test_an_elevenlabs_agent_keeps_its_voice(tmp_path: Path) -> None:
    agent = load(tmp_path, "mode: relay\nhints: ['Ray Serve', 'a, b']\n")
    assert (agent.mode, agent.then_modes) == ("relay", ())
    assert (agent.relay.tts_provider, agent.relay.voice) == ("ElevenLabs", "Rachel")
    assert agent.relay.hints == "Ray Serve,a  b"
    assert agent.relay.dtmf_detection
    assert agent.relay.partial_prompts


def test_modes_may_be_a_list(tmp_path: Path) -> None:
    agent = load(tmp_path, "mode: [relay, pipeline]\n")
    assert agent.modes == ("relay", "pipeline")


def test_everything_that_is_said_is_kept(tmp_path: Path) -> None:
    agent = load(
        tmp_path,
        "mode: relay\nspeaker: espeak\n" + GOOGLE + ", speech_timeout: 700, eot_threshold: 0.8, "
        "elevenlabs_text_normalization: off, application_reconnect: true, "
        "languages: [{code: es-ES, voice: es}]}\n",
    )
    relay = agent.relay
    assert (relay.voice, relay.speech_timeout, relay.eot_threshold) == (
        "en-US-Journey-O",
        "700",
        0.8,
    )
    assert relay.elevenlabs_text_normalization == "off"
    assert relay.application_reconnect
    assert relay.languages == (RelayLanguage("es-ES", voice="es"),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mode: phone\n", "mode: one of pipeline, relay, realtime"),
        ("mode: [relay, relay]\n", "mode: one of"),
        ("mode: []\n", "mode: one of"),
        ("mode: relay\nspeaker: espeak\n", "name tts_provider"),
        ("mode: [pipeline, relay]\nspeaker: espeak\n", "name tts_provider"),
        ("relay: {tts_provider: Azure}\n", "relay.tts_provider"),
        ("relay: {speech_timeout: 5 s}\n", "auto, or milliseconds"),
        ("relay: {eager_eot_threshold: 0.8}\n", "eager_eot_threshold must not be above"),
        ("relay: {interruptible: sometimes}\n", "relay.interruptible"),
        ("relay: {colour: red}\n", "colour"),
        ("relay: {languages: [{code: 'a b'}]}\n", "code"),
        ("switch_after_s: 60\n", "switch_after_s: needs a list in mode"),
        ("mode: [relay]\nswitch_after_s: 60\n", "switch_after_s: needs a list in mode"),
        ("mode: relay\nlanguages: [zh-HK]\n", "relay.languages: declare zh-HK"),
        ("mode: [pipeline, relay]\nlanguages: [es-ES, zh-MO]\n", "declare zh-MO"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(AgentFileError, match=words):
        load(tmp_path, text)


def test_a_pipeline_needs_no_voice_of_the_carrier(tmp_path: Path) -> None:
    assert load(tmp_path, "speaker: espeak\n").relay.voice == ""


def test_the_agents_other_languages_are_declared_with_its_own_voice_service(tmp_path: Path) -> None:
    cantonese = "relay: {languages: [{code: yue-Hant-HK, voice: v}]}"
    agent = load(tmp_path, f"mode: relay\nlanguages: [es-ES, zh-HK]\n{cantonese}\n")
    assert agent.relay.languages == (
        RelayLanguage("yue-Hant-HK", voice="v"),
        RelayLanguage("es-ES", tts_provider="ElevenLabs", voice="Rachel"),
    )


def test_calls_that_are_not_relayed_may_change_to_cantonese_as_they_like(tmp_path: Path) -> None:
    assert load(tmp_path, "languages: [zh-HK]\n").languages[0].language == "zh-HK"


def test_a_call_may_go_on_otherwise_after_a_while(tmp_path: Path) -> None:
    assert load(tmp_path, "mode: [relay, pipeline]\nswitch_after_s: 60\n").switch_after_s == 60


def test_what_the_file_declares_stands(tmp_path: Path) -> None:
    agent = load(
        tmp_path,
        "mode: relay\nspeaker: espeak\nlanguages: [es-ES, de-DE]\n"
        + GOOGLE
        + ", languages: [{code: es-MX, voice: es}]}\n",
    )
    assert agent.relay.languages == (
        RelayLanguage("es-MX", voice="es"),
        RelayLanguage("de-DE", tts_provider="Google"),
    )
