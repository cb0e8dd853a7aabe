"""What the agent asked last, told from its words."""

from __future__ import annotations

import re
from itertools import pairwise

from voice.lexicon.compiled import Lexicon
from voice.lexicon.kinds import Asked
from voice.lexicon.numbers import number_value
from voice.lexicon.registry import lexicon_for, region_of
from voice.lexicon.tokens import fold, tokens_of

_TAIL_CHARACTERS = 400
_SENTENCE = re.compile(r"[^.!?。！？؟।]+[.!?。！？؟।]*")
_PHONE_DIGITS = {"us": 10, "ca": 10, "en": 10, "hk": 8, "yue": 8, "cn": 11, "zh": 11, "tw": 10}
_POSTCODE_DIGITS = {"us": 5, "en": 5, "cn": 6, "zh": 6, "de": 5, "es": 5, "fr": 5, "it": 5}
_MOST_DIGITS = 40


def what_was_asked(agent_text: str, language: str) -> Asked:
    """The kind of answer the agent waits for after ``agent_text``, what the caller heard of it.

    The last question counts; words after it ("take your time.") do not hide it.
    """
    lexicon = lexicon_for(language)
    sentences = _SENTENCE.findall(fold(agent_text[-_TAIL_CHARACTERS:]))
    for sentence in reversed(sentences):
        tokens = tokens_of(sentence)
        marked = sentence.rstrip().endswith(("?", "؟"))
        if marked or _is_request(tokens, lexicon):
            return _kind(tokens, lexicon, language)
    return Asked("none")


def _is_request(tokens: list[str], lexicon: Lexicon) -> bool:
    if lexicon.requests.find(tokens) is not None:
        return True
    return bool(tokens) and lexicon.yes_no_openers.find(tokens) is not None and len(tokens) > 2


def _kind(tokens: list[str], lexicon: Lexicon, language: str) -> Asked:
    yes_no = lexicon.yes_no_openers.find(tokens)
    word = lexicon.question_words.find(tokens)
    opens_with_yes_no = yes_no is not None and (word is None or yes_no[0] < word[0])
    count = _digit_count(tokens, lexicon)
    if count is not None:
        return Asked("digits", count)
    asked = lexicon.asking.find(tokens)
    if asked is not None and not (opens_with_yes_no and yes_no is not None and yes_no[0] == 0):
        what = lexicon.asks[" ".join(tokens[asked[0] : asked[1]])]
        return Asked("digits", _count(what, language))
    if lexicon.choice_words.find(tokens) is not None:
        return Asked("choice")
    if opens_with_yes_no:
        return Asked("yes_no")
    return Asked("open")


def _count(what: str, language: str) -> int | None:
    if what.isdigit():
        return int(what)
    table = {"phone": _PHONE_DIGITS, "postcode": _POSTCODE_DIGITS}.get(what, {})
    return table.get(region_of(language))


def _digit_count(tokens: list[str], lexicon: Lexicon) -> int | None:
    """The N of "the last four digits", "your six-digit code", 六位數."""
    for before, after in pairwise(tokens):
        if after in lexicon.digit_words:
            value = number_value(before, lexicon)
            if value is not None and 0 < value <= _MOST_DIGITS:
                return value
    return None
