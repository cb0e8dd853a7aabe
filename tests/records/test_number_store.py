from __future__ import annotations

import pytest

from records.database import Database
from records.errors import NumberTaken
from records.number_store import NumberStore
from tests.records.conftest import OnDatabase
from tests.records.edge_samples import number


def test_a_number_leads_to_its_agent_until_another_one_gets_it(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        store = NumberStore(database)
        assert await store.get("+15550002") is None
        await store.put(number(created_at_us=1))
        await store.put(number(agent_id="sales", created_at_us=2))
        assert await store.get("+15550002") == number(agent_id="sales", created_at_us=1)

    on_database(use)


def test_a_number_of_another_tenant_is_refused_and_stays(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        store = NumberStore(database)
        await store.put(number())
        with pytest.raises(NumberTaken, match=r"\+15550002 belongs to another tenant"):
            await store.put(number(tenant_id="other"))
        assert not await store.remove("other", "+15550002")
        assert await store.all("other") == []
        assert await store.all() == [number()]
        assert await store.remove("acme", "+15550002")
        await store.put(number(tenant_id="other"))
        assert await store.all("other") == [number(tenant_id="other")]

    on_database(use)
