"""``callcluster number``: which phone numbers ring here, and who answers them."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.table import Table

from cluster.agents import load_tenants
from cluster.cli_console import say, show
from cluster.cli_help import add_command
from cluster.errors import SettingsError
from cluster.settings import Settings, read_settings
from cluster.wall_clock import wall_clock_us
from records.edge_rows import NumberRow
from telephony.phone_number import check_e164

number_app = typer.Typer(
    no_args_is_help=True, help="Phone numbers: which ring here, and who answers them."
)
Tenant = Annotated[
    str,
    typer.Option(
        envvar="CALLCLUSTER_TENANT_ID", help="Whose number it is; default: of the settings."
    ),
]
Number = Annotated[str, typer.Argument(help="E.164: +14155550100.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    add_command(
        number_app,
        "number use",
        use,
        "callcluster number use +14155550100",
        "callcluster number use +14155550100 --agent sales",
        "callcluster number use +14155550100 --spare",
    )
    add_command(number_app, "number list", list_numbers, "callcluster number list --check")
    add_command(number_app, "number drop", drop, "callcluster number drop +14155550100")
    app.add_typer(number_app, name="number")


def use(
    number: Number,
    agent: Annotated[
        str,
        typer.Option(
            envvar="CALLCLUSTER_DEFAULT_AGENT", help="Who answers; default: of the settings."
        ),
    ] = "",
    tenant: Tenant = "",
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Also when something else answers it now.")
    ] = False,
    spare: Annotated[
        bool, typer.Option("--spare", help="It goes on to ring in another region: only the route.")
    ] = False,
) -> None:
    """Let a number of your Twilio account ring here: its webhooks and its route, in one go.

    Needs PUBLIC_URL, TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN. Doing it again changes the agent.
    With CALLCLUSTER_REGIONS its calls go to the next region when this one does not answer; run it
    there with --spare, so that this region knows who answers.
    """
    settings = read_settings()
    agent_id, tenant_id = agent or settings.default_agent, tenant or settings.tenant_id
    check_e164(number)
    agents = load_tenants(settings.agents_dir, settings.tenant_id)
    if (tenant_id, agent_id) not in agents:
        known = ", ".join(name for owner, name in agents if owner == tenant_id)
        raise SettingsError(
            f"tenant {tenant_id} has no agent {agent_id!r} in {settings.agents_dir}: "
            f"{known or 'none at all'}"
        )
    row = NumberRow(number, tenant_id, agent_id, wall_clock_us())
    if spare:
        region = asyncio.run(_be_spare(settings, row))
        say(f"[green]ok[/green] {number} rings in region {region}; {agent_id} answers here as well")
        return
    asyncio.run(_use(settings, row, is_sure=yes))
    say(f"[green]ok[/green] {number} rings here: {agent_id} answers (tenant {tenant_id})")
    say("'callcluster doctor' checks that Twilio can reach it")


def list_numbers(
    check: Annotated[
        bool, typer.Option("--check", help="Ask Twilio whether each of them rings here.")
    ] = False,
    tenant: Annotated[str, typer.Option(help="Only of this tenant.")] = "",
) -> None:
    """Every number that has a route, and who answers it."""
    settings = read_settings()
    rows, states = asyncio.run(_list(settings, tenant, check=check))
    own = settings.twilio_phone_number
    if own and tenant in ("", settings.tenant_id) and own not in {row.number for row in rows}:
        say(
            f"{own} is yours by TWILIO_PHONE_NUMBER: calls are placed from it, and "
            f"{settings.default_agent} answers it"
        )
    if not rows:
        say("no numbers yet: 'callcluster number use +14155550100'")
        return
    table = Table("number", "tenant", "agent", *(["at Twilio"] if check else []), box=None)
    for row in rows:
        table.add_row(
            row.number, row.tenant_id, row.agent_id, *([states[row.number]] if check else [])
        )
    show(table)


def drop(
    number: Number,
    tenant: Tenant = "",
    unhook: Annotated[
        bool, typer.Option("--unhook", help="Also clear the webhooks of the number at Twilio.")
    ] = False,
) -> None:
    """Forget who answers a number.

    Without --unhook Twilio keeps sending its calls here, and the default agent answers them.
    """
    settings = read_settings()
    check_e164(number)
    was_there = asyncio.run(_drop(settings, tenant or settings.tenant_id, number, unhook=unhook))
    if not was_there:
        raise SettingsError(f"{number} is not a number of tenant {tenant or settings.tenant_id}")
    say(f"[green]ok[/green] {number} is dropped")


async def _use(settings: Settings, row: NumberRow, *, is_sure: bool) -> None:
    from cluster import number_setup as setup

    def confirm(elsewhere: str) -> bool:
        say(f"{row.number} is answered by {elsewhere} now")
        return is_sure or typer.confirm("Let it ring here instead?", err=True)

    webhooks = setup.Webhooks.of(settings)
    async with setup.opened_carrier(settings) as carrier, setup.open_routes(settings) as routes:
        await setup.use_number(carrier, routes, webhooks, row, confirm)
    say(f"voice webhook  {webhooks.voice_url}")
    if webhooks.fallback_url:
        say(f"fallback       {webhooks.fallback_url}")
    say(f"status webhook {webhooks.status_url}")


async def _be_spare(settings: Settings, row: NumberRow) -> str:
    from cluster import number_setup as setup

    webhooks = setup.Webhooks.of(settings)
    async with setup.opened_carrier(settings) as carrier, setup.open_routes(settings) as routes:
        return await setup.be_spare_of(carrier, routes, webhooks, row)


async def _list(
    settings: Settings, tenant: str, *, check: bool
) -> tuple[list[NumberRow], dict[str, str]]:
    from cluster import number_setup as setup

    async with setup.open_routes(settings) as routes:
        rows = await routes.all(tenant or None)
    if not check:
        return rows, {}
    webhooks = setup.Webhooks.of(settings)
    async with setup.opened_carrier(settings) as carrier:
        return rows, {
            row.number: await setup.where_it_rings(carrier, webhooks, row.number) for row in rows
        }


async def _drop(settings: Settings, tenant_id: str, number: str, *, unhook: bool) -> bool:
    from cluster import number_setup as setup

    async with setup.open_routes(settings) as routes:
        if not await routes.remove(tenant_id, number):
            return False
    if unhook:
        async with setup.opened_carrier(settings) as carrier:
            if not await setup.unhook(carrier, setup.Webhooks.of(settings), number):
                say(f"{number} rings elsewhere: its webhooks at Twilio were left alone")
    return True
