from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from records.errors import RowRejected, StoreAddressInvalid, StoreNotWritable, TextTooLong
from records.rows import CallFilter, CallRow, cursor_of
from records.store import RecordStore
from tests.records.conftest import OnDatabase
from tests.records.rows import call, entry, turn

OnStore = Callable[[Callable[[RecordStore], Awaitable[None]]], None]


@pytest.fixture
def on_store(on_database: OnDatabase) -> OnStore:
    return lambda use: on_database(lambda database: use(RecordStore(database)))


def test_reads_what_was_written(on_store: OnStore) -> None:
    """Calls, turns and journal come back as the same rows, in order."""

    async def use(store: RecordStore) -> None:
        row = call(epoch=(1, 7), caller="+1", usage={"prompt_tokens": 3.0})
        turns = [
            turn(2, caller_text="廣東話", timeline={"eager": -0.2}, epoch=(1, 7)),
            turn(1, heard_text="hi", usage={"spoken_chars": 2}),
        ]
        entries = [entry("b", at_us=2, data={"list": [1, None]}), entry("a", at_us=1)]
        await store.write([row, *turns, *entries])
        assert await store.call("acme", "call-1") == row
        assert await store.call_by_sid("CA1") == row
        assert await store.turns("acme", "call-1") == [turns[1], turns[0]]
        assert await store.journal("acme", "call-1") == [entries[1], entries[0]]

    on_store(use)


def test_knows_nothing_of_other_tenants(on_store: OnStore) -> None:
    async def use(store: RecordStore) -> None:
        await store.write([call(), turn()])
        assert await store.call("other", "call-1") is None
        assert await store.turns("other", "call-1") == []
        assert await store.call_by_sid("CA9") is None
        assert await store.recent_calls(10, tenant_id="other") == []

    on_store(use)


def test_a_turn_written_twice_is_one_turn(on_store: OnStore) -> None:
    """A re-placed call hands in its turn log again."""

    async def use(store: RecordStore) -> None:
        await store.write([turn(1, heard_text="first"), turn(1, heard_text="second")])
        await store.write([turn(1, heard_text="third")])
        assert [row.heard_text for row in await store.turns("acme", "call-1")] == ["third"]

    on_store(use)


def test_a_journal_entry_is_written_once(on_store: OnStore) -> None:
    async def use(store: RecordStore) -> None:
        await store.write([entry("e", kind="stream_lost")])
        await store.write([entry("e", kind="changed")])
        assert [row.kind for row in await store.journal("acme", "call-1")] == ["stream_lost"]

    on_store(use)


@pytest.mark.parametrize(
    ("old", "new", "wins"),
    [
        ((1, 5), (0, 9), False),
        ((1, 5), (1, 4), False),
        ((1, 5), (1, 5), True),
        ((0, 9), (1, 1), True),
    ],
)
def test_the_larger_epoch_wins(
    on_store: OnStore, old: tuple[int, int], new: tuple[int, int], wins: bool
) -> None:
    async def use(store: RecordStore) -> None:
        await store.write([call(epoch=old, language="old"), turn(epoch=old, reason="old")])
        await store.write([call(epoch=new, language="new"), turn(epoch=new, reason="new")])
        found = await store.call("acme", "call-1")
        assert found is not None
        expected = "new" if wins else "old"
        assert found.language == expected
        assert [row.reason for row in await store.turns("acme", "call-1")] == [expected]

    on_store(use)


def test_a_planned_end_stays(on_store: OnStore) -> None:
    """A late write of a resumed stream does not bring an ended call back."""

    async def use(store: RecordStore) -> None:
        assert not await store.planned_end("CA1")
        await store.write([call()])
        assert not await store.planned_end("CA1")
        ended = call(status="ended", planned_end=True, end_reason="hung_up", ended_at_us=9)
        await store.write([ended])
        await store.write([call(epoch=(1, 1))])
        assert await store.planned_end("CA1")
        assert await store.call("acme", "call-1") == CallRow(
            **{**{f: getattr(ended, f) for f in ended.__slots__}, "epoch": (1, 1)}
        )

    on_store(use)


def test_a_lost_call_becomes_active_again(on_store: OnStore) -> None:
    async def use(store: RecordStore) -> None:
        await store.write([call(status="lost", ended_at_us=5, end_reason="stream_lost")])
        await store.write([call(epoch=(1, 1), started_at_us=2_000)])
        found = await store.call("acme", "call-1")
        assert found is not None
        assert (found.status, found.ended_at_us, found.started_at_us) == ("active", 0, 1_000)

    on_store(use)


def test_a_resumed_stream_wipes_no_language_usage_or_cost(on_store: OnStore) -> None:
    """It does not know them; the close of the call brings the new sums."""

    async def use(store: RecordStore) -> None:
        cost = {"cost": {"llm": 0.25}, "cost_usd": 0.25}
        known = call(language="yue", mode="relay", usage={"prompt_tokens": 3}, **cost)
        await store.write([known])
        await store.write([call(epoch=(1, 1))])
        found = await store.call("acme", "call-1")
        assert found == CallRow(
            **{**{f: getattr(known, f) for f in known.__slots__}, "epoch": (1, 1)}
        )
        await store.write([call(epoch=(1, 1), cost={"llm": 0.5}, cost_usd=0.5)])
        again = await store.call("acme", "call-1")
        assert again is not None
        assert (again.cost, again.cost_usd) == ({"llm": 0.5}, 0.5)

    on_store(use)


def test_pages_hold_every_call_once(on_store: OnStore) -> None:
    """Newest first, also where calls began at the same instant or a call comes in between."""

    async def use(store: RecordStore) -> None:
        rows = [call(call_id=f"c{n:02}", started_at_us=n // 3) for n in range(20)]
        await store.write([*rows, call(tenant_id="other", call_id="c00", started_at_us=0)])
        seen: list[CallRow] = []
        before = None
        while page := await store.list_calls(CallFilter(), 4, before):
            seen += page
            before = cursor_of(page[-1])
            await store.write([call(call_id=f"new{len(seen)}", started_at_us=99)])
        keys = [(row.started_at_us, row.call_id, row.tenant_id) for row in seen]
        assert keys == sorted(keys, reverse=True)
        assert len(set(keys)) == 21

    on_store(use)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (CallFilter(), "edcba"),
        (CallFilter(tenant_id="acme"), "dcba"),
        (CallFilter(agent_id="sales"), "b"),
        (CallFilter(direction="outbound"), "b"),
        (CallFilter(status="ended"), "c"),
        (CallFilter(language="yue"), "d"),
        (CallFilter(number="+15550001"), "ba"),
        (CallFilter(started_from_us=2, started_before_us=4), "cb"),
        (CallFilter(tenant_id="acme", status="lost"), ""),
    ],
)
def test_filters_take_what_they_say(on_store: OnStore, chosen: CallFilter, expected: str) -> None:
    async def use(store: RecordStore) -> None:
        changes = [
            {"caller": "+15550001"},
            {"called": "+15550001", "agent_id": "sales", "direction": "outbound"},
            {"status": "ended"},
            {"language": "yue"},
            {"tenant_id": "other"},
        ]
        await store.write(
            [
                call(call_id="abcde"[n], started_at_us=n + 1, **change)
                for n, change in enumerate(changes)
            ]
        )
        assert "".join(row.call_id for row in await store.list_calls(chosen)) == expected

    on_store(use)


def test_recent_calls_are_newest_first(on_store: OnStore) -> None:
    async def use(store: RecordStore) -> None:
        await store.write([call(call_id=f"c{at}", started_at_us=at) for at in (2, 3, 1)])
        assert [row.call_id for row in await store.recent_calls(2)] == ["c3", "c2"]

    on_store(use)


def test_two_processes_may_write_one_database(database_url: str) -> None:
    """Two engines make the tables and write at once; no row is lost, none doubled."""

    async def one(store: RecordStore, name: str) -> None:
        await store.prepare()
        for index in range(20):
            await store.write([turn(index, call_id=name), turn(index, call_id="shared")])

    async def main() -> None:
        stores = [RecordStore(database_url) for _ in range(2)]
        await asyncio.gather(*(one(store, f"c{index}") for index, store in enumerate(stores)))
        assert [len(await stores[0].turns("acme", name)) for name in ("c0", "c1", "shared")] == [
            20
        ] * 3
        for store in stores:
            await store.aclose()

    asyncio.run(main())


@pytest.mark.parametrize(
    "row",
    [turn(timeline={"eager": float("nan")}), turn(at_us=1 << 70), entry("e", data={"x": object()})],
)
def test_a_value_no_database_holds_is_refused_without_quoting_it(
    on_store: OnStore, row: object
) -> None:
    async def use(store: RecordStore) -> None:
        with pytest.raises(RowRejected, match="refused"):
            await store.write([turn(7, caller_text="secret"), row])  # type: ignore[list-item]
        assert await store.turns("acme", "call-1") == []

    on_store(use)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (turn(caller_text="x" * 1_000_001), "caller_text"),
        (call(call_sid="x" * 256), "call_sid"),
        (entry("e" * 256), "entry_id"),
    ],
)
def test_a_text_that_is_too_long_names_its_column(
    on_store: OnStore, row: CallRow, column: str
) -> None:
    async def use(store: RecordStore) -> None:
        with pytest.raises(TextTooLong, match=f"{column} is .* characters"):
            await store.write([turn(7), row])
        assert await store.turns("acme", "call-1") == []

    on_store(use)


def test_journal_data_is_made_to_fit(on_store: OnStore) -> None:
    """PostgreSQL takes no NUL within JSON, and neither database takes half a character."""

    async def use(store: RecordStore) -> None:
        await store.write([entry("e", data={"a\x00": ["b\x00", {"c": "\ud800"}], "n": 1.5})])
        assert [row.data for row in await store.journal("acme", "call-1")] == [
            {"a": ["b", {"c": "?"}], "n": 1.5}
        ]

    on_store(use)


@pytest.mark.parametrize(("place", "hint"), [("/missing/calls.sqlite3", "make it"), ("", "a file")])
def test_a_wrong_place_names_the_setting(tmp_path: Path, place: str, hint: str) -> None:
    async def main() -> None:
        store = RecordStore(f"sqlite:///{tmp_path}{place}")
        with pytest.raises(StoreNotWritable, match="DATABASE_URL") as caught:
            await store.prepare()
        assert hint in caught.value.message
        await store.aclose()

    asyncio.run(main())


def test_a_read_only_file_names_the_setting(tmp_path: Path) -> None:
    """Opened read-only by its URL, since file permissions do not bind root."""
    path = tmp_path / "calls.sqlite3"

    async def main() -> None:
        writable = RecordStore(f"sqlite:///{path}")
        await writable.prepare()
        await writable.aclose()
        store = RecordStore(f"sqlite:///file:{path}?mode=ro&uri=true")
        with pytest.raises(StoreNotWritable, match="DATABASE_URL"):
            await store.write([call()])
        await store.aclose()

    asyncio.run(main())


def test_a_file_that_is_no_database_names_the_setting(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite3"
    path.write_bytes(os.urandom(8_192))

    async def main() -> None:
        store = RecordStore(f"sqlite:///{path}")
        with pytest.raises(StoreNotWritable, match="no sound SQLite"):
            await store.prepare()
        await store.aclose()

    asyncio.run(main())


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://root@host/db", "sqlite+pysqlite:///x"])
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(StoreAddressInvalid, match="DATABASE_URL"):
        RecordStore(url)
