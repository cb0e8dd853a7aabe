"""All emulated providers in one process, for tests and for the command line.

async with run_providers(ProvidersConfig()) as running:
    SpeechConfig(host=running.azure_host, subscription="any")
    AsyncOpenAI(base_url=running.openai_base_url, api_key="any")
    # Deepgram: running.deepgram_base_url
    # ElevenLabs: running.elevenlabs_base_url, running.elevenlabs_socket_url
    # Twilio: running.twilio_api_base_url, running.exchange
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from simulation.azure_stt import AzureConfig, AzureSpeechToText
from simulation.azure_tts import AzureTextToSpeech
from simulation.azure_tts_session import AzureTtsConfig
from simulation.callee_book import Callee
from simulation.clip_library import load_library
from simulation.control import Control
from simulation.deepgram_flux import DeepgramConfig, DeepgramFlux
from simulation.elevenlabs_tts import ElevenLabsConfig, ElevenLabsTextToSpeech
from simulation.errors import GoogleMissing
from simulation.espeak_voice import load_voice
from simulation.exchange import Exchange, ExchangeConfig
from simulation.exchange_control import ExchangeControl
from simulation.faults import FaultBoard, Faults
from simulation.fingerprint import ClipIndex
from simulation.google_server import GoogleServer, GrpcService
from simulation.google_server import is_installed as has_google
from simulation.google_stt import GoogleSpeechToText, GoogleSttConfig
from simulation.google_tts import GoogleTextToSpeech, GoogleTtsConfig
from simulation.openai_chat import OpenAIChat, OpenAIConfig
from simulation.openai_realtime import OpenAIRealtimeEmulator
from simulation.openai_tts import OpenAITextToSpeech, OpenAITtsConfig
from simulation.realtime_session import RealtimeEmulatorConfig
from simulation.socket_services import (
    RunningSocketServices,
    SocketServices,
    SocketServicesConfig,
)
from simulation.twilio_rest import TwilioRestApi
from simulation.voice_sound import SpokenVoice
from simulation.wire_server import Service, WireServer


@dataclass(frozen=True, slots=True)
class ProvidersConfig:
    """Where the emulators listen, how quick they are and what goes wrong at the start.

    Attributes:
        azure_port: 0 takes a free one; so do the others.
        twilio: The account at the carrier.
        callees: Who answers calls out, by number; see ``callee_book``.
        google_port: None starts none: Google's clients take a second to load and are an extra.
        google_tts_port: Likewise.
        faults: By service; see ``faults.SERVICES``.
        voice: Speaks for every service that speaks; None loads the best there is.
        clips: Folder of the clips that are recognised; None for those that ship.
    """

    host: str = "127.0.0.1"
    azure_port: int = 0
    openai_port: int = 0
    elevenlabs_port: int = 0
    twilio_port: int = 0
    deepgram_port: int = 0
    azure_tts_port: int = 0
    openai_tts_port: int = 0
    openai_realtime_port: int = 0
    google_port: int | None = None
    google_tts_port: int | None = None
    azure: AzureConfig = field(default_factory=AzureConfig)
    deepgram: DeepgramConfig = field(default_factory=DeepgramConfig)
    openai: OpenAIConfig = field(default_factory=OpenAIConfig)
    elevenlabs: ElevenLabsConfig = field(default_factory=ElevenLabsConfig)
    azure_tts: AzureTtsConfig = field(default_factory=AzureTtsConfig)
    openai_tts: OpenAITtsConfig = field(default_factory=OpenAITtsConfig)
    openai_realtime: RealtimeEmulatorConfig = field(default_factory=RealtimeEmulatorConfig)
    google: GoogleSttConfig = field(default_factory=GoogleSttConfig)
    google_tts: GoogleTtsConfig = field(default_factory=GoogleTtsConfig)
    sockets: SocketServicesConfig = field(default_factory=SocketServicesConfig)
    twilio: ExchangeConfig = field(default_factory=ExchangeConfig)
    callees: dict[str, Callee] = field(default_factory=dict)
    faults: dict[str, Faults] = field(default_factory=dict)
    voice: SpokenVoice | None = None
    clips: Path | None = None


@dataclass(frozen=True, slots=True)
class RunningProviders:
    """Emulators that listen.

    Attributes:
        sockets: Addresses of Cartesia, Scribe and OpenAI's realtime transcription.
        board: Set faults here from within the process.
        control: Statistics.
        google_port: None when there is none; so is ``google_tts_port``.
        exchange: The account at the carrier: place calls in, script who answers calls out.
    """

    host: str
    azure_port: int
    openai_port: int
    elevenlabs_port: int
    twilio_port: int
    deepgram_port: int
    azure_tts_port: int
    openai_tts_port: int
    openai_realtime_port: int
    google_port: int | None
    google_tts_port: int | None
    sockets: RunningSocketServices
    board: FaultBoard
    control: Control
    exchange: Exchange

    @property
    def azure_host(self) -> str:
        """For ``SpeechConfig(host=...)``."""
        return f"ws://{self.host}:{self.azure_port}"

    @property
    def azure_tts_host(self) -> str:
        """The host of ``SpeechConfig(endpoint=...)`` for text-to-speech."""
        return f"ws://{self.host}:{self.azure_tts_port}"

    @property
    def deepgram_base_url(self) -> str:
        """Where ``/v2/listen`` is."""
        return f"http://{self.host}:{self.deepgram_port}"

    @property
    def openai_base_url(self) -> str:
        """For ``AsyncOpenAI(base_url=...)``."""
        return f"http://{self.host}:{self.openai_port}/v1"

    @property
    def openai_tts_base_url(self) -> str:
        """For ``AsyncOpenAI(base_url=...)`` that speaks."""
        return f"http://{self.host}:{self.openai_tts_port}/v1"

    @property
    def openai_realtime_base_url(self) -> str:
        """For ``AsyncOpenAI(base_url=...)`` that hears and speaks."""
        return f"http://{self.host}:{self.openai_realtime_port}/v1"

    @property
    def google_endpoints(self) -> dict[str, str]:
        """Of the services of Google's that run: for ``grpc.aio.insecure_channel``, as URLs."""
        ports = {
            "google_speech_endpoint": self.google_port,
            "google_tts_endpoint": self.google_tts_port,
        }
        return {name: f"http://{self.host}:{port}" for name, port in ports.items() if port}

    @property
    def elevenlabs_base_url(self) -> str:
        """For ``AsyncElevenLabs(base_url=...)``."""
        return f"http://{self.host}:{self.elevenlabs_port}"

    @property
    def elevenlabs_socket_url(self) -> str:
        """Where ``/v1/text-to-speech/...`` sockets are."""
        return f"ws://{self.host}:{self.elevenlabs_port}"

    @property
    def twilio_api_base_url(self) -> str:
        """Stands in for ``https://api.twilio.com``."""
        return f"http://{self.host}:{self.twilio_port}"

    def ready_line(self) -> str:
        """One line of JSON for scripts: ``{"ready": true, "azure_host": ..., ...}``."""
        return json.dumps(
            {
                "ready": True,
                "azure_host": self.azure_host,
                "azure_tts_host": self.azure_tts_host,
                "deepgram_base_url": self.deepgram_base_url,
                "openai_base_url": self.openai_base_url,
                "openai_tts_base_url": self.openai_tts_base_url,
                "openai_realtime_base_url": self.openai_realtime_base_url,
                "elevenlabs_base_url": self.elevenlabs_base_url,
                **self.google_endpoints,
                **asdict(self.sockets),
                "twilio_api_base_url": self.twilio_api_base_url,
                "twilio_account_sid": self.exchange.account.account_sid,
            }
        )


@asynccontextmanager
async def run_providers(config: ProvidersConfig) -> AsyncIterator[RunningProviders]:
    """Run all emulators on the current loop until the block ends.

    Raises:
        OSError: A port is taken.
        ClipUnreadable: The clips that ship with the product are damaged.
        ClipMissing: ``config.callees`` names a clip that does not ship with the product.
        FaultsInvalid: ``config.faults`` names an unknown service.
        GoogleMissing: A port of Google's is asked for and its clients are not installed.
        ValueError: ``config.twilio`` holds what is not an http(s) address.
    """
    board = FaultBoard()
    for service, faults in config.faults.items():
        board.set(service, faults)
    control = Control(board)
    index = ClipIndex(load_library(config.clips) if config.clips else load_library())
    azure = AzureSpeechToText(config.azure, index, board)
    deepgram = DeepgramFlux(config.deepgram, index, board)
    openai = OpenAIChat(config.openai, board)
    voice = config.voice or load_voice()
    elevenlabs = ElevenLabsTextToSpeech(config.elevenlabs, voice, board)
    azure_tts = AzureTextToSpeech(config.azure_tts, voice, board)
    openai_tts = OpenAITextToSpeech(config.openai_tts, voice, board)
    openai_realtime = OpenAIRealtimeEmulator(config.openai_realtime, index, voice, board)
    sockets = SocketServices(config.sockets, index, voice, board)
    google = GoogleSpeechToText(config.google, index, board)
    google_tts = GoogleTextToSpeech(config.google_tts, voice, board)
    async with AsyncExitStack() as stack:
        for speaker in (elevenlabs, azure_tts, openai_tts, openai_realtime, google_tts):
            stack.callback(speaker.close)
        stack.callback(sockets.close)

        async def listen(service: Service, port: int) -> int:
            server = WireServer(service, control)
            stack.push_async_callback(server.close)
            return await server.start(config.host, port)

        async def listen_grpc(service: GrpcService, port: int | None) -> int | None:
            if port is None:
                return None
            if not has_google():
                raise GoogleMissing("install Google's clients: pip install 'callcluster[google]'")
            server = GoogleServer(service, control)
            stack.push_async_callback(server.close)
            return await server.start(config.host, port)

        exchange = await stack.enter_async_context(Exchange(config.twilio))
        for number, callee in config.callees.items():
            exchange.phones.put(number, callee)
        ExchangeControl(exchange, control)
        running = RunningProviders(
            host=config.host,
            azure_port=await listen(azure, config.azure_port),
            openai_port=await listen(openai, config.openai_port),
            elevenlabs_port=await listen(elevenlabs, config.elevenlabs_port),
            twilio_port=await listen(TwilioRestApi(exchange), config.twilio_port),
            deepgram_port=await listen(deepgram, config.deepgram_port),
            azure_tts_port=await listen(azure_tts, config.azure_tts_port),
            openai_tts_port=await listen(openai_tts, config.openai_tts_port),
            openai_realtime_port=await listen(openai_realtime, config.openai_realtime_port),
            google_port=await listen_grpc(google, config.google_port),
            google_tts_port=await listen_grpc(google_tts, config.google_tts_port),
            sockets=await sockets.start(config.host, listen),
            board=board,
            control=control,
            exchange=exchange,
        )
        exchange.log.api_url = running.twilio_api_base_url
        yield running


def _print_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def serve_forever(
    config: ProvidersConfig, announce: Callable[[str], None] = _print_line
) -> None:
    """Run until SIGINT or SIGTERM; ``announce`` gets the ready line once all ports are open."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        async with run_providers(config) as running:
            announce(running.ready_line())
            await stop.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
