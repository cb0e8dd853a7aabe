"""The provider table: names of agents' settings to things that work.

A provider that is not used is not imported: the OpenAI package alone costs a second and 58 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from dialogue.agent import SpokenForms
from dialogue.ports import Thinker
from providers.azure_tts_wire import POLYGLOT_PATTERN as AZURE_POLYGLOT_PATTERN
from providers.azure_tts_wire import VOICE_EXAMPLE as AZURE_VOICE_EXAMPLE
from providers.azure_tts_wire import VOICE_PATTERN as AZURE_VOICE_PATTERN
from providers.capabilities import Capabilities, Refusal
from providers.cartesia_wire import VOICE_EXAMPLE as CARTESIA_VOICE_EXAMPLE
from providers.cartesia_wire import VOICE_PATTERN as CARTESIA_VOICE_PATTERN
from providers.errors import ProviderRefused, ProviderRejected
from providers.espeak_voices import LANGUAGES as ESPEAK_LANGUAGES
from providers.espeak_voices import VOICES as ESPEAK_VOICES
from providers.google_languages import HEARD_LANGUAGES as GOOGLE_LANGUAGES
from providers.google_languages import VOICE_EXAMPLE as GOOGLE_VOICE_EXAMPLE
from providers.google_languages import VOICE_PATTERN as GOOGLE_VOICE_PATTERN
from providers.models import (
    CARTESIA_LANGUAGES,
    FLUX_LANGUAGES,
    FLUX_MULTILINGUAL,
    SCRIBE_LANGUAGES,
    TRANSCRIPTION_LANGUAGES,
)
from providers.settings import AZURE_OPENAI_KEY, OPENROUTER_KEY, OpenAIConfig, ProviderSettings
from providers.spoken_speaker import SpokenFormSpeaker
from voice.ports import Recogniser, Speaker

T = TypeVar("T")


def _azure(settings: ProviderSettings) -> Recogniser:
    from providers.azure_stt import AzureRecogniser

    return AzureRecogniser(settings.azure)


def _deepgram(settings: ProviderSettings) -> Recogniser:
    from providers.deepgram_stt import DeepgramRecogniser

    return DeepgramRecogniser(settings.deepgram)


def _google(settings: ProviderSettings) -> Recogniser:
    from providers.google_stt import GoogleRecogniser

    return GoogleRecogniser(settings.google)


def _openai_transcription(settings: ProviderSettings) -> Recogniser:
    from providers.openai_transcription_stt import OpenAITranscriptionRecogniser

    return OpenAITranscriptionRecogniser(settings.openai_stt)


def _scribe(settings: ProviderSettings) -> Recogniser:
    from providers.scribe_stt import ScribeRecogniser

    return ScribeRecogniser(settings.scribe)


def _pocketsphinx(settings: ProviderSettings) -> Recogniser:
    from providers.pocketsphinx_stt import PocketsphinxRecogniser

    return PocketsphinxRecogniser(settings.pocketsphinx)


def _scripted_recogniser(settings: ProviderSettings) -> Recogniser:
    from providers.scripted import ScriptedRecogniser

    return ScriptedRecogniser.of_finals(settings.scripted.heard)


def _openai(settings: ProviderSettings) -> Thinker:
    from providers.openai_body import check_config

    check_config(settings.openai)
    from providers.openai_chat import OpenAIThinker

    return OpenAIThinker(settings.openai)


def _named(config: OpenAIConfig | None, name: str, setting: str) -> Thinker:
    if config is None:
        raise ProviderRefused("is not set up", name, setting)
    from providers.openai_body import check_config

    check_config(config)
    from providers.openai_chat import OpenAIThinker

    return OpenAIThinker(config, name)


def _azure_openai(settings: ProviderSettings) -> Thinker:
    return _named(settings.azure_openai, "azure_openai", AZURE_OPENAI_KEY)


def _openrouter(settings: ProviderSettings) -> Thinker:
    return _named(settings.openrouter, "openrouter", OPENROUTER_KEY)


def _scripted_thinker(settings: ProviderSettings) -> Thinker:
    from providers.scripted import ScriptedThinker

    return ScriptedThinker(settings.scripted.replies)


def _azure_speaker(settings: ProviderSettings) -> Speaker:
    from providers.azure_tts import AzureSpeaker

    return AzureSpeaker(settings.azure_tts)


def _elevenlabs(settings: ProviderSettings) -> Speaker:
    from providers.elevenlabs_tts import ElevenLabsSpeaker

    return ElevenLabsSpeaker(settings.elevenlabs)


def _google_speaker(settings: ProviderSettings) -> Speaker:
    from providers.google_tts import GoogleSpeaker

    return GoogleSpeaker(settings.google_tts)


def _cartesia(settings: ProviderSettings) -> Speaker:
    from providers.cartesia_tts import CartesiaSpeaker

    return CartesiaSpeaker(settings.cartesia)


def _espeak(settings: ProviderSettings) -> Speaker:
    from providers.espeak_tts import EspeakSpeaker

    return EspeakSpeaker(settings.espeak)


def _openai_speaker(settings: ProviderSettings) -> Speaker:
    from providers.openai_tts_wire import check_config

    check_config(settings.openai_tts)
    from providers.openai_tts import OpenAISpeaker

    return OpenAISpeaker(settings.openai_tts)


def _tone(settings: ProviderSettings) -> Speaker:
    from providers.scripted import ToneSpeaker

    return ToneSpeaker(settings.scripted.tone_hz, settings.scripted.seconds_per_char)


RECOGNISERS: Mapping[str, Callable[[ProviderSettings], Recogniser]] = {
    "azure": _azure,
    "deepgram": _deepgram,
    "google": _google,
    "openai_transcription": _openai_transcription,
    "scribe": _scribe,
    "pocketsphinx": _pocketsphinx,
    "scripted": _scripted_recogniser,
}
THINKERS: Mapping[str, Callable[[ProviderSettings], Thinker]] = {
    "openai": _openai,
    "azure_openai": _azure_openai,
    "openrouter": _openrouter,
    "scripted": _scripted_thinker,
}
SPEAKERS: Mapping[str, Callable[[ProviderSettings], Speaker]] = {
    "azure": _azure_speaker,
    "cartesia": _cartesia,
    "elevenlabs": _elevenlabs,
    "espeak": _espeak,
    "google": _google_speaker,
    "openai": _openai_speaker,
    "tone": _tone,
}

# Flash speaks Mandarin under ``zh``; it has no Cantonese.
CAPABILITIES: Mapping[tuple[str, str], Capabilities] = {
    ("recogniser", "azure"): Capabilities(("ulaw_8000",), phrases=True),
    ("recogniser", "deepgram"): Capabilities(
        ("ulaw_8000",), languages=FLUX_LANGUAGES[FLUX_MULTILINGUAL], phrases=True
    ),
    ("recogniser", "google"): Capabilities(
        ("ulaw_8000",), languages=GOOGLE_LANGUAGES, phrases=True
    ),
    # Chinese is Mandarin at both OpenAI and Cartesia; Scribe knows Cantonese by a name of its own.
    ("recogniser", "openai_transcription"): Capabilities(
        ("ulaw_8000",),
        languages=TRANSCRIPTION_LANGUAGES,
        not_languages=("zh-HK", "zh-MO"),
        phrases=True,
    ),
    ("recogniser", "scribe"): Capabilities(
        ("ulaw_8000",), languages=SCRIBE_LANGUAGES, phrases=True
    ),
    # A demonstration: yes, no and digits.
    ("recogniser", "pocketsphinx"): Capabilities(
        ("pcm_16000",), languages=("en",), needs_key=False
    ),
    ("recogniser", "scripted"): Capabilities(("ulaw_8000",), phrases=True, needs_key=False),
    ("thinker", "openai"): Capabilities(),
    ("thinker", "azure_openai"): Capabilities(),
    ("thinker", "openrouter"): Capabilities(),
    ("thinker", "scripted"): Capabilities(needs_key=False),
    ("speaker", "azure"): Capabilities(
        ("ulaw_8000",),
        voice_pattern=AZURE_VOICE_PATTERN,
        voice_example=AZURE_VOICE_EXAMPLE,
        polyglot_pattern=AZURE_POLYGLOT_PATTERN,
        text_marks=True,
    ),
    ("speaker", "cartesia"): Capabilities(
        ("ulaw_8000",),
        languages=CARTESIA_LANGUAGES,
        not_languages=("zh-HK", "zh-MO"),
        voice_pattern=CARTESIA_VOICE_PATTERN,
        voice_example=CARTESIA_VOICE_EXAMPLE,
        text_marks=True,
    ),
    ("speaker", "elevenlabs"): Capabilities(
        ("ulaw_8000",), not_languages=("zh-HK", "yue"), text_marks=True
    ),
    ("speaker", "espeak"): Capabilities(
        ("pcm_22050",),
        languages=ESPEAK_LANGUAGES,
        voices=ESPEAK_VOICES,
        text_marks=True,
        spoken_forms="full",
        needs_key=False,
    ),
    ("speaker", "google"): Capabilities(
        ("ulaw_8000",), voice_pattern=GOOGLE_VOICE_PATTERN, voice_example=GOOGLE_VOICE_EXAMPLE
    ),
    # Voices and languages are those of whichever server it is.
    ("speaker", "openai"): Capabilities(("pcm_24000",)),
    ("speaker", "tone"): Capabilities(("ulaw_8000",), text_marks=True, needs_key=False),
}


def build_recogniser(name: str, settings: ProviderSettings) -> Recogniser:
    """The recogniser of that name.

    Raises:
        ProviderRejected: There is none of that name, or a setting makes no sense.
        ProviderRefused: A key is missing; names the environment variable.
    """
    return _find("recogniser", RECOGNISERS, name)(settings)


def build_thinker(name: str, settings: ProviderSettings) -> Thinker:
    """The thinker of that name; raises as ``build_recogniser`` does."""
    return _find("thinker", THINKERS, name)(settings)


def build_speaker(name: str, settings: ProviderSettings) -> Speaker:
    """The speaker of that name; raises as ``build_recogniser`` does."""
    return _find("speaker", SPEAKERS, name)(settings)


def in_spoken_forms(speaker: Speaker, option: SpokenForms) -> Speaker:
    """The speaker, given what it would read wrongly in words, as an agent's file asks for it."""
    if option == "off":
        return speaker
    capabilities = CAPABILITIES.get(("speaker", speaker.name), Capabilities())
    return SpokenFormSpeaker(speaker, "full" if option == "on" else capabilities.spoken_forms)


def refusal_of(kind: str, name: str, language: str, voice: str = "") -> Refusal | None:
    """Why an agent cannot have a provider: there is none of that name, or it cannot do this.

    Args:
        kind: ``recogniser``, ``thinker`` or ``speaker``.
        name: As an agent names it.
        language: The agent's BCP-47 tag.
        voice: The agent's, for a speaker.

    Returns:
        The agent's field to change and a whole sentence, or None when nothing is known against it.
    """
    capabilities = CAPABILITIES.get((kind, name))
    if capabilities is None:
        known = ", ".join(sorted(name for of, name in CAPABILITIES if of == kind))
        return Refusal(kind, f"no {kind} is called {name!r}; there are: {known}")
    refusal = capabilities.refusal(language, voice)
    return refusal and Refusal(refusal.field, f"the {kind} {name} {refusal.reason}")


def _find(kind: str, table: Mapping[str, T], name: str) -> T:
    if name not in table:
        known = ", ".join(sorted(table))
        raise ProviderRejected(f"no {kind} is called {name!r}; there are: {known}", "", kind)
    return table[name]
