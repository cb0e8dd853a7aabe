"""The pool of recognisers with sessions made of nothing, and the contract with the real SDK."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from providers.azure_sdk import Cancelled, Connected, Disconnected, SdkEvent
from providers.azure_stt import AzureRecogniser
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.settings import AzureSpeechConfig
from simulation.faults import Faults
from tests.providers import stage as stages
from tests.providers.stage import Stage, run_for_real
from tests.support.contract_recogniser import REQUEST, Heard, RecogniserContract
from voice.ports import FinalTranscript, Recogniser, RecogniseRequest, RecogniserFailed

REFUSED = ProviderRefused("no", "azure", "AZURE_SPEECH_KEY")


class Session:
    """Connects at once, or fails as ``Sessions`` says."""

    def __init__(
        self, all_: Sessions, languages: tuple[str, ...], post: Callable[[SdkEvent], None]
    ) -> None:
        self._all = all_
        self.languages = languages
        self.post = post
        self.started = self.stopped = False
        self.phrases: tuple[str, ...] = ()

    def preopen(self) -> None:
        self.post(Cancelled(self._all.error) if self._all.error else Connected())

    def start(self, phrases: tuple[str, ...]) -> None:
        if self._all.start_error:
            raise self._all.start_error
        self.started, self.phrases = True, phrases
        self.post(Connected())

    def write(self, ulaw: bytes) -> None: ...

    def stop(self) -> None:
        assert not self.stopped
        self.stopped = True


class Sessions:
    def __init__(self) -> None:
        self.made: list[Session] = []
        self.error: ProviderError | None = None
        self.start_error: ProviderError | None = None
        self.build_error: ProviderError | None = None

    def build(
        self,
        _config: AzureSpeechConfig,
        languages: tuple[str, ...],
        post: Callable[[SdkEvent], None],
    ) -> Session:
        if self.build_error:
            raise self.build_error
        self.made.append(Session(self, languages, post))
        return self.made[-1]


def pooled(test: Callable[[AzureRecogniser, Sessions], Awaitable[None]], **fields: object) -> None:
    async def body() -> None:
        sessions = Sessions()
        config = AzureSpeechConfig(**{"host": "ws://localhost:1", **fields})  # type: ignore[arg-type]
        recogniser = AzureRecogniser(config, sessions.build)
        await test(recogniser, sessions)
        await recogniser.aclose()
        assert all(session.stopped for session in sessions.made)

    run_for_real(body(), 5.0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(2):
        while not condition():
            await asyncio.sleep(0.001)


def in_language(language: str) -> RecogniseRequest:
    return RecogniseRequest("call", language)


def test_a_stream_takes_a_ready_recogniser_and_its_place_is_refilled() -> None:
    async def test(recogniser: AzureRecogniser, sessions: Sessions) -> None:
        await recogniser.warm("en-US", 2)
        assert len(sessions.made) == 2
        stream = await recogniser.open(REQUEST, Heard())
        assert [session.phrases for session in sessions.made if session.started] == [
            REQUEST.phrases
        ]
        await until(lambda: len(sessions.made) == 3)
        await stream.close()
        assert recogniser.live == 2

    pooled(test)


def test_a_service_that_is_away_is_asked_again_with_pauses_only() -> None:
    """A refill that fails at once must not be tried again at once: it would cost a core."""

    async def test(recogniser: AzureRecogniser, sessions: Sessions) -> None:
        await recogniser.warm("en-US", 1)
        stream = await recogniser.open(REQUEST, Heard())
        await until(lambda: len(sessions.made) == 2)
        sessions.error = ProviderUnavailable("away", "azure")
        sessions.made[1].post(Disconnected())
        await until(lambda: sessions.made[1].stopped)
        for _ in range(50):
            await asyncio.sleep(0.001)
        assert len(sessions.made) <= 3
        sessions.error = None
        await stream.close()

    pooled(test)


def test_nothing_is_refilled_that_was_never_warmed() -> None:
    async def test(recogniser: AzureRecogniser, sessions: Sessions) -> None:
        await (await recogniser.open(REQUEST, Heard())).close()
        await asyncio.sleep(0.01)
        assert len(sessions.made) == 1
        assert recogniser.live == 0

    pooled(test)


def test_a_stream_beyond_the_limit_is_busy_and_names_the_setting() -> None:
    async def test(recogniser: AzureRecogniser, sessions: Sessions) -> None:
        streams = await asyncio.gather(*(recogniser.open(REQUEST, Heard()) for _ in range(3)))
        with pytest.raises(ProviderBusy) as caught:
            await recogniser.open(REQUEST, Heard())
        assert caught.value.setting == "CALLCLUSTER_AZURE_STREAMS_PER_PROCESS"
        await streams[0].close()
        await recogniser.open(REQUEST, Heard())

    pooled(test, max_streams=3)


def test_a_stream_may_take_the_place_of_an_idle_recogniser_of_another_language() -> None:
    async def test(recogniser: AzureRecogniser, sessions: Sessions) -> None:
        await recogniser.warm("en-US", 2)
        await recogniser.open(in_language("zh-HK"), Heard())
        assert recogniser.live == 2
        assert [session.languages for session in sessions.made if not session.stopped] == [
            ("en-US",),
            ("zh-HK",),
        ]

    pooled(test, max_streams=2)


def test_warming_keeps_within_the_limit() -> None:
    async def test(recogniser: AzureRecogniser, sessions: Sessions) -> None:
        await recogniser.warm("en-US", 50)
        assert recogniser.live == 3

    pooled(test, max_streams=3)


def test_warming_tells_of_a_refused_key_and_leaves_nothing_behind() -> None:
    async def test(recogniser: AzureRecogniser, sessions: Sessions) -> None:
        sessions.error = REFUSED
        with pytest.raises(ProviderRefused):
            await recogniser.warm("en-US", 2)
        await until(lambda: recogniser.live == 0)

    pooled(test)


@pytest.mark.parametrize("where", ["build_error", "start_error"])
def test_a_recogniser_that_cannot_start_frees_its_place(where: str) -> None:
    async def test(recogniser: AzureRecogniser, sessions: Sessions) -> None:
        setattr(sessions, where, ProviderUnavailable("no", "azure"))
        for _ in range(3):
            with pytest.raises(ProviderUnavailable):
                await recogniser.open(REQUEST, Heard())
            await until(lambda: recogniser.live == 0)

    pooled(test, max_streams=1)


def test_a_failing_stream_says_so_once_and_is_closed_as_any_other() -> None:
    async def test(recogniser: AzureRecogniser, sessions: Sessions) -> None:
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        sessions.made[0].post(Cancelled(REFUSED))
        await heard.final()
        sessions.made[0].post(FinalTranscript("late", 1.0))
        await stream.close()
        assert len(heard.events) == 1
        assert not heard.failures[0].retryable
        assert recogniser.live == 0

    pooled(test)


def test_a_ready_recogniser_whose_connection_broke_is_stopped_and_not_used() -> None:
    async def test(recogniser: AzureRecogniser, sessions: Sessions) -> None:
        await recogniser.warm("en-US", 1)
        sessions.made[0].post(Disconnected())
        await until(lambda: sessions.made[0].stopped)
        await recogniser.open(REQUEST, Heard())
        assert not sessions.made[0].started

    pooled(test)


def test_an_open_that_is_given_up_frees_its_place() -> None:
    async def test(recogniser: AzureRecogniser, sessions: Sessions) -> None:
        opening = asyncio.ensure_future(recogniser.open(REQUEST, Heard()))
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await until(lambda: recogniser.live == 0)

    pooled(test)


# --- with the real SDK ---------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def staged(**fields: object) -> AsyncIterator[tuple[Stage, AzureRecogniser]]:
    async with stages.azure() as stage:
        known = {"key": "k" * 32, "host": f"ws://{stage.address}", **fields}
        recogniser = AzureRecogniser(AzureSpeechConfig(**known))  # type: ignore[arg-type]
        try:
            yield stage, recogniser
        finally:
            await recogniser.aclose()


@pytest.mark.e2e
class TestAzureRecogniser(RecogniserContract):
    run = staticmethod(run_for_real)

    @contextlib.asynccontextmanager
    async def recogniser(self) -> AsyncIterator[Recogniser]:
        async with staged() as (_, recogniser):
            yield recogniser

    def speech(self) -> bytes:
        return stages.speech()


@pytest.mark.e2e
def test_mu_law_arrives_unchanged() -> None:
    """The emulated recogniser knows a clip by its bytes."""

    async def body() -> None:
        async with staged() as (_, recogniser):
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            stream.write(stages.speech())
            await heard.final()
            await stream.close()
            assert [final.text for final in heard.finals] == ["Go forward ten meters."]

    run_for_real(body())


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("faults", "kind"),
    [
        (Faults(status=401), ProviderRefused),
        (Faults(status=403), ProviderRefused),
        (Faults(status=429), ProviderBusy),
        (Faults(status=503), ProviderUnavailable),
        (Faults(handshake_delay_s=30.0), ProviderTimeout),
    ],
)
def test_refusals_are_typed_in_the_pool_and_in_a_stream(
    faults: Faults, kind: type[ProviderError]
) -> None:
    async def body() -> None:
        async with staged(connect_timeout_s=0.5) as (stage, recogniser):
            stage.break_it(faults)
            with pytest.raises(ProviderError) as caught:
                await recogniser.warm("en-US", 1)
            assert type(caught.value) is kind
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            await heard.final()
            assert [type(event) for event in heard.events] == [RecogniserFailed]
            assert heard.failures[0].retryable == kind.retryable
            if kind is ProviderRefused:
                assert "AZURE_SPEECH_KEY" in heard.failures[0].message
            stream.write(b"\xff" * 160)
            await stream.close()

    run_for_real(body())


@pytest.mark.e2e
def test_a_closed_port_is_unavailable_and_names_the_address() -> None:
    async def body() -> None:
        async with stages.azure() as stage:
            host = f"ws://{stage.address}"
        recogniser = AzureRecogniser(AzureSpeechConfig(host=host))
        with pytest.raises(ProviderUnavailable) as caught:
            await recogniser.warm("en-US", 1)
        assert caught.value.setting == "AZURE_SPEECH_HOST"
        await recogniser.aclose()

    run_for_real(body())


@pytest.mark.e2e
def test_a_connection_cut_in_mid_word_loses_nothing() -> None:
    async def body() -> None:
        async with staged() as (stage, recogniser):
            stage.break_it(Faults(drop_after_received_bytes=12_000, times=1))
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            speech = stages.speech()
            for at in range(0, len(speech), 800):
                stream.write(speech[at : at + 800])
                await asyncio.sleep(0.005)
            await heard.final()
            await stream.close()
            assert not heard.failures
            assert [final.text for final in heard.finals] == ["Go forward ten meters."]

    run_for_real(body())


@pytest.mark.e2e
def test_a_silent_server_does_not_hold_up_closing() -> None:
    async def body() -> None:
        async with staged() as (stage, recogniser):
            stage.break_it(Faults(hang_after_accept=True))
            stream = await recogniser.open(REQUEST, Heard())
            stream.write(stages.speech())
            ticks = 0
            closing = asyncio.ensure_future(stream.close())
            while not closing.done():
                await asyncio.sleep(0.01)
                ticks += 1
            assert ticks < 300

    run_for_real(body())


@pytest.mark.e2e
def test_a_process_that_forgets_to_close_still_exits_cleanly() -> None:
    script = """
import asyncio
from providers.azure_stt import AzureRecogniser
from providers.settings import AzureSpeechConfig
from tests.providers import stage
from tests.support.contract_recogniser import REQUEST, Heard

async def main():
    async with stage.azure() as here:
        recogniser = AzureRecogniser(AzureSpeechConfig(host=f"ws://{here.address}"))
        await recogniser.warm("en-US", 2)
        stream = await recogniser.open(REQUEST, Heard())
        stream.write(stage.speech())
        await asyncio.sleep(0.1)

asyncio.run(main())
print("done")
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=20, env=env
    )
    assert run.stdout.strip() == "done", run.stderr
    assert run.returncode == 0
    assert "FATAL" not in run.stderr
