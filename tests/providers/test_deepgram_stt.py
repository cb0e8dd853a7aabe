"""The pool of Deepgram's sockets, without sockets and on virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import pytest

from providers.deepgram_stt import DeepgramRecogniser
from providers.errors import (
    ProviderBusy,
    ProviderRefused,
    ProviderRejected,
    ProviderUnavailable,
)
from providers.settings import DeepgramConfig
from tests.support.contract_recogniser import REQUEST, Heard, RecogniserContract
from tests.support.flux_stage import QUIET, REFUSED, SPEECH, WHOLE, pooled, settle, talk, texts
from tests.support.flux_wire import FluxWires
from voice.ports import Recogniser, RecogniseRequest


def in_language(language: str) -> RecogniseRequest:
    return RecogniseRequest("call", language)


class TestDeepgramRecogniser(RecogniserContract):
    @contextlib.asynccontextmanager
    async def recogniser(self) -> AsyncIterator[Recogniser]:
        recogniser = DeepgramRecogniser(DeepgramConfig(api_key="k"), FluxWires().connect)
        try:
            yield recogniser
        finally:
            await recogniser.aclose()

    def speech(self) -> bytes:
        return SPEECH


def test_a_stream_takes_a_ready_socket_and_its_place_is_refilled() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        await recogniser.warm("en-US", 2)
        assert len(wires.made) == 2
        stream = await recogniser.open(REQUEST, Heard())
        await settle()
        assert len(wires.made) == 3
        assert recogniser.live == 3
        configured = {"type": "Configure", "keyterms": list(REQUEST.phrases)}
        assert [wire.texts for wire in wires.made] == [[configured], [], []]
        await stream.close()
        assert recogniser.live == 2

    pooled(test)


def test_all_english_is_one_kind_of_socket() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        await recogniser.warm("en-US", 1)
        await recogniser.open(in_language("en-GB"), Heard())
        await recogniser.open(in_language("de-DE"), Heard())
        await settle()
        assert ["language_hint=de-DE" in url for url in wires.urls].count(True) == 1
        assert len(wires.made) == 3  # one ready in the place of the first

    pooled(test)


def test_a_socket_says_goodbye() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        stream = await recogniser.open(in_language("en-US"), Heard())
        await talk(stream, QUIET * 10)
        await stream.close()
        assert wires.made[0].texts == [{"type": "CloseStream"}]

    pooled(test)


def test_nothing_is_kept_ready_that_was_never_warmed() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        stream = await recogniser.open(REQUEST, Heard())
        await settle()
        await stream.close()
        await asyncio.sleep(60)
        assert len(wires.made) == 1
        assert recogniser.live == 0

    pooled(test)


def test_a_stream_that_is_closed_at_once_leaves_nothing_behind() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        await recogniser.warm("en-US", 1)
        for _ in range(3):
            await (await recogniser.open(REQUEST, Heard())).close()
            await settle()
        assert recogniser.live == 1
        assert len(wires.open) == 1

    pooled(test)


def test_a_stream_beyond_the_limit_is_busy_and_names_the_setting() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        streams = [await recogniser.open(REQUEST, Heard()) for _ in range(3)]
        with pytest.raises(ProviderBusy) as caught:
            await recogniser.open(REQUEST, Heard())
        assert caught.value.setting == "CALLCLUSTER_DEEPGRAM_STREAMS_PER_PROCESS"
        await streams[0].close()
        await recogniser.open(REQUEST, Heard())

    pooled(test, max_streams=3)


def test_a_stream_may_take_the_place_of_an_idle_socket_of_another_language() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        await recogniser.warm("en-US", 2)
        await recogniser.open(in_language("de-DE"), Heard())
        await settle()
        assert recogniser.live == 2
        assert len(wires.open) == 2

    pooled(test, max_streams=2)


def test_warming_keeps_within_the_limit() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        await recogniser.warm("en-US", 50)
        assert recogniser.live == len(wires.made) == 3

    pooled(test, max_streams=3)


def test_warming_tells_of_a_refused_key_and_leaves_nothing_behind() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        wires.error = REFUSED
        with pytest.raises(ProviderRefused):
            await recogniser.warm("en-US", 2)
        assert recogniser.live == 0

    pooled(test)


def test_a_language_that_is_not_heard_is_refused_before_anything_is_opened() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        for refused in (
            recogniser.warm("zh-HK", 1),
            recogniser.open(in_language("zh-HK"), Heard()),
        ):
            with pytest.raises(ProviderRejected) as caught:
                await refused
            assert caught.value.setting == "language"
        assert wires.urls == []

    pooled(test)


def test_a_ready_socket_that_broke_is_replaced_after_a_pause() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        await recogniser.warm("en-US", 1)
        wires.made[0].break_off()
        await settle()
        assert recogniser.live == 0
        await asyncio.sleep(1.5)
        assert recogniser.live == 1
        heard = Heard()
        await talk(await recogniser.open(REQUEST, heard))
        assert texts(heard) == WHOLE

    pooled(test)


def test_a_service_that_is_away_is_asked_again_with_longer_and_longer_pauses() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        await recogniser.warm("en-US", 1)
        wires.error = ProviderUnavailable("away", "deepgram")
        wires.made[0].break_off()
        await asyncio.sleep(1.5)
        for _ in range(5):
            asked = len(wires.urls)
            heard = Heard()
            await recogniser.open(REQUEST, heard)
            await settle()
            assert len(heard.failures) == 1
            assert len(wires.urls) == asked + 1  # the stream's own attempt

    pooled(test)


def test_phrases_that_are_not_taken_are_counted_in_the_log_and_not_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        request = RecogniseRequest("call-1", "en-US", ("Ray", "secret" * 20))
        with caplog.at_level(logging.WARNING):
            await recogniser.open(request, Heard())
        assert "call call-1: 1 hints are not taken" in caplog.text
        assert "secret" not in caplog.text

    pooled(test)
