"""Do two answers to one question say the same? What words alone can tell; the rest is not known.

A machine without a model. ``DIFFERENT`` is said of what cannot both be right: each names a number
or a day that the other does not, one begins with yes and the other with no, or they are one
sentence with a "not" in it. That one answer says more than the other is no contradiction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from enum import StrEnum
from typing import Final

from cache.entry import answer_id_of
from cache.frame import frame_of
from cache.normalise import canonical
from cache.veto import Veto, veto

_FULL_HOUR: Final = re.compile(r"(\d)[:.]00(?!\d)")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_YES_NO: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "en": (_words("yes yeah yep sure certainly"), _words("no nope unfortunately sorry")),
    "de": (_words("ja gerne natürlich"), _words("nein leider")),
    "fr": (_words("oui bien"), _words("non malheureusement désolé")),
    "es": (_words("sí claro"), _words("no lamentablemente")),
    "it": (_words("sì certo"), _words("no purtroppo")),
    "pt": (_words("sim claro"), _words("não infelizmente")),
    "nl": (_words("ja zeker"), _words("nee helaas")),
}


class Sameness(StrEnum):
    """What words tell of two answers."""

    SAME = "same"
    DIFFERENT = "different"
    UNCLEAR = "unclear"


def compare(one: str, other: str, language: str) -> Sameness:
    """What words tell of two answers to the same question; never raises on text.

    Args:
        one: As it was spoken.
        other: Likewise.
        language: BCP-47 tag of both.
    """
    if answer_id_of(one) == answer_id_of(other):
        return Sameness.SAME
    first, second = _form(one, language), _form(other, language)
    if not first or not second:
        return Sameness.UNCLEAR
    if first == second:
        return Sameness.SAME
    left, right = frame_of(first, language), frame_of(second, language)
    if _exclude_each_other(set(left.numbers), set(right.numbers)):
        return Sameness.DIFFERENT
    if _exclude_each_other(left.times, right.times):
        return Sameness.DIFFERENT
    if _one_denies(first, second, language):
        return Sameness.DIFFERENT
    objection = veto(first, second, language)
    is_denied = objection is Veto.NEGATION and set(left.content) == set(right.content)
    if is_denied or objection is Veto.OPPOSITE:
        return Sameness.DIFFERENT
    return Sameness.UNCLEAR


def _form(text: str, language: str) -> str:
    return canonical(_FULL_HOUR.sub(r"\1", text), language)


def _exclude_each_other(left: Set[str], right: Set[str]) -> bool:
    return bool(left - right and right - left)


def _one_denies(first: str, second: str, language: str) -> bool:
    yes, no = _YES_NO.get(language.lower().split("-")[0], (frozenset(), frozenset()))
    begins = {first.split()[0], second.split()[0]}
    return bool(begins & yes and begins & no)
