"""Does a caller speak against the answer that was just given? By words alone, in doubt not.

A plain "no" answers a question and says nothing of the answer before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from cache.frame import frame_of
from cache.normalise import canonical
from cache.veto import veto

_REJECTED: Final[Mapping[str, re.Pattern[str]]] = {
    language: re.compile(pattern)
    for language, pattern in {
        "en": r"^(?:no |nope |not )?i (?:said|asked|meant|was asking)\b"
        r"|^(?:no |nope )(?:no )?(?:that|this|it) is (?:not|wrong|incorrect)\b"
        r"|\b(?:that|this|it) is not (?:what i|right|correct|true|my question|an answer)\b"
        r"|\b(?:that|this) is (?:wrong|incorrect|nonsense)\b|\bwrong answer\b"
        r"|\bnot what i (?:said|asked|meant|want|wanted)\b"
        r"|\byou (?:did not|have not|are not|do not) (?:answer|answered|answering|understand"
        r"|understood|listen|listening)\b|\byou (?:misunderstood|misheard)\b",
        "de": r"^(?:nein )?(?:ich (?:sagte|meinte|fragte)|ich habe (?:gesagt|gefragt|gemeint))\b"
        r"|\bdas (?:ist|war) (?:falsch|nicht richtig|nicht (?:das )?was ich)\b"
        r"|\bdas (?:habe ich nicht|wollte ich nicht) (?:gefragt|gesagt|gemeint|wissen)\b"
        r"|\bfalsche antwort\b|\bsie haben mich (?:falsch|nicht) verstanden\b",
        "fr": r"^(?:non )?jai (?:dit|demandé)\b|\bce nest pas (?:ça|ce que|correct|juste|vrai)\b"
        r"|\bcest faux\b|\bvous (?:navez|ne mavez) pas (?:compris|répondu)\b",
        "es": r"^(?:no )?(?:dije|pregunté|he (?:dicho|preguntado)|quise decir)\b"
        r"|\beso no es (?:lo que|correcto|cierto|verdad)\b|\bno me (?:ha|has) entendido\b",
        "zh": r"我(?:不是|唔係|没有|沒有|冇)(?:在)?(?:問|问|說|说|講|讲)"
        r"|我(?:剛才|刚才|頭先)?(?:是|係)(?:問|问|說|说|講|讲)"
        r"|答(?:錯|错)|不(?:對|对)[,，]?我|唔啱|(?:說|说|講|讲)(?:錯|错)了?$|你(?:聽|听)(?:錯|错)",
    }.items()
}
_INTRODUCED: Final = re.compile(
    r"^(?:(?:no|sorry|again|i said|i asked|i meant|i was asking|my question (?:is|was)"
    r"|nein|ich sagte|ich fragte|ich habe gefragt|non|jai demandé) )+"
)


def rejects(text: str, language: str) -> bool:
    """Whether these words say that the answer before was not the right one."""
    pattern = _REJECTED.get(_first(language))
    return pattern is not None and pattern.search(canonical(text, language)) is not None


def repeats(text: str, before: str, language: str) -> bool:
    """Whether ``text`` asks again what ``before`` has asked, in the same words or nearly so."""
    asked, again = (_INTRODUCED.sub("", canonical(words, language)) for words in (before, text))
    if not asked or not again:
        return False
    if asked == again:
        return True
    old, new = frame_of(asked, language), frame_of(again, language)
    if len(new.content) < 2 or set(old.content) != set(new.content):
        return False
    return veto(again, asked, language) is None


def _first(language: str) -> str:
    first = language.lower().split("-")[0]
    return "zh" if first in ("yue", "cmn") else first
