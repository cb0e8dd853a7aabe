from __future__ import annotations

from itertools import permutations

import pytest

from records.database import Database
from records.edge_rows import DELETING
from records.recording_store import RecordingStore
from tests.records.conftest import OnDatabase
from tests.records.edge_samples import recording


@pytest.mark.parametrize("order", list(permutations([0, 1, 1])))
def test_callbacks_may_come_twice_and_out_of_order(
    on_database: OnDatabase, order: tuple[int, ...]
) -> None:
    words = [recording(status="in-progress", url="", duration_s=0.0, at_us=8), recording()]

    async def use(database: Database) -> None:
        store = RecordingStore(database)
        for index in order:
            assert await store.put(words[index])
        assert await store.get("RE1") == recording()
        assert await store.of_call("acme", "call-1") == [recording()]
        assert await store.of_call("other", "call-1") == []

    on_database(use)


def test_one_that_must_go_stays_listed_until_the_carrier_deleted_it(
    on_database: OnDatabase,
) -> None:
    async def use(database: Database) -> None:
        store = RecordingStore(database)
        await store.put(recording("RE1", status=DELETING))
        await store.put(recording("RE1"))
        await store.put(recording("RE2"))
        assert [row.recording_sid for row in await store.deleting()] == ["RE1"]
        assert [row.recording_sid for row in await store.of_call("acme", "call-1")] == ["RE2"]
        assert await store.remove("RE1")
        assert not await store.remove("RE1")
        assert await store.deleting() == []

    on_database(use)
