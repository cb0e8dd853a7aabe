"""Every setting of the product in one model, read from the environment (and from ``.env``).

Names that people already have in their environment (``OPENAI_API_KEY`` and so on) are taken as they
are; everything else starts with ``CALLCLUSTER_``. Rooms do not import this model: the composition
root hands each of them its own frozen configuration.
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from cache.shards import MOST_SHARDS
from cluster.errors import SettingsError
from cluster.regions import region_table
from cluster.secret_variables import gathered
from cluster.setting_types import (
    AccountSid,
    Host,
    Key,
    LogLevel,
    PhoneNumber,
    PricesFile,
    ProviderLimits,
    Region,
    Regions,
    SocketAddress,
    TenantCalls,
    TenantId,
    WebAddress,
)
from telephony.errors import InvalidSetting
from telephony.origin import PublicOrigin
from telephony.stream_token import MIN_SECRET_BYTES


def _plain(name: str, *others: str) -> AliasChoices:
    """A name that stands in the environment without our prefix, and others that mean the same."""
    return AliasChoices(name, name.lower(), *others)


class Settings(BaseSettings):
    """Settings of one deployment; see ``docs/settings.md`` for the page people read."""

    model_config = SettingsConfigDict(
        env_prefix="CALLCLUSTER_",
        env_file=".env",
        extra="ignore",
        env_ignore_empty=True,  # "NAME=" is how templates leave a variable unset
        populate_by_name=True,
        frozen=True,
    )

    # Providers
    openai_api_key: Key = Field(SecretStr(""), validation_alias=_plain("OPENAI_API_KEY"))
    openai_base_url: WebAddress = Field("", validation_alias=_plain("OPENAI_BASE_URL"))
    openai_model: str = Field("", validation_alias=_plain("OPENAI_MODEL"))
    azure_openai_api_key: Key = Field(
        SecretStr(""), validation_alias=_plain("AZURE_OPENAI_API_KEY")
    )
    azure_openai_endpoint: WebAddress = Field("", validation_alias=_plain("AZURE_OPENAI_ENDPOINT"))
    azure_openai_deployment: str = Field("", validation_alias=_plain("AZURE_OPENAI_DEPLOYMENT"))
    azure_openai_api_version: str = Field(
        "", validation_alias=_plain("AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION")
    )
    openrouter_api_key: Key = Field(SecretStr(""), validation_alias=_plain("OPENROUTER_API_KEY"))
    openrouter_base_url: WebAddress = Field("", validation_alias=_plain("OPENROUTER_BASE_URL"))
    openrouter_model: str = Field("", validation_alias=_plain("OPENROUTER_MODEL"))
    chat_service: Literal["openai", "azure", "openrouter"] | None = None
    azure_speech_key: Key = Field(
        SecretStr(""), validation_alias=_plain("AZURE_SPEECH_KEY", "AZURE_SPEECH_API_KEY")
    )
    azure_speech_region: Region = Field("", validation_alias=_plain("AZURE_SPEECH_REGION"))
    azure_speech_host: SocketAddress = Field("", validation_alias=_plain("AZURE_SPEECH_HOST"))
    deepgram_api_key: Key = Field(SecretStr(""), validation_alias=_plain("DEEPGRAM_API_KEY"))
    deepgram_base_url: WebAddress = Field(
        "https://api.deepgram.com", validation_alias=_plain("DEEPGRAM_BASE_URL")
    )
    deepgram_model: str = Field("", validation_alias=_plain("DEEPGRAM_MODEL"))
    deepgram_streams_per_process: int = Field(100, ge=1, le=1_000)
    deepgram_eot_threshold: float = Field(0.7, ge=0.5, le=0.9)
    deepgram_eager_eot_threshold: float = Field(0.4, ge=0.0, le=0.9)
    deepgram_eot_timeout_ms: int = Field(1_000, ge=500, le=60_000)
    elevenlabs_api_key: Key = Field(SecretStr(""), validation_alias=_plain("ELEVENLABS_API_KEY"))
    elevenlabs_base_url: WebAddress = Field(
        "https://api.elevenlabs.io", validation_alias=_plain("ELEVENLABS_BASE_URL")
    )
    elevenlabs_model: str = Field("", validation_alias=_plain("ELEVENLABS_MODEL"))
    elevenlabs_sockets: int = Field(16, ge=1, le=200)
    scribe_api_key: Key = Field(SecretStr(""), validation_alias=_plain("SCRIBE_API_KEY"))
    scribe_base_url: WebAddress = Field("", validation_alias=_plain("SCRIBE_BASE_URL"))
    scribe_model: str = Field("", validation_alias=_plain("SCRIBE_MODEL"))
    scribe_streams_per_process: int = Field(100, ge=1, le=1_000)
    scribe_commit: Literal["manual", "vad"] = "manual"
    scribe_pause_ms: int = Field(300, ge=300, le=3_000)
    cartesia_api_key: Key = Field(SecretStr(""), validation_alias=_plain("CARTESIA_API_KEY"))
    cartesia_base_url: WebAddress = Field(
        "https://api.cartesia.ai", validation_alias=_plain("CARTESIA_BASE_URL")
    )
    cartesia_model: str = Field("", validation_alias=_plain("CARTESIA_MODEL"))
    cartesia_sockets: int = Field(4, ge=1, le=50)
    openai_stt_api_key: Key = Field(SecretStr(""), validation_alias=_plain("OPENAI_STT_API_KEY"))
    openai_stt_base_url: WebAddress = Field("", validation_alias=_plain("OPENAI_STT_BASE_URL"))
    openai_stt_model: str = Field("", validation_alias=_plain("OPENAI_STT_MODEL"))
    openai_stt_streams_per_process: int = Field(100, ge=1, le=1_000)
    openai_stt_turns: Literal["pauses", "semantic_vad"] = "pauses"
    openai_stt_pause_ms: int = Field(300, ge=200, le=3_000)
    azure_tts_host: SocketAddress = Field("", validation_alias=_plain("AZURE_TTS_HOST"))
    azure_tts_text_streaming: bool = True
    azure_synthesisers_per_process: int = Field(24, ge=1, le=100)
    openai_tts_api_key: Key = Field(SecretStr(""), validation_alias=_plain("OPENAI_TTS_API_KEY"))
    openai_tts_base_url: WebAddress = Field("", validation_alias=_plain("OPENAI_TTS_BASE_URL"))
    openai_tts_model: str = Field("", validation_alias=_plain("OPENAI_TTS_MODEL"))
    openai_tts_sample_rate: int = Field(
        24_000, ge=8_000, le=48_000, validation_alias=_plain("OPENAI_TTS_SAMPLE_RATE")
    )
    openai_realtime_api_key: Key = Field(
        SecretStr(""), validation_alias=_plain("OPENAI_REALTIME_API_KEY")
    )
    openai_realtime_base_url: WebAddress = Field(
        "", validation_alias=_plain("OPENAI_REALTIME_BASE_URL")
    )
    openai_realtime_model: str = Field("", validation_alias=_plain("OPENAI_REALTIME_MODEL"))
    openai_realtime_transcription_model: str = Field(
        "", validation_alias=_plain("OPENAI_REALTIME_TRANSCRIPTION_MODEL")
    )
    google_cloud_project: str = Field("", validation_alias=_plain("GOOGLE_CLOUD_PROJECT"))
    google_application_credentials: str = Field(
        "", validation_alias=_plain("GOOGLE_APPLICATION_CREDENTIALS")
    )
    google_speech_endpoint: WebAddress = Field(
        "", validation_alias=_plain("GOOGLE_SPEECH_ENDPOINT")
    )
    google_speech_location: Region = Field(
        "global", validation_alias=_plain("GOOGLE_SPEECH_LOCATION")
    )
    google_speech_model: str = Field("", validation_alias=_plain("GOOGLE_SPEECH_MODEL"))
    google_streams_per_process: int = Field(100, ge=1, le=1_000)
    google_tts_endpoint: WebAddress = Field("", validation_alias=_plain("GOOGLE_TTS_ENDPOINT"))
    google_tts_location: Region = Field("global", validation_alias=_plain("GOOGLE_TTS_LOCATION"))
    espeak_words_per_minute: int = Field(165, ge=80, le=450)
    azure_streams_per_process: int = Field(25, ge=1, le=50)
    azure_segmentation_ms: int = Field(300, ge=100, le=5_000)
    azure_identifies_languages: bool = True

    # Telephony
    host: Host = "0.0.0.0"  # noqa: S104 - the front and HAProxy of other nodes connect from outside
    port: int = Field(8000, ge=1, le=65_535)
    public_url: str = Field("", validate_default=True, validation_alias=_plain("PUBLIC_URL"))
    twilio_account_sid: AccountSid = Field("", validation_alias=_plain("TWILIO_ACCOUNT_SID"))
    twilio_auth_token: Key = Field(SecretStr(""), validation_alias=_plain("TWILIO_AUTH_TOKEN"))
    twilio_phone_number: PhoneNumber = Field("", validation_alias=_plain("TWILIO_PHONE_NUMBER"))
    twilio_api_base_url: WebAddress = Field(
        "https://api.twilio.com", validation_alias=_plain("TWILIO_API_BASE_URL")
    )

    regions: Regions = ""
    region: str = ""

    # Storage
    database_url: str = Field("", validation_alias=_plain("DATABASE_URL"))
    data_dir: Path = Path("var")
    clips_bytes: int = Field(2 << 30, ge=128 << 20, le=1 << 40)
    retention_days: int = Field(0, ge=0, le=36_500)

    # The response cache
    cache: bool = True
    cache_dir: Path | None = None
    cache_entries: int = Field(10_000, ge=100, le=1_000_000)
    cache_bytes: int = Field(64 << 20, ge=1 << 20, le=64 << 30)
    cache_model: str = "all-MiniLM-L6-v2"
    cache_owners: int = Field(1, ge=1, le=MOST_SHARDS)
    cache_check_ratio: float = Field(0.02, ge=0, le=0.2)
    cache_judge_model: str = ""

    # The product
    mode: Literal["production", "development"] = "production"
    tenant_id: TenantId = "default"
    agents_dir: Path = Path("agents")
    unknown_numbers: Literal["default_agent", "refuse"] = "default_agent"
    calls_per_second: float = Field(1.0, gt=0, le=100)
    seats_for_inbound: int = Field(0, ge=0, le=1_000_000)
    calls_per_tenant: int = Field(0, ge=0, le=1_000_000)
    tenant_calls: TenantCalls = ""
    calls_per_number_s: float = Field(50.0, ge=0, le=10_000)
    calls_per_account_s: float = Field(100.0, ge=0, le=10_000)
    default_agent: str = "reception"
    token_secret: SecretStr = SecretStr("")
    ingress_replicas: int = Field(1, ge=1, le=10_000)
    max_ingress_replicas: int = Field(0, ge=0, le=10_000)
    release: str = Field("", max_length=64)
    max_replicas_per_node: int = Field(0, ge=0, le=100)
    drain_s: float = Field(60.0, ge=0, le=480)
    calls_per_replica: int = Field(100, ge=1, le=10_000)
    calls_per_actor: int = Field(50, ge=1, le=10_000)
    call_actors: int = Field(1, ge=1, le=100_000)
    max_call_actors: int = Field(1_000, ge=1, le=100_000)
    max_resumes: int = Field(5, ge=0, le=1_000)
    speculate: bool = True
    speech_detector: Literal["auto", "silero", "energy"] = "auto"
    turn_model: Literal["auto", "smart-turn", "none"] = "auto"
    turn_model_share: float = Field(0.25, gt=0, le=4)
    loop_priority: int = Field(5, ge=0, le=20)
    playout_chunk_ms: int = Field(60, ge=20, le=400)
    actor_timeout_s: float = Field(1.0, gt=0, le=60)
    mind_link: bool = True
    hedge_ratio: float = Field(0.05, ge=0, le=0.5)
    probe_idle_providers: bool = True
    provider_limits: ProviderLimits = ""
    log_level: LogLevel = "INFO"
    tool_modules: str = ""
    tool_secrets: SecretStr = SecretStr("")  # gathered, see ``cluster.secret_variables``
    metrics_token: Key = SecretStr("")
    prices_file: PricesFile | None = None

    @field_validator("public_url")
    @classmethod
    def _origin_only(cls, value: str, known: ValidationInfo) -> str:
        if not value:
            return f"http://127.0.0.1:{known.data.get('port', 8000)}"
        try:
            PublicOrigin.parse(value)
        except InvalidSetting as error:
            raise ValueError(error.message) from None
        if urlsplit(value).scheme not in {"http", "https"}:
            raise ValueError("write it as https://voice.example.com")
        return value.rstrip("/")

    @field_validator("azure_speech_host", "azure_tts_host")
    @classmethod
    def _bare_host(cls, value: str) -> str:
        return value.rstrip("/")

    @property
    def development(self) -> bool:
        """True when signatures may be missing."""
        return self.mode == "development"

    @property
    def most_replicas(self) -> int:
        """Ingress replicas that there may be at once, those that retire apart."""
        return max(self.ingress_replicas, self.max_ingress_replicas)

    @property
    def cache_folder(self) -> Path:
        """Where the response cache and the encoder are kept, absolute."""
        return (self.cache_dir or self.data_dir / "cache").absolute()

    @property
    def store_url(self) -> str:
        """The database: ``DATABASE_URL``, or SQLite in the data directory."""
        if self.database_url:
            return self.database_url
        return f"sqlite+aiosqlite:///{(self.data_dir / 'callcluster.sqlite3').absolute()}"

    def make_data_dir(self) -> None:
        """Make the data directory. Raises ``SettingsError`` when that is not possible."""
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"CALLCLUSTER_DATA_DIR {self.data_dir} cannot be made: {error.strerror}"
            ) from None

    def signing_secret(self) -> bytes:
        """The key of our own tokens: set, or derived from the carrier's, or refused."""
        own = self.token_secret.get_secret_value()
        if own:
            return own.encode()
        carrier = self.twilio_auth_token.get_secret_value()
        if carrier:
            return hashlib.blake2b(carrier.encode(), person=b"cc-stream-token").digest()
        raise SettingsError("set CALLCLUSTER_TOKEN_SECRET or TWILIO_AUTH_TOKEN")

    @property
    def allowed_tool_modules(self) -> tuple[str, ...]:
        """Modules whose functions tools may be, each with what is in it."""
        return tuple(filter(None, (name.strip() for name in self.tool_modules.split(","))))

    def to_plain(self) -> dict[str, Any]:
        """Everything as JSON types, secrets included: for our own processes, never for a log."""
        plain: dict[str, Any] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
            plain[name] = str(value) if isinstance(value, Path) else value
        return plain

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Settings:
        """Settings made by ``to_plain`` in another process; the environment has no say."""
        return cls.model_validate(plain)


def read_settings(**overrides: Any) -> Settings:
    """Settings from the environment, each value checked by itself; for commands that carry no call.

    Raises:
        SettingsError: A value is malformed; names the variable, never the value of a secret.
    """
    try:
        return Settings(**{"tool_secrets": SecretStr(gathered()), **overrides})
    except ValidationError as error:
        lines = [
            f"{_variable(item['loc'])}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("; ".join(lines)) from None
    except (UnicodeDecodeError, OSError) as error:  # nothing else is read here but that file
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"the file .env of this folder cannot be read: {why}") from None


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment, checked; one clear error names what to change.

    In development mode without a token secret a random one is made: it lives as long as this
    deployment.

    Raises:
        SettingsError: A value is malformed, or a token is missing outside development mode.
    """
    settings = read_settings(**overrides)
    if not settings.development and not settings.twilio_auth_token.get_secret_value():
        raise SettingsError(
            "TWILIO_AUTH_TOKEN is not set, so nobody's signature can be checked. Set it, or set "
            "CALLCLUSTER_MODE=development to run without signatures on your own machine."
        )
    if not settings.development and not settings.public_url.startswith("https://"):
        raise SettingsError(
            f"PUBLIC_URL is {settings.public_url}: the carrier opens streams over TLS only. Set it "
            "to the https:// address of the front, or set CALLCLUSTER_MODE=development."
        )
    try:
        region_table(settings.regions, settings.region, settings.public_url)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    if 0 < settings.max_ingress_replicas < settings.ingress_replicas:
        raise SettingsError(
            f"CALLCLUSTER_MAX_INGRESS_REPLICAS is {settings.max_ingress_replicas}, fewer than the "
            f"{settings.ingress_replicas} of CALLCLUSTER_INGRESS_REPLICAS: raise it, or set it to "
            "0 for a number that stays"
        )
    secret = settings.token_secret.get_secret_value()
    if secret and len(secret.encode()) < MIN_SECRET_BYTES:
        raise SettingsError(
            f"CALLCLUSTER_TOKEN_SECRET: give it at least {MIN_SECRET_BYTES} bytes; it signs the "
            "tokens of our own streams"
        )
    if not secret and not settings.twilio_auth_token.get_secret_value():
        made = SecretStr(secrets.token_urlsafe(32))
        settings = settings.model_copy(update={"token_secret": made})
    return settings


def _variable(location: tuple[int | str, ...]) -> str:
    """The environment variable that a validation error is about."""
    name = str(location[0]) if location else "settings"
    return f"{Settings.model_config['env_prefix']}{name.upper()}" if name.islower() else name
