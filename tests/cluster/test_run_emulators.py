"""From the options of 'callcluster simulate providers' to the emulated Twilio."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cluster import run_emulators
from cluster.cli_simulate import simulate_providers
from cluster.emulator_ports import UNASKED
from cluster.errors import SettingsError
from cluster.run_emulators import Account
from simulation.exchange import ExchangeConfig

LINE = json.dumps(
    {
        "azure_host": "ws://a",
        "deepgram_base_url": "http://d",
        "azure_tts_host": "ws://v",
        "openai_base_url": "http://o/v1",
        "openai_tts_base_url": "http://s/v1",
        "openai_realtime_base_url": "http://r/v1",
        "elevenlabs_base_url": "http://e",
        "cartesia_base_url": "http://c",
        "openai_stt_base_url": "http://w/v1",
        "scribe_base_url": "http://b",
        "twilio_api_base_url": "http://t",
        "twilio_account_sid": "AC1",
    }
)


def test_no_emulator_of_a_stage_takes_a_port_of_the_terminal() -> None:
    """Whoever adds one need not think of it; another stage, or a person, may have the defaults."""
    given = inspect.signature(simulate_providers).parameters
    fixed = {name for name, option in given.items() if "_port" in name and option.default}
    assert {"azure_port", "scribe_port", "twilio_port"} <= fixed
    assert tuple(f"--{name.replace('_', '-')}=0" for name in given if name in fixed) == UNASKED
    assert "--google-port=0" not in UNASKED, "it is not started unless it is asked for"


def test_the_last_port_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages give the free ports first, and then those they chose."""
    asked: dict[str, Any] = {}
    monkeypatch.setattr(run_emulators, "run_emulators", lambda **options: asked.update(options))
    app = typer.Typer()
    app.command()(simulate_providers)
    result = CliRunner().invoke(app, [*UNASKED, "--azure-port=7999"])
    assert result.exit_code == 0, result.output
    assert asked["ports"][:3] == ("127.0.0.1", 7999, 0)


def test_what_is_not_given_is_the_emulators_own() -> None:
    assert Account().config() == ExchangeConfig()


def test_what_is_given_is_taken() -> None:
    config = Account(
        numbers=("+442071838750",),
        product_url="http://127.0.0.1:9000",
        public_url="https://voice.example.com",
        account_sid="AC" + "1" * 32,
        auth_token="mine",
    ).config()
    assert config.numbers == ("+442071838750",)
    assert (config.url, config.public_url) == ("http://127.0.0.1:9000", "https://voice.example.com")
    assert (config.account_sid, config.auth_token) == ("AC" + "1" * 32, "mine")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"numbers": ("4155550199",)}, "--twilio-number"),
        ({"product_url": "127.0.0.1:8000"}, "--product-url"),
        ({"public_url": "voice.example.com"}, "--public-url"),
    ],
)
def test_what_cannot_be_is_named(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        Account(**wrong).config()


@pytest.mark.parametrize("token", ["", "emulated"])
def test_the_settings_are_printed_and_a_token_of_ones_own_is_not(
    token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run_emulators._announce(LINE, token, "TWILIO_PHONE_NUMBER=+1")
    printed = capsys.readouterr().out
    assert printed.splitlines()[0] == LINE
    assert "export AZURE_TTS_HOST=ws://v OPENAI_TTS_BASE_URL=http://s/v1 " in printed
    assert "export TWILIO_API_BASE_URL=http://t TWILIO_ACCOUNT_SID=AC1" in printed
    assert printed.splitlines()[-1] == "export TWILIO_PHONE_NUMBER=+1"
    assert ("TWILIO_AUTH_TOKEN" in printed) is bool(token)
    assert "secret" not in repr(Account(auth_token="secret"))


@pytest.mark.parametrize(
    ("account", "printed"),
    [
        (Account(), "TWILIO_PHONE_NUMBER=+14155550199 CALLCLUSTER_MODE=development"),
        (
            Account(numbers=("+442071838750",), public_url="https://voice.example.com"),
            "TWILIO_PHONE_NUMBER=+442071838750",
        ),
    ],
)
def test_without_a_public_name_the_product_runs_in_development_mode(
    account: Account, printed: str
) -> None:
    assert account.product_settings(account.config()) == printed
