"""The local copy of the table of numbers."""

from __future__ import annotations

import asyncio
import logging

import pytest

from cluster.number_routes import REFRESH_EVERY_S, NumberRoutes
from records.edge_rows import NumberRow
from records.errors import StoreUnavailable
from tests.support import virtual_time

OURS = NumberRow("+14155550199", "default", "ann")
OTHERS = NumberRow("+14155550177", "acme", "bob")


class Table:
    """The table; it can be away."""

    def __init__(self, *rows: NumberRow) -> None:
        self.rows = list(rows)
        self.failure: Exception | None = None
        self.reads = 0

    async def all(self) -> list[NumberRow]:
        self.reads += 1
        if self.failure is not None:
            raise self.failure
        return list(self.rows)


def test_a_number_is_found_after_the_first_reading() -> None:
    async def scene() -> None:
        routes = NumberRoutes(Table(OURS, OTHERS).all)
        assert routes.of(OURS.number) is None
        await routes.start()
        assert routes.of(OURS.number) == OURS
        assert routes.numbers_of("acme") == [OTHERS]
        assert routes.numbers_of("nobody") == []
        await routes.aclose()

    virtual_time.run(scene())


def test_a_change_of_the_table_is_known_soon() -> None:
    async def scene() -> None:
        table = Table(OURS)
        routes = NumberRoutes(table.all)
        await routes.start()
        table.rows = [NumberRow(OURS.number, "acme", "bob"), OTHERS]
        await asyncio.sleep(REFRESH_EVERY_S + 0.1)
        found = routes.of(OURS.number)
        assert found is not None
        assert found.tenant_id == "acme"
        assert len(routes.numbers_of("acme")) == 2
        await routes.aclose()
        reads = table.reads
        await asyncio.sleep(100)
        assert table.reads == reads

    virtual_time.run(scene())


@pytest.mark.parametrize("failure", [StoreUnavailable("away"), KeyError("a bug")])
def test_while_the_table_cannot_be_read_the_last_copy_holds(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        table = Table(OURS)
        routes = NumberRoutes(table.all)
        await routes.start()
        table.failure = failure
        await asyncio.sleep(10 * REFRESH_EVERY_S)
        assert routes.of(OURS.number) == OURS
        table.failure = None
        table.rows = [OTHERS]
        await asyncio.sleep(REFRESH_EVERY_S + 0.1)
        assert routes.of(OURS.number) is None
        await routes.aclose()

    with caplog.at_level(logging.INFO):
        virtual_time.run(scene())
    if isinstance(failure, StoreUnavailable):
        assert caplog.text.count("last copy") == 1
        assert caplog.text.count("can be read again") == 1


def test_an_edge_may_start_while_the_table_is_away() -> None:
    async def scene() -> None:
        table = Table(OURS)
        table.failure = StoreUnavailable("away")
        routes = NumberRoutes(table.all)
        await routes.start()
        assert routes.of(OURS.number) is None
        table.failure = None
        await asyncio.sleep(REFRESH_EVERY_S + 0.1)
        assert routes.of(OURS.number) == OURS
        await routes.aclose()

    virtual_time.run(scene())
