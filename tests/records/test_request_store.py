from __future__ import annotations

import asyncio

import pytest

from records.database import Database
from records.errors import IdempotencyConflict, TextTooLong
from records.request_store import RequestStore, request_cursor_of
from tests.records.conftest import OnDatabase
from tests.records.edge_samples import request


def test_a_request_comes_back_as_it_was(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        store = RequestStore(database)
        row = request(
            idempotency_key="k",
            body_digest="d",
            variables={"name": "陳", "list": [1, None]},
            options={"record": True},
            not_before_us=5,
            created_at_us=4,
            updated_at_us=4,
        )
        assert await store.add(row) == (row, True)
        assert await store.get("acme", "call-1") == row
        assert await store.get("other", "call-1") is None

    on_database(use)


def test_the_same_request_again_is_the_first_one(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        store = RequestStore(database)
        first = request("c1", idempotency_key="k", body_digest="d")
        await store.add(first)
        again = request("c2", idempotency_key="k", body_digest="d")
        assert await store.add(again) == (first, False)
        assert await store.get("acme", "c2") is None

    on_database(use)


@pytest.mark.parametrize(
    "second",
    [
        request("c2", idempotency_key="k", body_digest="other"),
        request("c1", body_digest="other"),
    ],
)
def test_a_key_used_for_another_request_is_a_conflict(
    on_database: OnDatabase, second: object
) -> None:
    async def use(database: Database) -> None:
        store = RequestStore(database)
        await store.add(request("c1", idempotency_key="k", body_digest="d"))
        with pytest.raises(IdempotencyConflict, match="new key"):
            await store.add(second)  # type: ignore[arg-type]

    on_database(use)


def test_keys_are_each_tenants_own_and_no_key_never_conflicts(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        store = RequestStore(database)
        rows = [
            request("c1", idempotency_key="k"),
            request("c2", idempotency_key="k", tenant_id="other"),
            request("c3"),
            request("c4"),
        ]
        assert [(await store.add(row))[1] for row in rows] == [True] * 4

    on_database(use)


def test_of_many_at_once_one_is_kept(database_url: str, on_database: OnDatabase) -> None:
    async def use(_database: Database) -> None:
        stores = [Database(database_url) for _ in range(4)]
        added = await asyncio.gather(
            *(
                RequestStore(database).add(request(f"c{n}", idempotency_key="k", body_digest="d"))
                for n, database in enumerate(stores)
            )
        )
        assert sorted(created for _, created in added) == [False, False, False, True]
        assert len({row.call_id for row, _ in added}) == 1
        for database in stores:
            await database.aclose()

    on_database(use)


def test_due_are_those_that_may_be_dialed_the_longest_due_first(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        store = RequestStore(database)
        for name, not_before_us in (("late", 50), ("b", 20), ("a", 10), ("gone", 1)):
            await store.add(request(name, not_before_us=not_before_us))
        await store.change("acme", "gone", {"queued"}, status="dialing", updated_at_us=2)
        assert [row.call_id for row in await store.due(30, 10)] == ["a", "b"]
        assert [row.call_id for row in await store.due(30, 1)] == ["a"]

    on_database(use)


def test_a_status_changes_for_one_of_many_who_try(
    database_url: str, on_database: OnDatabase
) -> None:
    """Two dialers never place one call twice."""

    async def use(database: Database) -> None:
        await RequestStore(database).add(request())
        others = [Database(database_url) for _ in range(4)]
        won = await asyncio.gather(
            *(
                RequestStore(other).change(
                    "acme", "call-1", {"queued"}, status="dialing", attempts=1, updated_at_us=7
                )
                for other in others
            )
        )
        assert sorted(won) == [False, False, False, True]
        for other in others:
            await other.aclose()
        found = await RequestStore(database).get("acme", "call-1")
        assert found is not None
        assert (found.status, found.attempts, found.updated_at_us) == ("dialing", 1, 7)

    on_database(use)


def test_a_change_writes_every_kind_of_value(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        store = RequestStore(database)
        await store.add(request(variables={"a": 1}))
        assert await store.change(
            "acme",
            "call-1",
            {"queued", "dialing"},
            status="failed",
            call_sid="CA1",
            error_code=21_211,
            error="no number\x00",
            variables={"b": ["\x00", 2]},
            options={"c": {}},
            updated_at_us=9,
        )
        found = await store.by_sid("CA1")
        assert found == request(
            status="failed",
            call_sid="CA1",
            error_code=21_211,
            error="no number",
            variables={"b": ["", 2]},
            options={"c": {}},
            updated_at_us=9,
        )
        assert not await store.change("acme", "nobody", {"queued"}, updated_at_us=1)

    on_database(use)


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"nonsense": 1, "updated_at_us": 1}, "nonsense"),
        ({"body_digest": "x", "updated_at_us": 1}, "body_digest"),
        ({"status": "failed"}, "updated_at_us"),
    ],
)
def test_a_change_nobody_can_mean_is_refused(
    on_database: OnDatabase, changes: dict[str, object], hint: str
) -> None:
    async def use(database: Database) -> None:
        with pytest.raises(ValueError, match=hint):
            await RequestStore(database).change("acme", "call-1", {"queued"}, **changes)

    on_database(use)


def test_a_call_without_a_sid_is_nobodys(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        store = RequestStore(database)
        await store.add(request())
        assert await store.by_sid("") is None
        assert await store.by_sid("CA9") is None

    on_database(use)


def test_stuck_requests_are_found(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        store = RequestStore(database)
        for name, at_us in (("new", 100), ("old", 10)):
            await store.add(request(name, status="dialing", updated_at_us=at_us))
        found = await store.unchanged_since("dialing", 50, 10)
        assert [row.call_id for row in found] == ["old"]
        found = await store.changed_since("dialing", 50, 10)
        assert [row.call_id for row in found] == ["new"]
        assert await store.changed_since("placed", 0, 10) == []

    on_database(use)


def test_pages_hold_every_request_once(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        store = RequestStore(database)
        for n in range(7):
            status = "failed" if n == 3 else "queued"
            await store.add(request(f"c{n}", created_at_us=n // 2, status=status))
        await store.add(request("x", tenant_id="other"))
        seen, before = [], None
        while page := await store.list("acme", {"queued"}, 2, before):
            seen += [row.call_id for row in page]
            before = request_cursor_of(page[-1])
        assert seen == ["c6", "c5", "c4", "c2", "c1", "c0"]
        assert len(await store.list(None)) == 8

    on_database(use)


def test_a_key_that_is_too_long_names_its_column(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        with pytest.raises(TextTooLong, match="idempotency_key"):
            await RequestStore(database).add(request(idempotency_key="k" * 256))

    on_database(use)
