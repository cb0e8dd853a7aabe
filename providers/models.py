"""Model names: what each accepts, and when it retires. The only place where one is written down.

Only stated facts stand here: an optional request field is sent only when the row says that the
model takes it, since an unknown field is a 400 at many vendors. Retirement dates: OpenAI's
deprecation page as quoted in ``openai.types.shared.chat_model`` (openai 3.52). What goes with
tools: OpenAI's own error ("Function tools with reasoning_effort are not supported for ... in
/v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

DEFAULT_CHAT_MODEL: Final = "gpt-5.6-luna"
DEFAULT_SPEECH_MODEL: Final = "eleven_flash_v2_5"
DEFAULT_OPENAI_SPEECH_MODEL: Final = "gpt-4o-mini-tts"
DEFAULT_REALTIME_MODEL: Final = "gpt-realtime-2.1"
DEFAULT_TRANSCRIPTION_MODEL: Final = "gpt-live-transcribe"

# Deepgram's models of turn-based recognition and the languages they hear, by primary BCP-47 subtag
# (its page "Flux Multilingual & Language Prompting"). Only those of several take hints.
FLUX_ENGLISH: Final = "flux-general-en"
FLUX_MULTILINGUAL: Final = "flux-general-multi"
FLUX_LANGUAGES: Final = {
    FLUX_ENGLISH: ("en",),
    FLUX_MULTILINGUAL: ("en", "es", "fr", "de", "hi", "ru", "pt", "ja", "it", "nl"),
}


def _tags(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@dataclass(frozen=True, slots=True)
class ChatModel:
    """One row of the table.

    Attributes:
        retires_on: First day on which the vendor no longer serves it; None when none is announced.
        reasoning_efforts: Accepted values of ``reasoning_effort``; empty: do not send the field.
        service_tiers: Accepted values of ``service_tier``; empty: do not send the field.
        verbosities: Accepted values of ``verbosity``; empty: do not send the field.
        completion_tokens_field: Name of the bound on the reply's length.
        usage_in_stream: Whether ``stream_options.include_usage`` is understood.
        effort_with_tools: The only ``reasoning_effort`` with which chat completions take tools for
            this model; without the field, too, they are a 400. Empty: any.
    """

    name: str
    retires_on: date | None = None
    reasoning_efforts: tuple[str, ...] = ()
    service_tiers: tuple[str, ...] = ()
    verbosities: tuple[str, ...] = ()
    completion_tokens_field: str = "max_tokens"
    usage_in_stream: bool = False
    effort_with_tools: str = ""

    def optional_fields(
        self, *, reasoning_effort: str, service_tier: str, verbosity: str, with_tools: bool = False
    ) -> dict[str, object]:
        """The optional request fields this model takes, out of those that are wished for."""
        fields: dict[str, object] = {}
        if with_tools and self.effort_with_tools:
            fields["reasoning_effort"] = self.effort_with_tools
        elif reasoning_effort in self.reasoning_efforts:
            fields["reasoning_effort"] = reasoning_effort
        if service_tier in self.service_tiers:
            fields["service_tier"] = service_tier
        if verbosity in self.verbosities:
            fields["verbosity"] = verbosity
        if self.usage_in_stream:
            fields["stream_options"] = {"include_usage": True, "include_obfuscation": False}
        return fields


_TIERS = ("auto", "default", "priority", "fast")
_LUNA_EFFORTS = ("none", "low", "medium", "high", "xhigh", "max")


def _openai(
    name: str,
    retires_on: date | None = None,
    efforts: tuple[str, ...] = (),
    tiers: tuple[str, ...] = (),
    *,
    effort_with_tools: str = "",
) -> ChatModel:
    return ChatModel(
        name=name,
        retires_on=retires_on,
        reasoning_efforts=efforts,
        service_tiers=tiers,
        completion_tokens_field="max_completion_tokens",
        usage_in_stream=True,
        effort_with_tools=effort_with_tools,
    )


_ROWS = (
    _openai("gpt-6-luna", effort_with_tools="none"),
    _openai("gpt-6-sol"),
    _openai("gpt-5.6-luna", efforts=_LUNA_EFFORTS, tiers=_TIERS, effort_with_tools="none"),
    _openai("gpt-5.6-terra", tiers=_TIERS, effort_with_tools="none"),
    _openai("gpt-5.6-sol", tiers=_TIERS, effort_with_tools="none"),
    _openai("gpt-5.4-mini", tiers=_TIERS),
    _openai("gpt-5.4-nano", date(2027, 4, 1)),
    _openai("gpt-5", date(2026, 12, 11)),
    _openai("gpt-5-mini", date(2026, 12, 11)),
    _openai("gpt-5-nano", date(2026, 12, 11)),
    _openai("gpt-4o", date(2027, 1, 14)),
    _openai("gpt-4o-mini", date(2027, 1, 14)),
    _openai("gpt-4.1", date(2027, 1, 14)),
    _openai("gpt-4.1-mini", date(2027, 1, 14)),
    _openai("gpt-4.1-nano", date(2026, 10, 23)),
    _openai("gpt-3.5-turbo", date(2026, 10, 23)),
)
CHAT_MODELS: Final = {row.name: row for row in _ROWS}

# All models of text-to-speech that OpenAI has, and the first day on which they are gone; servers of
# the same protocol have their own. Source: ``openai.types.audio.speech_model`` (openai 3.52).
OPENAI_SPEECH_MODELS: Final = dict.fromkeys(
    ("gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15", "tts-1", "tts-1-hd"), date(2027, 1, 6)
)


@dataclass(frozen=True, slots=True)
class RealtimeModel:
    """A model of speech to speech.

    Attributes:
        retires_on: First day on which it is not served; None when none is announced.
        efforts: Accepted values of ``reasoning.effort``; empty: do not send the field.
        takes_parallel_tool_calls: Whether the field of that name is known to it.
    """

    name: str
    retires_on: date | None = None
    efforts: tuple[str, ...] = ()
    takes_parallel_tool_calls: bool = False


_REALTIME_EFFORTS = ("minimal", "low", "medium", "high", "xhigh")
# Sources: ``openai.types.realtime`` and the deprecations quoted in it (openai 3.52).
_REALTIME_ROWS = (
    RealtimeModel("gpt-realtime-2.1", None, _REALTIME_EFFORTS, takes_parallel_tool_calls=True),
    RealtimeModel("gpt-realtime-2.1-mini", None, _REALTIME_EFFORTS, takes_parallel_tool_calls=True),
    RealtimeModel("gpt-realtime-2"),
    RealtimeModel("gpt-realtime-1.5"),
    RealtimeModel("gpt-realtime", date(2027, 1, 20)),
    RealtimeModel("gpt-realtime-mini", date(2027, 1, 20)),
)
REALTIME_MODELS: Final = {row.name: row for row in _REALTIME_ROWS}

# Models that write down what is heard in a Realtime session, and when they are gone.
TRANSCRIPTION_MODELS: Final[dict[str, date | None]] = {
    "gpt-live-transcribe": None,
    "gpt-transcribe": None,
    "gpt-realtime-whisper": None,
    "whisper-1": date(2027, 2, 26),
    "gpt-4o-transcribe": date(2027, 2, 26),
    "gpt-4o-mini-transcribe": date(2027, 2, 26),
}

# What models that write down do not have alike (``openai.types.realtime.audio_transcription``, and
# OpenAI's pages "Realtime transcription" and "Voice activity detection").
TRANSCRIBERS_WITH_KEYWORDS: Final = frozenset({"gpt-live-transcribe", "gpt-transcribe"})
TRANSCRIBERS_WITH_LANGUAGES: Final = frozenset({"gpt-live-transcribe", "gpt-transcribe"})
TRANSCRIBERS_WITH_PROMPT: Final = frozenset(
    {"whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"}
)
TRANSCRIBERS_WITHOUT_TURNS: Final = frozenset({"gpt-live-transcribe", "gpt-realtime-whisper"})

# Languages that OpenAI's page "Speech to text" lists for transcription, by primary subtag. Chinese
# is Mandarin there.
TRANSCRIPTION_LANGUAGES: Final = _tags(
    """
    af ar az be bg bs ca cs cy da de el en es et fa fi fil fr gl he hi hr hu hy id is it ja kk
    kn ko lt lv mi mk mr ms ne nl no nb nn pl pt ro ru sk sl sr sv sw ta th tl tr uk ur vi zh
    cmn
    """
)

DEFAULT_SCRIBE_MODEL: Final = "scribe_v2_realtime"
# Languages of ElevenLabs' Scribe (its page "Speech to Text"), as our agents write them and as the
# service takes them. Cantonese is ``yue`` there.
SCRIBE_LANGUAGES: Final = _tags(
    """
    af am ar as ast az be bg bn bs ca ceb cs cy da de el en es et fa ff fi fil fr ga gl gu ha he
    hi hr hu hy id ig is it ja jv ka kea kk km kn ko ku ky lb lg ln lo lt luo lv mi mk ml mn mr
    ms mt my ne nl no nb nn nso ny oc or pa pl ps pt ro ru sd sk sl sn so sr sv sw ta te tg th
    tr uk umb ur uz vi wo xh yue zh cmn zu
    """
)

DEFAULT_CARTESIA_MODEL: Final = "sonic-3.5"
# Languages of Cartesia's Sonic 3 and 3.5 (its page "Sonic 3.5"); Chinese is Mandarin there.
CARTESIA_LANGUAGES: Final = _tags(
    """
    en fr de es pt zh cmn ja hi it ko nl pl ru sv tr tl fil bg ro ar cs el fi hr ms sk da ta uk
    hu no nb nn vi bn th he ka id te gu kn ml mr pa
    """
)

# Models of text-to-speech that are not served over websockets.
SPEECH_MODELS_WITHOUT_SOCKET: Final = frozenset({"eleven_v3"})

# Models of text-to-speech that take ``language_code``; the others find the language themselves.
SPEECH_MODELS_WITH_LANGUAGE: Final = frozenset({"eleven_flash_v2_5", "eleven_turbo_v2_5"})


# Models of Google's recognition by its language tags; the other languages have the last one. Both
# are served at the location ``global``. Sources: "Transcription models" of Speech-to-Text.
GOOGLE_SPEECH_MODELS: Final = {"en-US": "telephony"}
DEFAULT_GOOGLE_SPEECH_MODEL: Final = "latest_long"


def google_speech_model(name: str, language: str) -> str:
    """The model that is asked for: ``name``, or that of the language (Google's own tag)."""
    return name or GOOGLE_SPEECH_MODELS.get(language, DEFAULT_GOOGLE_SPEECH_MODEL)


def chat_model(name: str) -> ChatModel:
    """The row of ``name``, or one that promises nothing for a name that is not in the table."""
    return CHAT_MODELS.get(name) or ChatModel(name)


def realtime_model(name: str) -> RealtimeModel:
    """The row of ``name``, or one that promises nothing for a name that is not in the table."""
    return REALTIME_MODELS.get(name) or RealtimeModel(name)
