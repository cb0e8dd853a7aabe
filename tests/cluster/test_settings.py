"""Settings: where they come from, and what is said when they are wrong."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.errors import SettingsError
from cluster.provider_settings import missing_keys, provider_settings
from cluster.settings import Settings, load_settings
from tests.support.scripted_call import AGENT

GOOD = {"TWILIO_AUTH_TOKEN": "t" * 32, "PUBLIC_URL": "https://voice.example.com"}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # no .env of the developer's
    names = {str(field.validation_alias) for field in Settings.model_fields.values()}
    for name in os.environ:
        if name.startswith("CALLCLUSTER_") or any(name in alias for alias in names):
            monkeypatch.delenv(name)


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in {**GOOD, **environment}.items():
        monkeypatch.setenv(name, value)
    return load_settings()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CALLCLUSTER_PORT", "abc", "CALLCLUSTER_PORT: Input should be a valid integer"),
        ("CALLCLUSTER_PORT", "70000", "CALLCLUSTER_PORT: Input should be less than"),
        ("CALLCLUSTER_CALL_ACTORS", "0", "CALLCLUSTER_CALL_ACTORS: "),
        ("CALLCLUSTER_MODE", "test", "CALLCLUSTER_MODE: Input should be 'production'"),
        ("CALLCLUSTER_TOKEN_SECRET", "short", "CALLCLUSTER_TOKEN_SECRET: give it at least 16"),
        ("PUBLIC_URL", "voice.example.com", "PUBLIC_URL: write it as https://voice.example.com"),
        ("PUBLIC_URL", "https://a.example/x", "PUBLIC_URL: scheme, host and port only"),
        ("PUBLIC_URL", "wss://a.example", "PUBLIC_URL: write it as https://"),
        ("PUBLIC_URL", "http://a.example", "PUBLIC_URL is http://a.example: the carrier opens"),
        ("AZURE_SPEECH_HOST", "http://a", "AZURE_SPEECH_HOST: must begin with ws:// or wss://"),
        ("AZURE_TTS_HOST", "http://a", "AZURE_TTS_HOST: must begin with ws:// or wss://"),
        ("OPENAI_TTS_BASE_URL", "a:1/v1", "OPENAI_TTS_BASE_URL: must begin with https://"),
        ("OPENAI_TTS_SAMPLE_RATE", "96000", "OPENAI_TTS_SAMPLE_RATE: Input should be less"),
        ("AZURE_OPENAI_ENDPOINT", "a.example", "AZURE_OPENAI_ENDPOINT: must begin with https://"),
        ("CALLCLUSTER_CHAT_SERVICE", "aws", "CALLCLUSTER_CHAT_SERVICE: Input should be"),
        ("TWILIO_AUTH_TOKEN", "", "TWILIO_AUTH_TOKEN is not set"),
        ("TWILIO_ACCOUNT_SID", "AC123", "TWILIO_ACCOUNT_SID: must be AC and 32 hexadecimal digits"),
        ("TWILIO_PHONE_NUMBER", "0415", "TWILIO_PHONE_NUMBER: a phone number begins with +"),
        ("TWILIO_API_BASE_URL", "api.twilio.com", "TWILIO_API_BASE_URL: must begin with https:"),
        ("ELEVENLABS_BASE_URL", "https://", "ELEVENLABS_BASE_URL: not a URL: write https://host"),
        ("OPENAI_BASE_URL", "https://h:99999/v1", "OPENAI_BASE_URL: not a URL (Port out of range"),
        ("OPENAI_BASE_URL", "https://a b/v1", "OPENAI_BASE_URL: not a URL: write https://host"),
        ("OPENAI_BASE_URL", " ", "OPENAI_BASE_URL: must begin with https://"),
        ("AZURE_SPEECH_HOST", "wss://[::1", "AZURE_SPEECH_HOST: not a URL (Invalid IPv6"),
        ("AZURE_SPEECH_HOST", "ws://", "AZURE_SPEECH_HOST: not a URL: write wss://host"),
        (
            "AZURE_SPEECH_REGION",
            "https://x",
            "AZURE_SPEECH_REGION: must be a name such as westeurope",
        ),
        ("OPENAI_API_KEY", "sk-1\nsk-2", "OPENAI_API_KEY: holds a blank, a line break or"),
        ("ELEVENLABS_API_KEY", "schlüssel", "ELEVENLABS_API_KEY: holds a blank, a line break"),
        ("CALLCLUSTER_METRICS_TOKEN", " ", "CALLCLUSTER_METRICS_TOKEN: holds blanks only"),
        (
            "CALLCLUSTER_TENANT_ID",
            "our team",
            "CALLCLUSTER_TENANT_ID: must be letters, digits, _ and -",
        ),
        (
            "CALLCLUSTER_HOST",
            "http://0.0.0.0",
            "CALLCLUSTER_HOST: must be an address of this machine",
        ),
        ("CALLCLUSTER_LOG_LEVEL", "LOUD", "CALLCLUSTER_LOG_LEVEL: must be one of DEBUG, INFO"),
        ("CALLCLUSTER_CALLS_PER_REPLICA", "9" * 20, "CALLCLUSTER_CALLS_PER_REPLICA: Input should"),
        ("CALLCLUSTER_ACTOR_TIMEOUT_S", "inf", "CALLCLUSTER_ACTOR_TIMEOUT_S: Input should be"),
        ("CALLCLUSTER_CLIPS_BYTES", "2", "CALLCLUSTER_CLIPS_BYTES: Input should be greater than"),
        ("CALLCLUSTER_CLIPS_BYTES", "2 GiB", "CALLCLUSTER_CLIPS_BYTES: Input should be a valid"),
        ("CALLCLUSTER_PRICES_FILE", "nowhere.json", "CALLCLUSTER_PRICES_FILE: "),
    ],
)
def test_an_error_names_the_variable_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    with pytest.raises(SettingsError) as error:
        load(monkeypatch, **{name: value})
    assert str(error.value).startswith(said)


def test_one_mistake_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, AZURE_SPEECH_REGION="west europe", PUBLIC_URL="")
    assert str(caught.value) == "AZURE_SPEECH_REGION: must be a name such as westeurope"


def test_every_error_is_said_at_once_and_none_shows_a_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(SettingsError) as error:
        load(monkeypatch, CALLCLUSTER_PORT="abc", PUBLIC_URL="ftp://x", OPENAI_API_KEY="sk-secret")
    assert "CALLCLUSTER_PORT" in str(error.value)
    assert "PUBLIC_URL" in str(error.value)
    assert "secret" not in str(error.value)


def test_blanks_around_a_key_are_taken_off_and_levels_are_of_any_case(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load(monkeypatch, OPENAI_API_KEY=" sk-1\n", CALLCLUSTER_LOG_LEVEL="debug")
    assert (settings.openai_api_key.get_secret_value(), settings.log_level) == ("sk-1", "DEBUG")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "127.0.0.1", "localhost", "node-1.internal"])
def test_every_way_to_write_an_address_to_listen_at_is_taken(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    assert load(monkeypatch, CALLCLUSTER_HOST=host).host == host


def test_known_names_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        OPENAI_MODEL="m",
        ELEVENLABS_API_KEY="k",
        DATABASE_URL="postgresql+asyncpg://db/x",
        CALLCLUSTER_CALLS_PER_ACTOR="7",
    )
    assert (settings.openai_model, settings.calls_per_actor) == ("m", 7)
    assert settings.elevenlabs_api_key.get_secret_value() == "k"
    assert settings.store_url == "postgresql+asyncpg://db/x"
    assert not settings.development


def test_names_of_existing_set_ups_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        AZURE_SPEECH_KEY="",
        AZURE_SPEECH_API_KEY="speech",
        AZURE_OPENAI_API_KEY="chat",
        AZURE_OPENAI_ENDPOINT="https://res.openai.azure.com/",
        OPENAI_API_VERSION="2024-10-21",
    )
    assert settings.azure_speech_key.get_secret_value() == "speech"
    assert settings.azure_openai_api_key.get_secret_value() == "chat"
    assert settings.azure_openai_api_version == "2024-10-21"
    assert Settings.from_plain(settings.to_plain()) == settings
    own = load(monkeypatch, AZURE_SPEECH_KEY="own", AZURE_OPENAI_API_VERSION="2025-01-01")
    assert own.azure_speech_key.get_secret_value() == "own"
    assert own.azure_openai_api_version == "2025-01-01"


def test_settings_cross_to_another_process_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, CALLCLUSTER_PORT="8123", OPENAI_API_KEY="sk")
    plain = settings.to_plain()
    monkeypatch.setenv("CALLCLUSTER_PORT", "9999")
    assert Settings.from_plain(plain) == settings
    assert "sk" not in repr(settings).replace("sk_", "")


def test_development_runs_without_a_token_and_with_a_secret_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CALLCLUSTER_MODE", "development")
    first, second = load_settings(), load_settings()
    assert first.development
    assert first.signing_secret() != second.signing_secret()
    assert len(first.signing_secret()) >= 16


def test_the_signing_secret_is_set_or_derived(monkeypatch: pytest.MonkeyPatch) -> None:
    derived = load(monkeypatch).signing_secret()
    assert derived == load(monkeypatch).signing_secret()
    assert GOOD["TWILIO_AUTH_TOKEN"].encode() not in derived
    with pytest.raises(SettingsError, match="CALLCLUSTER_TOKEN_SECRET or TWILIO_AUTH_TOKEN"):
        Settings(_env_file=None, twilio_auth_token="").signing_secret()
    own = load(monkeypatch, CALLCLUSTER_TOKEN_SECRET="s" * 20)
    assert own.signing_secret() == b"s" * 20


def test_a_data_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = Settings(_env_file=None, data_dir=tmp_path / "file" / "var")
    with pytest.raises(SettingsError, match="CALLCLUSTER_DATA_DIR"):
        settings.make_data_dir()


def test_the_data_directory_is_nobody_elses(tmp_path: Path) -> None:
    """Who called whom lies there."""
    settings = Settings(_env_file=None, data_dir=tmp_path / "new" / "var")
    settings.make_data_dir()
    assert settings.data_dir.stat().st_mode & 0o777 == 0o700


def test_a_missing_library_is_named_as_a_missing_key_is(monkeypatch: pytest.MonkeyPatch) -> None:
    agents = [replace(AGENT, speaker="espeak")]
    assert missing_keys(Settings(_env_file=None), agents) == []
    monkeypatch.setattr("cluster.provider_settings.is_installed", lambda: False)
    assert missing_keys(Settings(_env_file=None), agents) == [
        "agent a1 uses espeak: espeak-ng is not installed: pip install 'callcluster[voice]'"
    ]


def test_missing_keys_are_named_with_the_agent_that_needs_them() -> None:
    agents = [AGENT, replace(AGENT, recogniser="azure", thinker="openai", speaker="elevenlabs")]
    assert missing_keys(Settings(_env_file=None), agents) == [
        "agent a1 uses azure: set AZURE_SPEECH_KEY and AZURE_SPEECH_REGION (or AZURE_SPEECH_HOST)",
        "agent a1 uses elevenlabs: set ELEVENLABS_API_KEY",
        "agent a1 uses openai: set OPENAI_API_KEY (or OPENAI_BASE_URL of a service that needs none,"
        " or AZURE_OPENAI_API_KEY with AZURE_OPENAI_ENDPOINT, or OPENROUTER_API_KEY)",
    ]
    whole = Settings(
        _env_file=None,
        azure_speech_host="ws://a",
        openai_base_url="http://b/v1",
        elevenlabs_api_key="k",
    )
    assert missing_keys(whole, agents) == []


def test_hearing_and_speaking_by_one_service_may_need_different_addresses() -> None:
    both = [replace(AGENT, recogniser="azure", speaker="azure")]
    assert missing_keys(Settings(_env_file=None, azure_speech_host="ws://a"), both) == [
        "agent a1 uses azure: set AZURE_SPEECH_KEY and AZURE_SPEECH_REGION (or AZURE_TTS_HOST)"
    ]
    hosts = Settings(_env_file=None, azure_speech_host="ws://a", azure_tts_host="ws://b")
    assert missing_keys(hosts, both) == []
    keyed = Settings(_env_file=None, azure_speech_key="k", azure_speech_region="westeurope")
    assert missing_keys(keyed, both) == []


@pytest.mark.parametrize(
    ("fields", "key", "base_url"),
    [
        ({}, "", "https://api.openai.com/v1"),
        ({"openai_api_key": "chat"}, "chat", "https://api.openai.com/v1"),
        ({"openai_api_key": "chat", "openai_base_url": "http://c/v1"}, "chat", "http://c/v1"),
        (
            {"openai_api_key": "chat", "openai_tts_api_key": "say"},
            "say",
            "https://api.openai.com/v1",
        ),
        ({"openai_api_key": "chat", "openai_tts_base_url": "http://s/v1"}, "", "http://s/v1"),
        (
            {"openai_tts_api_key": "say", "openai_tts_base_url": "http://s/v1"},
            "say",
            "http://s/v1",
        ),
    ],
)
def test_the_key_of_openai_is_not_shown_to_a_speech_server_of_ones_own(
    fields: dict[str, str], key: str, base_url: str
) -> None:
    settings = Settings(_env_file=None, **fields)  # type: ignore[arg-type]
    speech = provider_settings(settings).openai_tts
    assert (speech.api_key, speech.base_url) == (key, base_url)
    needed = missing_keys(settings, [replace(AGENT, speaker="openai")])
    assert bool(needed) == (not fields)
    assert all("OPENAI_TTS_API_KEY" in sentence for sentence in needed)


def test_every_setting_of_a_speaker_reaches_it() -> None:
    known = provider_settings(
        Settings(
            _env_file=None,
            azure_speech_key="k",
            azure_speech_region="westeurope",
            azure_tts_host="ws://b/",
            azure_synthesisers_per_process=3,
            azure_tts_text_streaming=False,
            elevenlabs_model="m",
            elevenlabs_sockets=5,
            espeak_words_per_minute=99,
            openai_tts_model="kokoro",
            openai_tts_sample_rate=16_000,
        )
    )
    azure, eleven = known.azure_tts, known.elevenlabs
    assert (azure.key, azure.region, azure.host) == ("k", "westeurope", "ws://b")
    assert (azure.max_synthesisers, azure.text_streaming) == (3, False)
    assert (eleven.model, eleven.max_sockets) == ("m", 5)
    assert known.espeak.words_per_minute == 99
    assert (known.openai_tts.model, known.openai_tts.sample_rate_hz) == ("kokoro", 16_000)


def test_regions_are_checked_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    regions = "eu=https://voice.example.com DE us=https://us.example.com *"
    settings = load(monkeypatch, CALLCLUSTER_REGIONS=regions, CALLCLUSTER_REGION="eu")
    assert (settings.regions, settings.region) == (regions, "eu")
    for name, value, said in (
        ("CALLCLUSTER_REGIONS", "eu", "CALLCLUSTER_REGIONS: 'eu': begin with a region"),
        ("CALLCLUSTER_REGION", "uk", "CALLCLUSTER_REGION is uk, CALLCLUSTER_REGIONS has eu, us"),
        ("CALLCLUSTER_REGION", "us", "PUBLIC_URL is https://voice.example.com, but"),
    ):
        with pytest.raises(SettingsError, match=said):
            load(monkeypatch, **{"CALLCLUSTER_REGIONS": regions, name: value})


def test_the_public_address_of_a_laptop_follows_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or whoever changes the port is refused: signatures are checked against the address."""
    monkeypatch.setenv("CALLCLUSTER_MODE", "development")
    assert load_settings().public_url == "http://127.0.0.1:8000"
    monkeypatch.setenv("CALLCLUSTER_PORT", "8123")
    known = load_settings()
    assert known.public_url == "http://127.0.0.1:8123"
    assert "public_url" not in known.model_fields_set
    assert load_settings(port=9001).public_url == "http://127.0.0.1:9001"
    monkeypatch.setenv("PUBLIC_URL", "http://127.0.0.1:7000")
    assert load_settings().public_url == "http://127.0.0.1:7000"
    assert Settings.from_plain(known.to_plain()).public_url == known.public_url
