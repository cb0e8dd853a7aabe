"""The edge of ``edge_stage`` with two providers for each kind of work, every one with its emulator.

The first of each kind has the fault board of its agent (``first``), the second one of its own
(``second``), so a test can break the one and leave the other whole, in the middle of a call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from actors.speech_source import SpeechSource
from cache.clip_store import ClipStore
from cache.clips import ClipCache
from cluster.provider_settings import provider_settings
from dialogue.agent import Agent
from providers.failover.ears import Ears
from providers.failover.speaker import FailoverSpeaker
from providers.failover.tally import Work
from providers.failover.think_chain import ThinkCandidate
from providers.failover.thinker import FailoverThinker
from providers.failover.voices import Voice
from providers.health.budget import HedgeBudget, TenantBudgets
from providers.health.local import LocalHealth
from providers.health.view import HealthView
from providers.table import build_speaker
from simulation.azure_tts import AzureTextToSpeech
from simulation.azure_tts_session import AzureTtsConfig
from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_events import CallerEvent, CallerSaid
from simulation.faults import FaultBoard
from simulation.voice_sound import HummingVoice
from tests.support.edge_stage import PHRASES, Built, Cast, Door, EdgeStage
from voice.ports import Speaker

FIRST = {"recognise": "azure", "think": "openai", "speak": "elevenlabs"}
SECOND = {"recognise": "deepgram", "think": "openai", "speak": "azure_tts"}


class Asked(list[tuple[Work, str, str]]):
    """Every request to a provider: work, name, why."""

    def asked(self, work: Work, provider: str, why: str) -> None:
        self.append((work, provider, why))

    def waited(self, work: Work, seconds: float) -> None:
        """Not of interest here."""


class FailoverStage(EdgeStage):
    """Agents that have somebody to stand in for everybody.

    Attributes:
        asked: Requests of each agent, by its name.
    """

    def __init__(self, casts: tuple[Cast, ...]) -> None:
        super().__init__(casts)
        self.asked_of: dict[str, Asked] = {}

    def first(self, name: str, work: str) -> FaultBoard:
        """What is wrong with the first provider of an agent."""
        return self.boards[name, FIRST[work]]

    def second(self, name: str, work: str) -> FaultBoard:
        """What is wrong with the second."""
        return self.boards[f"{name}-second", SECOND[work]]

    async def _build(self, cast: Cast) -> Built:
        stand_in = replace(cast, name=f"{cast.name}-second", recogniser="deepgram")
        azure, deepgram = (
            await self._connect("azure", cast),
            await self._connect("deepgram", stand_in),
        )
        models = [await self._connect("openai", each) for each in (cast, stand_in)]
        elevenlabs = await self._connect("elevenlabs", cast)
        azure_voice = await self._azure_voice(stand_in)
        view = HealthView(LocalHealth(cast.name, lambda: 0.0), time.time)
        asked = self.asked_of[cast.name] = Asked()
        thinker = FailoverThinker(
            [ThinkCandidate(f"model-{at}", model) for at, model in enumerate(models)],
            view,
            TenantBudgets(),
            asked,
        )
        self._stack.push_async_callback(thinker.aclose)
        voices = [
            Voice(elevenlabs, "Rachel", "en-US"),
            Voice(azure_voice, "en-US-AvaMultilingualNeural", "en-US"),
        ]
        speaker = FailoverSpeaker(voices, view, HedgeBudget(), lambda: 0.0, asked)
        await speaker.warm("", "en-US")
        agent = Agent(
            tenant_id="default",
            agent_id=cast.name,
            agent_version="v1",
            language="en-US",
            prompt="You are Ann.",
            greeting=cast.greeting,
            voice="Rachel",
            thinker=f"openai-{cast.name}",
            phrases=PHRASES,
        )
        store = ClipStore(ClipCache(4_000_000))
        speech = SpeechSource(speaker, store, tenant_id="default", chain=speaker)
        assert await speech.prepare(agent) == []
        return agent, thinker, Ears([azure, deepgram], view, asked), speech

    async def _azure_voice(self, cast: Cast) -> Speaker:
        board = self.boards[cast.name, "azure_tts"] = FaultBoard()
        voice = AzureTextToSpeech(AzureTtsConfig(first_byte_s=0.0), HummingVoice(), board)
        self._stack.callback(voice.close)
        host = f"ws://127.0.0.1:{await self._listen(voice, board)}"
        speaker = build_speaker("azure", provider_settings(self.settings(azure_tts_host=host)))
        self._stack.push_async_callback(speaker.aclose)
        return speaker

    async def call_and(
        self, door: Door, turn: int, after_s: float, strike: Callable[[], None], turns: int
    ) -> CallResult:
        """One call; ``strike`` is called ``after_s`` after the caller began to say ``turn``."""
        loop, said = asyncio.get_running_loop(), 0

        def tell(event: CallerEvent) -> None:
            nonlocal said
            if isinstance(event, CallerSaid):
                said += 1
                if said == turn:
                    loop.call_later(after_s, strike)

        async with door.carrier() as line:
            order = CallOrder(self.script(turns), max_duration_s=25.0)
            return await place_call(line, order, tell)
