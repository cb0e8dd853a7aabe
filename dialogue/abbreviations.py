"""What a full stop after a word means: the end of a sentence, an abbreviation, or it depends."""

from __future__ import annotations

import re
from typing import Literal

Verdict = Literal["cut", "keep", "cut_before_capital", "keep_before_digit"]

# Never the last word of a sentence, or so seldom that waiting costs less than a bad split.
_KEEP = {
    "en": "mr mrs ms mx dr prof st rev hon gen gov sen rep sgt capt lt col cmdr messrs mt ft vs "
    "e.g i.e viz approx appt dept est ext fig misc tel temp ca cf ph u.s u.k u.n d.c",
    "de": "hr fr frl bzw ca evtl ggf inkl max min tel z.b d.h u.a str nr s.o s.u vgl abs",
    "fr": "m mm mme mlle me av bd tél env p.ex",
    "es": "sr sra srta dr dra ud uds d dña av avda pág tel p.ej ee.uu",
    "pt": "sr sra dr dra av tel pág p.ex",
    "it": "sig sig.ra dott ing avv tel pag p.es",
    "nl": "dhr mevr mr ca tel bijv d.w.z",
}
# End a sentence only if the next word starts with a capital (or has no case at all).
_CAPITAL = (
    "a.m p.m etc inc ltd co corp jr sr ave blvd rd apt jan feb mar apr jun jul aug sep sept oct "
    "nov dec mon tue tues wed thu thur thurs fri sat sun usw min hr hrs sec ph.d b.a m.a"
)
_CAPITAL_WORDS = frozenset(_CAPITAL.split())
# Mean "number" before a number and are words otherwise: "No. 5", "No. We are closed."
_NUMBER_WORDS = frozenset(
    ["no", "nos", "nr", "núm", "num", "art", "vol", "pp", "p", "pg", "sec", "ch", "n.º"]
)
_ORDINALS = frozenset(
    ["cs", "da", "de", "et", "fi", "hr", "hu", "lv", "nb", "nn", "no", "sk", "sl", "tr"]
)
_INITIALS = re.compile(r"^(?:[^\W\d_]\.)+[^\W\d_]$")
_LAST_WORD = re.compile(
    r"[^\s\"'“”‘’«»()\[\]{}…,;:!?/\u3000-\u30ff\u3400-\u9fff\uac00-\ud7a3\uff00-\uffef-]+$"
)


class StopReader:
    """Judges full stops of one language.

    Args:
        language: BCP-47 tag; English abbreviations are known in every language.
    """

    def __init__(self, language: str) -> None:
        primary = language.split("-")[0].casefold()
        self._keep = frozenset(f"{_KEEP['en']} {_KEEP.get(primary, '')}".split())
        self._has_ordinals = primary in _ORDINALS

    def judge(self, before: str) -> Verdict:
        """What the full stop that follows ``before`` means, given that a space comes after it."""
        found = _LAST_WORD.search(before)
        if found is None:
            return "cut"
        word = found.group()
        if word.endswith("."):  # the third dot of an ellipsis
            return "cut_before_capital"
        if word[-1].isdigit():
            return self._after_digit(word, before[: found.start()])
        folded = word.casefold()
        if folded in self._keep:
            return "keep"
        if folded in _CAPITAL_WORDS:
            return "cut_before_capital"
        if _INITIALS.match(word):
            return "keep"  # N.A.T.O, z.B
        if folded in _NUMBER_WORDS:
            return "keep_before_digit"
        if len(word) == 1 and word != "I":
            return "keep"  # J. Smith
        return "cut"

    def _after_digit(self, word: str, before: str) -> Verdict:
        if not (word.isdecimal() and len(word) <= 2):
            return "keep_before_digit"
        if not before.strip() or self._has_ordinals:
            return "keep"  # "1. First", "am 3. Mai"
        in_list = f"{int(word) - 1}. " in before
        return "keep" if in_list else "keep_before_digit"  # "1. Red 2. Blue"
