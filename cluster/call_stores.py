"""Every store of one database, over one pool of connections."""

from __future__ import annotations

from cluster.call_store import open_call_store
from cluster.settings import Settings
from records.database import Database
from records.key_store import KeyStore
from records.number_store import NumberStore
from records.recording_store import RecordingStore
from records.request_store import RequestStore
from records.store import RecordStore


class CallStores:
    """The stores of a deployment.

    Args:
        database: Shared by all of them.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.calls = RecordStore(database)
        self.requests = RequestStore(database)
        self.numbers = NumberStore(database)
        self.keys = KeyStore(database)
        self.recordings = RecordingStore(database)

    async def aclose(self) -> None:
        """Close every connection."""
        await self.calls.aclose()


def open_call_stores(settings: Settings) -> CallStores:
    """The stores that the settings name; nothing is connected yet."""
    return CallStores(open_call_store(settings))
