"""A table made ready for look-ups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from voice.lexicon.kinds import Cue, LexicalCue
from voice.lexicon.table import Table
from voice.lexicon.tokens import fold, tokens_of
from voice.words import is_unspaced as is_unspaced_char

VERB = "ends in a verb that wants more"
PREPOSITION = "ends in a preposition"
PHRASE = "ends in an unfinished phrase"
HESITATION = "ends in a hesitation"
PARTICLE = "ends in a final particle"
CLOSING = "ends in a closing phrase"
# Field of the table -> what the waterfall says. Later fields win: a phrase that is complete or done
# was put there because its last word alone misleads.
_END_FIELDS = (
    ("fillers", Cue.HOLD, HESITATION),
    ("verbs", Cue.HOLD, VERB),
    ("adverbs", Cue.HOLD, "ends in a word that wants another"),
    ("subjects", Cue.HOLD, "ends in a subject without its verb"),
    ("prepositions", Cue.HOLD, PREPOSITION),
    ("articles", Cue.HOLD, "ends in an article"),
    ("determiners", Cue.HOLD, "ends in a determiner"),
    ("conjunctions", Cue.HOLD, "ends in a conjunction"),
    ("holds", Cue.HOLD, PHRASE),
    ("complete", Cue.NEUTRAL, "a phrase that may be complete"),
    ("particles", Cue.DONE, PARTICLE),
    ("done", Cue.DONE, CLOSING),
)
_SUFFIX_FIELDS = (
    ("holding_suffixes", Cue.HOLD, "its last word asks for more"),
    ("complete_suffixes", Cue.NEUTRAL, "its last word may be complete"),
    ("done_suffixes", Cue.DONE, "ends in a final ending"),
)


@dataclass(frozen=True, slots=True)
class Phrases:
    """A set of phrases, each kept as its tokens joined by one blank.

    Attributes:
        forms: The phrases.
        longest: First token -> tokens of the longest phrase that begins with it.
    """

    forms: frozenset[str]
    longest: Mapping[str, int]

    @classmethod
    def of(cls, forms: Iterable[str]) -> Phrases:
        """The set of ``forms``, each with one blank between its tokens."""
        known = frozenset(forms)
        longest: dict[str, int] = {}
        for form in known:
            first = form.partition(" ")[0]
            longest[first] = max(longest.get(first, 0), form.count(" ") + 1)
        return cls(known, longest)

    def covers(self, tokens: list[str]) -> bool:
        """True when ``tokens``, one at least, are made of these phrases and nothing else."""
        return self.covers_with(tokens, self)

    def covers_with(self, tokens: list[str], needed: Phrases) -> bool:
        """Like ``covers``, and one phrase at least is one of ``needed``."""
        at, count, has_needed = 0, len(tokens), False
        while at < count:
            for size in range(min(self.longest.get(tokens[at], 0), count - at), 0, -1):
                phrase = " ".join(tokens[at : at + size])
                if phrase in self.forms:
                    has_needed = has_needed or phrase in needed.forms
                    at += size
                    break
            else:
                return False
        return has_needed

    def find(self, tokens: list[str], start: int = 0) -> tuple[int, int] | None:
        """Where the first of these phrases stands, from ``start`` on: first token and one past."""
        count = len(tokens)
        for at in range(start, count):
            for size in range(min(self.longest.get(tokens[at], 0), count - at), 0, -1):
                if " ".join(tokens[at : at + size]) in self.forms:
                    return at, at + size
        return None


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One language, ready: see ``Table`` for what the fields mean."""

    language: str
    depth: str
    variants: Mapping[int, str]
    ends: Mapping[str, LexicalCue]
    longest_end: Mapping[str, int]
    suffixes: Mapping[str, LexicalCue]
    longest_suffix: int
    strands: frozenset[str]
    strandable: frozenset[str]
    completed_by: Mapping[str, frozenset[str]]
    after_numbers: frozenset[str]
    fillers: Phrases
    yes_no: Phrases
    answers: Phrases
    backchannels: Phrases
    stops: Phrases
    not_stops: Phrases
    polite: Phrases
    is_unspaced: bool
    numbers: Mapping[str, int]
    longest_number: int
    number_ends: frozenset[str]
    number_run: frozenset[str]
    is_vigesimal: bool
    fused_numbers: tuple[str, ...]
    shy_numbers: frozenset[str]
    least_run: int
    repeats: Mapping[str, int]
    number_joiners: frozenset[str]
    decimals: frozenset[str]
    digit_words: frozenset[str]
    asks: Mapping[str, str]
    asking: Phrases
    question_words: Phrases
    question_stems: frozenset[str]
    yes_no_openers: Phrases
    yes_no_endings: tuple[str, ...]
    tell_requests: Phrases
    choice_words: Phrases
    requests: Phrases

    def fold(self, text: str) -> str:
        """``text`` as the table is written."""
        folded = fold(text)
        return folded.translate(self.variants) if self.variants else folded


def compile_table(table: Table, neutral: Table) -> Lexicon:
    """A lexicon of ``table``, with what ``neutral`` knows for every language."""
    ends: dict[str, LexicalCue] = {}
    for name, cue, why in _END_FIELDS:
        found = LexicalCue(cue, why)
        for form in (*_forms(getattr(neutral, name)), *_forms(getattr(table, name))):
            ends[form] = found
    suffixes: dict[str, LexicalCue] = {}
    for name, cue, why in _SUFFIX_FIELDS:
        suffixes.update(dict.fromkeys(getattr(table, name).split(), LexicalCue(cue, why)))
    fillers = neutral.fillers + " " + table.fillers
    polite = neutral.polite + " " + table.polite
    yes_no = " ".join((neutral.yes, neutral.no, table.yes, table.no))
    numbers, shy = _valued(table.numbers)
    repeats, decimals = _valued(table.repeats)[0], frozenset(_forms(table.decimals))
    is_unspaced = is_unspaced_char(table.question_words.strip()[:1] or " ")
    strandable = [PREPOSITION] if table.strands_prepositions else []
    asks = {_form(phrase): what for phrase, what in _pairs(table.asks)}
    return Lexicon(
        language=table.tags.split()[0],
        depth=table.depth,
        variants={ord(pair[0]): pair[1] for pair in table.variants.split()},
        ends=ends,
        longest_end=_longest_by_last(ends),
        suffixes=suffixes,
        longest_suffix=max(map(len, suffixes), default=0),
        strands=frozenset(_forms(table.strands)),
        strandable=frozenset((VERB, PHRASE, *strandable)),
        completed_by={
            _form(last): frozenset(_forms(words)) for last, words in table.completed_by.items()
        },
        after_numbers=frozenset(_forms(table.after_numbers)),
        fillers=_phrases(fillers),
        yes_no=_phrases(yes_no),
        answers=_phrases(" ".join((yes_no, fillers, polite))),
        backchannels=_phrases(neutral.backchannels + " " + table.backchannels),
        stops=_phrases(neutral.stops + " " + table.stops),
        not_stops=_phrases(table.not_stops),
        polite=_phrases(polite + " " + fillers),
        is_unspaced=is_unspaced,
        numbers=numbers,
        longest_number=_longest(numbers),
        number_ends=frozenset(form.rsplit(" ", 1)[-1] for form in (*numbers, *repeats, *decimals)),
        number_run=frozenset(table.number_run),
        is_vigesimal=table.is_vigesimal,
        fused_numbers=tuple(table.fused_numbers.split()),
        shy_numbers=frozenset(numbers) if is_unspaced else shy,
        least_run=3 if is_unspaced else 2,
        repeats=repeats,
        number_joiners=frozenset(_forms(table.number_joiners)),
        decimals=decimals,
        digit_words=frozenset(_forms(table.digit_words)),
        asks=asks,
        asking=Phrases.of(asks),
        question_words=_phrases(table.question_words),
        question_stems=_stems(table, asks),
        yes_no_openers=_phrases(table.yes_no_openers),
        yes_no_endings=tuple(table.yes_no_endings.split()),
        tell_requests=_phrases(table.tell_requests),
        choice_words=_phrases(table.choice_words),
        requests=_phrases(table.requests),
    )


def _stems(table: Table, asks: Iterable[str]) -> frozenset[str]:
    """Words of questions that take endings; nothing where words take none."""
    if not table.question_stems:
        return frozenset()
    words = (word for form in asks for word in form.split())
    return frozenset((*table.question_stems.split(), *table.digit_words.split(), *words))


def _longest_by_last(forms: Iterable[str]) -> dict[str, int]:
    longest: dict[str, int] = {}
    for form in forms:
        last = form.rpartition(" ")[2]
        longest[last] = max(longest.get(last, 0), form.count(" ") + 1)
    return longest


def _longest(forms: Iterable[str]) -> int:
    return max((form.count(" ") + 1 for form in forms), default=0)


def _form(phrase: str) -> str:
    return " ".join(tokens_of(fold(phrase.replace("_", " "))))


def _forms(phrases: str) -> list[str]:
    return [_form(phrase) for phrase in phrases.split()]


def _phrases(phrases: str) -> Phrases:
    return Phrases.of(_forms(phrases))


def _pairs(pairs: str) -> list[tuple[str, str]]:
    found = (pair.rpartition("=") for pair in pairs.split())
    return [(word, value) for word, _, value in found]


def _valued(pairs: str) -> tuple[dict[str, int], frozenset[str]]:
    values: dict[str, int] = {}
    shy: set[str] = set()
    for word, value in _pairs(pairs):
        form = _form(word)
        values[form] = int(value.rstrip("?"))
        if value.endswith("?"):
            shy.add(form)
    return values, frozenset(shy)
