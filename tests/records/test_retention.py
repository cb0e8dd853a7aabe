from __future__ import annotations

from records.database import Database
from records.recording_store import RecordingStore
from records.request_store import RequestStore
from records.retention import Pruned, count_older, prune
from records.store import RecordStore
from tests.records.conftest import OnDatabase
from tests.records.edge_samples import recording, request
from tests.records.rows import call, entry, turn

BEFORE_US = 1_000_000


async def fill(database: Database, calls: int) -> None:
    """Half of the calls began before ``BEFORE_US``; each has all that may belong to a call."""
    store, requests, recordings = (
        RecordStore(database),
        RequestStore(database),
        RecordingStore(database),
    )
    for n in range(calls):
        at_us = BEFORE_US - 1 - n if n % 2 else BEFORE_US + n
        key = f"c{n}"
        await store.write(
            [
                call(call_id=key, started_at_us=at_us),
                turn(1, call_id=key, at_us=at_us),
                turn(2, call_id=key, at_us=at_us),
                entry("e", call_id=key, at_us=at_us),
            ]
        )
        await requests.add(request(key, created_at_us=at_us, status="completed"))
        await recordings.put(recording(f"RE{n}", call_id=key, at_us=at_us))


async def pruned(database: Database, before_us: int = BEFORE_US) -> list[Pruned]:
    return [done async for done in prune(database, before_us, batch_calls=3, pause_s=0)]


def test_old_calls_go_with_everything_and_new_ones_stay(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        await fill(database, 14)
        assert await count_older(database, BEFORE_US) == 7
        progress = await pruned(database)
        assert progress[-1] == Pruned(7, 14, 7, 7, 7)
        assert [done.calls for done in progress][:3] == [3, 6, 7]
        assert await count_older(database, BEFORE_US) == 0
        store = RecordStore(database)
        assert len(await store.recent_calls(50)) == 7
        assert len(await store.turns("acme", "c0")) == 2
        assert await store.turns("acme", "c1") == await store.journal("acme", "c1") == []
        assert await RequestStore(database).get("acme", "c1") is None
        assert await RequestStore(database).get("acme", "c0") is not None

    on_database(use)


def test_recordings_stay_listed_until_the_carrier_deleted_them(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        await fill(database, 4)
        await pruned(database)
        store = RecordingStore(database)
        listed = await store.deleting()
        assert [(row.recording_sid, row.url) for row in listed] == [("RE3", ""), ("RE1", "")]
        assert len(await store.of_call("acme", "c0")) == 1
        assert (await pruned(database))[-1] == Pruned()

    on_database(use)


def test_what_is_left_of_calls_without_a_row_goes_too(on_database: OnDatabase) -> None:
    """Its own row was lost, or it was never placed; a request that waits stays."""

    async def use(database: Database) -> None:
        rows = [turn(n, call_id=f"lost{n}", at_us=5) for n in range(5)]
        await RecordStore(database).write([*rows, entry("e", call_id="lost0", at_us=5)])
        for status in ("failed", "queued", "dialing"):
            await RequestStore(database).add(request(status, status=status, created_at_us=5))
        await RecordingStore(database).put(recording(call_id="lost0", at_us=5))
        assert (await pruned(database))[-1] == Pruned(0, 5, 1, 1, 1)
        left = [row.call_id for row in await RequestStore(database).list(None)]
        assert sorted(left) == ["dialing", "queued"]

    on_database(use)


def test_a_run_that_breaks_off_is_gone_on_with(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        await fill(database, 14)
        async for done in prune(database, BEFORE_US, batch_calls=3):
            assert done.calls == 3
            break
        assert (await pruned(database))[-1] == Pruned(4, 8, 4, 4, 4)

    on_database(use)
