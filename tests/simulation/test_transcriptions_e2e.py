"""The emulated transcriptions as unmodified clients of the vendors see them, and their refusals."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as websocket_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.providers.socket_stages import openai_stage, scribe_stage
from tests.providers.stage import run_for_real, speech

pytestmark = pytest.mark.e2e

WHOLE = "Go forward ten meters."


def pieces(size: int = 1_600) -> list[str]:
    audio = speech()
    return [base64.b64encode(audio[at : at + size]).decode() for at in range(0, len(audio), size)]


def test_scribes_own_client_hears_words_and_a_commit() -> None:
    from elevenlabs.client import AsyncElevenLabs
    from elevenlabs.realtime.connection import RealtimeEvents
    from elevenlabs.realtime.scribe import AudioFormat

    async def body() -> None:
        async with scribe_stage() as (stage, service):
            client = AsyncElevenLabs(base_url=f"http://{stage.address}", api_key="k")
            connection = await client.speech_to_text.realtime.connect(
                {
                    "model_id": "scribe_v2_realtime",
                    "audio_format": AudioFormat.ULAW_8000,
                    "sample_rate": 8_000,
                    "language_code": "en",
                    "include_timestamps": True,
                    "keyterms": ["callcluster", "forward"],
                }
            )
            told: list[dict[str, Any]] = []
            done = asyncio.Event()
            for event in RealtimeEvents:
                if event not in (RealtimeEvents.OPEN, RealtimeEvents.CLOSE):
                    connection.on(event, told.append)
            connection.on(
                RealtimeEvents.COMMITTED_TRANSCRIPT_WITH_TIMESTAMPS, lambda _data: done.set()
            )
            for piece in pieces():
                await connection.send({"audio_base_64": piece})
            await connection.commit()
            async with asyncio.timeout(5):
                await done.wait()
            await connection.close()
            kinds = [data["message_type"] for data in told]
            assert kinds[0] == "session_started"
            assert "partial_transcript" in kinds
            assert kinds[-2:] == ["committed_transcript", "committed_transcript_with_timestamps"]
            assert told[-1]["text"] == WHOLE
            words = [word for word in told[-1]["words"] if word["type"] == "word"]
            assert [word["text"] for word in words] == ["go", "forward", "ten", "meters"]
            assert service.sessions[0].settings.keyterms == ("callcluster", "forward")

    run_for_real(body())


def test_openais_own_client_hears_deltas_and_completed_words() -> None:
    from openai import AsyncOpenAI

    async def body() -> None:
        async with openai_stage() as (stage, service):
            client = AsyncOpenAI(base_url=f"http://{stage.address}/v1", api_key="k")
            session = {
                "type": "transcription",
                "audio": {
                    "input": {
                        "format": {"type": "audio/pcmu"},
                        "transcription": {
                            "model": "gpt-live-transcribe",
                            "language": "en",
                            "keywords": ["callcluster"],
                        },
                        "turn_detection": None,
                    }
                },
            }
            query = {"intent": "transcription"}
            async with client.realtime.connect(extra_query=query) as connection:
                await connection.session.update(session=session)  # type: ignore[arg-type]
                for piece in pieces():
                    await connection.input_audio_buffer.append(audio=piece)
                await connection.input_audio_buffer.commit()
                told: list[Any] = []
                async with asyncio.timeout(5):
                    async for event in connection:
                        told.append(event)
                        if event.type.endswith((".completed", "error")):
                            break
            kinds = [event.type.rpartition(".")[2] for event in told]
            assert kinds[:2] == ["created", "updated"]
            assert told[-1].transcript == WHOLE
            deltas = [event.delta for event in told if event.type.endswith(".delta")]
            assert len(deltas) == 4
            assert "".join(deltas) == WHOLE[:-1]
            items = {event.item_id for event in told if hasattr(event, "item_id")}
            assert len(items) == 1
            assert told[-1].usage.type == "duration"
            assert service.sessions[0].refused == []
            await client.close()

    run_for_real(body())


async def events_until(connection: ClientConnection, wanted: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    while not told or told[-1]["type"] != wanted:
        told.append(json.loads(await connection.recv()))
    return told


def session_of(**heard: object) -> str:
    usual = {"format": {"type": "audio/pcmu"}, "transcription": {"model": "gpt-live-transcribe"}}
    session = {"type": "transcription", "audio": {"input": {**usual, **heard}}}
    return json.dumps({"type": "session.update", "session": session, "event_id": "mine"})


@pytest.mark.parametrize(
    ("sent", "code", "param"),
    [
        ("no JSON", "invalid_json", None),
        (b"\x00", "invalid_json", None),
        ('{"type": "response.create"}', "invalid_value", "type"),
        (
            '{"type": "session.update", "session": {"type": "realtime"}}',
            "invalid_value",
            "session.type",
        ),
        (
            session_of(format={"type": "audio/pcm", "rate": 24_000}),
            "invalid_value",
            "session.audio.input.format",
        ),
        (
            session_of(turn_detection={"type": "server_vad"}),
            "invalid_value",
            "session.audio.input.turn_detection",
        ),
        (
            session_of(transcription={"model": "gpt-live-transcribe", "prompt": "names"}),
            "invalid_value",
            "session.audio.input.transcription.prompt",
        ),
        (
            session_of(transcription={"model": "gpt-live-transcribe", "language": "English"}),
            "invalid_value",
            "session.audio.input.transcription.language",
        ),
        ('{"type": "input_audio_buffer.append", "audio": "!"}', "invalid_value", "audio"),
        ('{"type": "input_audio_buffer.commit"}', "input_audio_buffer_commit_empty", None),
    ],
)
def test_openai_refuses_and_the_session_goes_on(
    sent: str | bytes, code: str, param: str | None
) -> None:
    async def body() -> None:
        async with openai_stage() as (stage, _):
            url = f"ws://{stage.address}/v1/realtime?intent=transcription"
            headers = {"Authorization": "Bearer k"}
            async with websocket_connect(url, additional_headers=headers) as connection:
                await connection.send(sent)
                *_, refused = await events_until(connection, "error")
                assert (refused["error"]["code"], refused["error"]["param"]) == (code, param)
                await connection.send(session_of())
                await events_until(connection, "session.updated")

    run_for_real(body())


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ("no JSON", "invalid_request"),
        (b"\x00", "invalid_request"),
        ('{"message_type": "hello"}', "invalid_request"),
        ('{"message_type": "input_audio_chunk", "audio_base_64": "!"}', "input_error"),
        (
            '{"message_type": "input_audio_chunk", "audio_base_64": "", "sample_rate": 16000}',
            "input_error",
        ),
    ],
)
def test_scribe_says_what_it_does_not_understand_and_closes(sent: str | bytes, kind: str) -> None:
    async def body() -> None:
        async with scribe_stage() as (stage, _):
            path = "/v1/speech-to-text/realtime?model_id=scribe_v2_realtime&audio_format=ulaw_8000"
            headers = {"xi-api-key": "k"}
            url = f"ws://{stage.address}{path}"
            async with websocket_connect(url, additional_headers=headers) as connection:
                assert json.loads(await connection.recv())["message_type"] == "session_started"
                await connection.send(sent)
                assert json.loads(await connection.recv())["message_type"] == kind
                with pytest.raises(ConnectionClosed):
                    await connection.recv()

    run_for_real(body())


@pytest.mark.parametrize(
    "query",
    [
        "model_id=scribe_v1&audio_format=ulaw_8000",
        "model_id=scribe_v2_realtime&audio_format=pcm_16000",
        "model_id=scribe_v2_realtime&audio_format=ulaw_8000&commit_strategy=never",
        "model_id=scribe_v2_realtime&audio_format=ulaw_8000&language_code=english",
        "model_id=scribe_v2_realtime&audio_format=ulaw_8000&keyterms=" + "x" * 21,
    ],
)
def test_scribe_refuses_settings_that_cannot_be(query: str) -> None:
    async def body() -> None:
        async with scribe_stage() as (stage, _):
            url = f"ws://{stage.address}/v1/speech-to-text/realtime?{query}"
            with pytest.raises(InvalidStatus) as caught:
                await websocket_connect(url, additional_headers={"xi-api-key": "k"})
            assert caught.value.response.status_code == 400

    run_for_real(body())
