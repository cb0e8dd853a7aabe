"""The thinker over the real SDK: the contract, manners, and everything that can go wrong."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dialogue.ports import Message, ReplyDelta, ReplyDone, Thinker, ThinkEvent, ThinkRequest
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.settings import ChatEndpoint, OpenAIConfig, ProviderSettings
from providers.table import build_thinker
from simulation.faults import Faults
from tests.providers import stage as stages
from tests.providers.stage import Stage, run_for_real
from tests.support.contract_thinker import REQUEST, ThinkerContract, all_of, text_of

pytestmark = pytest.mark.e2e


def thinker_at(address: str, *, api_key: str = "k", model: str = "", **fields: float) -> Thinker:
    limits = {"first_token_timeout_s": 2.0, "stall_timeout_s": 0.3, **fields}
    endpoint = ChatEndpoint("openai", f"http://{address}/v1", api_key, model=model)
    config = OpenAIConfig(endpoint, **limits)  # type: ignore[arg-type]
    return build_thinker("openai", ProviderSettings(openai=config))


@contextlib.asynccontextmanager
async def staged(**fields: Any) -> AsyncIterator[tuple[Stage, Thinker]]:
    async with stages.openai() as stage:
        thinker = thinker_at(stage.address, **fields)
        try:
            yield stage, thinker
        finally:
            await thinker.aclose()


async def until_error(thinker: Thinker) -> tuple[list[ThinkEvent], ProviderError]:
    """What came, and the error that ended it."""
    events: list[ThinkEvent] = []
    reply = thinker.reply(REQUEST)
    try:
        while True:
            events.append(await anext(reply))
    except ProviderError as error:
        return events, error


class TestOpenAIThinker(ThinkerContract):
    run = staticmethod(run_for_real)

    @contextlib.asynccontextmanager
    async def thinker(self) -> AsyncIterator[Thinker]:
        async with staged() as (_, thinker):
            yield thinker


@pytest.mark.parametrize(
    ("faults", "kind", "setting"),
    [
        (Faults(status=400), ProviderRejected, "OPENAI_MODEL"),
        (Faults(status=401), ProviderRefused, "OPENAI_API_KEY"),
        (Faults(status=403), ProviderRefused, "OPENAI_API_KEY"),
        (Faults(status=404), ProviderRejected, "OPENAI_MODEL"),
        (Faults(status=429), ProviderBusy, ""),
        (Faults(status=500), ProviderUnavailable, ""),
        (Faults(status=503), ProviderUnavailable, ""),
        (Faults(refuse_connection=True), ProviderUnavailable, "OPENAI_BASE_URL"),
    ],
)
def test_refusals_are_typed(faults: Faults, kind: type[ProviderError], setting: str) -> None:
    async def body() -> None:
        async with staged() as (stage, thinker):
            stage.break_it(faults)
            events, error = await until_error(thinker)
            assert events == []
            assert type(error) is kind
            assert error.setting == setting
            stage.mend_it()
            assert text_of(await all_of(thinker))

    run_for_real(body())


def test_busy_says_how_long() -> None:
    async def body() -> None:
        async with staged() as (stage, thinker):
            stage.break_it(Faults(status=429, retry_after_s=7.0))
            _, error = await until_error(thinker)
            assert error.retry_after_s == 7.0

    run_for_real(body())


def test_a_closed_port_is_unavailable_and_names_the_address() -> None:
    async def body() -> None:
        async with stages.openai() as stage:
            address = stage.address
        thinker = thinker_at(address)
        _, error = await until_error(thinker)
        assert type(error) is ProviderUnavailable
        assert error.setting == "OPENAI_BASE_URL"
        with pytest.raises(ProviderUnavailable):
            await thinker.warm()
        await thinker.aclose()

    run_for_real(body())


def test_silence_from_the_start_is_a_timeout() -> None:
    async def body() -> None:
        async with staged(first_token_timeout_s=0.1) as (stage, thinker):
            stage.break_it(Faults(hang_after_accept=True))
            events, error = await until_error(thinker)
            assert events == []
            assert type(error) is ProviderTimeout

    run_for_real(body())


@pytest.mark.parametrize(
    ("faults", "kind"),
    [
        (Faults(stall_after_messages=4), ProviderTimeout),
        (Faults(drop_after_messages=4), ProviderUnavailable),
        (Faults(garbage_after_messages=4), ProviderProtocolError),
        (Faults(never_end=True), ProviderTimeout),
    ],
)
def test_a_break_in_the_middle_comes_after_what_was_said(
    faults: Faults, kind: type[ProviderError]
) -> None:
    async def body() -> None:
        async with staged(stall_timeout_s=0.1) as (stage, thinker):
            stage.break_it(faults)
            events, error = await until_error(thinker)
            assert events
            assert all(isinstance(event, ReplyDelta) for event in events)
            assert type(error) is kind

    run_for_real(body())


def test_a_missing_model_names_the_setting() -> None:
    async def body() -> None:
        async with staged(model="missing-model") as (_, thinker):
            _, error = await until_error(thinker)
            assert type(error) is ProviderRejected
            assert error.setting == "OPENAI_MODEL"
            assert "model_not_found" in error.message

    run_for_real(body())


def test_a_wrong_key_is_found_while_warming() -> None:
    async def body() -> None:
        async with staged(api_key="bad") as (_, thinker):
            with pytest.raises(ProviderRefused) as caught:
                await thinker.warm()
            assert caught.value.setting == "OPENAI_API_KEY"

    run_for_real(body())


def test_a_server_without_model_descriptions_can_be_warmed() -> None:
    async def body() -> None:
        async with staged(model="local-model") as (stage, thinker):
            await thinker.warm()
            assert stage.open_connections == 1
            assert text_of(await all_of(thinker))
            assert stage.open_connections == 1

    run_for_real(body())


def test_one_reply_after_the_other_uses_one_connection() -> None:
    async def body() -> None:
        async with staged() as (stage, thinker):
            await thinker.warm()
            for _ in range(4):
                await all_of(thinker)
            assert stage.open_connections == 1

    run_for_real(body())


def test_closing_early_hangs_up_and_opens_a_spare_connection() -> None:
    async def body() -> None:
        async with staged(keep_warm_s=60.0) as (stage, thinker):
            await thinker.warm()
            first = set(stage.server._connections)
            stage.break_it(Faults(stall_after_messages=3))
            iterator = thinker.reply(REQUEST)
            await anext(iterator)
            stage.mend_it()
            await iterator.aclose()  # type: ignore[attr-defined]
            async with asyncio.timeout(2):
                while stage.server._connections & first or thinker._spare.is_refilling:
                    await asyncio.sleep(0.005)
            spare = set(stage.server._connections)
            await all_of(thinker)
            assert set(stage.server._connections) == spare

    run_for_real(body())


def test_tokens_are_counted_for_a_known_model() -> None:
    async def body() -> None:
        async with staged() as (_, thinker):
            done = (await all_of(thinker))[-1]
            assert isinstance(done, ReplyDone)
            assert done.prompt_tokens
            assert done.completion_tokens

    run_for_real(body())


def test_closing_the_thinker_ends_a_running_reply_with_a_typed_error() -> None:
    async def body() -> None:
        async with staged() as (stage, thinker):
            stage.break_it(Faults(stall_after_messages=3))
            iterator = thinker.reply(REQUEST)
            await anext(iterator)
            await thinker.aclose()
            with pytest.raises(ProviderError):
                async for _ in iterator:
                    pass

    run_for_real(body())


async def _serve_once(answer: bytes) -> tuple[asyncio.Server, str]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await reader.read()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    return server, f"{host}:{port}"


def _chunked(*pieces: bytes) -> bytes:
    head = (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: text/event-stream\r\n\r\n"
    )
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


TEXT = b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":null}]}\n\n'
STOP = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'


def test_a_complete_text_does_not_wait_for_a_trailer_that_never_comes() -> None:
    async def body() -> None:
        server, address = await _serve_once(_chunked(TEXT, STOP))
        thinker = thinker_at(address, stall_timeout_s=60.0)
        async with asyncio.timeout(5):
            assert await all_of(thinker) == [ReplyDelta("Hi"), ReplyDone("stop")]
        await thinker.aclose()
        server.close()

    run_for_real(body())


def test_keep_alive_comments_do_not_hide_a_silent_model() -> None:
    async def body() -> None:
        server, address = await _serve_once(_chunked(*[b": still here\n\n"] * 50))
        thinker = thinker_at(address, first_token_timeout_s=0.1)
        _, error = await until_error(thinker)
        assert type(error) is ProviderTimeout
        await thinker.aclose()
        server.close()

    run_for_real(body())


@pytest.mark.parametrize(
    ("answer", "kind", "setting"),
    [
        (b"hello, this is mail\r\n\r\n", ProviderUnavailable, "OPENAI_BASE_URL"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n<p>hi</p>", ProviderProtocolError, None),
        (
            b"HTTP/1.1 429 No\r\ncontent-type: application/json\r\ncontent-length: 42\r\n\r\n"
            b'{"error":{"code":"insufficient_quota"}}   ',
            ProviderRefused,
            "OPENAI_API_KEY",
        ),
    ],
)
def test_odd_servers(answer: bytes, kind: type[ProviderError], setting: str | None) -> None:
    async def body() -> None:
        server, address = await _serve_once(answer)
        thinker = thinker_at(address)
        _, error = await until_error(thinker)
        assert type(error) is kind
        assert setting is None or error.setting == setting
        await thinker.aclose()
        server.close()

    run_for_real(body())


def test_nothing_said_by_the_caller_is_in_an_error() -> None:
    async def body() -> None:
        async with staged() as (stage, thinker):
            stage.break_it(Faults(status=400))
            secret = ThinkRequest("call", (Message("user", "my secret number"),))
            with pytest.raises(ProviderError) as caught:
                await all_of(thinker, secret)
            assert "secret" not in str(caught.value)
            assert "secret" not in repr(caught.value.__cause__)

    run_for_real(body())
