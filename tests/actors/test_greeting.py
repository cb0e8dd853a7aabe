"""A replica that answers at its own port lives."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from actors import greeting
from actors.greeting import HEALTH_PATH, OwnAddress, answers_at


@asynccontextmanager
async def server(host: str, says: bytes | None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Its address, and the lines that it heard; one that says None says nothing."""
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readline())
        if says is not None:
            writer.write(says)
            await writer.drain()
        else:
            await reader.read()
        writer.close()

    listening = await asyncio.start_server(answer, host, 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield (f"[{host}]:{port}" if ":" in host else f"{host}:{port}"), heard
    finally:
        listening.close()


@pytest.mark.e2e
@pytest.mark.parametrize("says", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.0 503 no\r\n\r\n"])
def test_whoever_answers_lives_whatever_the_answer_is(says: bytes) -> None:
    async def scene() -> None:
        async with server("127.0.0.1", says) as (address, heard):
            assert await answers_at(address, 5.0)
        assert heard == [f"GET {HEALTH_PATH} HTTP/1.0\r\n".encode()]

    asyncio.run(scene())


@pytest.mark.e2e
@pytest.mark.parametrize("says", [None, b""])
def test_whoever_takes_the_question_and_says_nothing_does_not(says: bytes | None) -> None:
    async def scene() -> None:
        async with server("127.0.0.1", says) as (address, _):
            assert not await answers_at(address, 0.2)

    asyncio.run(scene())


@pytest.mark.e2e
def test_an_address_of_the_newer_kind() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")

    async def scene() -> None:
        try:
            async with server("::1", b"HTTP/1.0 200 OK\r\n\r\n") as (address, _):
                assert await answers_at(address, 5.0)
        except OSError:
            pytest.skip("this machine has no IPv6")

    asyncio.run(scene())


@pytest.mark.parametrize("address", ["", "host", ":80", "host:", "host:x", "127.0.0.1:99999", "["])
def test_what_is_no_address_is_nobody(address: str) -> None:
    assert not asyncio.run(answers_at(address, 1.0))


@pytest.mark.e2e
def test_nobody_listens_there() -> None:
    with socket.socket() as held:  # bound, and nobody listens
        held.bind(("127.0.0.1", 0))
        assert not asyncio.run(answers_at(f"127.0.0.1:{held.getsockname()[1]}", 5.0))


@pytest.mark.parametrize(
    ("host", "text"), [("10.0.0.7", "10.0.0.7:30001"), ("fd00::7", "[fd00::7]:30001")]
)
def test_a_replica_finds_its_address_once_it_listens(
    host: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greeting, "LOOK_EVERY_S", 0.001)
    looks = iter([[], [], [30001]])

    async def scene() -> None:
        address = OwnAddress(host, lambda: next(looks))
        assert address.text == ""
        await address.find()
        assert address.text == text

    asyncio.run(scene())


def test_one_that_never_listens_stops_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greeting, "LOOK_EVERY_S", 0.001)
    monkeypatch.setattr(greeting, "LOOKED_FOR_S", 0.02)
    looks: list[int] = []

    def look() -> list[int]:
        looks.append(1)
        return []

    async def scene() -> None:
        address = OwnAddress("10.0.0.7", look)
        await address.find()
        assert address.text == ""

    asyncio.run(scene())
    assert len(looks) == 20
