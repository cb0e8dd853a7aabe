"""The form in which a language is written down: strings of words, nothing to compile by hand.

Words are separated by blanks; the words of a phrase are joined by ``_``. Everything is lower case
with straight apostrophes. Scripts without spaces write phrases together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What is known about one language; a field that is left out says nothing.

    Attributes:
        tags: BCP-47 primary tags, blank-separated; the first is the name of the language.
        variants: Characters that are read as others, in pairs, the written one first: what is
            heard may come in simplified characters where the table has traditional ones.
        depth: ``deep`` when its ends of utterance were worked out and measured.
        conjunctions: Last words that ask for another clause or phrase: "and", "because".
        prepositions: Last words that ask for a noun: "of", "between".
        articles: "the", "ein".
        determiners: Possessives, demonstratives, quantifiers that never stand alone: "my", "every".
        subjects: Subjects that ask for a verb: "I", "we'll", "je".
        verbs: Verbs that ask for an object or a predicate: "my name is".
        adverbs: Degree words that ask for an adjective: "very".
        holds: Other ends, mostly phrases, after which something must come.
        complete: Ends that are complete although their last word alone is not: "come in".
        done: Ends after which people stop: "that's all".
        particles: Final particles of a sentence; as ``done``, but they say so.
        holding_suffixes: Ends of a last word after which something must come.
        complete_suffixes: Longer ends of a last word that are complete all the same.
        done_suffixes: Ends of a last word after which people stop.
        strands: Question words that let a verb stand at the end: "how much it is".
        strands_prepositions: They let a preposition stand there as well: "what ... for".
        completed_by: Last word -> words which, earlier in the utterance, make it complete.
        after_numbers: Last words that are complete after a number: "9 am".
        fillers: Hesitations: "um".
        yes: Ways to say yes as a whole answer.
        no: Ways to say no as a whole answer.
        backchannels: What a listener says without wanting the floor.
        stops: Words that stop the agent at once.
        not_stops: Phrases that contain a stop word and are none.
        polite: Words that add nothing to what was asked.
        numbers: ``word=value``; ``word=value?`` counts only next to another number, and in scripts
            without spaces every one does.
        number_run: Syllables that make up fused numbers, each a word of ``numbers`` too.
        is_vigesimal: "soixante-dix", "quatre-vingts".
        fused_numbers: Words of ``numbers``, the largest first, that are written together with
            others: "hundert" in "zweihundertfünf".
        repeats: ``word=times``: "double=2".
        number_joiners: Words inside numbers: "and".
        decimals: "point".
        digit_words: "digits", "numbers" as in "four digits".
        asks: ``phrase=what``, what a question with that phrase wants: a number of digits, or
            ``phone`` and ``postcode`` (by region), or ``any``.
        question_words: "what", "who".
        question_stems: Question words that take endings.
        yes_no_openers: First words of a yes/no question, or its tags and particles.
        yes_no_endings: Ends of the last word of a yes/no question.
        tell_requests: "Could you tell": begins what sounds like a yes/no question and wants words.
        choice_words: "or".
        requests: "tell me", "please give": a question without a question mark.
    """

    tags: str
    depth: Literal["deep", "basic"] = "basic"
    variants: str = ""
    conjunctions: str = ""
    prepositions: str = ""
    articles: str = ""
    determiners: str = ""
    subjects: str = ""
    verbs: str = ""
    adverbs: str = ""
    holds: str = ""
    complete: str = ""
    done: str = ""
    particles: str = ""
    holding_suffixes: str = ""
    complete_suffixes: str = ""
    done_suffixes: str = ""
    strands: str = ""
    strands_prepositions: bool = False
    completed_by: Mapping[str, str] = field(default_factory=dict)
    after_numbers: str = ""
    fillers: str = ""
    yes: str = ""
    no: str = ""
    backchannels: str = ""
    stops: str = ""
    not_stops: str = ""
    polite: str = ""
    numbers: str = ""
    number_run: str = ""
    is_vigesimal: bool = False
    fused_numbers: str = ""
    repeats: str = ""
    number_joiners: str = ""
    decimals: str = ""
    digit_words: str = ""
    asks: str = ""
    question_words: str = ""
    question_stems: str = ""
    yes_no_openers: str = ""
    yes_no_endings: str = ""
    tell_requests: str = ""
    choice_words: str = ""
    requests: str = ""
