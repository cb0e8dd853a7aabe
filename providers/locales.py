"""What services call a language, and who hears and speaks it when an agent's file does not say.

People write ``zh-HK``, ``yue``, ``yue-HK`` or ``zh-MO`` for Cantonese, ``ms`` for Malay; a service
knows some of these names. Other services have tables of their own beside their clients
(``google_languages``, ``scribe_wire``, ``cartesia_wire``, ``openai_transcription_wire``).

Source for Azure: "Language and voice support for the Speech service".
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final

from dialogue.languages import language_of
from providers.errors import ProviderRejected
from voice.ports import RecogniseRequest

# Azure knows Cantonese of Hong Kong, written traditionally, and of Guangdong, written simplified;
# Macau is served by the former. Bengali and Urdu are heard as they are spoken in India only.
_AZURE: Final = {
    "yue": "zh-HK",
    "yue-hk": "zh-HK",
    "yue-mo": "zh-HK",
    "yue-hant": "zh-HK",
    "yue-hant-hk": "zh-HK",
    "yue-hant-mo": "zh-HK",
    "zh-yue": "zh-HK",
    "zh-mo": "zh-HK",
    "zh-hant-hk": "zh-HK",
    "zh-hant-mo": "zh-HK",
    "yue-hans": "yue-CN",
    "yue-hans-cn": "yue-CN",
    "zh-hans": "zh-CN",
    "zh-hans-cn": "zh-CN",
    "zh-sg": "zh-CN",
    "zh-hant": "zh-TW",
    "zh-hant-tw": "zh-TW",
    "cmn-cn": "zh-CN",
    "cmn-tw": "zh-TW",
    "no-no": "nb-NO",
    "nn-no": "nb-NO",
    "tl-ph": "fil-PH",
}
_AZURE_HEARS: Final = {"bn-BD": "bn-IN", "ur-PK": "ur-IN"}
AZURE: Final = "azure"


def azure_locale(language: str, *, is_heard: bool = False) -> str:
    """Azure's locale for a BCP-47 tag; one that is unknown here stays as it is.

    Args:
        language: As an agent names it.
        is_heard: For recognition, which has fewer locales than synthesis.
    """
    tag = language.replace("_", "-")
    locale = _AZURE.get(tag.casefold(), "")
    if not locale and "-" not in tag:
        row = language_of(tag)
        locale = row.locale if row is not None else ""
    locale = locale or tag
    return _AZURE_HEARS.get(locale, locale) if is_heard else locale


def other_names(request: RecogniseRequest, name_of: Callable[[str], str]) -> tuple[str, ...]:
    """What a service calls the languages that a caller may change to, as far as it hears them.

    Args:
        request: Of the call.
        name_of: The service's name of a language; raises ``ProviderRejected`` for one it lacks.

    Raises:
        ProviderRejected: The service does not hear the call's own language.
    """
    names: dict[str, None] = {}
    for language in request.others:
        with contextlib.suppress(ProviderRejected):
            names[name_of(language)] = None
    names.pop(name_of(request.language), None)
    return tuple(names)


def default_recogniser(_language: str) -> str:
    """Who hears a language when nobody says otherwise: the one that knows most of them."""
    return AZURE


def default_speaker(_language: str) -> str:
    """Who speaks it: the voices of the table of languages are Azure's."""
    return AZURE
