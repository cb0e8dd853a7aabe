"""Google's recognition through its own client over gRPC, against the emulator."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.google_settings import GoogleSpeechConfig
from providers.google_stt import GoogleRecogniser
from simulation.faults import Faults
from simulation.google_stt import GoogleSttConfig
from tests.providers import stage as stages
from tests.providers.google_stage import QUICK_EARS, EarStage, google_ears
from tests.providers.stage import run_for_real
from tests.support.contract_recogniser import REQUEST, Heard, RecogniserContract
from voice.ports import (
    FinalTranscript,
    InterimTranscript,
    Recogniser,
    RecogniseRequest,
    RecogniserFailed,
    RecogniserStream,
    SpeechNoticed,
)

pytestmark = pytest.mark.e2e
WHOLE = ["Go forward ten meters."]


@contextlib.asynccontextmanager
async def staged(
    ears: GoogleSttConfig = QUICK_EARS, **fields: Any
) -> AsyncIterator[tuple[EarStage, GoogleRecogniser]]:
    async with google_ears(ears) as stage:
        known = {"endpoint": stage.endpoint, **fields}
        recogniser = GoogleRecogniser(GoogleSpeechConfig(**known))
        try:
            yield stage, recogniser
        finally:
            await recogniser.aclose()


async def talk(stream: RecogniserStream, heard: Heard, pause_s: float = 0.004) -> None:
    """Write the speech faster than anybody speaks, but not all at once."""
    speech = stages.speech() + b"\xff" * 8_000
    for at in range(0, len(speech), 640):
        stream.write(speech[at : at + 640])
        await asyncio.sleep(pause_s)
    await heard.final()


def texts(heard: Heard) -> list[str]:
    return [final.text for final in heard.finals]


class TestGoogleOverGrpc(RecogniserContract):
    run = staticmethod(run_for_real)

    @contextlib.asynccontextmanager
    async def recogniser(self) -> AsyncIterator[Recogniser]:
        async with staged() as (_, recogniser):
            yield recogniser

    def speech(self) -> bytes:
        return stages.speech()


def test_mu_law_arrives_unchanged_and_the_streams_are_given_back() -> None:
    async def body() -> None:
        async with staged() as (stage, recogniser):
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            await talk(stream, heard)
            assert texts(heard) == WHOLE
            kinds = [type(event) for event in heard.events]
            assert kinds[0] is SpeechNoticed
            assert kinds.count(InterimTranscript) == 4
            interims = [e.text for e in heard.events if isinstance(e, InterimTranscript)]
            assert interims[-1] == "go forward ten meters"
            final = heard.finals[0]
            assert final.end_s < 0.1 + max(
                e.end_s for e in heard.events if isinstance(e, InterimTranscript)
            )
            await stream.close()
            await stage.settle(0)
            assert recogniser.live == 0

    run_for_real(body())


@pytest.mark.parametrize(
    ("faults", "kind", "setting"),
    [
        (Faults(status=401), ProviderRefused, "GOOGLE_APPLICATION_CREDENTIALS"),
        (Faults(status=403), ProviderRefused, "GOOGLE_CLOUD_PROJECT"),
        (Faults(status=400), ProviderRejected, "GOOGLE_SPEECH_MODEL"),
        (Faults(status=429, retry_after_s=2.5), ProviderBusy, ""),
        (Faults(status=504), ProviderTimeout, ""),
        (Faults(status=503), ProviderUnavailable, ""),
        (Faults(refuse_connection=True), ProviderUnavailable, "GOOGLE_SPEECH_ENDPOINT"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_refusals_are_typed_when_warming_and_in_a_stream(
    faults: Faults, kind: type[ProviderError], setting: str
) -> None:
    async def body() -> None:
        async with staged() as (stage, recogniser):
            stage.break_it(faults)
            with pytest.raises(ProviderError) as caught:
                await recogniser.warm("en-US", 1)
            assert isinstance(caught.value, kind)
            assert caught.value.setting == setting
            assert caught.value.retry_after_s == (faults.retry_after_s or None)
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            await heard.final()
            assert [type(event) for event in heard.events] == [RecogniserFailed]
            assert heard.failures[0].retryable == kind.retryable
            assert setting in heard.failures[0].message
            stream.write(b"\xff" * 160)
            await stream.close()
            stage.mend_it()
            heard = Heard()
            await talk(await recogniser.open(REQUEST, heard), heard)
            assert texts(heard) == WHOLE

    run_for_real(body())


@pytest.mark.parametrize("faults", [Faults(hang_after_accept=True), Faults(handshake_delay_s=30.0)])
def test_a_service_that_takes_streams_and_does_nothing_is_found_out_when_warming(
    faults: Faults,
) -> None:
    async def body() -> None:
        async with staged(connect_timeout_s=0.3) as (stage, recogniser):
            stage.break_it(faults)
            with pytest.raises(ProviderTimeout):
                await recogniser.warm("en-US", 1)
            await stage.settle(0)

    run_for_real(body())


def test_a_wrong_model_and_a_language_that_is_not_heard_are_named() -> None:
    async def body() -> None:
        async with staged(model="missing-model") as (_, recogniser):
            with pytest.raises(ProviderRejected) as caught:
                await recogniser.warm("en-US", 1)
            assert caught.value.setting == "GOOGLE_SPEECH_MODEL"
            with pytest.raises(ProviderRejected) as caught:
                await recogniser.open(RecogniseRequest("call", "tlh"), Heard())
            assert caught.value.setting == "language"

    run_for_real(body())


def test_nobody_listens_there() -> None:
    async def body() -> None:
        recogniser = GoogleRecogniser(GoogleSpeechConfig(endpoint="http://127.0.0.1:9"))
        with pytest.raises(ProviderUnavailable) as caught:
            await recogniser.warm("en-US", 1)
        assert caught.value.setting == "GOOGLE_SPEECH_ENDPOINT"
        await recogniser.aclose()

    run_for_real(body())


@pytest.mark.parametrize(
    "faults",
    [
        Faults(drop_after_received_bytes=12_000, times=1),
        Faults(drop_after_received_bytes=9_000, times=2),
        Faults(drop_after_messages=2, times=1),
        Faults(garbage_after_messages=2, times=1),
    ],
    ids=["cut", "cut-twice", "drop", "garbage"],
)
def test_trouble_in_mid_word_loses_nothing_and_is_nothing_to_another_call(faults: Faults) -> None:
    async def body() -> None:
        async with staged() as (stage, recogniser):
            other, heard = Heard(), Heard()
            neighbour = await recogniser.open(REQUEST, other)
            await talk(neighbour, other)
            stage.break_it(faults)
            stream = await recogniser.open(REQUEST, heard)
            await talk(stream, heard)
            assert not heard.failures + other.failures
            assert texts(heard) == WHOLE
            other._final.clear()
            await talk(neighbour, other)
            assert texts(other) == WHOLE * 2

    run_for_real(body())


def test_a_stream_is_replaced_before_the_limit_and_no_word_is_lost() -> None:
    """The limit of five minutes, in seconds: the service never gets to end a stream."""

    async def body() -> None:
        ears = GoogleSttConfig(interim_lag_s=0.01, final_lag_s=0.01, longest_s=0.6)
        async with staged(ears, reopen_after_s=0.25, reopen_latest_s=0.45) as (stage, recogniser):
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            for _ in range(4):
                heard._final.clear()
                await talk(stream, heard)
            assert texts(heard) == WHOLE * 4
            assert not heard.failures
            assert stage.ears.opened >= 3
            ends_s = [event.end_s for event in heard.finals]
            assert ends_s == sorted(ends_s)
            await stream.close()

    run_for_real(body())


def test_a_stream_that_ended_for_want_of_audio_is_opened_again_by_audio() -> None:
    async def body() -> None:
        ears = GoogleSttConfig(interim_lag_s=0.01, final_lag_s=0.01, idle_s=0.2)
        async with staged(ears) as (stage, recogniser):
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            await talk(stream, heard)
            # A life of 0.2 s is short, but words have come: it is opened again.
            await stage.settle(0)
            heard._final.clear()
            await talk(stream, heard)
            assert texts(heard) == WHOLE * 2
            assert not heard.failures

    run_for_real(body())


def test_more_calls_than_are_allowed_are_refused_and_many_share_a_connection() -> None:
    async def body() -> None:
        async with staged(max_streams=60) as (stage, recogniser):
            await recogniser.warm("en-US", 60)
            assert stage.server.open_connections == 2
            streams = [await recogniser.open(REQUEST, Heard()) for _ in range(60)]
            with pytest.raises(ProviderBusy) as caught:
                await recogniser.open(REQUEST, Heard())
            assert caught.value.setting == "CALLCLUSTER_GOOGLE_STREAMS_PER_PROCESS"
            await stage.settle(60)
            assert stage.server.open_connections == 2
            await asyncio.gather(*(stream.close() for stream in streams))
            await stage.settle(0)

    run_for_real(body())


def test_hints_are_sent_and_cantonese_is_asked_for_by_googles_name() -> None:
    async def body() -> None:
        async with staged() as (_, recogniser):
            heard = Heard()
            request = RecogniseRequest("call", "zh-HK", ("x" * 200, "callcluster"))
            stream = await recogniser.open(request, heard)
            stream.write(stages.speech() + b"\xff" * 8_000)
            await asyncio.sleep(0.3)
            await stream.close()
            # English is not understood by who listens for Cantonese.
            assert [type(event) for event in heard.events] in ([], [SpeechNoticed])

    run_for_real(body())


def test_no_words_are_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def body() -> None:
        async with staged() as (stage, recogniser):
            stage.break_it(Faults(drop_after_received_bytes=12_000, times=1))
            heard = Heard()
            await talk(await recogniser.open(REQUEST, heard), heard)

    with caplog.at_level(logging.INFO):
        run_for_real(body())
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("providers")]
    assert any("another stream" in line for line in ours)
    assert "forward" not in caplog.text.lower()


def test_finals_have_the_end_of_their_last_word() -> None:
    async def body() -> None:
        async with staged() as (_, recogniser):
            heard = Heard()
            stream = await recogniser.open(REQUEST, heard)
            await talk(stream, heard)
            await stream.close()
            last = [e for e in heard.events if isinstance(e, FinalTranscript)][-1]
            # Behind it half a second of silence was heard before the phrase was settled.
            assert last.end_s < len(stages.speech()) / 8_000 - 0.4

    run_for_real(body())
