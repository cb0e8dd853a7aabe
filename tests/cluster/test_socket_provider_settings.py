"""What Cartesia, Scribe and OpenAI's transcription are told, and who sees which key."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from cluster.provider_settings import missing_keys, provider_settings
from cluster.settings import Settings
from cluster.socket_provider_settings import key_trials, socket_keys
from dialogue.agent import Agent
from tests.providers.socket_stages import cartesia_stage, openai_stage, scribe_stage
from tests.providers.stage import run_for_real

SECRET = "topsecret"


def settings(**fields: object) -> Settings:
    known = {"openai_api_key": "", "elevenlabs_api_key": "", **fields}
    return Settings(mode="development", **known)  # type: ignore[arg-type]


def test_what_is_set_arrives() -> None:
    known = provider_settings(
        settings(
            scribe_api_key=SECRET,
            scribe_commit="vad",
            scribe_pause_ms=500,
            openai_stt_model="gpt-transcribe",
            openai_stt_turns="semantic_vad",
            openai_stt_pause_ms=250,
            cartesia_api_key=SECRET,
            cartesia_model="sonic-3",
            cartesia_sockets=2,
        )
    )
    assert (known.scribe.commit, known.scribe.pause_s) == ("vad", 0.5)
    assert known.scribe.base_url == "https://api.elevenlabs.io"
    assert (known.openai_stt.model, known.openai_stt.turns) == ("gpt-transcribe", "semantic_vad")
    assert known.openai_stt.pause_s == 0.25
    assert known.openai_stt.base_url == "https://api.openai.com/v1"
    assert (known.cartesia.model, known.cartesia.max_sockets) == ("sonic-3", 2)


def test_a_key_of_the_vendor_is_shown_to_the_vendor_alone() -> None:
    vendor = provider_settings(settings(openai_api_key=SECRET, elevenlabs_api_key=SECRET))
    assert (vendor.openai_stt.api_key, vendor.scribe.api_key) == (SECRET, SECRET)
    other = provider_settings(
        settings(
            openai_api_key=SECRET,
            elevenlabs_api_key=SECRET,
            openai_stt_base_url="https://speech.example/v1",
            scribe_base_url="https://speech.example",
        )
    )
    assert (other.openai_stt.api_key, other.scribe.api_key) == ("", "")
    assert other.openai_stt.base_url == "https://speech.example/v1"


def agent(**fields: str) -> Agent:
    plain = Agent("default", "desk", "v1", "en-US", "Be brief.", "Hello.", "alto")
    return replace(plain, **{"thinker": "scripted", **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("uses", "fields", "said"),
    [
        ({"recogniser": "scribe"}, {}, "set SCRIBE_API_KEY or ELEVENLABS_API_KEY"),
        (
            {"recogniser": "openai_transcription"},
            {},
            "set OPENAI_STT_API_KEY or OPENAI_API_KEY",
        ),
        (
            {"recogniser": "openai_transcription"},
            {"openai_stt_api_key": SECRET, "openai_stt_turns": "semantic_vad"},
            "set CALLCLUSTER_OPENAI_STT_TURNS: gpt-live-transcribe finds no turns",
        ),
        ({"recogniser": "scripted", "speaker": "cartesia"}, {}, "set CARTESIA_API_KEY"),
    ],
)
def test_what_is_missing_is_said_once_and_names_the_variable(
    uses: dict[str, str], fields: dict[str, str], said: str
) -> None:
    usual = {"recogniser": "scripted", "speaker": "tone"}
    (sentence,) = missing_keys(settings(**fields), [agent(**{**usual, **uses})])
    assert said in sentence
    assert SECRET not in sentence


def test_nothing_is_missing_once_it_is_set() -> None:
    known = settings(scribe_api_key=SECRET, cartesia_api_key=SECRET)
    assert missing_keys(known, [agent(recogniser="scribe", speaker="cartesia")]) == []
    assert socket_keys(known, {"scribe"}) == {"SCRIBE_API_KEY": SECRET}
    assert key_trials(settings()) == []


@pytest.mark.e2e
def test_keys_are_tried_with_requests_that_the_services_answer() -> None:
    async def body() -> None:
        async with (
            cartesia_stage() as (voice, _),
            openai_stage() as (words, _),
            scribe_stage() as (scribe, _),
        ):
            for key, statuses in ((SECRET, {200}), ("bad", {401})):
                known = settings(
                    cartesia_api_key=key,
                    cartesia_base_url=f"http://{voice.address}",
                    openai_stt_api_key=key,
                    openai_stt_base_url=f"http://{words.address}/v1",
                    scribe_api_key=key,
                    scribe_base_url=f"http://{scribe.address}",
                )
                trials = key_trials(known)
                assert [name for name, *_ in trials] == [
                    "openai_transcription",
                    "scribe",
                    "cartesia",
                ]
                async with httpx.AsyncClient(trust_env=False) as http:
                    told = {
                        (await http.get(url, headers=headers)).status_code
                        for _, _, url, headers in trials
                    }
                assert told == statuses

    run_for_real(body())
