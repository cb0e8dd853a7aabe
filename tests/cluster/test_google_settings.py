"""From the environment to what Google's clients are told, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster.provider_settings import missing_keys, provider_settings
from cluster.settings import Settings
from dialogue.agent import Agent
from providers.google_settings import GoogleSpeechConfig, GoogleTtsConfig

AGENT = Agent(
    "t", "a", "v", "en-US", "prompt", "", "en-US-Chirp3-HD-Aoede",
    recogniser="google", thinker="scripted", speaker="google",
)  # fmt: skip


def settings(**fields: Any) -> Settings:
    return Settings(_env_file=None, mode="development", **fields)


def test_every_variable_arrives() -> None:
    known = provider_settings(
        settings(
            google_cloud_project="p",
            google_application_credentials="/key.json",
            google_speech_endpoint="http://127.0.0.1:1",
            google_speech_location="eu",
            google_speech_model="chirp_3",
            google_streams_per_process=7,
            google_tts_endpoint="https://tts.example.com",
            google_tts_location="us",
        )
    )
    assert known.google == GoogleSpeechConfig(
        "p", "/key.json", "http://127.0.0.1:1", "eu", "chirp_3", 7
    )
    assert known.google_tts == GoogleTtsConfig("p", "/key.json", "https://tts.example.com", "us")


def test_the_names_are_those_that_people_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "mine")
    monkeypatch.setenv("CALLCLUSTER_GOOGLE_STREAMS_PER_PROCESS", "3")
    known = provider_settings(settings())
    assert (known.google.project, known.google.max_streams) == ("mine", 3)


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text("{}")

    def missing(**fields: str) -> list[str]:
        return missing_keys(settings(**fields), [AGENT])

    assert all("GOOGLE_CLOUD_PROJECT" in sentence for sentence in missing())
    assert len(missing()) == 2
    assert missing(google_cloud_project="p") == []
    assert missing(google_application_credentials=str(key)) == []
    assert all(
        "names no file" in sentence
        for sentence in missing(google_application_credentials=str(tmp_path / "other.json"))
    )
    endpoints = {
        "google_speech_endpoint": "http://127.0.0.1:1",
        "google_tts_endpoint": "http://127.0.0.1:2",
    }
    assert missing(**endpoints) == []
