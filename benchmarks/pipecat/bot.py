"""A telephone bot of Pipecat to measure beside this product; runs in Pipecat's own environment.

It is put together as Pipecat's own starter for Twilio is: FastAPI answers the webhook with
``<Connect><Stream>``; each socket gets ``FastAPIWebsocketTransport`` with ``TwilioFrameSerializer``
and a pipeline of Deepgram Flux, an OpenAI model and ElevenLabs, all at 8 kHz, with Silero and the
turn strategies that Pipecat chooses for Flux. One process and one event loop carry all calls, as
``uvicorn`` runs it. Addresses of the emulated services come from the environment.
"""

from __future__ import annotations

import asyncio
import os
import sys
from xml.sax.saxutils import quoteattr

import uvicorn
from fastapi import FastAPI, Response, WebSocket
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import LLMRunFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.deepgram.flux.stt import DeepgramFluxSTTService
from pipecat.services.elevenlabs.tts import ElevenLabsTTSService
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.workers.runner import WorkerRunner

PROMPT = "You answer the phone of a small shop. Answer in one or two short sentences."
RATE_HZ = 8000
PORT = int(os.environ["BOT_PORT"])

app = FastAPI()
calls: set[str] = set()


@app.get("/calls")
async def in_progress() -> dict[str, int]:
    """How many calls are up."""
    return {"calls": len(calls)}


@app.post("/twilio/voice")
async def voice() -> Response:
    """The answer to a new call: a media stream."""
    url = quoteattr(f"ws://127.0.0.1:{PORT}/twilio/media")
    twiml = f"<Response><Connect><Stream url={url}/></Connect></Response>"
    return Response(twiml, media_type="application/xml")


@app.post("/twilio/{rest:path}")
async def told(rest: str) -> Response:
    """Status callbacks are taken note of, no more."""
    return Response(status_code=204)


@app.websocket("/twilio/media")
async def media(socket: WebSocket) -> None:
    """One call, from its first message to its end."""
    await socket.accept()
    _, call = await parse_telephony_websocket(socket)
    calls.add(call["call_id"])
    try:
        await _carry(socket, call["stream_id"], call["call_id"])
    finally:
        calls.discard(call["call_id"])


async def _carry(socket: WebSocket, stream_sid: str, call_sid: str) -> None:
    serializer = TwilioFrameSerializer(
        stream_sid=stream_sid,
        call_sid=call_sid,
        params=TwilioFrameSerializer.InputParams(auto_hang_up=False),
    )
    transport = FastAPIWebsocketTransport(
        socket,
        FastAPIWebsocketParams(
            audio_in_enabled=True, audio_out_enabled=True, serializer=serializer
        ),
    )
    ear = DeepgramFluxSTTService(api_key="emulated", url=os.environ["DEEPGRAM_URL"])
    mind = OpenAILLMService(
        api_key="emulated",
        base_url=os.environ["OPENAI_BASE_URL"],
        settings=OpenAILLMService.Settings(model="gpt-4.1-mini", system_instruction=PROMPT),
    )
    mouth = ElevenLabsTTSService(
        api_key="emulated",
        url=os.environ["ELEVENLABS_URL"],
        settings=ElevenLabsTTSService.Settings(
            voice="21m00Tcm4TlvDq8ikWAM", model="eleven_flash_v2_5"
        ),
    )
    context = LLMContext()
    listened, said = LLMContextAggregatorPair(
        context, user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    )
    parts = [transport.input(), ear, listened, mind, mouth, transport.output(), said]
    worker = PipelineWorker(
        Pipeline(parts),
        params=PipelineParams(
            audio_in_sample_rate=RATE_HZ,
            audio_out_sample_rate=RATE_HZ,
            enable_metrics=True,
            enable_usage_metrics=True,
        ),
    )
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)

    @transport.event_handler("on_client_connected")
    async def greet(_transport: object, _client: object) -> None:
        context.add_message({"role": "developer", "content": "Start by greeting the caller."})
        await worker.queue_frames([LLMRunFrame()])

    @transport.event_handler("on_client_disconnected")
    async def gone(_transport: object, _client: object) -> None:
        await runner.cancel()

    await runner.run()


if __name__ == "__main__":
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    asyncio.run(
        uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=PORT, log_level="warning")
        ).serve()
    )
