"""``callcluster call``: place one call and watch it, real or simulated."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import uuid
from dataclasses import dataclass, field
from typing import Annotated, cast

import typer

from cluster.api_client import ApiCall, ApiClient, NewCall, WhenMachine
from cluster.call_follow import CallFollower
from cluster.cli_console import output, say
from cluster.cli_help import add_command
from cluster.cli_load import (
    LOCAL,
    AuthToken,
    PublicUrl,
    Url,
    require_listener,
    what_is_signed,
)
from cluster.errors import ApiRefusedError, ApiUnreachableError, SettingsError
from cluster.settings import read_settings
from telephony.phone_number import check_e164

LOOK_EVERY_S = 0.5
MOST_LATE = 10
SAID_AT_MISS = 4
MOST_MISSES = 60
SERVER_ERROR = 500
EXIT_NOT_REACHED = 4
_WHEN_MACHINE = ("off", "hang_up", "leave_message", "continue")


@dataclass(frozen=True, slots=True)
class Way:
    """Where the API is, and the key to it."""

    url: str
    api_key: str = field(repr=False)


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    add_command(
        app,
        "call",
        call,
        "callcluster call --to +14155550123 --agent reception --wait",
        "callcluster call --to +14155550123 --var name=Ann --var day=Monday",
        "callcluster call --to +14155550123 --machine hang_up",
        "callcluster call --simulate        no phone: a simulated caller calls in",
    )


def call(
    to: Annotated[str, typer.Option(help="Whom to call, E.164: +14155550123.")] = "",
    agent: Annotated[
        str, typer.Option(help="Who speaks; default: the default agent of the product.")
    ] = "",
    from_number: Annotated[
        str,
        typer.Option(
            "--from",
            envvar="TWILIO_PHONE_NUMBER",
            help="A number of yours; default: of .env, or your first one.",
        ),
    ] = "",
    variables: Annotated[
        list[str] | None,
        typer.Option(
            "--var",
            envvar="CALLCLUSTER_CALL_VAR",
            help="NAME=VALUE for the agent's prompt; again for more.",
        ),
    ] = None,
    machine: Annotated[
        str,
        typer.Option(help="What to do when a machine answers: hang_up, leave_message or continue."),
    ] = "off",
    message: Annotated[str, typer.Option(help="What to leave on the machine.")] = "",
    record: Annotated[bool, typer.Option("--record", help="Record both sides.")] = False,
    timeout: Annotated[
        int | None,
        typer.Option(min=1, max=600, metavar="S", help="Seconds it rings.", show_default="60"),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow the call and print what is said.")
    ] = False,
    key: Annotated[
        str,
        typer.Option(
            "--idempotency-key",
            envvar="CALLCLUSTER_CALL_IDEMPOTENCY_KEY",
            help="Again with the same key: the same call, not two.",
        ),
    ] = "",
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Call in with a simulated caller instead.")
    ] = False,
    turns: Annotated[
        int, typer.Option(min=1, metavar="N", help="With --simulate: turns of the caller.")
    ] = 3,
    as_json: Annotated[
        bool,
        typer.Option("--json", envvar="CALLCLUSTER_CALL_JSON", help="Print the call as JSON."),
    ] = False,
    url: Url = LOCAL,
    api_key: Annotated[
        str,
        typer.Option(envvar="CALLCLUSTER_API_KEY", help="cck_...; see 'callcluster keys create'."),
    ] = "",
    auth_token: AuthToken = "",
    public_url: PublicUrl = "",
) -> None:
    """Place a call through the running product; with --wait, print what is said as it is said.

    Ctrl-C stops watching, and asks whether to hang up; without a terminal the call goes on.

    [bold]Exit code[/bold]
      0    the call was had (or accepted, without --wait)
      2    it was not accepted, or cannot be watched: the last line says why
      4    busy, nobody answered, failed or canceled;
           with --simulate: refused or ended early
      130  Ctrl-C
    """
    if simulate:
        from cluster.call_simulated import simulate_call

        token, origin = what_is_signed(auth_token, public_url, url)
        require_listener(url)
        ended_well = simulate_call(
            url, turns=turns, auth_token=token, public_url=origin, settings=read_settings(), say=say
        )
        raise SystemExit(0 if ended_well else EXIT_NOT_REACHED)
    if machine not in _WHEN_MACHINE:
        raise SettingsError(f"--machine {machine}: one of {', '.join(_WHEN_MACHINE)}")
    if bool(message) != (machine == "leave_message"):
        raise SettingsError("--message and --machine leave_message go together")
    if key and re.fullmatch(r"[\x21-\x7e]{1,200}", key) is None:
        raise SettingsError("--idempotency-key: 1 to 200 ASCII characters, no blanks")
    if not to:
        raise SettingsError("--to: whom to call? (or --simulate for a simulated caller)")
    new = NewCall(
        to=check_e164(to, "--to"),
        agent_id=agent,
        from_number=from_number or read_settings().twilio_phone_number,
        variables=parse_variables(variables or []),
        when_machine=cast(WhenMachine, machine),
        message=message,
        record=record,
        timeout_s=timeout,
    )
    placed = _had(new, Way(url.rstrip("/"), api_key), key or str(uuid.uuid4()), wait=wait)
    if as_json:
        output.print_json(json.dumps(dict(placed.plain)))
    if wait and placed.is_over and placed.state != "completed":
        raise SystemExit(EXIT_NOT_REACHED)


_OPTIONS = {  # what the API calls otherwise than the command line, by the code of its refusal
    "missing_variables": " (--var NAME=VALUE, once for each)",
    "unknown_agent": " (--agent)",
}


def parse_variables(texts: list[str]) -> dict[str, str]:
    """``NAME=VALUE`` texts. Raises ``SettingsError``."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise SettingsError(f"--var {text}: write NAME=VALUE, such as name=Ann")
        found[name] = value
    return found


def _had(new: NewCall, way: Way, key: str, *, wait: bool) -> ApiCall:
    """Place the call and, if asked, watch it to its end."""
    try:
        placed = asyncio.run(_place(new, way, key))
    except KeyboardInterrupt:
        say(f"broken off; it may be placed already: --idempotency-key {key} asks for the same one")
        raise
    say(f"call {placed.call_id}")
    if not wait:
        return placed
    follower = CallFollower()
    try:
        return asyncio.run(_follow(placed, way, follower))
    except KeyboardInterrupt:
        if sys.stdin.isatty() and typer.confirm("Hang up?", err=True):
            asyncio.run(_hang_up(placed, way, follower))
        else:
            say(f"not watched any more; the call goes on: GET {way.url}/v1/calls/{placed.call_id}")
        raise


async def _place(new: NewCall, way: Way, key: str) -> ApiCall:
    async with ApiClient(way.url, way.api_key) as api:
        try:
            return await api.place_call(new, key)
        except ApiUnreachableError as error:
            raise ApiUnreachableError(f"{error}. To try again: --idempotency-key {key}") from None
        except ApiRefusedError as error:
            hint = _OPTIONS.get(error.code, "")
            raise ApiRefusedError(f"{error}{hint}", error.code, error.status) from None


async def _follow(placed: ApiCall, way: Way, follower: CallFollower) -> ApiCall:
    async with ApiClient(way.url, way.api_key) as api:
        return await follow(api, placed, follower)


async def _hang_up(placed: ApiCall, way: Way, follower: CallFollower) -> None:
    async with ApiClient(way.url, way.api_key) as api:
        await follow(api, await api.hang_up(placed.call_id), follower)


async def follow(api: ApiClient, placed: ApiCall, follower: CallFollower) -> ApiCall:
    """Print the call's news until it is over; returns how it ended."""
    current, misses, late = placed, 0, 0
    while True:
        if current.is_over and not current.is_told and late < MOST_LATE:
            late += 1  # the carrier has said so before the last words were written
        else:
            for line in follower.news(current):
                output.print(line, markup=False, highlight=False, soft_wrap=True)
            if current.is_over:
                break
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            current, misses = await api.call(placed.call_id), 0
        except (ApiUnreachableError, ApiRefusedError) as error:
            if isinstance(error, ApiRefusedError) and error.status < SERVER_ERROR:
                raise
            misses += 1  # a replica, the proxy or the database is away: the call goes on
            if misses == SAID_AT_MISS:
                say(f"-- no news of the call just now: {error}")
            if misses == MOST_MISSES:
                raise
    if current.cost_usd:
        say(f"cost {current.cost_usd:.4f} USD")
    return current
