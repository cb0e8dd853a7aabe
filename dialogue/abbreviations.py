"""What a full stop after a word means: the end of a sentence, an abbreviation, or it depends.

Rules
1. Where letters have case, a small letter after the stop says that the sentence goes on ("tel. do
   nas", "1.234 kr. i alt"); so does a number after a short word ("kl. 10", "No. 5"). Both hold in
   every language, without a table, and cost no waiting: a model's next token is the next word.
2. What a capital may follow is looked up (``abbreviation_tables``): titles, streets, "z.B.".
   Unknown words without a vowel that begin with a capital (``Mgr.``) count as titles.
3. Words that may end a sentence but often do not ("U.S.", "St.", an initial, a German "3.") end it
   only before a word that opens sentences ("U.S. Would you ...", but "U.S. Embassy").

Why no sentence library: of the full stops before a space in ``tests/fixtures/replies``, sentencex
1.0.32 takes 83 of 206 that end nothing for ends of sentences (it knows the abbreviations of an
encyclopaedia, not "tel.", "kl." or "ul."), needs all of the text so far at every delta (13 us), and
finds no clauses. These rules take none of them for one, and miss 7 of 176 ends (sentencex 7).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from dialogue.abbreviation_tables import CAPITAL, CONTINUES, KEEP, STARTER, STARTERS

Verdict = Literal["cut", "capital", "starter", "keep"]
"""Ends the sentence; unless a small letter or a number follows; only before a word that opens
sentences; never."""

SHORT_WORD_CHARS = 5
_CAPITALISED_NOUNS = frozenset(["de", "lb"])
# The languages in which no sentence ends with a full stop.
_NEVER = frozenset(["th"])
_DOTTED = re.compile(r"^(?:[^\W\d_]\.)+[^\W\d_]$")
_LAST_WORD = re.compile(
    r"[^\s\"“”„‘«»()\[\]{}…,;:!?/\u3000-\u30ff\u3400-\u9fff\uac00-\ud7a3\uff00-\uffef]+$"
)
_VOWELS = frozenset("aeiouyæøœıаеёиоуыэюяіїєαεηιουω")
_NOT_TITLES = frozenset(["hm", "hmm", "mm", "mmm", "mhm", "shh", "psst", "tv", "pc", "cd", "ok"])
_ELISION = re.compile(r"^(?:[cdjlmnst]|qu|all|dall|dell|nell|sull)?['’]+(?=.)|['’]+$")
_CASED = re.compile("[A-Za-zΑ-ԯḀ-ỿ]")


class StopReader:
    """Judges full stops of one language.

    Args:
        language: BCP-47 tag; English abbreviations are known in every language.
    """

    def __init__(self, language: str) -> None:
        primary = language.split("-")[0].casefold()
        self._primary = {"tl": "fil", "in": "id", "iw": "he"}.get(primary, primary)
        self._keep = self._words(KEEP)
        self._capital = self._words(CAPITAL) - self._own(KEEP)
        self._starter = self._words(STARTER) - self._own(KEEP)
        self._starters = self._own(STARTERS)
        self._continues = self._own(CONTINUES)

    def judge(self, before: str) -> Verdict:
        """What the full stop that follows ``before`` means, given that a space comes after it."""
        if self._primary in _NEVER:
            return "keep"
        found = _LAST_WORD.search(before)
        if found is None:
            return "cut"
        word = found.group()
        if word.endswith("."):  # the third dot of an ellipsis
            return "capital"
        earlier = before[: found.start()]
        if word[-1].isdigit():
            return self._after_digit(word, before, earlier.rstrip())
        if earlier.endswith(":"):
            return "cut"  # the ending of a Finnish acronym, "USA:n."
        return self._after_word(word, _ELISION.sub("", word.casefold()), earlier.rstrip())

    def is_certain(self, before: str) -> bool:
        """Whether a stop judged ``cut`` needs no look at the next word: no unknown abbreviation.

        English ones are all known; elsewhere a longer word is none.
        """
        found = _LAST_WORD.search(before)
        return found is not None and (
            self._primary == "en" or len(found.group()) > SHORT_WORD_CHARS
        )

    def opens_sentence(self, word: str) -> bool:
        """Whether this word with its capital begins a sentence more often than not."""
        return word.casefold().replace("’", "'") in self._starters

    def continues(self, word: str) -> bool:
        """Whether this word, though it has a capital, goes on after a time or a date."""
        return word.casefold() in self._continues

    @property
    def has_continuations(self) -> bool:
        """Whether ``continues`` can be true at all."""
        return bool(self._continues)

    def _after_word(self, word: str, folded: str, earlier: str) -> Verdict:
        after_number = earlier[-1:].isdigit()
        if folded in self._starter:
            return "starter"
        if folded in self._capital:
            return "capital"
        if len(word) == 1 and after_number and word.islower():
            return "capital"  # "16 h."
        if folded in self._keep:
            return "keep"
        if _DOTTED.match(word) or (self._primary == "de" and folded.endswith("str")):
            return "starter"  # N.A.T.O, Bahnhofstr.
        if len(word) == 1 and not _is_word(word):
            return "starter"  # J. Smith, plan B.
        if _is_title(word, after_number):
            return "starter"
        return "cut"

    def _after_digit(self, word: str, before: str, earlier: str) -> Verdict:
        if not (word.isdecimal() and len(word) <= 2):
            return "capital"
        if not earlier or before[: len(before) - len(word)].endswith("\n"):
            return "keep"  # "1. First"
        if f"{int(word) - 1}. " in before:
            return "keep"  # "1. Red 2. Blue"
        return "starter" if self._primary in _CAPITALISED_NOUNS else "capital"  # "2. Stock"

    def _own(self, table: dict[str, str]) -> frozenset[str]:
        return frozenset(table.get(self._primary, "").split())

    def _words(self, table: dict[str, str]) -> frozenset[str]:
        """Those of the language, and English ones if they are written in its script."""
        return self._own(table) | frozenset(table.get("en", "").split())


def _is_word(letter: str) -> bool:
    """Whether one letter is a whole word: "I", "è", "ạ"; or a letter of a script without case."""
    if letter == "I" or not (letter.islower() or letter.isupper()):
        return True
    return letter.islower() and _base(letter) in _VOWELS


def _base(text: str) -> str:
    """The letters without accents."""
    return "".join(ch for ch in unicodedata.normalize("NFD", text) if ch.isalpha())


def _is_title(word: str, after_number: bool) -> bool:
    """Whether it can only be an abbreviation: no vowel in it, and no acronym or unit."""
    if not (2 <= len(word) <= SHORT_WORD_CHARS) or word.isupper() or not _CASED.match(word):
        return False
    folded = word.casefold()
    if folded in _NOT_TITLES or after_number or (word.islower() and len(word) > 3):
        return False
    return not any(ch in _VOWELS for ch in _base(folded))
