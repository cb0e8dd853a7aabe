"""``callcluster load``: simulated calls, measured at the caller's ear."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from cluster.cli_help import add_command
from cluster.errors import ApiUnreachableError, SettingsError
from cluster.settings import read_settings
from telephony.phone_number import check_e164

Url = Annotated[str, typer.Option(envvar="CALLCLUSTER_URL", help="Where the product listens.")]
AuthToken = Annotated[
    str,
    typer.Option(
        envvar="TWILIO_AUTH_TOKEN", help="Signs what Twilio would sign; default: of .env."
    ),
]
PublicUrl = Annotated[
    str,
    typer.Option(envvar="PUBLIC_URL", help="The origin that is signed; default: of .env, --url."),
]
ApiKey = Annotated[
    str,
    typer.Option(envvar="CALLCLUSTER_API_KEY", help="cck_...; see 'callcluster keys create'."),
]
MODES = ("pipeline", "relay", "realtime")  # as dialogue.agent.CallMode
LOCAL = "http://127.0.0.1:8000"
CONNECT_WITHIN_S = 5.0


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    add_command(
        app,
        "load",
        load,
        "callcluster load --calls 10 --concurrency 5",
        "callcluster load --calls 100 --concurrency 25 --json report.json",
        "callcluster load --interrupt 0.3 --language en-US --seed 7",
        "callcluster load --mode relay --calls 100 --concurrency 100",
    )


def load(
    url: Url = LOCAL,
    calls: Annotated[int, typer.Option(min=1, metavar="N", help="Calls in all.")] = 10,
    concurrency: Annotated[
        int,
        typer.Option("--concurrency", "--concurrent", min=1, metavar="N", help="Calls at once."),
    ] = 5,
    duration: Annotated[float, typer.Option(help="Seconds a call lasts at most; 0: no limit.")] = 0,
    turns: Annotated[int, typer.Option(min=0, metavar="N", help="Turns in each call.")] = 3,
    ramp: Annotated[float, typer.Option(help="Seconds over which the calls start.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Which clips, in which order.")] = 1,
    language: Annotated[str, typer.Option(help="Language of the clips.")] = "en-US",
    interrupt: Annotated[float, typer.Option(help="Share of turns with an interruption.")] = 0.0,
    to: Annotated[
        str, typer.Option(help="Number to call; default: one that the default agent answers.")
    ] = "",
    mode: Annotated[
        str, typer.Option(help="Call an agent that begins as pipeline, relay or realtime.")
    ] = "",
    api_key: ApiKey = "",
    json_file: Annotated[
        Path | None,
        typer.Option("--json", envvar="CALLCLUSTER_LOAD_JSON", help="Write the report here."),
    ] = None,
    auth_token: AuthToken = "",
    public_url: PublicUrl = "",
) -> None:
    """Place simulated calls as Twilio would, and measure at the caller's ear.

    --mode asks the product (GET /v1/agents) for an agent whose calls begin like that and which has
    a number (callcluster number use).

    A run is valid when the callers were punctual and every call that was offered was admitted and
    not ended early by the server. Latencies are those of admitted calls only.

    [bold]Exit code[/bold]
      0  valid
      2  the settings cannot be, or the command line is wrong
      3  the callers themselves were late: this machine was too busy to measure
      4  the callers were punctual, but not every call was carried to its end:
         calls were refused, failed or ended early by the server
    """
    from cluster.load_progress import LoadProgress
    from simulation.load import LoadConfig, run_load
    from simulation.load_summary import render_summary

    if json_file is not None:
        _write(json_file, "")  # better now than after the run
    token, origin = what_is_signed(auth_token, public_url, url)
    require_listener(url)
    if mode:
        to = asyncio.run(_number_of_mode(url, api_key, mode))
    config = LoadConfig(
        url=url,
        calls=calls,
        concurrent=concurrency,
        duration_s=duration or None,
        turns=turns,
        ramp_s=ramp,
        seed=seed,
        language=language,
        interrupt_ratio=interrupt,
        auth_token=token,
        public_url=origin,
    )
    if to:
        config = replace(config, to_number=check_e164(to, "--to"))
    progress = LoadProgress(calls, sys.stderr)
    try:
        report = asyncio.run(run_load(config, progress.take))
    finally:
        progress.clear()
    typer.echo(render_summary(report))
    if json_file is not None:
        _write(json_file, json.dumps(report.as_dict(), indent=2) + "\n")
    if report.exit_code:
        raise SystemExit(report.exit_code)


async def _number_of_mode(url: str, api_key: str, mode: str) -> str:
    from cluster.api_client import ApiClient

    if mode not in MODES:
        raise SettingsError(f"--mode {mode}: one of {', '.join(MODES)}")
    async with ApiClient(url, api_key) as api:
        number = await api.number_of_mode(mode)
    if not number:
        raise SettingsError(
            f"--mode {mode}: no agent whose calls begin as {mode} has a number: give one to it "
            "with 'callcluster number use NUMBER --agent NAME'"
        )
    return number


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise SettingsError(f"--json {path}: cannot be written: {error.strerror}") from None


def require_listener(url: str) -> None:
    """See that somebody listens at ``url``, before calls are placed that all fail.

    Raises:
        ApiUnreachableError: Nobody does.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        host, port = None, 0
    if not host:
        return  # whoever uses the address says what is wrong with it
    try:
        socket.create_connection((host, port), CONNECT_WITHIN_S).close()
    except OSError as error:
        raise ApiUnreachableError(
            f"nothing answers at {url} ({error.strerror or error}): is 'callcluster serve' "
            "running? Name its address with --url (CALLCLUSTER_URL)"
        ) from None


def what_is_signed(auth_token: str, public_url: str, url: str) -> tuple[str, str]:
    """Token and origin with which a simulated carrier signs: options first, then the settings.

    The product reads ``.env`` too, so its simulated carrier must know the same.
    """
    settings = read_settings()
    is_set = "public_url" in settings.model_fields_set
    return (
        auth_token or settings.twilio_auth_token.get_secret_value(),
        public_url or (settings.public_url if is_set else url),
    )
