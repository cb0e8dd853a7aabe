"""What the agent asked last, told from its words."""

from __future__ import annotations

import re
from itertools import pairwise

from voice.lexicon.compiled import Lexicon
from voice.lexicon.kinds import Asked
from voice.lexicon.numbers import number_value
from voice.lexicon.registry import lexicon_for, region_of
from voice.lexicon.tokens import tokens_of

_TAIL_CHARACTERS = 400
_SENTENCE = re.compile(r"[^.!?。！？؟।]+[.!?。！？؟।]*")
# Fixed lengths only, as dialled inside the country; elsewhere numbers differ in length.
_DIGITS_BY_REGION = {
    "phone": {
        "us": 10, "ca": 10, "mx": 10, "co": 10, "gb": 11, "fr": 10, "es": 9, "pt": 9, "pl": 9,
        "cz": 9, "gr": 10, "dk": 8, "no": 8, "au": 10, "in": 10, "sg": 8, "hk": 8, "mo": 8,
        "yue": 8, "cn": 11, "zh": 11, "tw": 10,
    },
    "postcode": {"us": 5, "au": 4, "cn": 6, "in": 6, "sg": 6},
}  # fmt: skip
# After how many digits of such a telephone number a group may end, in any way it is read there.
_PHONE_BREAKS = {
    "us": (3, 6), "ca": (3, 6), "gb": (3, 4, 5, 7, 8), "fr": (2, 4, 6, 8), "es": (2, 3, 5, 6, 7),
    "pt": (2, 3, 5, 6, 7), "pl": (2, 3, 5, 6, 7), "cz": (3, 6), "dk": (2, 3, 4, 5, 6),
    "no": (2, 3, 4, 5, 6), "au": (2, 4, 6, 7), "in": (2, 3, 4, 5, 6, 7, 8), "sg": (4,),
    "hk": (4,), "mo": (4,), "yue": (4,), "cn": (3, 4, 7), "zh": (3, 4, 7),
}  # fmt: skip
_MOST_DIGITS = 40
_FEWEST_DIGITS = {"phone": 7, "postcode": 4}
# May stand between how many digits and "digits": "les quatre derniers chiffres".
_WHICH_WORDS = (
    "last first final últimos primeros últimas primeras derniers premiers dernières premières"
    " ultimi primi ultime prime primeiros letzten ersten laatste eerste"
)
_WHICH = frozenset(_WHICH_WORDS.split())


def what_was_asked(agent_text: str, language: str) -> Asked:
    """The kind of answer the agent waits for after ``agent_text``, what the caller heard of it.

    The last question counts; words after it ("take your time.") do not hide it. Elliptic questions
    ("And your name?") are ``open``: a wrong guess there would cut the caller. So are requests that
    sound like a yes/no question ("Could you tell me more?").
    """
    lexicon = lexicon_for(language)
    sentences = _SENTENCE.findall(lexicon.fold(agent_text[-_TAIL_CHARACTERS:]))
    for sentence in reversed(sentences):
        tokens = tokens_of(sentence)
        if lexicon.question_stems:
            tokens = [_stem(token, lexicon) for token in tokens]
        marked = sentence.rstrip().endswith(("?", "؟"))
        is_request = lexicon.requests.find(tokens) is not None
        if tokens and (marked or is_request or _is_unmarked_question(tokens, lexicon)):
            return _asked(tokens, lexicon, language, is_request=is_request)
    return Asked("none")


def phone_digits(language: str) -> int | None:
    """How many digits telephone numbers have in a tag's region, as dialled there; None if many."""
    return _count("phone", language)


def _stem(token: str, lexicon: Lexicon) -> str:
    """The longest known beginning of a word that takes endings."""
    for size in range(len(token), 1, -1):
        if token[:size] in lexicon.question_stems:
            return token[:size]
    return token


def _is_unmarked_question(tokens: list[str], lexicon: Lexicon) -> bool:
    opener = lexicon.yes_no_openers.find(tokens)
    if opener is None:
        return tokens[-1].endswith(lexicon.yes_no_endings)
    if lexicon.is_unspaced:
        return True
    words = tokens[opener[0] : opener[1]]
    return opener[0] == 0 and len(tokens) > 2 and not lexicon.yes_no.covers(words)


def _asked(tokens: list[str], lexicon: Lexicon, language: str, *, is_request: bool) -> Asked:
    yes_no = lexicon.yes_no_openers.find(tokens)
    word = lexicon.question_words.find(tokens)
    count = _digit_count(tokens, lexicon)
    if count is not None:
        return Asked("digits", count, is_stated=True)
    what = _number_named(tokens, lexicon)
    opens_yes_no = yes_no is not None and yes_no[0] == 0
    if what is not None and (is_request or not opens_yes_no):
        breaks = _PHONE_BREAKS.get(region_of(language), ()) if what == "phone" else ()
        least = _FEWEST_DIGITS.get(what, 1)
        return Asked("digits", _count(what, language), least=least, breaks=breaks)
    if lexicon.choice_words.find(tokens, 1) is not None:
        return Asked("choice")
    if lexicon.tell_requests.find(tokens) is not None:
        return Asked("open")
    if word is None and (yes_no is not None or tokens[-1].endswith(lexicon.yes_no_endings)):
        return Asked("yes_no")
    if yes_no is not None and word is not None and yes_no[0] < word[0]:
        return Asked("yes_no")
    return Asked("open")


def _number_named(tokens: list[str], lexicon: Lexicon) -> str | None:
    """What the sentence calls the number it wants, rather one that tells how long it is."""
    first: str | None = None
    found = lexicon.asking.find(tokens)
    while found is not None:
        what = lexicon.asks[" ".join(tokens[found[0] : found[1]])]
        if what != "any":
            return what
        first = what
        found = lexicon.asking.find(tokens, found[1])
    return first


def _count(what: str, language: str) -> int | None:
    if what.isdigit():
        return int(what)
    return _DIGITS_BY_REGION.get(what, {}).get(region_of(language))


def _digit_count(tokens: list[str], lexicon: Lexicon) -> int | None:
    """The N of "the last four digits", "your six-digit code", 六位數, "cuatro últimos dígitos"."""
    tokens = [token for token in tokens if token not in _WHICH]
    for before, after in pairwise(tokens):
        if after in lexicon.digit_words:
            value = number_value(before, lexicon)
            if value is not None and 0 < value <= _MOST_DIGITS:
                return value
    return None
