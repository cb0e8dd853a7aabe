"""``callcluster simulate providers``: from options to the emulators' configuration."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import typer

from cluster.errors import SettingsError
from simulation.azure_stt import AzureConfig
from simulation.elevenlabs_tts import ElevenLabsConfig
from simulation.faults import SERVICES, Faults
from simulation.openai_chat import OpenAIConfig
from simulation.providers import ProvidersConfig, serve_forever

Ports = tuple[str, int, int, int]
Lags = tuple[float, float, float, float, float]


def run_emulators(*, ports: Ports, lags: Lags, faults: Sequence[str]) -> None:
    """Run until a signal; prints the ready line, then the settings to use them."""
    host, azure_port, openai_port, elevenlabs_port = ports
    interim_lag_s, final_lag_s, first_token_s, per_token_s, first_byte_s = lags
    config = ProvidersConfig(
        host=host,
        azure_port=azure_port,
        openai_port=openai_port,
        elevenlabs_port=elevenlabs_port,
        azure=AzureConfig(interim_lag_s=interim_lag_s, final_lag_s=final_lag_s),
        openai=OpenAIConfig(first_token_s=first_token_s, per_token_s=per_token_s),
        elevenlabs=ElevenLabsConfig(first_byte_s=first_byte_s),
        faults=parse_faults(faults),
    )
    try:
        asyncio.run(serve_forever(config, _announce))
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


def _announce(line: str) -> None:
    addresses = json.loads(line)
    typer.echo(line)
    typer.echo(
        "# to use them:\n"
        f"export AZURE_SPEECH_HOST={addresses['azure_host']}\n"
        f"export OPENAI_BASE_URL={addresses['openai_base_url']} OPENAI_API_KEY=emulated\n"
        f"export ELEVENLABS_BASE_URL={addresses['elevenlabs_base_url']} "
        "ELEVENLABS_API_KEY=emulated"
    )
