"""The speaker: its pool on virtual time, and the contract over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from providers.elevenlabs_socket import Connection
from providers.elevenlabs_tts import ElevenLabsSpeaker
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.settings import ElevenLabsConfig
from simulation.faults import Faults
from tests.providers import stage as stages
from tests.providers.stage import Stage, run_for_real
from tests.providers.test_elevenlabs_socket import FakeConnection
from tests.support import virtual_time
from tests.support.contract_speaker import LONG, SpeakerContract, all_of, audio_of
from voice.ports import Speaker, SpeakRequest, SpeechChunk


class Service(FakeConnection):
    """Answers every text with one piece of audio, and confirms every close."""

    mute = False

    async def send(self, message: str) -> None:
        await super().send(message)
        latest = self.heard[-1]
        if self.mute:
            return
        if latest.get("flush"):
            self.audio(latest["context_id"])
        elif latest.get("close_context"):
            self.final(latest["context_id"])


class Exchange:
    """Opens connections to ``Service``; a count of failures may come first."""

    def __init__(self) -> None:
        self.opened: list[Service] = []
        self.urls: list[str] = []
        self.errors: list[ProviderError] = []
        self.delay_s = 0.1
        self.begins: Callable[[Service], None] = lambda _service: None

    async def connect(self, url: str, api_key: str, timeout_s: float) -> Connection:
        assert api_key == "k"
        await asyncio.sleep(self.delay_s)
        if self.errors:
            raise self.errors.pop(0)
        self.urls.append(url)
        self.opened.append(Service())
        self.begins(self.opened[-1])
        return self.opened[-1]


def request(voice: str = "alto", language: str = "en-US") -> SpeakRequest:
    return SpeakRequest("call", "Hello.", voice, language)


def pooled(
    test: Callable[[ElevenLabsSpeaker, Exchange], Awaitable[None]], **fields: object
) -> None:
    async def body() -> None:
        exchange = Exchange()
        config = ElevenLabsConfig(**{"api_key": "k", **fields})  # type: ignore[arg-type]
        speaker = ElevenLabsSpeaker(config, exchange.connect)
        await test(speaker, exchange)
        await speaker.aclose()

    virtual_time.run(body())


def test_segments_share_sockets_five_to_each() -> None:
    async def test(speaker: ElevenLabsSpeaker, exchange: Exchange) -> None:
        await asyncio.gather(*(all_of(speaker, request()) for _ in range(11)))
        assert len(exchange.opened) == 3
        await asyncio.gather(*(all_of(speaker, request()) for _ in range(11)))
        assert len(exchange.opened) == 3

    pooled(test)


def test_each_voice_and_language_has_its_own_socket() -> None:
    async def test(speaker: ElevenLabsSpeaker, exchange: Exchange) -> None:
        for voice, language in (("a", "en-US"), ("a", "en-GB"), ("a", "de-DE"), ("b", "de-DE")):
            await all_of(speaker, request(voice, language))
        assert len(exchange.opened) == 3

    pooled(test)


def test_at_the_limit_an_idle_socket_of_another_voice_makes_place() -> None:
    async def test(speaker: ElevenLabsSpeaker, exchange: Exchange) -> None:
        for voice in ("a", "b", "c"):
            assert audio_of(await all_of(speaker, request(voice)))
        assert [service.closed for service in exchange.opened] == [True, False, False]

    pooled(test, max_sockets=2)


def test_beyond_the_limit_is_busy_and_names_the_setting() -> None:
    async def test(speaker: ElevenLabsSpeaker, exchange: Exchange) -> None:
        await speaker.warm("alto", "en-US")
        exchange.opened[0].mute = True
        waiting = [asyncio.ensure_future(all_of(speaker, request())) for _ in range(5)]
        await asyncio.sleep(1)
        with pytest.raises(ProviderBusy) as caught:
            await all_of(speaker, request())
        assert caught.value.setting == "CALLCLUSTER_ELEVENLABS_SOCKETS"
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    pooled(test, max_sockets=1)


def test_a_socket_found_dead_is_replaced_without_a_word() -> None:
    async def test(speaker: ElevenLabsSpeaker, exchange: Exchange) -> None:
        await all_of(speaker, request())
        exchange.opened[0].gone = True  # closed over there; nothing has told us yet
        task = asyncio.ensure_future(all_of(speaker, request()))
        await asyncio.sleep(0)
        assert audio_of(await task)
        assert len(exchange.opened) == 2

    pooled(test)


def test_a_failing_fresh_socket_is_an_error() -> None:
    async def test(speaker: ElevenLabsSpeaker, exchange: Exchange) -> None:
        exchange.errors.append(ProviderUnavailable("no", "elevenlabs"))
        with pytest.raises(ProviderUnavailable):
            await all_of(speaker, request())
        assert audio_of(await all_of(speaker, request()))

    pooled(test)


@pytest.mark.parametrize(
    ("begins", "error"),
    [
        (lambda service: service.break_off(1011), ProviderUnavailable),
        (lambda service: service.say(error="quota_exceeded", code=1008), ProviderRefused),
    ],
)
def test_a_socket_that_is_closed_as_it_opens_is_an_error_and_opens_no_other_one(
    begins: Callable[[Service], None], error: type[ProviderError]
) -> None:
    async def test(speaker: ElevenLabsSpeaker, exchange: Exchange) -> None:
        exchange.begins = begins
        async with asyncio.timeout(5.0):
            with pytest.raises(error):
                await all_of(speaker, request())
            assert len(exchange.opened) == 1
            with pytest.raises(error):
                await speaker.warm("alto", "en-US")
        exchange.begins = lambda _service: None
        assert audio_of(await all_of(speaker, request()))

    pooled(test)


def test_everybody_who_waits_for_an_opening_socket_gets_its_error() -> None:
    async def test(speaker: ElevenLabsSpeaker, exchange: Exchange) -> None:
        exchange.errors.append(ProviderRefused("no", "elevenlabs"))
        results = await asyncio.gather(
            *(all_of(speaker, request()) for _ in range(3)), return_exceptions=True
        )
        assert [type(result) for result in results] == [ProviderRefused] * 3

    pooled(test)


def test_one_who_gives_up_while_it_opens_does_not_spoil_it_for_the_others() -> None:
    async def test(speaker: ElevenLabsSpeaker, exchange: Exchange) -> None:
        first = asyncio.ensure_future(all_of(speaker, request()))
        second = asyncio.ensure_future(all_of(speaker, request()))
        await asyncio.sleep(0.05)
        first.cancel()
        assert audio_of(await second)
        assert len(exchange.opened) == 1

    pooled(test)


def test_a_warm_voice_outlives_silence_and_is_opened_again_after_a_break() -> None:
    async def test(speaker: ElevenLabsSpeaker, exchange: Exchange) -> None:
        await speaker.warm("alto", "en-US")
        await asyncio.sleep(1_000)
        assert len(exchange.opened) == 1
        kept = [m for m in exchange.opened[0].heard if m.get("close_context")]
        assert 1_000 / 10 < len(kept) <= 1_000 / 8
        exchange.opened[0].break_off(1011)
        exchange.errors.append(ProviderUnavailable("no", "elevenlabs"))
        await asyncio.sleep(30)
        assert len(exchange.opened) == 2

    pooled(test)


def test_a_voice_that_was_not_warmed_is_let_go() -> None:
    async def test(speaker: ElevenLabsSpeaker, exchange: Exchange) -> None:
        await all_of(speaker, request())
        await asyncio.sleep(290)
        assert not exchange.opened[0].closed
        await asyncio.sleep(20)
        assert exchange.opened[0].closed

    pooled(test)


def test_no_voice_is_a_clear_error() -> None:
    async def test(speaker: ElevenLabsSpeaker, exchange: Exchange) -> None:
        with pytest.raises(ProviderRejected) as caught:
            await all_of(speaker, request(voice=""))
        assert caught.value.setting == "voice"

    pooled(test)


# --- over real sockets ---------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def staged(**fields: object) -> AsyncIterator[tuple[Stage, ElevenLabsSpeaker]]:
    async with stages.elevenlabs() as stage:
        speaker = speaker_at(stage.address, **fields)
        try:
            yield stage, speaker
        finally:
            await speaker.aclose()


def speaker_at(address: str, **fields: object) -> ElevenLabsSpeaker:
    known = {"api_key": "k", "base_url": f"http://{address}", **fields}
    return ElevenLabsSpeaker(ElevenLabsConfig(**known))  # type: ignore[arg-type]


async def until_error(speaker: Speaker) -> tuple[list[SpeechChunk], ProviderError]:
    """What came, and the error that ended it."""
    chunks: list[SpeechChunk] = []
    audio = speaker.speak(SpeakRequest("call", LONG, "alto", "en-US"))
    try:
        while True:
            chunks.append(await anext(audio))
    except ProviderError as error:
        return chunks, error


@pytest.mark.e2e
class TestElevenLabsSpeaker(SpeakerContract):
    run = staticmethod(run_for_real)

    @contextlib.asynccontextmanager
    async def speaker(self) -> AsyncIterator[Speaker]:
        async with staged() as (_, speaker):
            yield speaker


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("faults", "kind", "setting"),
    [
        (Faults(status=401), ProviderRefused, "ELEVENLABS_API_KEY"),
        (Faults(status=403), ProviderRefused, "ELEVENLABS_API_KEY"),
        (Faults(status=404), ProviderRejected, "voice"),
        (Faults(status=429, retry_after_s=4.0), ProviderBusy, ""),
        (Faults(status=503), ProviderUnavailable, ""),
        (Faults(refuse_connection=True), ProviderUnavailable, "ELEVENLABS_BASE_URL"),
        (Faults(handshake_delay_s=30.0), ProviderTimeout, ""),
    ],
)
def test_refusals_are_typed(faults: Faults, kind: type[ProviderError], setting: str) -> None:
    async def body() -> None:
        async with staged(connect_timeout_s=0.3) as (stage, speaker):
            stage.break_it(faults)
            with pytest.raises(kind) as caught:
                await speaker.warm("alto", "en-US")
            assert type(caught.value) is kind
            assert caught.value.setting == setting
            assert caught.value.retry_after_s == (faults.retry_after_s or None)
            stage.mend_it()
            assert audio_of(await all_of(speaker, request()))

    run_for_real(body())


@pytest.mark.e2e
def test_a_closed_port_is_unavailable() -> None:
    async def body() -> None:
        async with stages.elevenlabs() as stage:
            address = stage.address
        speaker = speaker_at(address)
        with pytest.raises(ProviderUnavailable) as caught:
            await speaker.warm("alto", "en-US")
        assert caught.value.setting == "ELEVENLABS_BASE_URL"
        await speaker.aclose()

    run_for_real(body())


@pytest.mark.e2e
def test_a_wrong_key_and_a_wrong_voice_are_named() -> None:
    async def body() -> None:
        async with staged() as (stage, speaker):
            with pytest.raises(ProviderRejected) as caught:
                await all_of(speaker, request(voice="missing-voice"))
            assert caught.value.setting == "voice"
            wrong = speaker_at(stage.address, api_key="bad")
            with pytest.raises(ProviderRefused):
                await wrong.warm("alto", "en-US")
            await wrong.aclose()

    run_for_real(body())


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("faults", "kind", "some_audio"),
    [
        (Faults(hang_after_accept=True), ProviderTimeout, False),
        (Faults(stall_after_messages=2), ProviderTimeout, True),
        (Faults(drop_after_messages=2), ProviderUnavailable, True),
        (Faults(garbage_after_messages=2), ProviderProtocolError, True),
        (Faults(never_end=True), ProviderTimeout, True),
        (Faults(wrong_request_id=True), ProviderTimeout, False),
    ],
)
def test_a_break_comes_after_what_was_spoken(
    faults: Faults, kind: type[ProviderError], some_audio: bool
) -> None:
    async def body() -> None:
        limits = {"first_byte_timeout_s": 0.2, "stall_timeout_s": 0.2}
        async with staged(**limits) as (stage, speaker):
            stage.break_it(faults)
            chunks, error = await until_error(speaker)
            assert type(error) is kind
            assert bool(chunks) == some_audio
            stage.mend_it()
            assert audio_of(await all_of(speaker, request()))

    run_for_real(body())


@pytest.mark.e2e
def test_sockets_closed_over_there_are_opened_again() -> None:
    async def body() -> None:
        async with staged() as (stage, speaker):
            await speaker.warm("alto", "en-US")
            for _ in range(3):
                assert audio_of(await all_of(speaker, request()))
                assert stage.open_connections == 1
                stage.server.drop_all()

    run_for_real(body())
