"""The provider table: names of agents' settings to things that work.

A provider that is not used is not imported: the OpenAI package alone costs a second and 58 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from dialogue.ports import Thinker
from providers.capabilities import Capabilities
from providers.errors import ProviderRejected
from providers.settings import ProviderSettings
from voice.ports import Recogniser, Speaker

T = TypeVar("T")


def _azure(settings: ProviderSettings) -> Recogniser:
    from providers.azure_stt import AzureRecogniser

    return AzureRecogniser(settings.azure)


def _scripted_recogniser(settings: ProviderSettings) -> Recogniser:
    from providers.scripted import ScriptedRecogniser

    return ScriptedRecogniser.of_finals(settings.scripted.heard)


def _openai(settings: ProviderSettings) -> Thinker:
    from providers.openai_body import check_config

    check_config(settings.openai)
    from providers.openai_chat import OpenAIThinker

    return OpenAIThinker(settings.openai)


def _scripted_thinker(settings: ProviderSettings) -> Thinker:
    from providers.scripted import ScriptedThinker

    return ScriptedThinker(settings.scripted.replies)


def _elevenlabs(settings: ProviderSettings) -> Speaker:
    from providers.elevenlabs_tts import ElevenLabsSpeaker

    return ElevenLabsSpeaker(settings.elevenlabs)


def _tone(settings: ProviderSettings) -> Speaker:
    from providers.scripted import ToneSpeaker

    return ToneSpeaker(settings.scripted.tone_hz, settings.scripted.seconds_per_char)


RECOGNISERS: Mapping[str, Callable[[ProviderSettings], Recogniser]] = {
    "azure": _azure,
    "scripted": _scripted_recogniser,
}
THINKERS: Mapping[str, Callable[[ProviderSettings], Thinker]] = {
    "openai": _openai,
    "scripted": _scripted_thinker,
}
SPEAKERS: Mapping[str, Callable[[ProviderSettings], Speaker]] = {
    "elevenlabs": _elevenlabs,
    "tone": _tone,
}

# Flash speaks Mandarin under ``zh``; it has no Cantonese.
CAPABILITIES: Mapping[tuple[str, str], Capabilities] = {
    ("recogniser", "azure"): Capabilities(("ulaw_8000",), phrases=True),
    ("recogniser", "scripted"): Capabilities(("ulaw_8000",), phrases=True, needs_key=False),
    ("thinker", "openai"): Capabilities(),
    ("thinker", "scripted"): Capabilities(needs_key=False),
    ("speaker", "elevenlabs"): Capabilities(
        ("ulaw_8000",), not_languages=("zh-HK", "yue"), text_marks=True
    ),
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


def _find(kind: str, table: Mapping[str, T], name: str) -> T:
    if name not in table:
        known = ", ".join(sorted(table))
        raise ProviderRejected(f"no {kind} is called {name!r}; there are: {known}", "", kind)
    return table[name]
