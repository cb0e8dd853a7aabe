from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from records.database import Database
from records.key_store import KeyStore
from tests.records.conftest import OnDatabase, in_memory


def test_a_secret_opens_its_tenant_until_it_is_revoked(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        store = KeyStore(database)
        secret = await store.create("acme", "laptop", at_us=5)
        other = await store.create("other", "", at_us=6)
        found = await store.find(secret)
        assert found is not None
        assert secret.startswith(f"cck_{found.key_id}_")
        assert (found.tenant_id, found.name, found.created_at_us) == ("acme", "laptop", 5)
        assert not await store.revoke("other", found.key_id, at_us=7)
        assert await store.revoke("acme", found.key_id, at_us=7)
        assert not await store.revoke("acme", found.key_id, at_us=8)
        assert await store.find(secret) is None
        assert await store.find(other) is not None
        assert [key.revoked_at_us for key in await store.list("acme")] == [7]
        assert [key.tenant_id for key in await store.list()] == ["acme", "other"]

    on_database(use)


def test_the_secret_is_kept_nowhere(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        store = KeyStore(database)
        secret = await store.create("acme", "", at_us=1)
        random_part = secret.split("_")[2]
        async with database.reading() as connection:
            rows = (await connection.execute(text("SELECT * FROM api_keys"))).all()
        assert random_part not in str(rows)
        assert len(random_part) == 64
        key = await store.find(secret)
        assert key is not None
        assert key.key_hash not in repr(key)

    on_database(use)


@pytest.mark.parametrize("wrong", ["{}x", "x{}", "{}", "{} ", "{}\n"])
def test_a_secret_that_is_not_exactly_right_opens_nothing(
    on_database: OnDatabase, wrong: str
) -> None:
    async def use(database: Database) -> None:
        store = KeyStore(database)
        secret = await store.create("acme", "", at_us=1)
        assert await store.find(wrong.format(secret[:-1])) is None

    on_database(use)


anything = st.one_of(
    st.text(), st.text().map(lambda rest: f"cck_{rest}"), st.just("cck__" + "0" * 64)
)


@settings(max_examples=10)
@given(st.lists(anything, min_size=1, max_size=10))
def test_any_text_opens_nothing_and_breaks_nothing(secrets: list[str]) -> None:
    async def use(database: Database) -> None:
        for secret in secrets:
            assert await KeyStore(database).find(secret) is None

    in_memory(use)
