"""The HTTP client below Twilio's, against servers that answer, refuse, hang and break off."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from telephony.errors import CarrierError, CarrierRefused, CarrierThrottled, CarrierUnreachable
from telephony.rest import CreateCall
from telephony.twilio_rest import TwilioRest, TwilioRestConfig

pytestmark = pytest.mark.e2e

ACCOUNT = "AC" + "0" * 31 + "1"
CALL = CreateCall(to="+14155550100", from_="+14155550199", url="https://h/voice?o=t")
Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


def http(status: int, body: str = "{}", headers: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{headers}"
        f"content-length: {len(body)}\r\n\r\n{body}"
    ).encode()


def answering(data: bytes) -> Answer:
    async def answer(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return answer


async def hang_up(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def say_nothing(_request: bytes, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[tuple[str, list[bytes]]]:
    requests: list[bytes] = []
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(task := asyncio.current_task())  # type: ignore[arg-type]
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if b"content-length" in line), 0
        )
        requests.append(head + await reader.readexactly(length))
        await answer(requests[-1], writer)
        tasks.discard(task)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", requests
    finally:
        for task in tasks:
            task.cancel()
        listening.close()


async def place(base_url: str, timeout_s: float = 5.0) -> str:
    config = TwilioRestConfig(
        account_sid=ACCOUNT, auth_token="secret-token", base_url=base_url, timeout_s=timeout_s
    )
    rest = TwilioRest(config)
    try:
        return await rest.create_call(CALL)
    finally:
        await rest.close()


def failure(answer: Answer, timeout_s: float = 5.0) -> CarrierError:
    async def whole() -> CarrierError:
        async with server(answer) as (url, _):
            with pytest.raises(CarrierError) as caught:
                await place(url, timeout_s)
            return caught.value

    return asyncio.run(whole())


def test_a_request_goes_to_the_other_address_and_is_whole() -> None:
    sid = "CA" + "a" * 32

    async def whole() -> bytes:
        async with server(answering(http(201, f'{{"sid": "{sid}"}}'))) as (url, requests):
            assert await place(url) == sid
            return requests[0]

    request = asyncio.run(whole())
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(f"POST /2010-04-01/Accounts/{ACCOUNT}/Calls.json HTTP/1.1".encode())
    assert b"twilio-python/" in head
    assert b"To=%2B14155550100" in body
    assert b"Url=https%3A%2F%2Fh%2Fvoice%3Fo%3Dt" in body


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ("", 0.0),
        ("retry-after: 3\r\n", 3.0),
        ("retry-after: -3\r\n", 0.0),
        ("retry-after: 99999\r\n", 3_600.0),
        ("retry-after: nan\r\n", 0.0),
        ("retry-after: Fri, 20 Nov 2026 23:40:01 GMT\r\n", 0.0),
    ],
)
def test_too_many_requests_is_a_wait(headers: str, wait_s: float) -> None:
    error = failure(answering(http(429, '{"code": 20429}', headers)))
    assert isinstance(error, CarrierThrottled)
    assert error.retry_after_s == wait_s


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_broken_carrier_leaves_the_outcome_open(status: int) -> None:
    error = failure(answering(http(status, "oops")))
    assert isinstance(error, CarrierUnreachable)
    assert error.maybe_done


@pytest.mark.parametrize("answer", [hang_up, answering(b"SSH-2.0\r\n"), answering(b"")])
def test_a_connection_that_breaks_leaves_the_outcome_open(answer: Answer) -> None:
    error = failure(answer)
    assert isinstance(error, CarrierUnreachable)
    assert error.maybe_done


def test_a_carrier_that_says_nothing_is_given_up() -> None:
    error = failure(say_nothing, timeout_s=0.2)
    assert isinstance(error, CarrierUnreachable)
    assert error.maybe_done


def test_no_connection_means_that_nothing_was_done() -> None:
    async def whole() -> str:
        async with server(hang_up) as (url, _):
            return url

    url = asyncio.run(whole())
    with pytest.raises(CarrierUnreachable) as caught:
        asyncio.run(place(url))
    assert not caught.value.maybe_done


def test_redirects_are_not_followed_with_the_key() -> None:
    error = failure(answering(http(302, "", "location: http://127.0.0.1:9/\r\n")))
    assert isinstance(error, CarrierRefused)
    assert error.status == 302


def test_nothing_private_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    body = '{"code": 21211, "message": "The phone number +14155550100 is not valid"}'
    failure(answering(http(400, body)))
    asyncio_only = [each for each in caplog.records if each.name != "asyncio"]
    text = "\n".join(each.getMessage() for each in asyncio_only)
    assert "/Accounts/*/Calls.json: 400" in text
    for private in ("4155550", "secret-token", ACCOUNT, "o=t"):
        assert private not in text
