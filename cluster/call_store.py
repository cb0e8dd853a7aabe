"""The call store that the settings name."""

from __future__ import annotations

from cluster.settings import Settings
from records.database import Database


def open_call_store(settings: Settings) -> Database:
    """The database of a deployment; nothing is connected yet.

    SQLite at its default place is ours alone and brought up to date at start. A database that
    ``DATABASE_URL`` names is checked only: ``callcluster records migrate`` changes it.

    Raises:
        StoreAddressInvalid: ``DATABASE_URL`` cannot be read.
    """
    return Database(settings.store_url, migrates=not settings.database_url)
