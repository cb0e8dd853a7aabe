"""Recognisers over raw websockets, their pool and their streams: no sockets, virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal

import pytest

from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.openai_transcription_stt import OpenAITranscriptionRecogniser
from providers.scribe_stt import ScribeRecogniser
from providers.socket_settings import OpenAITranscriptionConfig, ScribeConfig
from tests.support import virtual_time
from tests.support.contract_recogniser import REQUEST, Heard, RecogniserContract
from tests.support.emulated_wire import EmulatedWire, Wires, closed, openai_service, scribe_service
from tests.support.flux_stage import QUIET, SPEECH, WHOLE, settle, talk, texts
from voice.ports import (
    FinalTranscript,
    InterimTranscript,
    Recogniser,
    RecogniseRequest,
    RecogniserFailed,
    SpeechNoticed,
)

Pooled = Callable[..., None]
Test = Callable[[Any, Wires], Awaitable[None]]
MESSAGE_BYTES = 920  # of 80 ms


def scribe(test: Test, **fields: object) -> None:
    async def body() -> None:
        wires = Wires(scribe_service())
        config = ScribeConfig(api_key="k", **fields)  # type: ignore[arg-type]
        recogniser = ScribeRecogniser(config, wires.connect)
        await test(recogniser, wires)
        await recogniser.aclose()
        assert wires.open == []

    virtual_time.run(body(), limit_s=400.0)


def scribe_vad(test: Test, **fields: object) -> None:
    scribe(test, commit="vad", **fields)


def openai(test: Test, **fields: object) -> None:
    async def body() -> None:
        wires = Wires(openai_service())
        config = OpenAITranscriptionConfig(api_key="k", **fields)  # type: ignore[arg-type]
        recogniser = OpenAITranscriptionRecogniser(config, wires.connect)
        await test(recogniser, wires)
        await recogniser.aclose()
        assert wires.open == []

    virtual_time.run(body(), limit_s=400.0)


def openai_semantic(test: Test, **fields: object) -> None:
    openai(test, turns="semantic_vad", model="gpt-transcribe", **fields)


SERVICES: dict[str, Pooled] = {
    "scribe": scribe,
    "scribe_vad": scribe_vad,
    "openai": openai,
    "openai_semantic": openai_semantic,
}
each = pytest.mark.parametrize("pooled", SERVICES.values(), ids=SERVICES)
PAUSED = SPEECH + QUIET * 50


class _Contract(RecogniserContract):
    commit: Literal["manual", "vad"] = "manual"
    turns: Literal["pauses", "semantic_vad"] = "pauses"

    def speech(self) -> bytes:
        return PAUSED


class _ScribeContract(_Contract):
    @contextlib.asynccontextmanager
    async def recogniser(self) -> AsyncIterator[Recogniser]:
        config = ScribeConfig(api_key="k", commit=self.commit)
        recogniser = ScribeRecogniser(config, Wires(scribe_service()).connect)
        try:
            yield recogniser
        finally:
            await recogniser.aclose()


class _OpenAIContract(_Contract):
    @contextlib.asynccontextmanager
    async def recogniser(self) -> AsyncIterator[Recogniser]:
        model = "gpt-transcribe" if self.turns == "semantic_vad" else ""
        config = OpenAITranscriptionConfig(api_key="k", model=model, turns=self.turns)
        recogniser = OpenAITranscriptionRecogniser(config, Wires(openai_service()).connect)
        try:
            yield recogniser
        finally:
            await recogniser.aclose()


class TestScribe(_ScribeContract):
    """We end phrases."""


class TestScribeByItsOwnSilence(_ScribeContract):
    commit = "vad"


class TestOpenAITranscription(_OpenAIContract):
    """We end phrases."""


class TestOpenAITranscriptionByItsOwnTurns(_OpenAIContract):
    turns = "semantic_vad"


def in_language(language: str) -> RecogniseRequest:
    return RecogniseRequest("call", language)


@each
def test_a_phrase_comes_with_its_words_and_soon_behind_its_end(pooled: Pooled) -> None:
    async def test(recogniser: Any, wires: Wires) -> None:
        heard = Heard()
        await talk(await recogniser.open(REQUEST, heard), PAUSED)
        assert texts(heard) == WHOLE
        (final,) = heard.finals
        assert 1.0 < final.end_s < len(SPEECH) / 8_000
        kinds = [type(event) for event in heard.events]
        assert kinds.count(SpeechNoticed) == 1
        shown = [event.text for event in heard.events if isinstance(event, InterimTranscript)]
        assert all(WHOLE[0].startswith(text.rstrip(".")) for text in shown)

    pooled(test)


@each
@pytest.mark.parametrize("at", [3, 8, 13, 18, 23, 28, 33])
def test_a_socket_that_breaks_anywhere_loses_nothing(pooled: Pooled, at: int) -> None:
    async def test(recogniser: Any, wires: Wires) -> None:
        def prepare(wire: EmulatedWire, number: int) -> None:
            wire.cut_after_bytes = at * MESSAGE_BYTES if number == 0 else None

        wires.prepare = prepare
        heard = Heard()
        await talk(await recogniser.open(REQUEST, heard), PAUSED)
        assert len(wires.made) == 2
        assert not heard.failures
        assert [e.text for e in heard.events if isinstance(e, FinalTranscript)] == WHOLE
        ends_s = [event.end_s for event in heard.events if isinstance(event, InterimTranscript)]
        assert ends_s == sorted(ends_s)

    pooled(test)


@each
@pytest.mark.parametrize(
    "how",
    ["\x00 garbage {", b"\xff\xfe", "[1]", "{}", closed(1011), closed(1012)],
    ids=["garbage", "binary", "list", "empty", "error", "restart"],
)
def test_what_goes_wrong_once_in_mid_word_is_not_noticed(
    pooled: Pooled, how: str | bytes | Exception
) -> None:
    async def test(recogniser: Any, wires: Wires) -> None:
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        await talk(stream, PAUSED[:8_000])
        wires.made[0].says(how)
        await talk(stream, PAUSED[8_000:])
        assert len(wires.made) == 2
        assert not wires.made[0].is_open
        assert not heard.failures
        assert texts(heard) == WHOLE

    pooled(test)


@each
def test_a_service_that_falls_silent_is_left_and_what_it_missed_is_told_again(
    pooled: Pooled,
) -> None:
    async def test(recogniser: Any, wires: Wires) -> None:
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        await talk(stream, PAUSED[:8_000])
        wires.made[0].is_deaf = True
        await talk(stream, PAUSED[8_000:] + QUIET * 150)
        assert not heard.failures
        if len(wires.made) == 1:  # it finds turns itself and had said nothing: nothing is owed
            assert pooled is openai_semantic
            return
        assert [wire.is_open for wire in wires.made] == [False, True]
        assert texts(heard) == WHOLE

    pooled(test, stall_timeout_s=1.0)


@each
def test_a_caller_whose_audio_stops_is_no_reason_to_leave(pooled: Pooled) -> None:
    async def test(recogniser: Any, wires: Wires) -> None:
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        await talk(stream, PAUSED[:8_000])
        await asyncio.sleep(30.0)
        await talk(stream, PAUSED[8_000:])
        assert len(wires.made) == 1
        assert texts(heard) == WHOLE

    pooled(test)


@each
def test_long_silence_is_neither_words_nor_a_fault(pooled: Pooled) -> None:
    async def test(recogniser: Any, wires: Wires) -> None:
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        await talk(stream, QUIET * 3_500)
        assert heard.events == []
        await talk(stream, PAUSED)
        assert len(wires.made) == 1
        assert texts(heard) == WHOLE
        assert heard.finals[0].end_s > 70

    pooled(test)


@each
def test_a_service_that_only_breaks_is_given_up(pooled: Pooled) -> None:
    async def test(recogniser: Any, wires: Wires) -> None:
        def prepare(wire: EmulatedWire, _number: int) -> None:
            wire.cut_after_bytes = 3 * MESSAGE_BYTES

        wires.prepare = prepare
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        await talk(stream, PAUSED)
        assert [type(event) for event in heard.events] == [RecogniserFailed]
        assert heard.failures[0].retryable
        assert len(wires.made) == 3
        await stream.close()
        assert recogniser.live == 0

    pooled(test)


@each
@pytest.mark.parametrize(
    "error",
    [
        ProviderRefused("no", "x", "KEY"),
        ProviderBusy("HTTP 429", "x", "", 2.0),
        ProviderUnavailable("no connection", "x"),
        ProviderTimeout("no handshake in time", "x"),
    ],
)
def test_a_first_socket_that_cannot_be_opened_fails_the_stream_at_once(
    pooled: Pooled, error: ProviderError
) -> None:
    async def test(recogniser: Any, wires: Wires) -> None:
        wires.error = error
        heard = Heard()
        await recogniser.open(REQUEST, heard)
        await settle()
        assert heard.events == [RecogniserFailed(str(error), error.retryable)]
        assert len(wires.urls) == 1
        assert recogniser.live == 0

    pooled(test)


@pytest.mark.parametrize(
    ("pooled", "says", "named"),
    [
        (scribe, {"message_type": "auth_error", "error": "x"}, "SCRIBE_API_KEY"),
        (scribe, {"message_type": "quota_exceeded", "error": "x"}, "SCRIBE_API_KEY"),
        (scribe, {"message_type": "invalid_request", "error": "x"}, "SCRIBE_MODEL"),
        (scribe, {"message_type": "input_error", "error": "x"}, "SCRIBE_BASE_URL"),
        (
            openai,
            {"type": "error", "error": {"type": "x", "code": "invalid_api_key"}},
            "OPENAI_STT_API_KEY",
        ),
        (
            openai,
            {"type": "error", "error": {"type": "x", "code": "model_not_found"}},
            "OPENAI_STT_MODEL",
        ),
        (
            openai,
            {
                "type": "error",
                "error": {
                    "type": "invalid_request_error",
                    "code": "invalid_value",
                    "param": "session.audio.input.transcription.language",
                },
            },
            "language",
        ),
    ],
)
def test_what_will_not_get_better_ends_the_stream_at_once(
    pooled: Pooled, says: dict[str, object], named: str
) -> None:
    async def test(recogniser: Any, wires: Wires) -> None:
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        await talk(stream, SPEECH[:4_000])
        wires.made[0].says(json.dumps(says))
        await settle()
        assert [failure.retryable for failure in heard.failures] == [False]
        assert named in heard.failures[0].message
        assert len(wires.made) == 1
        stream.write(SPEECH)
        await stream.close()

    pooled(test)


@pytest.mark.parametrize(
    ("pooled", "says"),
    [
        (scribe, {"message_type": "rate_limited", "error": "x"}),
        (openai, {"type": "error", "error": {"type": "x", "code": "rate_limit_exceeded"}}),
    ],
)
def test_a_service_that_asks_to_be_left_alone_is_not_asked_again(
    pooled: Pooled, says: dict[str, object]
) -> None:
    """Another recogniser is asked at once instead."""

    async def test(recogniser: Any, wires: Wires) -> None:
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        await talk(stream, SPEECH[:4_000])
        wires.made[0].says(json.dumps(says))
        await settle()
        assert [failure.retryable for failure in heard.failures] == [True]
        assert isinstance(heard.failures[0].cause, ProviderBusy)
        assert len(wires.made) == 1
        await stream.close()

    pooled(test)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "conversation.item.input_audio_transcription.completed", "item_id": "another"},
        {"type": "conversation.item.input_audio_transcription.failed", "error": {"code": "x"}},
        {"type": "session.created"},
    ],
    ids=["another-item", "failed-item", "another-session"],
)
def test_words_of_somebody_else_are_believed_by_nobody(event: dict[str, object]) -> None:
    async def test(recogniser: Any, wires: Wires) -> None:
        heard = Heard()
        stream = await recogniser.open(REQUEST, heard)
        await talk(stream, PAUSED[:8_000])
        wires.made[0].says(json.dumps({"transcript": "words of another caller", **event}))
        await talk(stream, PAUSED[8_000:])
        assert len(wires.made) == 2
        assert texts(heard) == WHOLE

    openai(test)


# --- the pool ------------------------------------------------------------------------------------


@each
def test_a_stream_takes_a_ready_socket_and_its_place_is_refilled(pooled: Pooled) -> None:
    async def test(recogniser: Any, wires: Wires) -> None:
        await recogniser.warm("en-US", 2)
        assert len(wires.made) == 2
        stream = await recogniser.open(in_language("en-GB"), Heard())
        await settle()
        assert len(wires.made) == 3
        assert recogniser.live == 3
        await stream.close()
        assert recogniser.live == 2

    pooled(test)


@each
def test_a_ready_socket_that_broke_or_grew_old_is_replaced(pooled: Pooled) -> None:
    async def test(recogniser: Any, wires: Wires) -> None:
        await recogniser.warm("en-US", 1)
        wires.made[0].break_off()
        await settle()
        assert recogniser.live == 0
        await asyncio.sleep(1.5)
        assert recogniser.live == 1
        recogniser._service.ready_s = 100.0
        wires.made[1].break_off()
        await asyncio.sleep(150.0)
        assert len(wires.made) == 4
        assert [wire.is_open for wire in wires.made] == [False, False, False, True]
        heard = Heard()
        await talk(await recogniser.open(in_language("en-US"), heard), PAUSED)
        assert texts(heard) == WHOLE

    pooled(test)


@each
def test_limits_and_languages_are_kept(pooled: Pooled) -> None:
    async def test(recogniser: Any, wires: Wires) -> None:
        await recogniser.warm("en-US", 50)
        assert recogniser.live == len(wires.made) == 3
        streams = [await recogniser.open(in_language("de-DE"), Heard()) for _ in range(3)]
        await settle()
        assert recogniser.live == 3
        with pytest.raises(ProviderBusy) as busy:
            await recogniser.open(REQUEST, Heard())
        assert busy.value.setting.endswith("_STREAMS_PER_PROCESS")
        await asyncio.gather(*(stream.close() for stream in streams))
        for refused in (recogniser.warm("tlh", 1), recogniser.open(in_language("tlh"), Heard())):
            with pytest.raises(ProviderRejected) as caught:
                await refused
            assert caught.value.setting == "language"

    pooled(test, max_streams=3)


def test_scribes_hints_and_language_stand_in_the_address() -> None:
    async def test(recogniser: Any, wires: Wires) -> None:
        request = RecogniseRequest("call", "zh-HK", ("Ray", "x" * 21, "call  cluster"))
        await recogniser.open(request, Heard())
        await settle()
        (url,) = wires.urls
        assert "language_code=yue" in url
        assert "keyterms=Ray&keyterms=call+cluster" in url
        assert "x" * 21 not in url
        assert "audio_format=ulaw_8000&commit_strategy=manual" in url

    scribe(test)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("", {"keywords": ["Ray", "call cluster"]}),
        ("gpt-4o-transcribe", {"prompt": "Ray, call cluster"}),
        ("gpt-realtime-whisper", {}),
    ],
)
def test_openais_hints_go_the_way_of_the_model(model: str, told: dict[str, object]) -> None:
    async def test(recogniser: Any, wires: Wires) -> None:
        await recogniser.warm("en-US", 1)
        request = RecogniseRequest("call", "pt-BR", ("Ray", "call  cluster", " "))
        await recogniser.open(request, Heard())
        await settle()
        session = json.loads(wires.made[0].sent[0])["session"]
        heard = session["audio"]["input"]
        assert session["type"] == "transcription"
        assert heard["format"] == {"type": "audio/pcmu"}
        assert heard["turn_detection"] is None
        assert heard["transcription"] == {
            "model": model or "gpt-live-transcribe",
            "language": "pt",
            **told,
        }
        assert wires.made[0].session.refused == []

    openai(test, model=model)
