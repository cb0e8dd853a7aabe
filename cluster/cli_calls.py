"""``callcluster calls``: who is on the phone, what was said, and what can be done about it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from cluster.api_client import FINAL_STATES, LIVE_STATES, ApiCall, ApiClient
from cluster.call_follow import CallFollower
from cluster.cli_console import output, say, show
from cluster.cli_help import add_command
from cluster.cli_load import LOCAL, MODES, ApiKey, Url
from cluster.errors import SettingsError

T = TypeVar("T")
calls_app = typer.Typer(no_args_is_help=True, help="Calls: list, show, move, hang up.")

CallId = Annotated[str, typer.Argument(help="The call's id, as 'calls list' shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="As the API says it.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    an_id = "0198c2d4-5f6a-7abc-8def-0123456789ab"
    add_command(
        calls_app,
        "calls list",
        list_calls,
        "callcluster calls list                  in progress",
        "callcluster calls list --all --limit 20",
        "callcluster calls list --state failed",
    )
    add_command(calls_app, "calls show", show_call, f"callcluster calls show {an_id}")
    add_command(calls_app, "calls move", move, f"callcluster calls move {an_id} --mode relay")
    add_command(calls_app, "calls hang-up", hang_up, f"callcluster calls hang-up {an_id}")
    app.add_typer(calls_app, name="calls")


def list_calls(
    every: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    state: Annotated[
        str, typer.Option(help="Only of this state: queued, answered, failed and so on.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="At most.")] = 50,
    as_json: AsJson = False,
    url: Url = LOCAL,
    api_key: ApiKey = "",
) -> None:
    """List the calls in progress of the whole cluster, the newest first.

    In progress are those that wait in the queue or ring, too. The key says whose calls are shown.

    [bold]Exit code[/bold]
      0  listed, be it none
      2  not listed: the last line says why
    """
    known = (*LIVE_STATES, *sorted(FINAL_STATES))
    if state and (state not in known or every):
        raise SettingsError(f"--state {state}: one of {', '.join(known)}, and without --all")
    states = (state,) if state else ("",) if every else LIVE_STATES

    async def ask(api: ApiClient) -> list[ApiCall]:
        found = [call for name in states for call in await api.calls(name, limit)]
        found.sort(key=lambda call: str(call.plain.get("created_at")), reverse=True)
        return found[:limit]

    calls = _asked(ask, url, api_key)
    if as_json:
        output.print_json(json.dumps([dict(call.plain) for call in calls]))
    elif calls:
        show(_table(calls))
    if len(calls) == limit:
        say(f"these are {limit}: there may be more (--limit)")
    elif not calls:
        say("no calls" if every or state else "no calls in progress (--all: those that are over)")


def _table(calls: list[ApiCall]) -> Table:
    table = Table("call id", "state", "", "from", "to", "agent", "way", "since (UTC)", box=None)
    for call in calls:
        plain = call.plain
        names = ("from", "to", "agent_id", "mode")
        table.add_row(
            call.call_id,
            call.state,
            "in" if plain.get("direction") == "inbound" else "out",
            *(str(plain.get(name) or "") for name in names),
            _moment(str(plain.get("started_at") or plain.get("created_at") or "")),
        )
    return table


def _moment(text: str) -> str:
    """A moment of the API, shorter; as it is where it is not one."""
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return text


def show_call(
    call_id: CallId,
    as_json: AsJson = False,
    url: Url = LOCAL,
    api_key: ApiKey = "",
) -> None:
    """Show what was said in a call, and how it went.

    [bold]Exit code[/bold]
      0  shown
      2  not shown: the last line says why
    """
    call = _asked(lambda api: api.call(call_id), url, api_key)
    if as_json:
        output.print_json(json.dumps(dict(call.plain)))
        return
    for line in CallFollower().news(call):
        output.print(line, markup=False, highlight=False, soft_wrap=True)
    if call.cost_usd:
        say(f"cost {call.cost_usd:.4f} USD")


def hang_up(call_id: CallId, url: Url = LOCAL, api_key: ApiKey = "") -> None:
    """End a call at once, or take it out of the queue; one that is over stays as it is.

    [bold]Exit code[/bold]
      0  it is over, or the carrier was told to end it
      2  it was not ended: the last line says why
    """
    call = _asked(lambda api: api.hang_up(call_id), url, api_key)
    say(f"call {call.call_id}: " + (call.state if call.is_over else "the carrier ends it"))


def move(
    call_id: CallId,
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
    call = _asked(lambda api: api.move(call_id, mode), url, api_key)
    say(f"call {call.call_id}: {mode} from its next pause on")


def _asked(ask: Callable[[ApiClient], Awaitable[T]], url: str, api_key: str) -> T:
    async def answered() -> T:
        async with ApiClient(url.rstrip("/"), api_key) as api:
            return await ask(api)

    return asyncio.run(answered())
