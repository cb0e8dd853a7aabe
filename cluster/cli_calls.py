"""``callcluster calls``: calls in progress."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from cluster.api_client import ApiCall, ApiClient
from cluster.cli_console import say
from cluster.cli_help import add_command
from cluster.cli_load import LOCAL, MODES, ApiKey, Url
from cluster.errors import SettingsError

calls_app = typer.Typer(no_args_is_help=True, help="Calls in progress.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    add_command(
        calls_app,
        "calls move",
        move,
        "callcluster calls move 0198c2d4-5f6a-7abc-8def-0123456789ab --mode relay",
    )
    app.add_typer(calls_app, name="calls")


def move(
    call_id: Annotated[str, typer.Argument(help="The call's id, as the API and the log say it.")],
    mode: Annotated[str, typer.Option(help="pipeline, relay or realtime.")],
    url: Url = LOCAL,
    api_key: ApiKey = "",
) -> None:
    """Have a call in progress carried in another way, with all that was said.

    It goes on like that from the next pause between two turns; the caller hears nothing of it. The
    agent's file has to name the way in its list of modes.

    [bold]Exit code[/bold]
      0  whoever has the call was told
      2  it was not accepted: the last line says why
    """
    if mode not in MODES:
        raise SettingsError(f"--mode {mode}: one of {', '.join(MODES)}")
    call = asyncio.run(_move(call_id, mode, url.rstrip("/"), api_key))
    say(f"call {call.call_id}: {mode} from its next pause on")


async def _move(call_id: str, mode: str, url: str, api_key: str) -> ApiCall:
    async with ApiClient(url, api_key) as api:
        return await api.move(call_id, mode)
