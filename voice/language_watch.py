"""Tells when a caller wants, or speaks, another language than the call is in.

Rules:
1. Only languages that the agent has are thought of.
2. Who asks for one by name gets it at once: "can we speak Spanish", 可唔可以講廣東話. A clause that
   says no ("I don't speak Spanish") asks for nothing, and a name that is only mentioned ("the
   Spanish class") neither.
3. Who speaks one gets it after ``TURNS_TO_CHANGE`` turns of it in a row. What the recogniser says
   of the language counts first; then the script, then words that the other language has and the
   call's has not.
4. A turn that says nothing either way ("okay", a name, a number) changes no count.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from voice.lexicon.compiled import Phrases
from voice.lexicon.registry import lexicon_for
from voice.lexicon.tokens import fold, tokens_of
from voice.lexicon.variants import CANTONESE_ONLY, MANDARIN_ONLY

TURNS_TO_CHANGE = 2
_LEAST_WORDS = 2  # of one language alone
_LEAST_SHARE = 0.25
_MANY_TIMES = 3
_SHORT_TOKENS = 4  # a name of a language in so few words is a wish
_MOST_CHARACTERS = 300
_CLAUSE = re.compile(r"[,.;:!?，。；：！？、،؟।]|\bbut\b|\bpero\b|\baber\b|\bmais\b|\btapi\b")
_WANTS = frozenset(
    [
        "speak",
        "speaking",
        "talk",
        "switch",
        "change",
        "continue",
        "prefer",
        "use",
        "habla",
        "hablas",
        "hablar",
        "hablamos",
        "hable",
        "hablan",
        "prefiero",
        "cambiar",
        "parlez",
        "parler",
        "parle",
        "parlons",
        "falar",
        "fala",
        "falamos",
        "falem",
        "parla",
        "parlare",
        "parliamo",
        "sprechen",
        "sprich",
        "spreche",
        "reden",
        "wechseln",
        "spreken",
        "praten",
        "spreek",
        "cakap",
        "bercakap",
        "bicara",
        "berbicara",
        "guna",
        "tukar",
        "говорить",
        "говорите",
        "говорим",
        "mówić",
        "mówi",
        "konuşabilir",
        "konuşalım",
        "konuşur",
        "konuş",
        "nói",
        "prata",
        "tala",
        "snakke",
        "tale",
        "puhua",
        "puhutaanko",
    ]
)
_WANTS_HAN = frozenset("講讲説說说轉转用")
_NOT = frozenset(
    [
        "no",
        "not",
        "don't",
        "dont",
        "can't",
        "cannot",
        "doesn't",
        "nicht",
        "kein",
        "keine",
        "pas",
        "ne",
        "niet",
        "geen",
        "não",
        "nao",
        "non",
        "nie",
        "не",
        "tak",
        "tidak",
        "bukan",
        "değil",
        "không",
        "icke",
        "inte",
        "ikke",
    ]
)
_NOT_HAN = re.compile("唔|不|冇|沒|没")
_MOST_SCRIPTS = {"HIRAGANA": "JPAN", "KATAKANA": "JPAN", "CJK": "HAN", "HANGUL": "KORE"}


@dataclass(frozen=True, slots=True)
class Change:
    """The call goes on in another language.

    Attributes:
        language: Its tag, as the agent has it.
    """

    language: str
    why: Literal["asked", "heard"]


class LanguageWatch:
    """One call's.

    Args:
        current: Tag of the call's language.
        names: Every language of the agent, the current one included: tag to what callers call it,
            in lower case, words joined by ``_``.
    """

    def __init__(self, current: str, names: Mapping[str, Sequence[str]]) -> None:
        self._names = {tag: _phrases(names[tag]) for tag in names}
        self._current = current
        self._candidate = ""
        self._count = 0

    @property
    def current(self) -> str:
        """Tag of the language that the call is in."""
        return self._current

    def change_to(self, language: str) -> None:
        """The call has changed, whoever wanted it."""
        self._current, self._candidate, self._count = language, "", 0

    def hear(self, text: str, recognised: str = "") -> Change | None:
        """A turn of the caller is over.

        Args:
            text: The caller's words.
            recognised: What the recogniser says was spoken, BCP-47; empty when it does not say.

        Returns:
            The change to make, which is remembered here already; None for none.
        """
        if len(self._names) < 2 or not text.strip():
            return None
        asked = self._asked_for(text)
        if asked:
            self.change_to(asked)
            return Change(asked, "asked")
        heard = self._spoken(text, recognised)
        if not heard:
            return None
        if heard == self._current:
            self._candidate, self._count = "", 0
            return None
        self._count = self._count + 1 if heard == self._candidate else 1
        self._candidate = heard
        if self._count < TURNS_TO_CHANGE:
            return None
        self.change_to(heard)
        return Change(heard, "heard")

    def _asked_for(self, text: str) -> str:
        for clause in _CLAUSE.split(fold(text[:_MOST_CHARACTERS])):
            tokens = tokens_of(clause)
            if not tokens or _NOT_HAN.search(_without_questions(clause)):
                continue
            if not _NOT.isdisjoint(tokens):
                continue
            named = [tag for tag, names in self._names.items() if names.find(tokens) is not None]
            named = [tag for tag in named if tag != self._current]
            if len(named) != 1:
                continue
            found = self._names[named[0]].find(tokens)
            rest = len(tokens) - (found[1] - found[0]) if found is not None else 0
            wants = not _WANTS.isdisjoint(tokens) or not _WANTS_HAN.isdisjoint(tokens)
            if wants or rest <= _SHORT_TOKENS - 2:
                return named[0]
        return ""

    def _spoken(self, text: str, recognised: str) -> str:
        tokens = tokens_of(fold(text[:_MOST_CHARACTERS]))
        if recognised:
            told = lexicon_for(recognised).language
            known = [tag for tag in self._names if lexicon_for(tag).language == told]
            is_word = len(tokens) > 1 or not text.isascii()
            if known and is_word:
                return self._current if self._current in known else known[0]
        return _by_script(text, tokens, self._current, tuple(self._names))


def _by_script(text: str, tokens: list[str], current: str, tags: tuple[str, ...]) -> str:
    script = _script_of(text)
    if not script:
        return ""
    alike = [tag for tag in tags if script in _scripts(lexicon_for(tag).language)]
    if len(alike) == 1 and (alike[0] == current or len(tokens) >= _LEAST_WORDS):
        return alike[0]
    if script == "HAN":
        return _chinese(text, current, alike)
    return _by_words(tokens, current, alike)


def _chinese(text: str, current: str, alike: list[str]) -> str:
    """Cantonese and Mandarin by the characters that only one of them uses."""
    cantonese = sum(char in CANTONESE_ONLY for char in text)
    mandarin = sum(char in MANDARIN_ONLY for char in text)
    if cantonese == mandarin:
        return ""
    wanted = "yue" if cantonese > mandarin else "zh"
    found = [tag for tag in alike if lexicon_for(tag).language == wanted]
    if current in found:
        return current
    # Formal Cantonese has some of Mandarin's characters; Mandarin has none of Cantonese.
    is_enough = mandarin == 0 if wanted == "yue" else mandarin - cantonese >= _LEAST_WORDS
    return found[0] if found and (is_enough or cantonese >= 2 * mandarin > 0) else ""


def _by_words(tokens: list[str], current: str, alike: list[str]) -> str:
    own = _words(lexicon_for(current).language) if current in alike else frozenset()
    found: list[tuple[int, str]] = []
    for tag in alike:
        if tag == current:
            continue
        theirs = _words(lexicon_for(tag).language)
        for_it = sum(token in theirs and token not in own for token in tokens)
        against = sum(token in own and token not in theirs for token in tokens)
        is_enough = for_it >= _LEAST_WORDS and for_it >= _LEAST_SHARE * len(tokens)
        if is_enough and for_it >= _MANY_TIMES * against:
            found.append((for_it, tag))
    found.sort(reverse=True)
    if found and (len(found) == 1 or found[0][0] > found[1][0]):
        return found[0][1]
    own_count = sum(token in own for token in tokens)
    return current if not found and own_count >= _LEAST_WORDS else ""


def _without_questions(clause: str) -> str:
    """可唔可以 and 能不能 ask for something; their "not" denies nothing."""
    return re.sub(r"(.)[唔不](?=\1)|有[冇沒没]", "", clause)


def _script_of(text: str) -> str:
    """The script of most letters; empty when there are too few, or too mixed ones."""
    counts: Counter[str] = Counter()
    for char in text[:_MOST_CHARACTERS]:
        if unicodedata.category(char)[0] == "L":
            name = unicodedata.name(char, "").partition(" ")[0]
            counts[_MOST_SCRIPTS.get(name, name)] += 1
    if counts["JPAN"]:
        counts["JPAN"] += counts.pop("HAN", 0)
    if not counts:
        return ""
    script, most = counts.most_common(1)[0]
    return script if most >= 2 and most > 0.6 * counts.total() else ""


@lru_cache(maxsize=64)
def _scripts(language: str) -> frozenset[str]:
    """The scripts in which words of a language are written down."""
    found = Counter(_script_of(word * 2) for word in _words(language))
    found.pop("", None)
    total = found.total()
    usual = frozenset(script for script, count in found.items() if count > 0.1 * total)
    return frozenset({"JPAN"}) if language == "ja" else usual


@lru_cache(maxsize=64)
def _words(language: str) -> frozenset[str]:
    """Words, and endings that are words, of a language's table; without what all of them share."""
    lexicon = lexicon_for(language)
    parts = (
        lexicon.ends, lexicon.yes_no.forms, lexicon.question_words.forms, lexicon.requests.forms,
        lexicon.yes_no_openers.forms, lexicon.polite.forms, lexicon.stops.forms, lexicon.numbers,
    )  # fmt: skip
    words = {word for forms in parts for form in forms for word in form.split()}
    shared = {word for form in lexicon_for("und").ends for word in form.split()}
    return frozenset(words - shared - {"ok", "okay", "stop"})


def _phrases(names: Sequence[str]) -> Phrases:
    return Phrases.of(" ".join(tokens_of(fold(name.replace("_", " ")))) for name in names)
