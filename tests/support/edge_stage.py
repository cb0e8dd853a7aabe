"""The real edge over loopback sockets, without Ray: uvicorn, real provider clients, emulators.

``EdgeStage`` runs on an event loop of its own in a thread, so that one running stage serves all
tests of a module: ``stage.play(coroutine)``. Each *door* is an edge with a port of its own and an
agent of its own. Agents share the emulators; one whose provider is in trouble has that emulator,
and the client of it, to itself, so that what is broken for it is whole for the others, in the same
process, on the same clock, at the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import uvicorn
from uvicorn.lifespan.on import LifespanOn

from actors.call_driver import CallParts
from actors.frame_clock import FrameClock
from actors.metrics_calls import AgentMeter
from actors.metrics_counts import EventCounts
from actors.mind_driver import MindConfig
from actors.speech_source import SpeechSource
from actors.tool_runs import ToolRuns
from actors.wire import TurnEntry
from cache.clip_store import ClipStore
from cache.clips import ClipCache
from cache.ports import AnswerCache
from cluster.call_services import CallServices
from cluster.edge import Edge
from cluster.edge_app import EdgeApp
from cluster.edge_parts import EdgeParts
from cluster.mind_parts import wall_clock_us
from cluster.provider_settings import provider_settings
from cluster.settings import Settings
from dialogue.agent import Agent, CallMode, Phrases, SpokenLanguage
from dialogue.ports import Thinker, ThinkEvent, ThinkRequest
from dialogue.relay_options import RelayOptions
from dialogue.tools import Tool
from providers.cartesia_wire import VOICE_EXAMPLE
from providers.failover.ears import Ears
from providers.table import build_recogniser, build_speaker, build_thinker
from simulation.azure_stt import AzureConfig, AzureSpeechToText
from simulation.azure_tts import AzureTextToSpeech
from simulation.azure_tts_session import AzureTtsConfig
from simulation.callee import Phones
from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_script import Leave, Listen, Speak, Step, prepare
from simulation.carrier import Carrier, CarrierConfig
from simulation.clip_library import load_library
from simulation.control import Control
from simulation.elevenlabs_tts import ElevenLabsConfig, ElevenLabsTextToSpeech
from simulation.faults import FaultBoard, Faults
from simulation.fingerprint import ClipIndex
from simulation.openai_chat import OpenAIChat, OpenAIConfig
from simulation.openai_replies import ScriptLine
from simulation.openai_tools import DEFAULT_TOOL_RULES, ToolRule
from simulation.openai_tts import OpenAITextToSpeech, OpenAITtsConfig
from simulation.voice_sound import HummingVoice
from simulation.wire_server import Service, WireServer
from telemetry.ledger import MetricsLedger
from tests.support.edge_ears import emulated_cartesia, emulated_ear
from tests.support.local_mind_pool import LocalMindPool
from voice.levels import EnergyScorer
from voice.ports import Recogniser, Speaker

T = TypeVar("T")
Built = tuple[Agent, Thinker, Recogniser | Ears, SpeechSource]
TOKEN = "12345678901234567890123456789012"
CLIP = "card001"
_SEEDS = itertools.count(1)
# By the speaker's name: its emulator, and a voice of it.
VOICES = {
    "elevenlabs": ("elevenlabs", "Rachel"),
    "cartesia": ("cartesia", VOICE_EXAMPLE),
    "azure": ("azure_tts", "en-US-AvaMultilingualNeural"),
    "openai": ("openai_tts", "alloy"),
    "espeak": ("espeak", "default"),
}
PHRASES = Phrases("Pardon?", "Still there?", "Bye.", "Trouble.", "Back.")


@dataclass(frozen=True, slots=True)
class Cast:
    """An agent and how its providers behave.

    Attributes:
        faults: Of the emulators, by service, once the agent is warm (the recogniser's from the
            start).
        reply: What its model answers.
        speaker: Of ``VOICES``.
        script: What it answers before that, by what the caller says.
        rules: When it calls tools, and what it says to their results.
        tools: Of the agent.
        mode, then_modes, switch_after_s, relay: How its calls are carried.
        languages: That its calls may change to.
    """

    name: str
    faults: tuple[tuple[str, Faults], ...] = ()
    reply: str = "Noted."
    greeting: str = "Hi."
    script: tuple[ScriptLine, ...] = ()
    rules: tuple[ToolRule, ...] = DEFAULT_TOOL_RULES
    tools: tuple[Tool, ...] = ()
    recogniser: str = "azure"
    speaker: str = "elevenlabs"
    mode: CallMode = "pipeline"
    then_modes: tuple[CallMode, ...] = ()
    switch_after_s: float | None = None
    relay: RelayOptions = field(default_factory=RelayOptions)
    languages: tuple[SpokenLanguage, ...] = ()


GOOD = Cast("good")


class Overheard:
    """A language model and all that it was asked.

    Attributes:
        asked: Oldest first.
    """

    def __init__(self, thinker: Thinker) -> None:
        self._thinker = thinker
        self.name = thinker.name
        self.asked: list[ThinkRequest] = []

    async def warm(self) -> None:
        await self._thinker.warm()

    def reply(self, request: ThinkRequest) -> AsyncIterator[ThinkEvent]:
        self.asked.append(request)
        return self._thinker.reply(request)

    async def aclose(self) -> None:
        await self._thinker.aclose()


class Door:
    """One edge on a port of its own.

    Attributes:
        counters: What the edge has counted.
    """

    def __init__(self, edge: Edge, url: str, server: uvicorn.Server) -> None:
        self.edge = edge
        self.url = url
        self.server = server
        self.counters = edge.parts.counters

    def carrier(self, phones: Phones | None = None, **fields: Any) -> Carrier:
        """A carrier whose number points here; ``phones`` are whom it can ring."""
        config = CarrierConfig(self.url, **{"auth_token": TOKEN, **fields})
        # No two carriers share a CallSid.
        return Carrier(config, seed=next(_SEEDS), phones=phones)


class EdgeStage:
    """See the top of this file; ``answers`` is the response cache of its CallActors.

    ``tools`` runs the tools of the CallActor of a name.
    """

    def __init__(
        self,
        casts: tuple[Cast, ...] = (GOOD,),
        answers: AnswerCache | None = None,
        tools: Callable[[str], ToolRuns] | None = None,
        **settings: Any,
    ) -> None:
        self._casts = casts
        self._tools = tools
        self._answers = answers
        self._settings = settings
        self.doors: dict[str, Door] = {}
        self.boards: dict[tuple[str, str], FaultBoard] = {}
        self._clients: dict[tuple[str, str], Any] = {}
        self._index = ClipIndex(load_library())
        self.clip = prepare(load_library().clip(CLIP))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="edge-stage")
        self._stack = contextlib.AsyncExitStack()

    @contextlib.contextmanager
    def running(self) -> Iterator[EdgeStage]:
        self._thread.start()
        try:
            self.play(self._open())
            yield self
        finally:
            self.play(self._stack.aclose())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def play(self, scene: Coroutine[Any, Any, T], limit_s: float = 40.0) -> T:
        """Run a scene on the stage's loop."""
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(scene, limit_s), self._loop)
        return future.result()

    # --- the set ---------------------------------------------------------------------------------

    async def _open(self) -> None:
        self.clock = FrameClock(EnergyScorer(20))
        built = [await self._build(cast) for cast in self._casts]
        self.agents = {agent.agent_id: agent for agent, _, _, _ in built}
        self.thinkers = {agent.thinker: Overheard(thinker) for agent, thinker, _, _ in built}
        self.pool = LocalMindPool(
            self.agents,
            self.thinkers,
            config=MindConfig(30, first_token_timeout_s=0.8),
            answers=self._answers,
            tools=self._tools,
        )
        self._stack.push_async_callback(self.pool.aclose)
        self.built = {cast.name: parts for cast, parts in zip(self._casts, built, strict=True)}
        for name, (agent, _, recogniser, speech) in self.built.items():
            self.doors[name] = await self.open_door(agent, recogniser, speech)
        for cast in self._casts:
            for service, faults in cast.faults:
                self.boards[cast.name, service].set(service, faults)

    async def _build(self, cast: Cast) -> Built:
        """An agent and its provider clients, warm."""
        mouth, voice = VOICES[cast.speaker]
        ear, openai, speaker = [
            await self._client(service, cast) for service in (cast.recogniser, "openai", mouth)
        ]
        agent = Agent(
            tenant_id="default",
            agent_id=cast.name,
            agent_version="v1",
            language="en-US",
            prompt="You are Ann.",
            greeting=cast.greeting,
            voice=voice,
            speaker=cast.speaker,
            recogniser=cast.recogniser,
            thinker=f"openai-{cast.name}",
            phrases=PHRASES,
            tools=cast.tools,
            mode=cast.mode,
            then_modes=cast.then_modes,
            switch_after_s=cast.switch_after_s,
            relay=cast.relay,
            languages=cast.languages,
            asks=("english", "inglés", "inggeris", "英语"),
        )
        speech = SpeechSource(speaker, ClipStore(ClipCache(4_000_000)), tenant_id="default")
        assert await speech.prepare(agent) == []
        return agent, openai, ear, speech

    async def _client(self, service: str, cast: Cast) -> Any:
        """The client of one service: shared, or the agent's own when something differs for it."""
        is_own = any(name == service for name, _ in cast.faults) or (
            service == "openai" and (cast.reply != GOOD.reply or bool(cast.script))
        )
        key = (service, cast.name if is_own else "")
        if key not in self._clients:
            self._clients[key] = await self._connect(service, cast)
        return self._clients[key]

    async def _connect(self, service: str, cast: Cast) -> Any:
        board = FaultBoard()
        self.boards[cast.name, service] = board
        if service == cast.recogniser:
            if service == "azure":
                lags = AzureConfig(interim_lag_s=0.02, final_lag_s=0.02)
                port = await self._listen(AzureSpeechToText(lags, self._index, board), board)
                where = {"azure_speech_host": f"ws://127.0.0.1:{port}"}
            else:
                ear, found_at = emulated_ear(service, self._index, board)
                where = found_at(await self._listen(ear, board))
            for name, faults in cast.faults:
                if name == service:
                    board.set(service, faults)
            recogniser = build_recogniser(service, provider_settings(self.settings(**where)))
            if not cast.faults:
                await recogniser.warm("en-US", 2)
            self._stack.push_async_callback(recogniser.aclose)
            return recogniser
        if service == "openai":
            script = (*cast.script, ScriptLine((), cast.reply))
            chat = OpenAIChat(
                OpenAIConfig(
                    first_token_s=0.0, per_token_s=0.0, script=script, tool_rules=cast.rules
                ),
                board,
            )
            port = await self._listen(chat, board)
            known = provider_settings(self.settings(openai_base_url=f"http://127.0.0.1:{port}/v1"))
            thinker = build_thinker("openai", known)
            await thinker.warm()
            self._stack.push_async_callback(thinker.aclose)
            return thinker
        return await self._speaker(service, board)

    async def _speaker(self, service: str, board: FaultBoard) -> Speaker:
        """The client of a voice, warm, with its emulator behind it if it has one."""
        hum = HummingVoice()
        emulator: Any = None
        if service == "azure_tts":
            emulator = AzureTextToSpeech(AzureTtsConfig(first_byte_s=0.0), hum, board)
        elif service == "openai_tts":
            emulator = OpenAITextToSpeech(OpenAITtsConfig(first_byte_s=0.0), hum, board)
        elif service == "elevenlabs":
            emulator = ElevenLabsTextToSpeech(ElevenLabsConfig(first_byte_s=0.0), hum, board)
        elif service == "cartesia":
            emulator = emulated_cartesia(board)
        where: dict[str, str] = {}
        if emulator is not None:
            self._stack.callback(emulator.close)
            address = f"127.0.0.1:{await self._listen(emulator, board)}"
            where = {
                "azure_tts": {"azure_tts_host": f"ws://{address}"},
                "openai_tts": {"openai_tts_base_url": f"http://{address}/v1"},
                "elevenlabs": {"elevenlabs_base_url": f"http://{address}"},
                "cartesia": {"cartesia_base_url": f"http://{address}"},
            }[service]
        name, voice = next((n, v) for n, (of, v) in VOICES.items() if of == service)
        speaker = build_speaker(name, provider_settings(self.settings(**where)))
        await speaker.warm(voice, "en-US")
        self._stack.push_async_callback(speaker.aclose)
        return speaker

    async def _listen(self, service: Service, board: FaultBoard) -> int:
        server = WireServer(service, Control(board))
        self._stack.push_async_callback(server.close)
        return await server.start("127.0.0.1", 0)

    def settings(self, **more: Any) -> Settings:
        """Settings as a person would set them."""
        return Settings(
            _env_file=None,
            **{
                "openai_api_key": "k",
                "azure_speech_key": "k" * 32,
                "deepgram_api_key": "k",
                "elevenlabs_api_key": "k",
                "cartesia_api_key": "k",
                "twilio_auth_token": TOKEN,
                "mode": "development",  # so that http:// is let through; signatures are checked
                **self._settings,
                **more,
            },
        )

    async def open_door(
        self,
        agent: Agent,
        recogniser: Recogniser | Ears,
        speech: SpeechSource,
        furnish: Callable[[Edge], Awaitable[CallServices]] | None = None,
        **settings: Any,
    ) -> Door:
        """An edge that answers with ``agent``, listening; ``furnish`` gives it its services."""
        listening = _listening()
        url = _url(listening)
        edge = self._edge(agent, recogniser, speech, {"public_url": url, **settings})
        services = None if furnish is None else await furnish(edge)
        edge.not_ready.clear()
        return Door(edge, url, await self._serve(EdgeApp(edge, services), listening))

    async def open_replicas(
        self, name: str, route: Callable[[str], int], count: int = 2, **parts: Any
    ) -> list[Door]:
        """Edges of agent ``name`` behind one address; ``route`` picks one by the path."""
        agent, _, recogniser, speech = self.built[name]
        listening = _listening()
        url = _url(listening)
        edges = [
            self._edge(agent, recogniser, speech, {"public_url": url}, **parts)
            for _ in range(count)
        ]
        apps = [EdgeApp(edge) for edge in edges]
        for edge in edges:
            edge.not_ready.clear()

        async def front(scope: Any, receive: Any, send: Any) -> None:
            await apps[route(scope["path"]) if "path" in scope else 0](scope, receive, send)

        server = await self._serve(front, listening)
        return [Door(edge, url, server) for edge in edges]

    def _edge(
        self,
        agent: Agent,
        recogniser: Recogniser | Ears,
        speech: SpeechSource,
        settings: dict[str, Any],
        **parts: Any,
    ) -> Edge:
        ears = recogniser if isinstance(recogniser, Ears) else Ears([recogniser])
        ledger = MetricsLedger("door", 1)
        counts = EventCounts(ledger)

        async def planned_end(_call_sid: str) -> bool:
            return False

        key = (agent.tenant_id, agent.agent_id)
        meter = AgentMeter(ledger, agent)
        edge_parts = EdgeParts(
            agents={key: agent},
            call_parts={key: CallParts(ears, speech, self.clock, wall_clock_us, counts, meter)},
            pool=self.pool,
            wall_clock_us=wall_clock_us,
            counts=counts,
            cluster_view=lambda: None,
            **{"planned_end": planned_end, **parts},
        )
        return Edge(self.settings(**{"default_agent": agent.agent_id, **settings}), edge_parts)

    async def _serve(self, app: Any, listening: socket.socket) -> uvicorn.Server:
        lifespan = LifespanOn(uvicorn.Config(app, lifespan="on", log_config=None))
        await lifespan.startup()  # as Serve does
        assert not lifespan.should_exit, "Serve could not start this application"
        await lifespan.shutdown()
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="critical",
                ws="websockets-sansio",
                lifespan="off",
            )
        )
        serving = asyncio.get_running_loop().create_task(server._serve([listening]))
        while not server.started:
            await asyncio.sleep(0.005)

        async def close() -> None:
            server.should_exit = True
            server.force_exit = True
            await serving
            listening.close()

        self._stack.push_async_callback(close)
        return server

    # --- callers ---------------------------------------------------------------------------------

    def script(self, turns: int = 1, patience_s: float = 0.4) -> Iterator[Step]:
        """Hear the greeting, say the clip, hear the answer and no more for a while, hang up."""
        yield Listen(until_silence_s=0.2)
        for _ in range(turns):
            yield Speak(self.clip)
            yield Listen(until_silence_s=patience_s)
        yield Leave()

    async def call(
        self,
        door: Door,
        turns: int = 1,
        carrier: Carrier | None = None,
        patience_s: float = 0.4,
    ) -> CallResult:
        """One whole call; its turns say whether they were answered."""
        async with carrier or door.carrier() as line:
            order = CallOrder(self.script(turns, patience_s), max_duration_s=25.0)
            return await place_call(line, order)

    def asked(self, name: str) -> list[ThinkRequest]:
        """What the model of this agent was asked, oldest first."""
        return self.thinkers[f"openai-{name}"].asked

    def turns_of(self, door: Door) -> list[TurnEntry]:
        """Every turn that this door's agent has settled, as the actors recorded it."""
        agent = door.edge.settings.default_agent
        recorders = [home.recorder for home in self.pool.homes.values()]
        return [
            entry
            for recorder in recorders
            for call_id, entry in recorder.settled
            if recorder.calls[call_id].agent_id == agent
        ]

    def ends_of(self, door: Door) -> list[tuple[bool, str]]:
        """Whether as planned, and why, every call of this door's agent has ended."""
        agent = door.edge.settings.default_agent
        recorders = [home.recorder for home in self.pool.homes.values()]
        return [
            (planned, reason)
            for recorder in recorders
            for call_id, planned, reason in recorder.closed
            if recorder.calls[call_id].agent_id == agent
        ]


def _listening() -> socket.socket:
    """Any free port, without 40 ms of Nagle: asyncio leaves a socket of ours as it is."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _url(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def answered(result: CallResult) -> list[str]:
    """How each turn of the call ended."""
    return [turn.outcome for turn in result.turns]
