"""The call store that the settings name."""

from __future__ import annotations

from cluster.settings import Settings
from records.database import Database
from records.schema import prepare, require_writable


def open_call_store(settings: Settings) -> Database:
    """The database of a deployment; nothing is connected yet.

    SQLite at its default place is ours alone and brought up to date at start. A database that
    ``DATABASE_URL`` names is checked only: ``callcluster records migrate`` changes it.

    Raises:
        StoreAddressInvalid: ``DATABASE_URL`` cannot be read.
    """
    return Database(settings.store_url, migrates=not settings.database_url)


async def require_call_store(settings: Settings) -> None:
    """What each replica asks of the database when it starts, asked before there is any.

    Raises:
        SettingsError: The data directory cannot be made.
        records.errors.RecordsError: The database cannot be reached or written, or its tables are
            of another version; says what to do.
    """
    if not settings.database_url:
        settings.make_data_dir()
    database = open_call_store(settings)
    try:
        await prepare(database)
        await require_writable(database)
    finally:
        await database.aclose()
