"""Guesses the language of a sentence from the look of its words."""

from __future__ import annotations

import re

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_CANTONESE = re.compile(r"[係唔嘅咗喺哋冇佢睇嗰啲咁嘢攞聽晝呀]")
_WORD = re.compile(r"[^\W\d_]+")
_COMMON = {
    "de": "der die das und ist nicht ich wie sie wann ein eine dem diesem wurde als kann danke",
    "es": "las los es de y el la que por muy son tiene cómo qué para una está en gracias quiere",
    "it": "il lo gli di che è alla anche una sono sue per come sempre meglio non posso grazie",
}
_COMMON_WORDS = {tongue: frozenset(words.split()) for tongue, words in _COMMON.items()}


def language_of(text: str) -> str:
    """``en``, ``de``, ``es``, ``it``, ``zh`` (Mandarin) or ``yue`` (Cantonese)."""
    if _CHINESE.search(text):
        return "yue" if _CANTONESE.search(text) else "zh"
    words = _WORD.findall(text.lower())
    counts = {tongue: sum(w in common for w in words) for tongue, common in _COMMON_WORDS.items()}
    best = max(counts, key=lambda tongue: counts[tongue])
    return best if counts[best] >= 2 else "en"
