"""``callcluster records``: the database of calls: its tables, exports, retention and erasure."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from cluster.cli_console import complain, console, output, say
from cluster.cli_help import add_command
from cluster.errors import ClusterError, NoCacheFileError, SettingsError
from cluster.settings import Settings, read_settings
from cluster.wall_clock import wall_clock_us

DAY_US = 86_400_000_000
EXIT_NOT_READY = 1

records_app = typer.Typer(
    no_args_is_help=True, help="Records: calls, turns and what belongs to them, in your database."
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command, examples in (
        (check, ["callcluster records check"]),
        (migrate, ["callcluster records migrate"]),
        (
            export,
            [
                "callcluster records export --from 2026-01-01 --until 2026-02-01",
                "callcluster records export --format parquet --tenant acme",
            ],
        ),
        (prune, ["callcluster records prune --days 90", "callcluster records prune --yes"]),
        (erase, ["callcluster records erase 0198c2d4-5f6a-7abc-8def-0123456789ab"]),
    ):
        add_command(records_app, f"records {command.__name__}", command, *examples)
    app.add_typer(records_app, name="records")


DatabaseUrl = Annotated[
    str,
    typer.Option(
        "--database-url",
        envvar="DATABASE_URL",
        show_default="SQLite in CALLCLUSTER_DATA_DIR",
        show_envvar=True,
        help="Another database than that of the settings.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def check(database_url: DatabaseUrl = "") -> None:
    """Say which tables the database has and which this version needs; nothing is changed.

    [bold]Exit code[/bold]
      0  they are the same
      1  they differ: the line says what to do
      2  the database cannot be read
    """
    from records import schema

    settings = _settings(database_url)
    found = asyncio.run(schema.check(settings.store_url))
    meaning = {
        "ok": "[green]ok[/green]: the tables are those of this version",
        "empty": "no tables yet: they are made at the first start, or by callcluster records "
        "migrate",
        "older": "[yellow]older[/yellow]: run callcluster records migrate",
        "unversioned": "[yellow]older[/yellow], made before there were migrations: run callcluster "
        "records migrate",
        "newer": "[red]newer[/red]: made by a newer version of callcluster, upgrade this one",
    }
    say(f"{meaning[found.state]} (here {found.current or 'none'}, wanted {found.wanted})")
    if found.state != "ok":
        raise typer.Exit(EXIT_NOT_READY)


def migrate(database_url: DatabaseUrl = "") -> None:
    """Bring the tables up to this version. What is in them stays.

    One transaction: it happens whole or not at all. Processes of the version before go on writing
    meanwhile. Twice, or from two machines at once, does no harm.
    """
    from records import schema

    settings = _settings(database_url)
    settings.make_data_dir()
    found = asyncio.run(schema.migrate(settings.store_url))
    if found.state == "ok":
        say(f"[green]ok[/green]: nothing to do, the tables are of version {found.wanted}")
    else:
        say(f"[green]ok[/green]: from {found.current or found.state} to {found.wanted}")


def export(
    folder: Annotated[Path, typer.Option(help="Where calls and turns are written.")] = Path(
        "export"
    ),
    file_format: Annotated[
        Literal["csv", "parquet"],
        typer.Option("--format", help="parquet needs pip install 'callcluster\\[parquet]'."),
    ] = "csv",
    tenant: Annotated[str, typer.Option(help="One tenant only.")] = "",
    agent: Annotated[str, typer.Option(help="One agent only.")] = "",
    began_from: Annotated[
        str, typer.Option("--from", help="Calls that began then or later: 2026-01-31, UTC.")
    ] = "",
    began_until: Annotated[
        str, typer.Option("--until", help="Calls that began before: 2026-02-28T12:00, UTC.")
    ] = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier export.")
    ] = False,
    database_url: DatabaseUrl = "",
) -> None:
    """Write calls and turns to files, for people who analyse.

    In CSV a text that a spreadsheet would take for a formula has an apostrophe in front, phone
    numbers (+...) too: take one apostrophe off to have the text as it was. Memory does not grow
    with the number of calls.
    """
    from records.export import export as write_export
    from records.rows import CallFilter

    chosen = CallFilter(
        tenant_id=tenant or None,
        agent_id=agent,
        started_from_us=_instant_us("--from", began_from),
        started_before_us=_instant_us("--until", began_until),
    )
    store_url = _store_with_tables(database_url)
    with _progress() as progress:
        task = progress.add_task("reading")
        done = asyncio.run(
            write_export(
                store_url,
                chosen,
                folder,
                file_format,
                overwrite=overwrite,
                progress=lambda calls, turns: progress.update(
                    task, description=f"{calls:,} calls, {turns:,} turns"
                ),
            )
        )
    say(f"{done.calls:,} calls, {done.turns:,} turns")
    for path in done.files:
        output.print(str(path), highlight=False, soft_wrap=True)


def prune(
    days: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            envvar="CALLCLUSTER_RETENTION_DAYS",
            show_envvar=True,
            show_default=False,
            help="Calls that began longer ago than so many days.",
        ),
    ] = 0,
    yes: Yes = False,
    database_url: DatabaseUrl = "",
) -> None:
    """Delete old calls with their turns, journal and requests, a batch at a time.

    Breaking it off loses nothing: the next run goes on. Recordings are marked; the cluster deletes
    them at the carrier.
    """
    from records.retention import count_older

    settings = _settings(database_url)
    days = days or settings.retention_days
    if not days:
        raise SettingsError(
            "calls are kept for ever: say --days, or set CALLCLUSTER_RETENTION_DAYS"
        )
    store_url = _store_with_tables(database_url)
    before_us = wall_clock_us() - days * DAY_US
    count = asyncio.run(count_older(store_url, before_us))
    day = datetime.now(UTC) - timedelta(days=days)
    say(f"{count:,} calls began before {day:%Y-%m-%d %H:%M} UTC")
    if count and not yes and not typer.confirm("Delete them for good?", err=True):
        raise typer.Abort
    asyncio.run(_prune(store_url, before_us))


async def _prune(store_url: str, before_us: int) -> None:
    from records.retention import Pruned
    from records.retention import prune as prune_batches

    done = Pruned()
    with _progress() as progress:
        task = progress.add_task("deleting")
        async for done in prune_batches(store_url, before_us):
            progress.update(task, description=f"{done.calls:,} calls, {done.turns:,} turns deleted")
    say(
        f"deleted {done.calls:,} calls, {done.turns:,} turns, {done.journal_entries:,} journal "
        f"entries, {done.requests:,} requests"
    )
    if done.recordings:
        say(f"{done.recordings:,} recordings wait to be deleted at the carrier")


def erase(
    call_id: Annotated[
        str, typer.Argument(help="The call's id, as the API and the export say it.")
    ],
    tenant: Annotated[
        str, typer.Option(envvar="CALLCLUSTER_TENANT_ID", help="Whose call it is.")
    ] = "",
    yes: Yes = False,
    database_url: DatabaseUrl = "",
) -> None:
    """Erase what was said in a call and who spoke, for good. Counts, times and cost stay.

    Texts, numbers, variables and journal data go; nothing that is written late brings them back.
    The response cache forgets the answers that it learned from the call; where nothing runs, those
    in its file on this machine. PostgreSQL gives the space up at its next vacuum; backups keep what
    they hold.

    [bold]Exit code[/bold]
      0  erased
      1  erased, but not in the response cache: the line says what to do
         (or you said no)
      2  there is no such call
    """
    from records.erasure import erase as erase_call

    settings = _settings(database_url)
    tenant = tenant or settings.tenant_id
    store_url = _store_with_tables(database_url)
    if not yes and not typer.confirm(
        f"Erase the content of call {call_id} of tenant {tenant} for good?", err=True
    ):
        raise typer.Abort
    erased = asyncio.run(erase_call(store_url, tenant, call_id, at_us=wall_clock_us()))
    if erased is None:
        raise SettingsError(f"tenant {tenant} has no call {call_id}")
    say(f"erased: {erased.turns} turns, {erased.journal_entries} journal entries")
    if erased.recording_sids:
        say("recordings that wait to be deleted at the carrier:")
        for sid in erased.recording_sids:
            output.print(sid, highlight=False)
    _forget_answers(settings, tenant, call_id)


def _forget_answers(settings: Settings, tenant_id: str, call_id: str) -> None:
    """Have the response cache forget a call, wherever it is."""
    from actors.cache_desk import erasure_of
    from cache.errors import CacheError
    from cluster.cli_cache_desk import at_desk
    from cluster.response_cache_desk import has_file

    if not settings.cache and not has_file(settings):
        return
    command = f"callcluster cache purge --tenant {tenant_id} --source {call_id}/"
    try:
        done = at_desk(
            settings, lambda desk: desk.remove(erasure_of(tenant_id, call_id)), needs_file=True
        )
    except NoCacheFileError as error:
        say(f"{error}: if there is one elsewhere, run there: {command}")
    except (ClusterError, CacheError) as error:
        complain(f"answers that were learned from the call may still be given: {error}")
        complain(f"then: {command}")
        raise typer.Exit(EXIT_NOT_READY) from None
    else:
        say(f"the response cache has forgotten {done['removed']:,} answers")


def _settings(database_url: str) -> Settings:
    return read_settings(**({"database_url": database_url} if database_url else {}))


def _store_with_tables(database_url: str) -> str:
    """The address of the call store, whose tables are those of this version."""
    from records import schema

    store_url = _settings(database_url).store_url
    asyncio.run(schema.require(store_url))
    return store_url


def _instant_us(option: str, text: str) -> int:
    """UTC microseconds of an ISO 8601 day or time; 0 when it is empty."""
    if not text:
        return 0
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            f"{option} {text}: write a day or a time, such as 2026-01-31 or 2026-01-31T08:00"
        ) from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), console=console, transient=True
    )
