"""Where calls are recorded: the database and its tables, the data directory and its disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from cluster.call_store import open_call_store
from cluster.doctor.examination import Findings, in_thread
from cluster.doctor.finding import Finding, fail, ok, skipped, warn
from cluster.doctor.place import Place
from cluster.settings import Settings
from records import schema
from records.database import parse_url
from records.errors import RecordsError, StoreUnavailable
from records.schema import SchemaState

_LITTLE_BYTES = 1_000_000_000
TOO_LITTLE_BYTES = 100_000_000
_MIGRATE = "callcluster records migrate"
_NO_RECORDS = (
    "the product refuses to start; one that runs answers calls, keeps their rows in memory and "
    "has no API"
)


async def examine_database(place: Place) -> Findings:
    """Is it there, and are its tables those of this version?"""
    settings = place.settings
    if settings is None:
        return [skipped("database", "the settings cannot be read")]
    if not settings.database_url and not settings.data_dir.exists():
        return [ok("database", f"SQLite in {settings.data_dir}, made at the first start")]
    try:
        url = parse_url(settings.store_url)
        state = await schema.check(settings.store_url)
        if state.current:
            await _write_nothing(settings)
    except RecordsError as error:
        is_down = isinstance(error, StoreUnavailable)
        advice = "start the database, or change DATABASE_URL" if is_down else "DATABASE_URL"
        return [fail("database", error.message, _NO_RECORDS, advice)]
    where = url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)
    is_ours = not settings.database_url  # SQLite at its default place is migrated at every start
    findings = [schema_finding(state, where, is_migrated_at_start=is_ours)]
    if url.get_backend_name() == "sqlite" and place.environment.get("RAY_ADDRESS"):
        findings.append(
            warn(
                "database",
                "SQLite on a cluster",
                "each node would write a file of its own",
                "set DATABASE_URL to a PostgreSQL server",
            )
        )
    return findings


async def _write_nothing(settings: Settings) -> None:
    """Raises ``RecordsError`` when a row could not be written."""
    database = open_call_store(settings)
    try:
        await schema.require_writable(database)
    finally:
        await database.aclose()


def schema_finding(state: SchemaState, where: str, *, is_migrated_at_start: bool) -> Finding:
    """What the tables' version means."""
    subject = "database"
    versions = f"tables {state.current or 'without a version'}, wanted {state.wanted}"
    match state.state:
        case "ok":
            return ok(subject, f"{where}, tables {state.current}")
        case "empty":
            return ok(subject, f"{where}, no tables yet: they are made at the first start")
        case "newer":
            return fail(
                subject,
                f"{where}: {versions}",
                "made by a newer version; this one refuses to start",
                "upgrade callcluster here",
            )
        case _ if is_migrated_at_start:
            return ok(subject, f"{where}: {versions}; brought up to date at the next start")
        case _:
            return fail(
                subject,
                f"{where}: {versions}",
                "made by an older version; the product refuses to start",
                _MIGRATE,
            )


async def examine_disk(place: Place) -> Findings:
    """Can the data directory be written, and is there room on its disk?"""
    settings = place.settings
    if settings is None:
        return [skipped("data directory", "the settings cannot be read")]
    return await in_thread(lambda: _disk_findings(settings))


def _disk_findings(settings: Settings) -> list[Finding]:
    folder = settings.data_dir.absolute()
    nearest = next(path for path in (folder, *folder.parents) if path.exists())  # "/" always does
    advice = "CALLCLUSTER_DATA_DIR names another place"
    if not nearest.is_dir():
        return [
            fail("data directory", f"{nearest} is a file", "the product does not start", advice)
        ]
    try:
        write_something(nearest)
    except OSError as error:
        return [
            fail(
                "data directory",
                f"{folder} cannot be written: {error.strerror or error}",
                "the product does not start",
                f"give this user the right to write there; {advice}",
            )
        ]
    said = f"{folder}" if nearest == folder else f"{folder}, to be made"
    return [ok("data directory", said), space_finding(shutil.disk_usage(nearest).free)]


def space_finding(free_bytes: int) -> Finding:
    """Is there room for records and clips?"""
    said = f"{free_bytes / 1e9:.1f} GB free"
    if free_bytes < TOO_LITTLE_BYTES:
        return fail("disk", said, "records and clips are soon not written", "free some space")
    if free_bytes < _LITTLE_BYTES:
        return warn("disk", said, "records and clips need room", "free some space")
    return ok("disk", said)


def write_something(folder: Path) -> None:
    """Try to. Raises ``OSError``. An anonymous file: nothing is left, whatever happens."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"callcluster doctor")
        file.flush()
        os.fsync(file.fileno())
