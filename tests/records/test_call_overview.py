"""Calls that came in and calls that were asked for, as one list; on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from records.call_overview import (
    CallOverview,
    OverviewFilter,
    find_overview,
    list_overview,
    overview_of_new,
)
from records.database import Database
from records.request_store import RequestStore
from records.rows import CallRow
from records.store import RecordStore
from tests.records.conftest import OnDatabase
from tests.records.edge_samples import request
from tests.records.rows import call

ACME = OverviewFilter("acme")


def inbound(call_id: str, started_at_us: int, **changes: Any) -> CallRow:
    return call(
        call_id=call_id,
        tenant_id="acme",
        direction="inbound",
        caller="+15550001",
        called="+15550002",
        started_at_us=started_at_us,
        **changes,
    )


async def ids(database: Database, chosen: OverviewFilter = ACME, limit: int = 50) -> list[str]:
    return [row.call_id for row in await list_overview(database, chosen, limit)]


def test_each_call_is_listed_once_the_newest_first(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        requests, calls = RequestStore(database), RecordStore(database)
        await requests.add(request("asked", created_at_us=20))
        await requests.add(request("talked", created_at_us=30))
        await requests.add(request("foreign", tenant_id="other", created_at_us=40))
        await calls.write(
            [
                inbound("in-1", 10),
                inbound("in-2", 35),
                replace(inbound("talked", 31), language="de"),
            ]
        )
        assert await ids(database) == ["in-2", "talked", "asked", "in-1"]
        assert await ids(database, OverviewFilter("other")) == ["foreign"]
        assert await ids(database, OverviewFilter("nobody")) == []
        # The same call of another tenant is another call.
        assert await find_overview(database, "other", "talked") is None
        talked = await find_overview(database, "acme", "talked")
        assert talked is not None
        assert (talked.direction, talked.language) == ("outbound", "de")
        assert (talked.created_at_us, talked.started_at_us) == (30, 31)

    on_database(use)


def test_a_new_request_is_listed_as_it_was_shown_at_first(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        row = request("asked", created_at_us=20, error="every line is taken", error_code=0)
        await RequestStore(database).add(row)
        assert await find_overview(database, "acme", "asked") == overview_of_new(row)

    on_database(use)


def test_filters_take_what_they_say(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        requests = RequestStore(database)
        await requests.add(request("asked", created_at_us=20, status="busy"))
        await RecordStore(database).write(
            [inbound("in-1", 10, status="ended"), inbound("in-2", 30, agent_id="sales")]
        )
        wanted: list[tuple[dict[str, Any], list[str]]] = [
            ({"state": "busy"}, ["asked"]),
            ({"state": "completed"}, ["in-1"]),
            ({"direction": "inbound"}, ["in-2", "in-1"]),
            ({"direction": "outbound"}, ["asked"]),
            ({"agent_id": "sales"}, ["in-2"]),
            ({"from_number": "+15550001"}, ["in-2", "in-1"]),
            ({"to_number": "+15550001"}, ["asked"]),
            ({"from_us": 20}, ["in-2", "asked"]),
            ({"before_us": 20}, ["in-1"]),
            ({"from_us": 11, "before_us": 30}, ["asked"]),
            ({"state": "busy", "direction": "inbound"}, []),
        ]
        for changes, expected in wanted:
            assert await ids(database, replace(ACME, **changes)) == expected, changes

    on_database(use)


def test_pages_go_on_where_the_one_before_ended(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        requests = RequestStore(database)
        for number in range(5):
            await requests.add(request(f"asked-{number}", created_at_us=7))
        await RecordStore(database).write([inbound(f"in-{n}", 7 + n % 2) for n in range(4)])
        seen: list[CallOverview] = []
        while page := await list_overview(
            database, ACME, 2, (seen[-1].created_at_us, seen[-1].call_id) if seen else None
        ):
            seen += page
        order = [(row.created_at_us, row.call_id) for row in seen]
        assert order == sorted(set(order), reverse=True)
        assert len(order) == 9

    on_database(use)


def test_a_call_that_was_lost_says_why(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        await RecordStore(database).write([inbound("in-1", 10, status="lost", end_reason="node")])
        found = await find_overview(database, "acme", "in-1")
        assert found is not None
        assert (found.state, found.error, found.cost_usd) == ("failed", "node", 0.0)

    on_database(use)
