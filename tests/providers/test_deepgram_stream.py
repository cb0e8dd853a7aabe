"""One call's recognition by Deepgram over sockets that break, on virtual time."""

from __future__ import annotations

import asyncio
import json
import logging
import weakref

import pytest

from providers.deepgram_stt import DeepgramRecogniser
from providers.deepgram_wire import socket_url
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.settings import DeepgramConfig
from tests.support.contract_recogniser import REQUEST, Heard
from tests.support.flux_stage import QUIET, REFUSED, SPEECH, WHOLE, pooled, settle, talk, texts
from tests.support.flux_wire import FluxWire, FluxWires, as_wire, closed
from tests.support.uncollected import no_collector
from voice.ports import RecogniseRequest, RecogniserFailed


def test_audio_goes_out_in_chunks_of_80_ms_unchanged() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        stream = await recogniser.open(RecogniseRequest("call", "en-US"), Heard())
        await talk(stream)
        sent = [message for message in wires.made[0].sent if isinstance(message, bytes)]
        assert {len(chunk) for chunk in sent} == {640}
        assert b"".join(sent) == SPEECH[: len(SPEECH) // 640 * 640]

    pooled(test)


def test_what_is_said_before_there_is_a_connection_is_not_lost() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        stream.write(SPEECH)
        await settle()
        assert texts(heard) == WHOLE

    pooled(test)


def test_a_closed_stream_is_freed_without_the_collector() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        stream = await recogniser.open(REQUEST, Heard())
        await talk(stream)
        await stream.close()
        held = weakref.ref(stream)
        wires.made.clear()  # these know who listens to them
        del stream
        await settle()
        assert held() is None

    with no_collector():
        pooled(test)


@pytest.mark.parametrize("at_bytes", range(1_280, len(SPEECH) - 4_000, 1_920))
def test_a_socket_that_breaks_anywhere_loses_nothing(at_bytes: int) -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        def prepare(wire: FluxWire, number: int) -> None:
            wire.cut_after_bytes = at_bytes if number == 0 else None

        wires.prepare = prepare
        heard = Heard()
        await talk(await recogniser.open(REQUEST, heard))
        assert len(wires.made) == 2
        assert not heard.failures
        assert texts(heard) == WHOLE

    pooled(test)


@pytest.mark.parametrize(
    "how",
    [
        "\x00 garbage {",
        b"\xff\xfe",
        as_wire({"type": "TurnInfo"}),
        as_wire(
            {
                "type": "TurnInfo",
                "event": "EndOfTurn",
                "turn_index": 0,
                "audio_window_start": 0.0,
                "audio_window_end": 0.5,
                "transcript": "words of another caller",
                "words": [],
            },
            request_id="another",
        ),
        json.dumps({"type": "Error", "code": "INTERNAL_SERVER_ERROR", "description": "x"}),
        closed(1011, "NET-0000"),
        closed(1012),
    ],
    ids=["garbage", "binary", "half", "another-request", "error", "net-0000", "restart"],
)
def test_what_goes_wrong_once_in_mid_word_is_not_noticed(how: str | bytes | Exception) -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        await talk(stream, SPEECH[:8_000])
        wires.made[0].says(how)
        await talk(stream, SPEECH[8_000:])
        assert len(wires.made) == 2
        assert not wires.made[0].is_open
        assert not heard.failures
        assert texts(heard) == WHOLE

    pooled(test)


def test_a_service_that_falls_silent_is_left_and_what_it_missed_is_told_again() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        await talk(stream, SPEECH[:8_000])
        wires.made[0].is_deaf = True
        await talk(stream, SPEECH[8_000:] + QUIET * 120)
        assert [wire.is_open for wire in wires.made] == [False, True]
        assert not heard.failures
        assert texts(heard) == WHOLE

    pooled(test, stall_timeout_s=1.0)


@pytest.mark.parametrize(("is_warm", "sockets"), [(False, 1), (True, 2)])
def test_a_new_socket_that_is_silent_is_not_followed_by_another(
    is_warm: bool, sockets: int
) -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        def prepare(wire: FluxWire, _number: int) -> None:
            wire.is_deaf = True

        wires.prepare = prepare
        if is_warm:
            await recogniser.warm("en-US", 1)
            recogniser._kind(socket_url(DeepgramConfig(api_key="k"), "en-US")).wanted = 0
        heard = Heard()
        await talk(await recogniser.open(REQUEST, heard), QUIET * 250)
        assert len(heard.failures) == 1
        assert heard.failures[0].retryable
        assert len(wires.made) == sockets

    pooled(test, stall_timeout_s=1.0)


def test_a_caller_whose_audio_stops_is_no_reason_to_leave() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        await talk(stream, SPEECH[:8_000])
        await asyncio.sleep(30.0)
        await talk(stream, SPEECH[8_000:])
        assert len(wires.made) == 1
        assert texts(heard) == WHOLE

    pooled(test)


def test_a_service_that_only_breaks_is_given_up() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        def prepare(wire: FluxWire, _number: int) -> None:
            wire.cut_after_bytes = 3_000

        wires.prepare = prepare
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        await talk(stream)
        assert [event for event in heard.events if isinstance(event, RecogniserFailed)] == [
            RecogniserFailed("deepgram: the connection broke", retryable=True)
        ]
        assert isinstance(heard.events[-1], RecogniserFailed)
        assert len(wires.made) == 4  # one that helped, three that did not
        await stream.close()
        assert recogniser.live == 0

    pooled(test)


@pytest.mark.parametrize(
    ("says", "retryable", "named"),
    [
        ({"type": "Error", "code": "INVALID_AUTH"}, False, "DEEPGRAM_API_KEY"),
        ({"type": "Error", "code": "UNPARSABLE_CLIENT_MESSAGE"}, False, "DEEPGRAM_BASE_URL"),
        (closed(1008, "DATA-0000"), False, "DEEPGRAM_BASE_URL"),
    ],
)
def test_what_will_not_get_better_ends_the_stream_at_once(
    says: dict[str, str] | Exception, retryable: bool, named: str
) -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        await talk(stream, SPEECH[:4_000])
        wires.made[0].says(says if isinstance(says, Exception) else json.dumps(says))
        await settle()
        assert [failure.retryable for failure in heard.failures] == [retryable]
        assert named in heard.failures[0].message
        assert len(wires.made) == 1
        stream.write(SPEECH)
        await stream.close()

    pooled(test)


@pytest.mark.parametrize(
    "error",
    [
        REFUSED,
        ProviderBusy("HTTP 429", "deepgram", "", 2.0),
        ProviderUnavailable("no connection", "deepgram"),
        ProviderTimeout("no handshake in time", "deepgram"),
    ],
)
def test_a_first_socket_that_cannot_be_opened_fails_the_stream_at_once(
    error: ProviderError,
) -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        wires.error = error
        heard = Heard()
        await recogniser.open(REQUEST, heard)
        await settle()
        assert heard.events == [RecogniserFailed(str(error), error.retryable)]
        assert len(wires.urls) == 1
        assert recogniser.live == 0

    pooled(test)


def test_a_later_socket_that_cannot_be_opened_is_tried_again() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        await talk(stream, SPEECH[:8_000])
        wires.error = ProviderUnavailable("no connection", "deepgram")
        wires.made[0].break_off()
        await settle()
        wires.error = None
        await talk(stream, SPEECH[8_000:])
        assert not heard.failures
        assert texts(heard) == WHOLE

    pooled(test)


def test_a_service_that_greets_nobody_is_silent() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        async def connect(_url: str, _key: str, _timeout_s: float) -> FluxWire:
            wires.made.append(FluxWire(greets=False))
            return wires.made[-1]

        hung = DeepgramRecogniser(DeepgramConfig(api_key="k"), connect)
        with pytest.raises(ProviderTimeout):
            await hung.warm("en-US", 1)
        assert hung.live == 0

    pooled(test)


def test_a_service_that_greets_with_something_else_is_none() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        async def connect(_url: str, _key: str, _timeout_s: float) -> FluxWire:
            wires.made.append(FluxWire(greets=False))
            wires.made[-1].says('{"type": "Metadata"}')
            return wires.made[-1]

        with pytest.raises(ProviderProtocolError):
            await DeepgramRecogniser(DeepgramConfig(api_key="k"), connect).warm("en-US", 1)

    pooled(test)


def test_one_stream_that_breaks_is_nothing_to_the_others() -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        heard = [Heard() for _ in range(4)]
        streams = [await recogniser.open(REQUEST, each) for each in heard]
        await settle()
        wires.error = REFUSED
        wires.made[2].says("garbage")
        await asyncio.gather(*(talk(stream) for stream in streams))
        assert [len(each.failures) for each in heard] == [0, 0, 1, 0]
        assert [texts(each) for each in heard] == [WHOLE, WHOLE, [], WHOLE]
        assert recogniser.live == 3

    pooled(test)


def test_refused_keyterms_cost_nothing_but_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test(recogniser: DeepgramRecogniser, wires: FluxWires) -> None:
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        await settle()
        with caplog.at_level(logging.WARNING):
            wires.made[0].says(as_wire({"type": "ConfigureFailure", "code": "INVALID"}))
            await talk(stream)
        assert "ConfigureFailure INVALID" in caplog.text
        assert texts(heard) == WHOLE

    pooled(test)
