"""Which languages and voices espeak-ng 1.52 has, under the names that agents use."""

from __future__ import annotations

from typing import Final

PROVIDER: Final = "espeak"

# Japanese is missing on purpose: espeak-ng reads kana only, and spells kanji out in English.
_LANGUAGES = (
    "af am ar az be bg bn bs ca cmn cs cy da de el en eo es et eu fa fi fr ga gd gu he hi hr ht hu "
    "hy id is it ka kk kn ko ku ky la lb lt lv mi mk ml mr ms mt my nb ne nl no om or pa pl pt ro "
    "ru sd si sk sl sq sr sv sw ta te th tk tr tt ug uk ur uz vi yue zh"
)
LANGUAGES: Final = tuple(_LANGUAGES.split())
VOICES: Final = ("default", *(f"f{n}" for n in range(1, 6)), *(f"m{n}" for n in range(1, 9)))

# Longer tags before shorter ones; what is not here is espeak-ng's own name of the language.
_NAMES: Final = {
    "en": "en-us",
    "en-au": "en",
    "en-gb": "en",
    "en-hk": "en",
    "en-ie": "en",
    "en-in": "en",
    "en-nz": "en",
    "en-za": "en",
    "es-ar": "es-419",
    "es-cl": "es-419",
    "es-co": "es-419",
    "es-mx": "es-419",
    "es-us": "es-419",
    "no": "nb",
    "pt-br": "pt-br",
    "zh": "cmn",
    "zh-hk": "yue",
    "zh-mo": "yue",
}


def espeak_voice(language: str, voice: str) -> str:
    """What the library is asked for, such as ``yue+f3`` for ``zh-HK`` and ``f3``.

    Args:
        language: BCP-47 tag whose primary subtag is one of ``LANGUAGES``.
        voice: One of ``VOICES``.
    """
    tag = language.lower()
    primary = tag.split("-", 1)[0]
    name = _NAMES.get(tag) or _NAMES.get(primary) or primary
    return name if voice == "default" else f"{name}+{voice}"
