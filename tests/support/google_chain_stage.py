"""The edge with the usual chain: Azure, then Google, then ElevenLabs; each with its emulator."""

from __future__ import annotations

import time

from actors.speech_source import SpeechSource
from cache.clip_store import ClipStore
from cache.clips import ClipCache
from cluster.provider_settings import provider_settings
from dialogue.agent import Agent
from providers.failover.ears import Ears
from providers.failover.speaker import FailoverSpeaker
from providers.failover.voices import Voice
from providers.health.budget import HedgeBudget
from providers.health.local import LocalHealth
from providers.health.view import HealthView
from providers.table import build_recogniser, build_speaker
from simulation.control import Control
from simulation.faults import FaultBoard
from simulation.google_server import GoogleServer, GrpcService
from simulation.google_stt import GoogleSpeechToText, GoogleSttConfig
from simulation.google_tts import GoogleTextToSpeech, GoogleTtsConfig
from simulation.voice_sound import HummingVoice
from tests.support.edge_stage import PHRASES, Built, Cast
from tests.support.failover_stage import Asked, FailoverStage
from voice.ports import Recogniser, Speaker

AZURE_VOICE = "en-US-AvaMultilingualNeural"
GOOGLE_VOICE = "en-US-Chirp3-HD-Aoede"


class GoogleChainStage(FailoverStage):
    """Agents heard by Azure, then Google; spoken by Azure, then Google, then ElevenLabs."""

    async def _build(self, cast: Cast) -> Built:
        azure = await self._connect("azure", cast)
        google = await self._google_ears(cast)
        model = await self._connect("openai", cast)
        voices = [
            Voice(await self._azure_voice(cast), AZURE_VOICE, "en-US"),
            Voice(await self._google_voice(cast), GOOGLE_VOICE, "en-US"),
            Voice(await self._connect("elevenlabs", cast), "Rachel", "en-US"),
        ]
        view = HealthView(LocalHealth(cast.name, lambda: 0.0), time.time)
        asked = self.asked_of[cast.name] = Asked()
        speaker = FailoverSpeaker(voices, view, HedgeBudget(), lambda: 0.0, asked)
        await speaker.warm("", "en-US")
        agent = Agent(
            tenant_id="default",
            agent_id=cast.name,
            agent_version="v1",
            language="en-US",
            prompt="You are Ann.",
            greeting=cast.greeting,
            voice=AZURE_VOICE,
            thinker=f"openai-{cast.name}",
            phrases=PHRASES,
        )
        store = ClipStore(ClipCache(4_000_000))
        speech = SpeechSource(speaker, store, tenant_id="default", chain=speaker)
        assert await speech.prepare(agent) == []
        return agent, model, Ears([azure, google], view, asked), speech

    async def _google_ears(self, cast: Cast) -> Recogniser:
        board = self.boards[cast.name, "google"] = FaultBoard()
        lags = GoogleSttConfig(interim_lag_s=0.02, final_lag_s=0.02)
        url = await self._serve_grpc(GoogleSpeechToText(lags, self._index, board), board)
        known = provider_settings(self.settings(google_speech_endpoint=url))
        recogniser = build_recogniser("google", known)
        self._stack.push_async_callback(recogniser.aclose)
        await recogniser.warm("en-US", 2)
        return recogniser

    async def _google_voice(self, cast: Cast) -> Speaker:
        board = self.boards[cast.name, "google_tts"] = FaultBoard()
        voice = GoogleTextToSpeech(GoogleTtsConfig(first_byte_s=0.0), HummingVoice(), board)
        self._stack.callback(voice.close)
        url = await self._serve_grpc(voice, board)
        speaker = build_speaker("google", provider_settings(self.settings(google_tts_endpoint=url)))
        self._stack.push_async_callback(speaker.aclose)
        return speaker

    async def _serve_grpc(self, service: GrpcService, board: FaultBoard) -> str:
        server = GoogleServer(service, Control(board))
        self._stack.push_async_callback(server.close)
        return f"http://127.0.0.1:{await server.start('127.0.0.1', 0)}"
