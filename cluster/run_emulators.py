"""``callcluster simulate providers``: from options to the emulators' configuration."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import typer

from cluster.emulator_script import load_script
from cluster.errors import SettingsError
from simulation.azure_stt import AzureConfig
from simulation.azure_tts_session import AzureTtsConfig
from simulation.carrier_signature import PublicAddress
from simulation.cartesia_tts import CartesiaConfig
from simulation.elevenlabs_tts import ElevenLabsConfig
from simulation.errors import GoogleMissing
from simulation.exchange import ExchangeConfig
from simulation.faults import SERVICES, Faults
from simulation.google_stt import GoogleSttConfig
from simulation.google_tts import GoogleTtsConfig
from simulation.openai_chat import OpenAIConfig
from simulation.openai_tts import OpenAITtsConfig
from simulation.providers import ProvidersConfig, serve_forever
from simulation.realtime_session import RealtimeEmulatorConfig
from simulation.socket_services import SocketServicesConfig
from simulation.steady_voice import SteadyVoice
from telephony.phone_number import is_e164

# The host, and the ports of services; those of Google's, which are last, may be None: not started.
Ports = tuple[str, int, int, int, int, int, int, int, int | None, int | None]
Lags = tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Account:
    """The emulated Twilio; what is empty is the emulator's own."""

    port: int = 0
    numbers: tuple[str, ...] = ()
    product_url: str = "http://127.0.0.1:8000"
    public_url: str = ""
    account_sid: str = ""
    auth_token: str = field(default="", repr=False)

    def config(self) -> ExchangeConfig:
        """As the emulator wants it. Raises ``SettingsError``."""
        for number in self.numbers:
            if not is_e164(number):
                raise SettingsError("--twilio-number is in E.164, such as +14155550199")
        try:
            PublicAddress(self.product_url, self.public_url)
        except ValueError as error:
            raise SettingsError(f"--product-url, --public-url: {error}") from None
        default = ExchangeConfig()
        return ExchangeConfig(
            url=self.product_url,
            public_url=self.public_url,
            account_sid=self.account_sid or default.account_sid,
            auth_token=self.auth_token or default.auth_token,
            numbers=self.numbers or default.numbers,
        )

    def product_settings(self, config: ExchangeConfig) -> str:
        """Variables for the product: a number to call from; no signatures without a public name."""
        mode = "" if self.public_url else " CALLCLUSTER_MODE=development"
        return f"TWILIO_PHONE_NUMBER={config.numbers[0]}{mode}"


def run_emulators(
    *,
    ports: Ports,
    lags: Lags,
    account: Account,
    faults: Sequence[str],
    socket_ports: tuple[int, int, int] = (0, 0, 0),
    script: Path | None = None,
    clips: Path | None = None,
) -> None:
    """Run until a signal; prints the ready line, then the settings to use them."""
    for port in (*ports[1:], *socket_ports, account.port):
        if not 0 <= (port or 0) <= 65_535:
            raise SettingsError(f"there is no port {port}: 0 (any free one) to 65535")
    written = load_script(script)
    host, azure_port, openai_port, elevenlabs_port, deepgram_port, *voice_ports = ports[:-2]
    google_port, google_tts_port = ports[-2:]
    interim_lag_s, final_lag_s, first_token_s, per_token_s, first_byte_s = lags
    config = ProvidersConfig(
        host=host,
        azure_port=azure_port,
        openai_port=openai_port,
        elevenlabs_port=elevenlabs_port,
        deepgram_port=deepgram_port,
        azure_tts_port=voice_ports[0],
        openai_tts_port=voice_ports[1],
        openai_realtime_port=voice_ports[2],
        google_port=google_port,
        google_tts_port=google_tts_port,
        google=GoogleSttConfig(interim_lag_s=interim_lag_s, final_lag_s=final_lag_s),
        google_tts=GoogleTtsConfig(first_byte_s=first_byte_s),
        sockets=SocketServicesConfig(
            cartesia_port=socket_ports[0],
            openai_stt_port=socket_ports[1],
            scribe_port=socket_ports[2],
            cartesia=CartesiaConfig(first_byte_s=first_byte_s),
        ),
        twilio_port=account.port,
        twilio=account.config(),
        azure=AzureConfig(interim_lag_s=interim_lag_s, final_lag_s=final_lag_s),
        openai=OpenAIConfig(
            first_token_s=first_token_s,
            per_token_s=per_token_s,
            script=written.replies,
            tool_rules=written.tool_rules,
        ),
        callees=written.callees,
        elevenlabs=ElevenLabsConfig(first_byte_s=first_byte_s),
        azure_tts=AzureTtsConfig(first_byte_s=first_byte_s),
        openai_tts=OpenAITtsConfig(first_byte_s=first_byte_s),
        openai_realtime=RealtimeEmulatorConfig(
            first_audio_s=first_token_s + first_byte_s,
            script=written.replies,
            tool_rules=written.tool_rules,
        ),
        faults=parse_faults(faults),
        clips=clips,
        voice=SteadyVoice() if written.is_voice_steady else None,
    )
    # A token that was given is not printed again.
    token = "" if account.auth_token else config.twilio.auth_token

    def announce(line: str) -> None:
        _announce(line, token, account.product_settings(config.twilio))

    try:
        asyncio.run(serve_forever(config, announce))
    except GoogleMissing as error:
        raise SettingsError(error.message) from None
    except OSError as error:
        raise SettingsError(
            f"an emulator cannot listen: {error}. Choose other ports, or 0 for any free one."
        ) from None


def parse_faults(texts: Sequence[str]) -> dict[str, Faults]:
    """``SERVICE:NAME=VALUE`` texts to faults by service.

    Raises:
        SettingsError: Not of that form, or an unknown service.
        simulation.errors.FaultsInvalid: An unknown fault or a value that does not fit.
    """
    wire: dict[str, dict[str, object]] = {}
    for text in texts:
        service, colon, rest = text.partition(":")
        name, equals, value = rest.partition("=")
        if not colon or not equals or service not in SERVICES:
            raise SettingsError(
                f"--fault {text}: write SERVICE:NAME=VALUE with one of {', '.join(SERVICES)}"
            )
        try:
            wire.setdefault(service, {})[name] = json.loads(value)
        except ValueError:
            raise SettingsError(f"--fault {text}: {value!r} is no number, true or false") from None
    return {service: Faults.parse(values) for service, values in wire.items()}


def _announce(line: str, token: str, product: str) -> None:
    addresses = json.loads(line)
    typer.echo(line)
    auth = f" TWILIO_AUTH_TOKEN={token}" if token else ""
    google = " ".join(
        f"{name.upper()}={addresses[name]}"
        for name in ("google_speech_endpoint", "google_tts_endpoint")
        if name in addresses
    )
    typer.echo(
        "# to use them:\n"
        f"export AZURE_SPEECH_HOST={addresses['azure_host']}\n"
        f"export DEEPGRAM_BASE_URL={addresses['deepgram_base_url']} DEEPGRAM_API_KEY=emulated\n"
        f"export OPENAI_BASE_URL={addresses['openai_base_url']} OPENAI_API_KEY=emulated\n"
        f"export ELEVENLABS_BASE_URL={addresses['elevenlabs_base_url']} "
        "ELEVENLABS_API_KEY=emulated\n"
        f"export AZURE_TTS_HOST={addresses['azure_tts_host']} "
        f"OPENAI_TTS_BASE_URL={addresses['openai_tts_base_url']} OPENAI_TTS_API_KEY=emulated\n"
        f"export OPENAI_REALTIME_BASE_URL={addresses['openai_realtime_base_url']} "
        "OPENAI_REALTIME_API_KEY=emulated\n"
        f"export CARTESIA_BASE_URL={addresses['cartesia_base_url']} CARTESIA_API_KEY=emulated\n"
        f"export OPENAI_STT_BASE_URL={addresses['openai_stt_base_url']} "
        "OPENAI_STT_API_KEY=emulated\n"
        f"export SCRIBE_BASE_URL={addresses['scribe_base_url']} SCRIBE_API_KEY=emulated\n"
        f"export TWILIO_API_BASE_URL={addresses['twilio_api_base_url']} "
        f"TWILIO_ACCOUNT_SID={addresses['twilio_account_sid']}{auth}\n"
        f"export {product}" + (f"\nexport {google}" if google else "")
    )
