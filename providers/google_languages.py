"""Languages and voices of Google's speech services: their tags, and how voices are named.

Sources: the tables "Supported languages" of Speech-to-Text and "Supported voices and languages" of
Text-to-Speech. Google writes Chinese by what is spoken (``cmn``, ``yue``) and, for recognition, by
the script that is wanted; people write ``zh-CN`` and ``zh-HK``.
"""

from __future__ import annotations

import re
from typing import Final

# Primary subtags that are heard, as agents write them. Which model hears which one, and where,
# differs and changes: the service says so when a process warms up.
HEARD_LANGUAGES: Final = (
    "af", "am", "ar", "az", "bg", "bn", "bs", "ca", "cmn", "cs", "cy", "da", "de", "el",
    "en", "es", "et", "eu", "fa", "fi", "fil", "fr", "ga", "gl", "gu", "he", "hi", "hr",
    "hu", "hy", "id", "is", "it", "ja", "jv", "ka", "kk", "km", "kn", "ko", "lo", "lt",
    "lv", "mi", "mk", "ml", "mn", "mr", "ms", "mt", "my", "nb", "ne", "nl", "nn", "no",
    "pa", "pl", "ps", "pt", "ro", "ru", "rw", "si", "sk", "sl", "sq", "sr", "ss", "st",
    "su", "sv", "sw", "ta", "te", "th", "tn", "tr", "ts", "uk", "ur", "uz", "ve", "vi",
    "xh", "yue", "zh", "zu",
)  # fmt: skip

_HEARD_AS: Final = {
    "zh": "cmn-Hans-CN",
    "zh-cn": "cmn-Hans-CN",
    "zh-sg": "cmn-Hans-CN",
    "zh-hans": "cmn-Hans-CN",
    "zh-hans-cn": "cmn-Hans-CN",
    "cmn": "cmn-Hans-CN",
    "cmn-cn": "cmn-Hans-CN",
    "zh-tw": "cmn-Hant-TW",
    "zh-hant": "cmn-Hant-TW",
    "zh-hant-tw": "cmn-Hant-TW",
    "cmn-tw": "cmn-Hant-TW",
    # One recogniser for all Cantonese: Macau and Guangdong have none of their own.
    "zh-hk": "yue-Hant-HK",
    "zh-mo": "yue-Hant-HK",
    "zh-hant-hk": "yue-Hant-HK",
    "yue": "yue-Hant-HK",
    "yue-hk": "yue-Hant-HK",
    "yue-cn": "yue-Hant-HK",
    "no": "no-NO",
    "nb": "no-NO",
    "nb-no": "no-NO",
    "nn-no": "no-NO",
    "he": "iw-IL",
    "he-il": "iw-IL",
    "en": "en-US",
    "es": "es-ES",
    "fr": "fr-FR",
    "de": "de-DE",
    "it": "it-IT",
    "pt": "pt-BR",
    "ja": "ja-JP",
    "ko": "ko-KR",
    "ms": "ms-MY",
}

# The voices, such as en-US-Chirp3-HD-Aoede, yue-HK-Standard-A or cmn-CN-Wavenet-B.
VOICE_PATTERN: Final = (
    r"(?P<locale>[a-z]{2,3}-[A-Z]{2})-"
    r"(?:Chirp3-HD|Chirp-HD|Standard|Wavenet|Neural2|News|Studio|Polyglot|Casual)-[A-Za-z0-9]+"
)
VOICE_EXAMPLE: Final = "en-US-Chirp3-HD-Aoede"

_STREAMED: Final = re.compile(r"[a-z]{2,3}-[A-Z]{2}-Chirp3?-HD-")
_LOCALE: Final = re.compile(r"([a-z]{2,3}-[A-Z]{2})-")


def heard_language(language: str) -> str:
    """The service's tag for what an agent calls ``language``; others stay as they are."""
    return _HEARD_AS.get(language.lower(), language)


def voice_language(voice: str, language: str) -> str:
    """The tag that has to stand beside a voice: its own; ``language`` where its name has none."""
    found = _LOCALE.match(voice)
    return found.group(1) if found else language


def is_streamed(voice: str) -> bool:
    """Whether a voice speaks while it is still thinking; others give whole sentences."""
    return _STREAMED.match(voice) is not None
