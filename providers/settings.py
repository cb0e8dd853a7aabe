"""What each provider has to be told: one small frozen record for each, read from nowhere.

The composition root fills these from the environment; the comment names the variable that a person
would set. A record never shows its key when it is printed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from providers.google_settings import GoogleSpeechConfig, GoogleTtsConfig
from providers.pocketsphinx_settings import PocketsphinxConfig
from providers.socket_settings import (
    CartesiaConfig,
    OpenAITranscriptionConfig,
    ScribeConfig,
)

AZURE_KEY = "AZURE_SPEECH_KEY"
AZURE_REGION = "AZURE_SPEECH_REGION"
AZURE_HOST = "AZURE_SPEECH_HOST"
AZURE_STREAMS = "CALLCLUSTER_AZURE_STREAMS_PER_PROCESS"
AZURE_TTS_HOST = "AZURE_TTS_HOST"
AZURE_SYNTHESISERS = "CALLCLUSTER_AZURE_SYNTHESISERS_PER_PROCESS"
DEEPGRAM_KEY = "DEEPGRAM_API_KEY"
DEEPGRAM_MODEL = "DEEPGRAM_MODEL"
DEEPGRAM_BASE_URL = "DEEPGRAM_BASE_URL"
DEEPGRAM_STREAMS = "CALLCLUSTER_DEEPGRAM_STREAMS_PER_PROCESS"
DEEPGRAM_EOT = "CALLCLUSTER_DEEPGRAM_EOT_THRESHOLD"
DEEPGRAM_EAGER_EOT = "CALLCLUSTER_DEEPGRAM_EAGER_EOT_THRESHOLD"
DEEPGRAM_EOT_TIMEOUT = "CALLCLUSTER_DEEPGRAM_EOT_TIMEOUT_MS"
OPENAI_KEY = "OPENAI_API_KEY"
OPENAI_MODEL = "OPENAI_MODEL"
OPENAI_BASE_URL = "OPENAI_BASE_URL"
OPENAI_TTS_KEY = "OPENAI_TTS_API_KEY"
OPENAI_TTS_BASE_URL = "OPENAI_TTS_BASE_URL"
OPENAI_TTS_MODEL = "OPENAI_TTS_MODEL"
OPENAI_TTS_SAMPLE_RATE = "OPENAI_TTS_SAMPLE_RATE"
REALTIME_KEY = "OPENAI_REALTIME_API_KEY"
REALTIME_BASE_URL = "OPENAI_REALTIME_BASE_URL"
REALTIME_MODEL = "OPENAI_REALTIME_MODEL"
TRANSCRIPTION_MODEL = "OPENAI_REALTIME_TRANSCRIPTION_MODEL"
AZURE_OPENAI_KEY = "AZURE_OPENAI_API_KEY"
AZURE_OPENAI_ENDPOINT = "AZURE_OPENAI_ENDPOINT"
AZURE_OPENAI_DEPLOYMENT = "AZURE_OPENAI_DEPLOYMENT"
OPENROUTER_KEY = "OPENROUTER_API_KEY"
OPENROUTER_BASE_URL = "OPENROUTER_BASE_URL"
OPENROUTER_MODEL = "OPENROUTER_MODEL"
ELEVENLABS_KEY = "ELEVENLABS_API_KEY"
ELEVENLABS_BASE_URL = "ELEVENLABS_BASE_URL"
ELEVENLABS_MODEL = "ELEVENLABS_MODEL"
ELEVENLABS_SOCKETS = "CALLCLUSTER_ELEVENLABS_SOCKETS"


@dataclass(frozen=True, slots=True)
class AzureSpeechConfig:
    """Azure speech-to-text.

    Attributes:
        key: Subscription key (AZURE_SPEECH_KEY); may be empty with ``host`` (containers).
        region: Such as ``westeurope`` (AZURE_SPEECH_REGION); ignored when ``host`` is given.
        host: ``ws://`` or ``wss://`` address of a container or an emulator (AZURE_SPEECH_HOST).
        max_streams: Live recognisers in this process, pre-opened ones included; one costs three
            threads, 0.8 MB and 2 % of a core (CALLCLUSTER_AZURE_STREAMS_PER_PROCESS).
        segmentation_silence_s: Silence that ends a phrase; the service takes 0.1 to 5 s.
        stable_partials: How often a word must be repeated before an interim shows it; 0 for off.
        connect_timeout_s: Longest wait for a connection before the stream counts as failed.
        tuned: Set the undocumented low-latency properties of the SDK.
        identifies_languages: Where a caller may change the language, have the service say which
            one was spoken; it has its price, and containers cannot
            (CALLCLUSTER_AZURE_IDENTIFIES_LANGUAGES).
    """

    key: str = field(default="", repr=False)
    region: str = ""
    host: str = ""
    max_streams: int = 25
    segmentation_silence_s: float = 0.35
    stable_partials: int = 0
    connect_timeout_s: float = 5.0
    tuned: bool = True
    identifies_languages: bool = True


@dataclass(frozen=True, slots=True)
class DeepgramConfig:
    """Deepgram Flux speech-to-text.

    Attributes:
        api_key: DEEPGRAM_API_KEY.
        base_url: DEEPGRAM_BASE_URL; ``http`` becomes ``ws``, ``https`` becomes ``wss``. There are
            others by region, such as ``https://api.eu.deepgram.com``.
        model: DEEPGRAM_MODEL; empty: the English one for English, the multilingual one otherwise.
        max_streams: Sockets in this process, pre-opened ones included; each counts against the
            project's limit (CALLCLUSTER_DEEPGRAM_STREAMS_PER_PROCESS).
        eot_threshold: Confidence that ends a turn, 0.5 to 0.9.
        eager_eot_threshold: Confidence at which the words so far are reported ahead of the end,
            0.3 to ``eot_threshold``; 0 for never.
        eot_timeout_s: Silence that ends a turn whatever the confidence, 0.5 to 60 s. Short: who has
            finished is decided here, and a turn that stays open over there would have words of two.
        connect_timeout_s: For TCP, TLS, the handshake and the first message.
        stall_timeout_s: Silence of the service while audio goes to it; it says something for each
            quarter of a second.
        replay_s: How much audio is kept to be said again over a new socket.
    """

    api_key: str = field(default="", repr=False)
    base_url: str = "https://api.deepgram.com"
    model: str = ""
    max_streams: int = 100
    eot_threshold: float = 0.7
    eager_eot_threshold: float = 0.4
    eot_timeout_s: float = 1.0
    connect_timeout_s: float = 3.0
    stall_timeout_s: float = 2.0
    replay_s: float = 8.0


ChatService = Literal["openai", "azure", "openrouter"]


@dataclass(frozen=True, slots=True)
class ChatEndpoint:
    """Where chat completions are asked for, and what every request carries besides its body.

    ``providers.chat_endpoint`` makes one for each service from what people have in their
    environment. A request goes to ``base_url`` + ``/chat/completions``.

    Attributes:
        kind: Whose protocol details apply; ``openai`` also stands for anybody who speaks the same.
        base_url: Without a slash at its end.
        api_key: May be empty for a server that asks for none.
        default_query: Such as ``(("api-version", "2025-04-01-preview"),)``.
        default_headers: Besides the one that carries the key.
        model: Asked for where a request names none; empty for the default of ``providers.models``.
    """

    kind: ChatService = "openai"
    base_url: str = "https://api.openai.com/v1"
    api_key: str = field(default="", repr=False)
    default_query: tuple[tuple[str, str], ...] = ()
    default_headers: tuple[tuple[str, str], ...] = ()
    model: str = ""

    @property
    def key_headers(self) -> dict[str, str]:
        """The header that carries the key: ``api-key`` at Azure, a bearer token elsewhere."""
        if not self.api_key:
            return {}
        if self.kind == "azure":
            return {"api-key": self.api_key}
        return {"Authorization": f"Bearer {self.api_key}"}

    @property
    def key_setting(self) -> str:
        """The variable that holds the key."""
        return {"azure": AZURE_OPENAI_KEY, "openrouter": OPENROUTER_KEY}.get(self.kind, OPENAI_KEY)

    @property
    def address_setting(self) -> str:
        """The variable that holds the address."""
        settings = {"azure": AZURE_OPENAI_ENDPOINT, "openrouter": OPENROUTER_BASE_URL}
        return settings.get(self.kind, OPENAI_BASE_URL)

    @property
    def model_setting(self) -> str:
        """The variable that says which model; at Azure the address does."""
        settings = {"azure": AZURE_OPENAI_ENDPOINT, "openrouter": OPENROUTER_MODEL}
        return settings.get(self.kind, OPENAI_MODEL)


@dataclass(frozen=True, slots=True)
class OpenAIConfig:
    """Chat completions at OpenAI or at anybody who speaks the same protocol.

    Attributes:
        endpoint: Where, as whom, and for which model where a request names none.
        reasoning_effort: Sent to models that are known to take it.
        service_tier: Such as ``fast``; sent to models that are known to take it.
        verbosity: Sent to models that are known to take it.
        connect_timeout_s: For TCP and TLS.
        first_token_timeout_s: From the request to the first characters, or the end.
        stall_timeout_s: Between two pieces of the stream.
        keep_warm_s: A connection is used at least this often once ``warm`` was called.
    """

    endpoint: ChatEndpoint = field(default_factory=ChatEndpoint)
    reasoning_effort: str = "none"
    service_tier: str = ""
    verbosity: str = ""
    connect_timeout_s: float = 3.0
    first_token_timeout_s: float = 8.0
    stall_timeout_s: float = 4.0
    keep_warm_s: float = 30.0


@dataclass(frozen=True, slots=True)
class ElevenLabsConfig:
    """ElevenLabs text-to-speech.

    Attributes:
        api_key: ELEVENLABS_API_KEY.
        base_url: ELEVENLABS_BASE_URL; ``http`` becomes ``ws``, ``https`` becomes ``wss``.
        model: ELEVENLABS_MODEL; empty for the default of ``providers.models``.
        max_sockets: Over all voices (CALLCLUSTER_ELEVENLABS_SOCKETS); each carries 5 segments.
        voice_settings: Such as ``(("stability", 0.5), ("speed", 1.0))``; empty for the voice's own.
        connect_timeout_s: For TCP, TLS and the handshake.
        first_byte_timeout_s: From the request to the first audio.
        stall_timeout_s: Between two messages of one segment.
        keep_alive_s: An idle socket says something this often; below ``inactivity_timeout_s``.
        inactivity_timeout_s: After which the service closes a silent socket; at most 180.
        idle_close_s: A socket unused this long is closed unless its voice was warmed.
    """

    api_key: str = field(default="", repr=False)
    base_url: str = "https://api.elevenlabs.io"
    model: str = ""
    max_sockets: int = 16
    voice_settings: tuple[tuple[str, float | bool], ...] = ()
    connect_timeout_s: float = 3.0
    first_byte_timeout_s: float = 3.0
    stall_timeout_s: float = 3.0
    keep_alive_s: float = 8.0
    inactivity_timeout_s: int = 20
    idle_close_s: float = 300.0


@dataclass(frozen=True, slots=True)
class AzureTtsConfig:
    """Azure text-to-speech.

    Attributes:
        key: Subscription key (AZURE_SPEECH_KEY); may be empty with ``host`` (containers).
        region: Such as ``westeurope`` (AZURE_SPEECH_REGION); ignored when ``host`` is given.
        host: ``ws://`` or ``wss://`` address of a container or an emulator (AZURE_TTS_HOST).
        max_synthesisers: In this process, idle ones included; each speaks one segment at a time
            and costs five threads (CALLCLUSTER_AZURE_SYNTHESISERS_PER_PROCESS).
        text_streaming: Use the second version of the websocket; off for a container that has only
            the first (CALLCLUSTER_AZURE_TTS_TEXT_STREAMING).
        connect_timeout_s: Longest wait for a socket that is opened ahead of need.
        first_byte_timeout_s: From the request to the first audio, a handshake included.
        stall_timeout_s: Between two pieces of audio.
        idle_close_s: A synthesiser unused this long is closed, unless it is a warmed voice's last.
    """

    key: str = field(default="", repr=False)
    region: str = ""
    host: str = ""
    max_synthesisers: int = 24
    text_streaming: bool = True
    connect_timeout_s: float = 3.0
    first_byte_timeout_s: float = 3.0
    stall_timeout_s: float = 3.0
    idle_close_s: float = 300.0


@dataclass(frozen=True, slots=True)
class OpenAITtsConfig:
    """Text-to-speech at OpenAI or at anybody who speaks the same protocol.

    Attributes:
        api_key: OPENAI_TTS_API_KEY; may be empty for a server that asks for none.
        base_url: OPENAI_TTS_BASE_URL, up to and with ``/v1``.
        model: OPENAI_TTS_MODEL; empty for the default of ``providers.models``.
        sample_rate_hz: Of the PCM, where the server does not say it: 8,000 to 48,000
            (OPENAI_TTS_SAMPLE_RATE).
        connect_timeout_s: For TCP and TLS.
        first_byte_timeout_s: From the request to the first audio.
        stall_timeout_s: Between two pieces of audio.
        keep_warm_s: A connection is used at least this often once ``warm`` was called.
    """

    api_key: str = field(default="", repr=False)
    base_url: str = "https://api.openai.com/v1"
    model: str = ""
    sample_rate_hz: int = 24_000
    connect_timeout_s: float = 3.0
    first_byte_timeout_s: float = 5.0
    stall_timeout_s: float = 3.0
    keep_warm_s: float = 30.0


@dataclass(frozen=True, slots=True)
class RealtimeConfig:
    """OpenAI Realtime, or a service of the same protocol.

    Attributes:
        api_key: OPENAI_REALTIME_API_KEY, or OPENAI_API_KEY.
        base_url: Up to and with ``/v1`` (OPENAI_REALTIME_BASE_URL, or OPENAI_BASE_URL);
            ``https`` becomes ``wss``.
        model: OPENAI_REALTIME_MODEL; empty for the default of ``providers.models``.
        transcription_model: OPENAI_REALTIME_TRANSCRIPTION_MODEL; writes down what callers say.
        connect_timeout_s: For TCP, TLS, the handshake, the first event and the taking over of our
            settings.
        reply_timeout_s: From a question to the first audio or tool of its answer.
        stall_timeout_s: Between two pieces of an answer.
        words_timeout_s: How much longer than its reply the words of a caller are waited for.
        session_s: Age at which a session is replaced; the service ends it after an hour.
    """

    api_key: str = field(default="", repr=False)
    base_url: str = "https://api.openai.com/v1"
    model: str = ""
    transcription_model: str = ""
    connect_timeout_s: float = 4.0
    reply_timeout_s: float = 6.0
    stall_timeout_s: float = 4.0
    words_timeout_s: float = 3.0
    session_s: float = 3_300.0


@dataclass(frozen=True, slots=True)
class EspeakConfig:
    """espeak-ng on this machine.

    Attributes:
        words_per_minute: Pace, 80 to 450.
        first_byte_timeout_s: From the request to the first audio; the start of its process and the
            segments before it included.
        stall_timeout_s: Between two pieces of audio.
    """

    words_per_minute: int = 165
    first_byte_timeout_s: float = 3.0
    stall_timeout_s: float = 2.0


@dataclass(frozen=True, slots=True)
class ScriptedConfig:
    """The keyless providers.

    Attributes:
        replies: What the thinker says, in turn, from the start again after the last.
        heard: What the recogniser hears: ``(audio seconds, final text)``.
        tone_hz: Pitch of the speaker's tone.
        seconds_per_char: Length of the tone for each character of a segment.
    """

    replies: tuple[str, ...] = ("I heard you. What else can I do for you?",)
    heard: tuple[tuple[float, str], ...] = ()
    tone_hz: float = 440.0
    seconds_per_char: float = 0.06


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Everything the provider table may need.

    Attributes:
        openai: The service that the deployment has chosen, whichever that is.
        azure_openai: Azure OpenAI by name; None while it is not set up.
        openrouter: OpenRouter by name; likewise.
    """

    azure: AzureSpeechConfig = field(default_factory=AzureSpeechConfig)
    deepgram: DeepgramConfig = field(default_factory=DeepgramConfig)
    openai: OpenAIConfig = field(default_factory=OpenAIConfig)
    azure_openai: OpenAIConfig | None = None
    openrouter: OpenAIConfig | None = None
    elevenlabs: ElevenLabsConfig = field(default_factory=ElevenLabsConfig)
    azure_tts: AzureTtsConfig = field(default_factory=AzureTtsConfig)
    openai_tts: OpenAITtsConfig = field(default_factory=OpenAITtsConfig)
    openai_realtime: RealtimeConfig = field(default_factory=RealtimeConfig)
    scribe: ScribeConfig = field(default_factory=ScribeConfig)
    openai_stt: OpenAITranscriptionConfig = field(default_factory=OpenAITranscriptionConfig)
    cartesia: CartesiaConfig = field(default_factory=CartesiaConfig)
    google: GoogleSpeechConfig = field(default_factory=GoogleSpeechConfig)
    google_tts: GoogleTtsConfig = field(default_factory=GoogleTtsConfig)
    espeak: EspeakConfig = field(default_factory=EspeakConfig)
    pocketsphinx: PocketsphinxConfig = field(default_factory=PocketsphinxConfig)
    scripted: ScriptedConfig = field(default_factory=ScriptedConfig)
