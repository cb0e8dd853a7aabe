"""The emulated Realtime service as the unmodified ``openai`` package sees it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from openai import AsyncOpenAI
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.support.realtime_stage import ANSWER, QUICK, QUIET, SAID, RealtimeStage, realtime, speech

pytestmark = pytest.mark.e2e
PCMU = {"type": "audio/pcmu"}
TRANSFER = {
    "type": "function",
    "name": "transfer",
    "description": "Put through.",
    "parameters": {"type": "object", "properties": {}},
}


def run(scene: Callable[[RealtimeStage], Coroutine[Any, Any, None]], config: Any = QUICK) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(15), realtime(config) as stage:
            await scene(stage)

    asyncio.run(bounded())


@asynccontextmanager
async def connected(
    stage: RealtimeStage, *, vad: dict[str, Any] | None = None, **session: Any
) -> AsyncIterator[Any]:
    """A session that is set up for a telephone."""
    turns = vad or {"type": "server_vad", "silence_duration_ms": 300}
    heard = {
        "format": PCMU,
        "transcription": {"model": "gpt-live-transcribe"},
        "turn_detection": turns,
    }
    audio = {"input": heard, "output": {"format": PCMU, "voice": "marin"}}
    async with (
        AsyncOpenAI(api_key="k", base_url=stage.base_url) as client,
        client.realtime.connect(model="gpt-realtime-2.1") as connection,
    ):
        assert (await connection.recv()).type == "session.created"
        await connection.session.update(session={"type": "realtime", "audio": audio, **session})
        assert (await connection.recv()).type == "session.updated"
        yield connection


async def say(connection: Any, audio: bytes) -> None:
    for at in range(0, len(audio), 1_600):
        piece = base64.b64encode(audio[at : at + 1_600]).decode()
        await connection.input_audio_buffer.append(audio=piece)


async def until(connection: Any, kind: str) -> list[Any]:
    """Everything up to the first event of that type."""
    told = []
    while True:
        told.append(await connection.recv())
        if told[-1].type == kind:
            return told


def heard(events: list[Any]) -> bytes:
    deltas = [event.delta for event in events if event.type == "response.output_audio.delta"]
    return b"".join(base64.b64decode(delta) for delta in deltas)


def test_a_turn_from_speech_to_speech_in_the_order_of_the_documentation() -> None:
    async def scene(stage: RealtimeStage) -> None:
        async with connected(stage) as connection:
            await say(connection, speech())
            events = await until(connection, "response.done")
            order = [event.type for event in events if "delta" not in event.type]
            words = [t for t in order if "input_audio_transcription" in t]
            assert words == ["conversation.item.input_audio_transcription.completed"]
            assert [t for t in order if t not in words] == [
                "input_audio_buffer.speech_started",
                "input_audio_buffer.speech_stopped",
                "input_audio_buffer.committed",
                "conversation.item.added",
                "conversation.item.done",
                "response.created",
                "rate_limits.updated",
                "response.output_item.added",
                "conversation.item.added",
                "response.content_part.added",
                "response.output_audio.done",
                "response.output_audio_transcript.done",
                "response.content_part.done",
                "response.output_item.done",
                "conversation.item.done",
                "response.done",
            ]
            said = next(e for e in events if e.type.endswith("transcription.completed"))
            assert said.transcript == SAID
            done = events[-1].response
            assert done.status == "completed"
            assert done.output[0].content[0].transcript == ANSWER
            assert len(heard(events)) == stage.session.conversation.items[-1].audio_bytes
            assert done.usage.output_token_details.audio_tokens == len(heard(events)) // 400
            assert done.usage.input_token_details.audio_tokens > 0

    run(scene)


def test_the_caller_interrupts_and_the_rest_is_forgotten() -> None:
    async def scene(stage: RealtimeStage) -> None:
        async with connected(stage) as connection:
            await say(connection, speech())
            item = (await until(connection, "response.output_audio.delta"))[-1].item_id
            await say(connection, speech("card001", 0.0))
            events = await until(connection, "response.done")
            assert "input_audio_buffer.speech_started" in [event.type for event in events]
            ended = events[-1].response
            assert (ended.status, ended.status_details.reason) == ("cancelled", "turn_detected")
            await connection.conversation.item.truncate(
                item_id=item, content_index=0, audio_end_ms=100
            )
            await until(connection, "conversation.item.truncated")
            kept = stage.session.conversation.find(item)
            assert kept.truncated_ms == 100
            assert ANSWER.startswith(kept.text)
            assert len(kept.text) < 12
            await connection.conversation.item.truncate(
                item_id=item, content_index=0, audio_end_ms=60_000
            )
            error = (await until(connection, "error"))[-1].error
            assert (error.code, error.param) == ("invalid_value", "audio_end_ms")

    run(scene, replace(QUICK, speed_ratio=2.0))


def test_a_tool_is_asked_for_and_its_result_is_read() -> None:
    async def scene(stage: RealtimeStage) -> None:
        async with connected(stage, tools=[TRANSFER]) as connection:
            text = {"type": "input_text", "text": "Please transfer me to sales."}
            item = {"type": "message", "role": "user", "content": [text]}
            await connection.conversation.item.create(item=item)
            await connection.response.create()
            events = await until(connection, "response.done")
            call = next(e for e in events if e.type.endswith("arguments.done"))
            assert call.name == "transfer"
            assert events[-1].response.output[-1].call_id == call.call_id
            output = {"type": "function_call_output", "call_id": call.call_id, "output": "{}"}
            await connection.conversation.item.create(item=output)
            await connection.response.create(response={"metadata": {"turn": "1.1"}})
            ended = (await until(connection, "response.done"))[-1].response
            assert ended.output[0].content[0].transcript == "I am putting you through now."
            assert ended.metadata == {"turn": "1.1"}

    run(scene)


def test_what_the_service_refuses_and_the_session_goes_on() -> None:
    async def scene(stage: RealtimeStage) -> None:
        async with connected(stage) as connection:
            for event, code in (
                ({"type": "response.cancel"}, "response_cancel_not_active"),
                ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty"),
                ({"type": "no.such.event"}, "invalid_value"),
                ({"type": "conversation.item.delete", "item_id": "x"}, "item_not_found"),
                ({"type": "input_audio_buffer.append", "audio": "!"}, "invalid_value"),
                ({"type": "session.update", "session": {}}, "missing_required_parameter"),
            ):
                await connection.send({**event, "event_id": "mine"})
                error = (await until(connection, "error"))[-1].error
                assert (error.code, error.event_id) == (code, "mine")
            await connection.response.create()
            await until(connection, "response.output_audio.delta")
            await connection.response.create()
            error = (await until(connection, "error"))[-1].error
            assert error.code == "conversation_already_has_active_response"
            await connection.response.cancel()
            ended = (await until(connection, "response.done"))[-1].response
            assert (ended.status, ended.status_details.reason) == ("cancelled", "client_cancelled")

    run(scene, replace(QUICK, speed_ratio=1.0))


def test_words_said_exactly_and_a_voice_that_cannot_change_any_more() -> None:
    async def scene(stage: RealtimeStage) -> None:
        async with connected(stage) as connection:
            wish = 'Say exactly the following and nothing else: "Are you \\"there\\"?"'
            await connection.response.create(response={"instructions": wish})
            ended = (await until(connection, "response.done"))[-1].response
            assert ended.output[0].content[0].transcript == 'Are you "there"?'
            audio = {"output": {"voice": "cedar"}}
            await connection.session.update(session={"type": "realtime", "audio": audio})
            assert (await until(connection, "error"))[-1].error.code == "cannot_update_voice"

    run(scene)


def test_semantic_detection_waits_behind_half_a_sentence() -> None:
    async def scene(stage: RealtimeStage) -> None:
        async with connected(
            stage, vad={"type": "semantic_vad", "eagerness": "high"}
        ) as connection:
            await say(connection, speech("goforward", 0.4))
            stopped = (await until(connection, "input_audio_buffer.speech_stopped"))[-1]
            whole_ms = len(speech("goforward", 0.4)) // 8
            assert stopped.audio_end_ms <= whole_ms
            await say(connection, speech("goforward", 0.0)[:9_600] + QUIET * 50)
            await say(connection, QUIET * 60)
            stopped = (await until(connection, "input_audio_buffer.speech_stopped"))[-1]
            assert stopped.audio_end_ms > whole_ms + 1_200 + 1_900

    run(scene)


def test_bad_keys_unknown_models_and_the_end_of_the_longest_session() -> None:
    async def scene(stage: RealtimeStage) -> None:
        async with AsyncOpenAI(api_key="bad", base_url=stage.base_url) as client:
            with pytest.raises(InvalidStatus) as refused:
                async with client.realtime.connect(model="m"):
                    pass
            assert refused.value.response.status_code == 401
        async with AsyncOpenAI(api_key="k", base_url=stage.base_url) as client:
            async with client.realtime.connect(model="missing-model") as connection:
                assert (await connection.recv()).error.code == "model_not_found"
                with pytest.raises(ConnectionClosed):
                    await connection.recv()
            async with client.realtime.connect(model="m") as connection:
                error = (await until(connection, "error"))[-1].error
                assert error.code == "session_expired"
                with pytest.raises(ConnectionClosed) as closed:
                    await connection.recv()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1001

    run(scene, replace(QUICK, longest_session_s=0.1))
