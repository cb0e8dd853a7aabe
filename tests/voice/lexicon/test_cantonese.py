"""What Cantonese words tell about turns, in traditional and in simplified characters."""

from __future__ import annotations

import pytest

from tests.dialogue.cantonese_cases import cases
from voice import lexicon


@pytest.mark.parametrize(("tag", "cue", "words"), cases("turns"))
def test_the_turn_decision(tag: str, cue: str, words: str) -> None:
    assert lexicon.end_cue(words, tag).cue.value == cue


def _answer(question: str, words: str, tag: str) -> str:
    match question:
        case "digits":
            return str(lexicon.digits_in(words, tag))
        case "asked":
            return lexicon.what_was_asked(words, tag).kind
        case "yes_no":
            found = lexicon.is_yes_or_no(words, tag)
        case "backchannel":
            found = lexicon.is_backchannel(words, tag)
        case "filler":
            found = lexicon.is_filler(words, tag)
        case "stop":
            found = lexicon.has_stop_word(words, tag)
        case "polite":
            found = lexicon.is_polite_tail(words, tag)
        case _:
            raise AssertionError(question)
    return "yes" if found else "no"


@pytest.mark.parametrize(("tag", "question", "words", "answer"), cases("words"))
def test_the_words(tag: str, question: str, words: str, answer: str) -> None:
    assert _answer(question, words, tag) == answer
