"""Cartesia's voice: its pool on virtual time, and the contract over real sockets."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK
from websockets.frames import Close

from providers.cartesia_tts import CartesiaSpeaker
from providers.cartesia_wire import VOICE_EXAMPLE
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.socket_settings import CartesiaConfig
from simulation.cartesia_tts import CartesiaConfig as ServiceConfig
from simulation.cartesia_wire import MISSING_VOICE
from simulation.faults import Faults
from tests.providers.socket_stages import cartesia, cartesia_stage
from tests.providers.stage import run_for_real
from tests.support import virtual_time
from tests.support.contract_speaker import LONG, SpeakerContract, all_of, audio_of, until_error
from voice.ports import Speaker, SpeakRequest

AUDIO = b"\x80" * 800


class Transport:
    def abort(self) -> None:
        """Nothing is there to be dropped."""


class Wire:
    """The service's end of a connection; answers every text unless it is mute."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.transport = Transport()
        self.closed = self.gone = self.mute = False
        self._inbox: asyncio.Queue[str | Exception] = asyncio.Queue()

    async def send(self, message: str | bytes) -> None:
        if self.closed or self.gone:
            raise ConnectionClosedOK(None, None)
        body = json.loads(message)
        self.heard.append(body)
        if not self.mute and "transcript" in body:
            self.audio(body["context_id"])
            self.say(type="done", done=True, context_id=body["context_id"])

    async def recv(self) -> str | bytes:
        message = await self._inbox.get()
        if isinstance(message, Exception):
            self.closed = True
            raise message
        return message

    async def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._inbox.put_nowait(ConnectionClosedOK(None, None))

    def say(self, **message: object) -> None:
        self.say_raw(json.dumps(message))

    def say_raw(self, message: str) -> None:
        self._inbox.put_nowait(message)

    def audio(self, context_id: str, ulaw: bytes = AUDIO) -> None:
        self.say(type="chunk", data=base64.b64encode(ulaw).decode(), context_id=context_id)

    def break_off(self, code: int) -> None:
        self._inbox.put_nowait(
            ConnectionClosedError(Close(code, ""), Close(code, ""), rcvd_then_sent=True)
        )

    @property
    def ids(self) -> list[str]:
        return [body["context_id"] for body in self.heard if "transcript" in body]


class Exchange:
    """Opens connections; a count of failures may come first."""

    def __init__(self) -> None:
        self.opened: list[Wire] = []
        self.errors: list[ProviderError] = []
        self.close_code: int | None = None

    async def connect(self, _url: str, headers: dict[str, str], _timeout_s: float) -> Wire:
        assert headers["X-API-Key"] == "k"
        await asyncio.sleep(0.1)
        if self.errors:
            raise self.errors.pop(0)
        self.opened.append(Wire())
        if self.close_code is not None:
            self.opened[-1].break_off(self.close_code)
        return self.opened[-1]


def request(text: str = "Hello.", voice: str = "v", language: str = "en-US") -> SpeakRequest:
    return SpeakRequest("call", text, voice, language)


def pooled(test: Callable[[CartesiaSpeaker, Exchange], Awaitable[None]], **fields: object) -> None:
    async def body() -> None:
        exchange = Exchange()
        config = CartesiaConfig(api_key="k", **fields)  # type: ignore[arg-type]
        speaker = CartesiaSpeaker(config, exchange.connect)
        await test(speaker, exchange)
        await speaker.aclose()

    virtual_time.run(body())


async def waiting(speaker: CartesiaSpeaker, exchange: Exchange, count: int = 1) -> list[Any]:
    """So many segments that nobody answers, on the first socket."""
    await speaker.warm("v", "en-US")
    exchange.opened[0].mute = True
    tasks = [asyncio.ensure_future(all_of(speaker, request())) for _ in range(count)]
    await asyncio.sleep(0.01)
    return tasks


async def given_up(tasks: list[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_any_voice_and_many_segments_share_a_socket() -> None:
    async def test(speaker: CartesiaSpeaker, exchange: Exchange) -> None:
        wanted = [request(voice=voice) for voice in ("a", "b")] * 6
        await asyncio.gather(*(all_of(speaker, each) for each in wanted))
        assert len(exchange.opened) == 1
        assert len(set(exchange.opened[0].ids)) == 12

    pooled(test)


def test_what_is_asked_for_is_bare_mu_law_with_the_times_of_words() -> None:
    async def test(speaker: CartesiaSpeaker, exchange: Exchange) -> None:
        await all_of(speaker, request("Guten Tag.", language="de-AT"))
        (asked,) = exchange.opened[0].heard
        assert asked["output_format"] == {
            "container": "raw",
            "encoding": "pcm_mulaw",
            "sample_rate": 8_000,
        }
        assert asked["language"] == "de"
        assert asked["add_timestamps"] is True
        assert asked["continue"] is False

    pooled(test)


@pytest.mark.parametrize(("code", "error"), [(1011, ProviderUnavailable), (1013, ProviderBusy)])
def test_a_socket_that_is_closed_as_it_opens_is_an_error_and_opens_no_other_one(
    code: int, error: type[ProviderError]
) -> None:
    async def test(speaker: CartesiaSpeaker, exchange: Exchange) -> None:
        exchange.close_code = code
        async with asyncio.timeout(5.0):
            with pytest.raises(error):
                await all_of(speaker, request())
            assert len(exchange.opened) == 1
            with pytest.raises(error):
                await speaker.warm("v", "en-US")
        exchange.close_code = None
        assert await all_of(speaker, request())

    pooled(test)


def test_marks_come_from_words_and_end_with_the_text() -> None:
    async def test(speaker: CartesiaSpeaker, exchange: Exchange) -> None:
        (task,) = await waiting(speaker, exchange)
        wire = exchange.opened[0]
        times = {"words": ["Hello"], "start": [0.0], "end": [0.08]}
        wire.say(type="timestamps", context_id=wire.ids[-1], word_timestamps=times)
        wire.audio(wire.ids[-1])
        wire.say(type="done", context_id=wire.ids[-1])
        marks = [mark for chunk in await task for mark in chunk.marks]
        assert [(mark.chars, mark.at_s) for mark in marks] == [(5, 0.08), (6, 0.1)]

    pooled(test)


def test_closing_early_cancels_and_the_place_is_free_after_a_while() -> None:
    async def test(speaker: CartesiaSpeaker, exchange: Exchange) -> None:
        tasks = await waiting(speaker, exchange, 2)
        wire, before = exchange.opened[0], len(exchange.opened[0].heard)
        await given_up(tasks)
        await asyncio.sleep(0.01)
        assert [body.get("cancel") for body in wire.heard[before:]] == [True, True]
        (socket,) = speaker._pool.sockets
        assert socket.room == 0
        wire.say(type="done", context_id=wire.ids[-1])
        await asyncio.sleep(0.01)
        assert socket.room == 1
        await asyncio.sleep(7)
        assert socket.room == 2

    pooled(test, contexts_per_socket=2)


def test_beyond_the_limit_is_busy_and_names_the_setting() -> None:
    async def test(speaker: CartesiaSpeaker, exchange: Exchange) -> None:
        tasks = await waiting(speaker, exchange, 2)
        with pytest.raises(ProviderBusy) as caught:
            await all_of(speaker, request())
        assert caught.value.setting == "CALLCLUSTER_CARTESIA_SOCKETS"
        await given_up(tasks)

    pooled(test, max_sockets=1, contexts_per_socket=2)


@pytest.mark.parametrize(
    ("told", "kind", "setting"),
    [
        ({"error_code": "voice_not_found", "status_code": 404}, ProviderRejected, "voice"),
        ({"error_code": "model_not_found", "status_code": 404}, ProviderRejected, "CARTESIA_MODEL"),
        ({"error_code": "language_not_supported"}, ProviderRejected, "language"),
        ({"error_code": "concurrency_limited", "status_code": 429}, ProviderBusy, ""),
        ({"error_code": "quota_exceeded", "status_code": 402}, ProviderRefused, "CARTESIA_API_KEY"),
        ({"error_code": None, "status_code": 500}, ProviderUnavailable, ""),
        ({"error_code": None}, ProviderUnavailable, ""),
    ],
)
def test_an_error_of_one_context_is_nothing_to_the_others(
    told: dict[str, object], kind: type[ProviderError], setting: str
) -> None:
    async def test(speaker: CartesiaSpeaker, exchange: Exchange) -> None:
        ill, well = await waiting(speaker, exchange, 2)
        wire = exchange.opened[0]
        wire.say(type="error", done=True, context_id=wire.ids[-2], **told)
        wire.audio(wire.ids[-1])
        wire.say(type="done", context_id=wire.ids[-1])
        if kind is ProviderUnavailable:  # tried once more, since the socket was not fresh
            await asyncio.sleep(0.01)
            wire.say(type="error", done=True, context_id=wire.ids[-1], **told)
        with pytest.raises(ProviderError) as caught:
            await ill
        assert type(caught.value) is kind
        assert caught.value.setting == setting
        assert audio_of(await well) == AUDIO
        assert speaker._pool.sockets[0].usable

    pooled(test)


@pytest.mark.parametrize("data", [7, None, "no base64!", "UklGRgAAAABXQVZF"])
def test_nonsense_for_one_segment_is_nothing_to_the_others(data: object) -> None:
    async def test(speaker: CartesiaSpeaker, exchange: Exchange) -> None:
        ill, well = await waiting(speaker, exchange, 2)
        wire = exchange.opened[0]
        wire.say(type="chunk", data=data, context_id=wire.ids[-2])
        wire.audio(wire.ids[-1])
        wire.say(type="done", context_id=wire.ids[-1])
        with pytest.raises(ProviderProtocolError):
            await ill
        assert audio_of(await well) == AUDIO
        assert not speaker._pool.sockets[0].usable, "it gets no more"

    pooled(test)


@pytest.mark.parametrize(
    "raw",
    [
        "\x00 garbage {",
        "[1]",
        '{"type": "chunk", "data": ""}',
        '{"type": "error", "status_code": 500}',
    ],
)
def test_garbage_ends_the_socket_and_all_on_it(raw: str) -> None:
    async def test(speaker: CartesiaSpeaker, exchange: Exchange) -> None:
        (task,) = await waiting(speaker, exchange)
        exchange.opened[0].audio(exchange.opened[0].ids[-1])
        exchange.opened[0].say_raw(raw)
        with pytest.raises(ProviderError):
            await task
        await asyncio.sleep(0.01)
        assert exchange.opened[0].closed
        assert audio_of(await all_of(speaker, request()))

    pooled(test)


def test_words_whose_times_make_no_sense_are_left_out() -> None:
    async def test(speaker: CartesiaSpeaker, exchange: Exchange) -> None:
        (task,) = await waiting(speaker, exchange)
        wire = exchange.opened[0]
        for times in (7, {"words": ["Hello"]}, {"words": ["Hello"], "end": ["x"]}):
            wire.say(type="timestamps", context_id=wire.ids[-1], word_timestamps=times)
        wire.audio(wire.ids[-1])
        wire.say(type="timestamps", context_id="another", word_timestamps={})
        wire.say(type="done", context_id="another")
        wire.say(type="done", context_id=wire.ids[-1])
        chunks = await task
        assert audio_of(chunks) == AUDIO
        assert [mark.chars for chunk in chunks for mark in chunk.marks] == [6]

    pooled(test)


def test_a_socket_found_dead_is_replaced_without_a_word() -> None:
    async def test(speaker: CartesiaSpeaker, exchange: Exchange) -> None:
        await all_of(speaker, request())
        exchange.opened[0].gone = True  # closed over there; nothing has told us yet
        assert audio_of(await all_of(speaker, request()))
        assert len(exchange.opened) == 2

    pooled(test)


def test_a_warm_voice_outlives_silence_and_is_opened_again_after_a_break() -> None:
    async def test(speaker: CartesiaSpeaker, exchange: Exchange) -> None:
        await speaker.warm("v", "en-US")
        assert [body["transcript"] for body in exchange.opened[0].heard] == ["1"]
        await asyncio.sleep(245)
        assert [wire.closed for wire in exchange.opened] == [True, False]
        exchange.errors.append(ProviderUnavailable("no", "cartesia"))
        exchange.opened[1].break_off(1011)
        await asyncio.sleep(30)
        assert [wire.closed for wire in exchange.opened] == [True, True, False]

    pooled(test)


def test_a_voice_that_was_not_warmed_is_let_go() -> None:
    async def test(speaker: CartesiaSpeaker, exchange: Exchange) -> None:
        await all_of(speaker, request())
        await asyncio.sleep(245)
        assert [wire.closed for wire in exchange.opened] == [True]

    pooled(test)


def test_everybody_who_waits_for_an_opening_socket_gets_its_error() -> None:
    async def test(speaker: CartesiaSpeaker, exchange: Exchange) -> None:
        exchange.errors.append(ProviderRefused("no", "cartesia"))
        results = await asyncio.gather(
            *(all_of(speaker, request()) for _ in range(3)), return_exceptions=True
        )
        assert [type(result) for result in results] == [ProviderRefused] * 3

    pooled(test)


def test_speech_without_an_end_is_ended() -> None:
    async def test(speaker: CartesiaSpeaker, exchange: Exchange) -> None:
        (task,) = await waiting(speaker, exchange)
        for _ in range(30):
            exchange.opened[0].audio(exchange.opened[0].ids[-1], b"\x80" * 8_000)
        with pytest.raises(ProviderProtocolError, match="without an end"):
            await task

    pooled(test)


@pytest.mark.parametrize(
    ("wanted", "setting"),
    [
        (request(voice=""), "voice"),
        (request(language="zh-HK"), "language"),
        (request(language="tlh"), "language"),
    ],
)
def test_what_it_cannot_speak_is_said_and_not_sent(wanted: SpeakRequest, setting: str) -> None:
    async def test(speaker: CartesiaSpeaker, exchange: Exchange) -> None:
        with pytest.raises(ProviderRejected) as caught:
            await all_of(speaker, wanted)
        assert caught.value.setting == setting
        assert all(not wire.heard for wire in exchange.opened)

    pooled(test)


def test_a_key_and_an_address_are_needed() -> None:
    with pytest.raises(ProviderRefused) as refused:
        CartesiaSpeaker(CartesiaConfig())
    assert refused.value.setting == "CARTESIA_API_KEY"
    with pytest.raises(ProviderRejected) as rejected:
        CartesiaSpeaker(CartesiaConfig(api_key="k", base_url="ftp://x"))
    assert rejected.value.setting == "CARTESIA_BASE_URL"
    assert "k9k9" not in repr(CartesiaConfig(api_key="k9k9"))


# --- over real sockets ---------------------------------------------------------------------------


def real(text: str = LONG, voice: str = VOICE_EXAMPLE) -> SpeakRequest:
    return SpeakRequest("call", text, voice, "en-US")


@pytest.mark.e2e
class TestCartesiaSpeaker(SpeakerContract):
    run = staticmethod(run_for_real)
    voice = VOICE_EXAMPLE

    @contextlib.asynccontextmanager
    async def speaker(self) -> AsyncIterator[Speaker]:
        async with cartesia() as (_, speaker):
            yield speaker


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("faults", "kind", "setting"),
    [
        (Faults(status=401), ProviderRefused, "CARTESIA_API_KEY"),
        (Faults(status=402), ProviderRefused, "CARTESIA_API_KEY"),
        (Faults(status=404), ProviderRejected, "CARTESIA_BASE_URL"),
        (Faults(status=429, retry_after_s=4.0), ProviderBusy, ""),
        (Faults(status=503), ProviderUnavailable, ""),
        (Faults(refuse_connection=True), ProviderUnavailable, "CARTESIA_BASE_URL"),
        (Faults(handshake_delay_s=30.0), ProviderTimeout, ""),
    ],
)
def test_refusals_are_typed(faults: Faults, kind: type[ProviderError], setting: str) -> None:
    async def body() -> None:
        limits = {"connect_timeout_s": 0.2} if kind is ProviderTimeout else {}
        async with cartesia(**limits) as (stage, speaker):
            stage.break_it(faults)
            with pytest.raises(ProviderError) as caught:
                await speaker.warm(VOICE_EXAMPLE, "en-US")
            assert type(caught.value) is kind
            assert caught.value.setting == setting
            assert caught.value.retry_after_s == (faults.retry_after_s or None)

    run_for_real(body())


@pytest.mark.e2e
def test_a_wrong_key_and_a_wrong_voice_are_named() -> None:
    async def body() -> None:
        async with cartesia() as (_, speaker):
            with pytest.raises(ProviderRejected) as caught:
                await speaker.warm(MISSING_VOICE, "en-US")
            assert caught.value.setting == "voice"
        async with cartesia(api_key="bad") as (_, wrong):
            with pytest.raises(ProviderRefused):
                await wrong.warm(VOICE_EXAMPLE, "en-US")

    run_for_real(body())


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("faults", "kind", "some_audio"),
    [
        (Faults(hang_after_accept=True), ProviderTimeout, False),
        (Faults(stall_after_messages=3), ProviderTimeout, True),
        (Faults(drop_after_messages=3), ProviderUnavailable, True),
        (Faults(garbage_after_messages=3), ProviderProtocolError, True),
        (Faults(never_end=True), ProviderTimeout, True),
        (Faults(silent_ratio=1.0), ProviderTimeout, False),
        (Faults(wrong_request_id=True), ProviderTimeout, False),
    ],
)
def test_a_break_comes_after_what_was_spoken(
    faults: Faults, kind: type[ProviderError], some_audio: bool
) -> None:
    async def body() -> None:
        limits = {"first_byte_timeout_s": 0.4, "stall_timeout_s": 0.4}
        async with cartesia(**limits) as (stage, speaker):
            stage.break_it(faults)
            chunks, error = await until_error(speaker, real())
            assert type(error) is kind
            assert bool(chunks) == some_audio
            stage.mend_it()
            assert audio_of(await all_of(speaker, real()))

    run_for_real(body())


@pytest.mark.e2e
def test_barge_in_ends_the_work_over_there() -> None:
    async def body() -> None:
        slow = ServiceConfig(first_byte_s=0.0, piece_s=0.05, speed_ratio=1.0)
        async with cartesia_stage(slow) as (stage, service):
            known = CartesiaConfig(api_key="k", base_url=f"http://{stage.address}")
            speaker = CartesiaSpeaker(known)
            for _ in range(5):
                iterator = speaker.speak(real())
                await anext(iterator)
                await iterator.aclose()  # type: ignore[attr-defined]
            async with asyncio.timeout(2.0):
                while service.active:
                    await asyncio.sleep(0.005)
            assert stage.open_connections == 1
            await speaker.aclose()

    run_for_real(body())


@pytest.mark.e2e
def test_sockets_closed_over_there_are_opened_again() -> None:
    async def body() -> None:
        async with cartesia() as (stage, speaker):
            await speaker.warm(VOICE_EXAMPLE, "en-US")
            for _ in range(3):
                assert audio_of(await all_of(speaker, real()))
                assert stage.open_connections == 1
                stage.server.drop_all()

    run_for_real(body())


@pytest.mark.e2e
def test_neither_key_nor_words_are_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def body() -> None:
        async with cartesia(api_key="topsecret") as (stage, speaker):
            stage.break_it(Faults(drop_after_messages=1))
            with pytest.raises(ProviderError):
                await all_of(speaker, real("Swordfish, of course."))

    with caplog.at_level(logging.INFO):
        run_for_real(body())
    assert "topsecret" not in caplog.text
    assert "swordfish" not in caplog.text.lower()
