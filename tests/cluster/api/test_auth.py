"""Whose request is this? With a clock and a table of the test's own."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import pytest

from cluster.api.auth import KEPT, MAX_KEY_CHARS, TRUST_S, TRUST_WHEN_AWAY_S, ApiKeys
from cluster.api.errors import ApiError
from records.edge_rows import ApiKeyRow
from records.errors import StoreUnavailable


class Table:
    """The table of keys: secret to tenant; and a clock."""

    def __init__(self, **keys: str) -> None:
        self.keys = dict(keys)
        self.is_away = False
        self.asked = 0
        self.now = 100.0

    async def find(self, secret: str) -> ApiKeyRow | None:
        self.asked += 1
        if self.is_away:
            raise StoreUnavailable("the database does not answer")
        tenant = self.keys.get(secret)
        return None if tenant is None else ApiKeyRow("id", "hash", tenant)

    def api_keys(self, tenant_without_key: str | None = None) -> ApiKeys:
        return ApiKeys(self.find, lambda: self.now, tenant_without_key)


def tenant_of(keys: ApiKeys, header: str) -> str:
    return asyncio.run(keys.tenant_of(header))


def refused(keys: ApiKeys, header: str) -> str:
    with pytest.raises(ApiError) as caught:
        tenant_of(keys, header)
    return caught.value.code


@pytest.mark.parametrize("header", ["Bearer k", "bearer k", "BEARER   k  "])
def test_a_key_names_its_tenant(header: str) -> None:
    assert tenant_of(Table(k="acme").api_keys(), header) == "acme"


@pytest.mark.parametrize(
    "header",
    ["", "k", "Bearer", "Bearer ", "Basic k", "Bearer " + "k" * (MAX_KEY_CHARS + 1), "\x00", "é é"],
)
def test_what_is_no_key_opens_nothing_and_asks_nobody(header: str) -> None:
    table = Table(k="acme")
    assert refused(table.api_keys(), header) == "unauthorized"
    assert table.asked == 0


def test_a_wrong_key_opens_nothing_even_in_development_mode() -> None:
    keys = Table(k="acme").api_keys("default")
    assert refused(keys, "Bearer wrong") == "unauthorized"
    assert tenant_of(keys, "Bearer k") == "acme"


def test_development_mode_needs_no_key_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    keys = Table().api_keys("default")
    with caplog.at_level(logging.WARNING):
        assert [tenant_of(keys, "") for _ in range(3)] == ["default"] * 3
    assert caplog.text.count("DEVELOPMENT MODE") == 1


def test_a_key_is_trusted_for_a_moment_and_a_revoked_one_no_longer() -> None:
    table = Table(k="acme")
    keys = table.api_keys()
    assert tenant_of(keys, "Bearer k") == "acme"
    del table.keys["k"]
    table.now += TRUST_S - 0.1
    assert tenant_of(keys, "Bearer k") == "acme"
    assert table.asked == 1
    table.now += 0.2
    assert refused(keys, "Bearer k") == "unauthorized"


def test_a_new_key_is_known_a_moment_after_it_was_refused() -> None:
    table = Table()
    keys = table.api_keys()
    assert refused(keys, "Bearer k") == "unauthorized"
    table.keys["k"] = "acme"
    table.now += TRUST_S + 0.1
    assert tenant_of(keys, "Bearer k") == "acme"


def test_while_the_table_is_away_a_good_key_goes_on_for_a_while() -> None:
    table = Table(k="acme")
    keys = table.api_keys()
    assert tenant_of(keys, "Bearer k") == "acme"
    assert refused(keys, "Bearer other") == "unauthorized"
    table.is_away = True
    table.now += TRUST_WHEN_AWAY_S - 1
    assert tenant_of(keys, "Bearer k") == "acme"
    assert refused(keys, "Bearer other") == "store_unavailable"
    table.now += 2
    assert refused(keys, "Bearer k") == "store_unavailable"


def test_wrong_keys_do_not_fill_the_memory() -> None:
    table = Table()
    keys = table.api_keys()

    async def guess() -> None:
        for number in range(KEPT + 10):
            with suppress(ApiError):
                await keys.tenant_of(f"Bearer {number}")

    asyncio.run(guess())
    assert table.asked == KEPT + 10
    assert len(keys._known) == KEPT


def test_nothing_that_is_kept_or_said_holds_a_key() -> None:
    table = Table(secretkey="acme")
    keys = table.api_keys()
    tenant_of(keys, "Bearer secretkey")
    with pytest.raises(ApiError) as caught:
        tenant_of(keys, "Bearer wrongsecret")
    assert "secret" not in str(caught.value) + repr(keys._known)
