"""``callcluster keys``: who may use the HTTP API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.table import Table

from cluster.cli_console import say, show
from cluster.cli_help import add_command
from cluster.errors import SettingsError
from cluster.setting_types import TENANT
from cluster.settings import read_settings
from cluster.wall_clock import wall_clock_us

if TYPE_CHECKING:
    from records.key_store import KeyStore

T = TypeVar("T")
MAX_NAME_CHARS = 200
keys_app = typer.Typer(no_args_is_help=True, help="API keys: who may use /v1, and as which tenant.")
Tenant = Annotated[
    str,
    typer.Option(
        envvar="CALLCLUSTER_TENANT_ID", help="Whose calls it opens; default: of the settings."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    add_command(
        keys_app,
        "keys create",
        create,
        "callcluster keys create crm",
        "export CALLCLUSTER_API_KEY=$(callcluster keys create my-laptop)",
    )
    add_command(keys_app, "keys list", list_keys, "callcluster keys list")
    add_command(keys_app, "keys revoke", revoke, "callcluster keys revoke 1f00ba4711223344")
    app.add_typer(keys_app, name="keys")


def create(
    name: Annotated[str, typer.Argument(help="For people: who uses it.", show_default=False)],
    tenant: Tenant = "",
) -> None:
    """Make a key and print it, once: it is kept as a hash only."""
    tenant_id = tenant or read_settings().tenant_id
    if not TENANT.fullmatch(tenant_id):
        raise SettingsError("--tenant: letters, digits, _ and -, 64 at most")
    if not name.isprintable() or not name.strip() or len(name) > MAX_NAME_CHARS:
        raise SettingsError(f"the name of a key is one line of up to {MAX_NAME_CHARS} characters")
    secret = _with_store(lambda keys: keys.create(tenant_id, name, at_us=wall_clock_us()))
    say(f"[green]ok[/green] a key of tenant {tenant_id}; it is shown this once:")
    typer.echo(secret)


def list_keys(
    tenant: Annotated[str, typer.Option(help="Only of this tenant.")] = "",
) -> None:
    """Every key by its id, revoked ones too; never the secret."""
    rows = _with_store(lambda keys: keys.list(tenant or None))
    if not rows:
        say("no keys yet: 'callcluster keys create NAME'")
        return
    table = Table("key id", "tenant", "name", "made", "revoked", box=None)
    for row in rows:
        table.add_row(
            row.key_id, row.tenant_id, row.name, _day(row.created_at_us), _day(row.revoked_at_us)
        )
    show(table)


def revoke(
    key_id: Annotated[str, typer.Argument(help="As 'keys list' shows it.", show_default=False)],
    tenant: Tenant = "",
) -> None:
    """Let a key open nothing any more."""
    tenant_id = tenant or read_settings().tenant_id
    done = _with_store(lambda keys: keys.revoke(tenant_id, key_id, at_us=wall_clock_us()))
    if not done:
        raise SettingsError(
            f"tenant {tenant_id} has no good key {key_id}: see 'callcluster keys list'"
        )
    say(f"[green]ok[/green] {key_id} opens nothing any more")


def _with_store(do: Callable[[KeyStore], Awaitable[T]]) -> T:
    from cluster.call_store import open_call_store
    from records.key_store import KeyStore
    from records.schema import prepare

    settings = read_settings()
    if not settings.database_url:
        settings.make_data_dir()

    async def run() -> T:
        database = open_call_store(settings)
        try:
            await prepare(database)
            return await do(KeyStore(database))
        finally:
            await database.aclose()

    return asyncio.run(run())


def _day(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M") if at_us else ""
