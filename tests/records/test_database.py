from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from records.database import open_engine, parse_url
from records.errors import StoreAddressInvalid, StoreUnavailable
from records.explain import explain


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        ("sqlite:////data/calls.sqlite3", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite://", "sqlite+aiosqlite"),
        ("postgres://u:p@h/db", "postgresql+asyncpg"),
        ("postgresql://u:p@h/db", "postgresql+asyncpg"),
        ("postgresql+psycopg://u:p@h/db", "postgresql+psycopg"),
    ],
)
def test_every_address_gets_its_asyncio_driver(text: str, driver: str) -> None:
    assert parse_url(text).drivername == driver


@settings(max_examples=20)
@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(StoreAddressInvalid):
        parse_url(text)


def test_a_password_stays_out_of_the_message() -> None:
    url = parse_url("postgresql://user:hunter2@host/db")
    error = explain(OperationalError("", {}, OSError("refused")), url)
    assert isinstance(error, StoreUnavailable)
    assert "hunter2" not in str(error)


async def _failed(number: str) -> str:
    engine = open_engine(parse_url("sqlite://"))
    try:
        async with engine.connect() as connection:
            await connection.execute(
                text("insert into nowhere values (:number)"), {"number": number}
            )
    except OperationalError as error:
        return str(error)
    finally:
        await engine.dispose()
    return ""


def test_no_error_shows_what_a_statement_was_about() -> None:
    said = asyncio.run(_failed("+14155550123"))
    assert "nowhere" in said
    assert "+14155550123" not in said
