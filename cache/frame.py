"""A turn reduced to what the veto compares: content words, numbers, negation, times, question."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from cache import frame_words as lists
from cache.text import is_unspaced

_PHRASES: Final = (
    ("what time", "when"),
    ("at what time", "when"),
    ("how come", "why"),
    ("what place", "where"),
    ("how much", "how_much"),
    ("how many", "how_many"),
    ("how long", "how_long"),
    ("how late", "how_late"),
    ("how early", "how_early"),
    ("how far", "how_far"),
    ("how often", "how_often"),
    ("how old", "how_old"),
    ("have to", "must"),
    ("has to", "must"),
    ("got to", "must"),
    ("no longer", "not"),
    ("any more", ""),
    ("check in", "checkin"),
    ("check out", "checkout"),
    ("checked in", "checkined"),
    ("checked out", "checkouted"),
    ("turn on", "switch on"),
    ("turn off", "switch off"),
    ("e mail", "email"),
    ("wheel chair", "wheelchair"),
    ("wi fi", "wifi"),
)
_QUESTIONS: Final = lists.QUESTIONS
_BEFORE_MONTHS: Final = frozenset(("in", "of", "by", "until", "since", "next", "last"))
_BEFORE_VERBS: Final = frozenset(("to", "of", "about"))
_VOWELS: Final = frozenset("aeiou")


@dataclass(frozen=True, slots=True)
class Frame:
    """What a turn is made of.

    Attributes:
        tokens: All words, articles and pronouns made alike.
        content: Stems of the words that are not grammar, in order, synonyms made alike.
        raw: All words as they came, for opposites.
        numbers: Everything with a digit, in order.
        negations: How many words deny.
        affirms: Begins with a "yes", and asks nothing.
        rejects: Begins with a "no" that stands by itself: "no, it is not".
        denies_softly: A word such as "forgot" is there.
        times: Days, months, parts of the day.
        question: ``when``, ``how_much`` ...; empty for anything less certain.
        obliges: "must", "should", "need to".
        asks_duty: The same as a question: "do I have to", "is it necessary".
        intends: "want to", "going to", "thinking of": it is not done yet.
        permits: "may", "allowed".
        is_done: "have paid", "already".
        is_future: "will".
    """

    tokens: tuple[str, ...]
    content: tuple[str, ...]
    raw: frozenset[str]
    numbers: tuple[str, ...]
    negations: int
    affirms: bool
    rejects: bool
    denies_softly: bool
    times: frozenset[str]
    question: str
    obliges: bool
    asks_duty: bool
    intends: bool
    permits: bool
    is_done: bool
    is_future: bool


def has_lists(language: str) -> bool:
    """Whether words of this language can be told apart well enough to accept small differences."""
    return _first(language) == "en"


@lru_cache(maxsize=16_384)
def frame_of(text: str, language: str) -> Frame:
    """The frame of canonical text. Never raises."""
    first = _first(language)
    if first == "en":
        return _english(text)
    words = _units(text)
    negations = lists.NEGATIONS.get(first, frozenset())
    return Frame(
        tokens=tuple(words),
        content=tuple(word for word in words if word not in negations),
        raw=frozenset(words),
        numbers=_numbers(words),
        negations=sum(word in negations for word in words),
        affirms=False,
        rejects=False,
        denies_softly=False,
        times=frozenset(),
        question="",
        obliges=False,
        asks_duty=False,
        intends=False,
        permits=False,
        is_done=False,
        is_future=False,
    )


def _english(text: str) -> Frame:
    padded = f" {text} "
    for phrase, word in _PHRASES:
        padded = padded.replace(f" {phrase} ", f" {word} ")
    words = [word for word in padded.split() if word not in lists.IGNORABLE]
    raw = frozenset(words)
    negations = lists.NEGATIONS["en"]
    grammar = lists.FUNCTION | negations | _QUESTIONS
    return Frame(
        tokens=tuple(lists.PRONOUNS.get(word, word) for word in words),
        content=tuple(stem(word) for word in words if word not in grammar and not _digits(word)),
        raw=raw,
        numbers=_numbers(words),
        negations=sum(word in negations for word in words),
        affirms=_affirms(words),
        rejects=len(words) > 1 and words[0] == "no" and words[1] in grammar,
        denies_softly=bool(raw & lists.LEXICAL_NEGATIONS),
        times=(raw & lists.TIMES) | _months(words),
        question=next((word for word in words if word in _QUESTIONS), ""),
        obliges=bool(raw & lists.OBLIGATION),
        asks_duty=_asks_duty(words),
        intends=_intends(words),
        permits=bool(raw & lists.PERMISSION),
        is_done=bool(raw & lists.ALREADY) or _is_perfect(words),
        is_future="will" in raw,
    )


def _months(words: list[str]) -> frozenset[str]:
    """The words "may" and "march" after a word that only a month follows."""
    return frozenset(
        word
        for before, word in pairwise(words)
        if word in ("may", "march") and (before in _BEFORE_MONTHS or _digits(before))
    )


def _affirms(words: list[str]) -> bool:
    """Agrees to what was said before: "yes it is"; in "yeah where are you" it is a filler."""
    if not words or words[0] not in lists.AFFIRMATIONS:
        return False
    return not any(word in _QUESTIONS or word in lists.INVERTED for word in words[1:2])


def _asks_duty(words: list[str]) -> bool:
    """Whether something must be done, as a question."""
    for index, word in enumerate(words):
        if word in lists.OBLIGATION:
            before = words[max(0, index - 3) : index]
            if not before or before[-2:] == ["is", "it"] or not lists.ASKING.isdisjoint(before):
                return True
    return False


def _intends(words: list[str]) -> bool:
    """Want, plan or think of something, other than to be told it."""
    for index, (word, after) in enumerate(pairwise(words)):
        is_marked = word in lists.INTENTION or words[index - 1 : index + 1] == ["would", "like"]
        if is_marked and after in _BEFORE_VERBS:
            verb = words[index + 2 : index + 3]
            if verb and verb[0] not in lists.TO_ASK:
                return True
    return False


def _is_perfect(words: list[str]) -> bool:
    """Have, and within two words a participle: "have paid", "has it arrived"."""
    for index, word in enumerate(words):
        if word in lists.PERFECT:
            for after in words[index + 1 : index + 3]:
                if after.endswith("ed") or (after in lists.IRREGULAR and after != "people"):
                    return True
    return False


@lru_cache(maxsize=8_192)
def stem(word: str) -> str:
    """A rough English stem; the first of its synonyms."""
    word = lists.SYNONYMS.get(word, word)
    word = lists.IRREGULAR.get(word, word)
    for ending, least, put in (
        ("ies", 5, "y"),
        ("ied", 5, "y"),
        ("ing", 6, ""),
        ("ed", 5, ""),
        ("es", 5, "e"),
        ("s", 4, ""),
    ):
        if word.endswith(ending) and len(word) >= least and not word.endswith(("ss", "us", "is")):
            word = word[: -len(ending)] + put
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in _VOWELS and word[-1] not in "sl":
        word = word[:-1]
    if word.endswith("ll") and len(word) > 5:
        word = word[:-1]  # cancelled, cancel
    word = lists.SYNONYMS.get(word) or lists.SYNONYMS.get(f"{word}e", word)
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def _numbers(words: list[str]) -> tuple[str, ...]:
    return tuple(word for word in words if _digits(word))


def _digits(word: str) -> bool:
    return not word.isalpha() and any(char.isdecimal() for char in word)


def _units(text: str) -> list[str]:
    """Words, and each character of a script without spaces."""
    units: list[str] = []
    for word in text.split():
        start = 0
        for index, char in enumerate(word):
            if is_unspaced(char):
                units += [word[start:index], char] if start < index else [char]
                start = index + 1
        if start < len(word):
            units.append(word[start:])
    return units


def _first(language: str) -> str:
    first = language.lower().split("-")[0]
    return "zh" if first in ("yue", "cmn") else first
