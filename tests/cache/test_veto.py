from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.normalise import canonical
from cache.veto import Veto, says_the_same, veto


def vetoed(one: str, other: str, language: str = "en-US") -> Veto | None:
    return veto(canonical(one, language), canonical(other, language), language)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("I want to pay", "I don't want to pay", Veto.NEGATION),
        ("my card works", "my card no longer works", Veto.NEGATION),
        ("it is contactless", "no, it is not contactless", Veto.NEGATION),
        ("list all of my payees", "no, don't list all of my payees", Veto.NEGATION),
        ("yes, it is about a loan", "it is about a loan", Veto.AGREEMENT),
        ("no, I do not want to hear the whole menu again", "read me the menu", Veto.NEGATION),
        ("a table for two people", "a table for four people", Veto.NUMBER),
        ("order 4471", "order 4417", Veto.NUMBER),
        ("turn on roaming", "turn off roaming", Veto.OPPOSITE),
        ("how do I block a card", "how do I unblock a card", Veto.OPPOSITE),
        ("are you open on sunday", "are you open on monday", Veto.TIME),
        ("an appointment in march", "an appointment in may", Veto.TIME),
        ("from rome to berlin", "from berlin to rome", Veto.ROLES),
        ("did you call me", "did I call you", Veto.ROLES),
        ("where can I park", "when can I park", Veto.QUESTION),
        ("how much does it take", "how long does it take", Veto.QUESTION),
        ("must I bring my passport", "may I bring my passport", Veto.MODALITY),
        ("have you sent the invoice", "will you send the invoice", Veto.MODALITY),
        ("I lost my key", "I lost my wallet", Veto.ONE_WORD),
    ],
)
def test_what_turns_the_answer_round(one: str, other: str, why: Veto) -> None:
    assert vetoed(one, other) is why
    assert vetoed(other, one) is why


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("what time do you open", "when do you open"),
        ("I would like to speak to a person", "can I talk to a human"),
        ("how much does delivery cost", "what is the cost of delivery"),
        ("my internet is not working", "my internet doesn't work"),
        ("do you have parking", "is there parking"),
        ("I would like to know if you delivered my order", "did you deliver my order"),
        ("do I have to fill in a form", "must I fill in a form"),
        ("I need to fill in a form", "can I fill in a form"),
        ("can you close my account", "my card was stolen so I need you to send me a new one"),
    ],
)
def test_what_leaves_it(one: str, other: str) -> None:
    assert vetoed(one, other) is None


@pytest.mark.parametrize(
    ("asked", "known", "is_so"),
    [
        ("please cancel my savings plan", "can you cancel my savings plan", True),
        ("cancel my plan", "can you cancel my savings plan", False),
        ("cancel my savings plan, I never used it since March", "cancel my savings plan", False),
        ("a table for 2", "a table for 4", False),
        ("yes, cancel my plan", "cancel my plan", False),
        ("no, it is not my plan", "it is not my plan", False),
        ("I do not know if it is my plan", "it is my plan", False),
        ("when is my plan changed", "where is my plan changed", False),
    ],
)
def test_neither_says_more_than_the_other(asked: str, known: str, is_so: bool) -> None:
    one, other = canonical(asked, "en"), canonical(known, "en")
    assert says_the_same(one, other, "en") is is_so


def test_the_values_of_a_plan_come_from_the_turn() -> None:
    one, other = "a table for 2 on monday", "a table for 4 on friday"
    assert veto(one, other, "en") is Veto.NUMBER
    assert veto(one, other, "en", slots_may_differ=True) is None
    assert veto("a table for 2", "no table for 2", "en", slots_may_differ=True) is Veto.NEGATION


@pytest.mark.parametrize(
    ("language", "one", "other", "why"),
    [
        ("de-DE", "ich will zahlen", "ich will nicht zahlen", Veto.NEGATION),
        ("zh-TW", "我想退款", "我不想退款", Veto.NEGATION),
        ("zh-TW", "你們幾點開門", "你們幾點關門", Veto.NO_LISTS),
        ("fi-FI", "haluan maksaa", "haluan perua", Veto.NO_LISTS),
    ],
)
def test_without_word_lists_small_differences_are_refused(
    language: str, one: str, other: str, why: Veto
) -> None:
    assert vetoed(one, other, language) is why


def test_without_one_common_word_nearness_is_not_believed() -> None:
    assert vetoed("do you deliver", "my card was stolen in town") is Veto.NOTHING_SHARED
    assert vetoed("can i bring my dog", "are dogs allowed") is None


@given(st.text(max_size=60), st.sampled_from(["en", "zh", "de", "xx"]))
def test_a_question_has_its_own_answer(text: str, language: str) -> None:
    key = canonical(text, language)
    assert veto(key, key, language) is None


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(["en", "zh", "de", "xx"]))
def test_it_is_the_same_both_ways(one: str, other: str, language: str) -> None:
    one, other = canonical(one, language), canonical(other, language)
    assert veto(one, other, language) == veto(other, one, language)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("I have a refundable fare", "I have a non refundable fare", Veto.NEGATION),
        ("my sister pays my rent", "I pay my sister's rent", Veto.ROLES),
        ("move it from your side to theirs", "move it from their side to yours", Veto.ROLES),
        ("I put my coat into the locker", "I took my coat out of the locker", Veto.OPPOSITE),
        ("I want to report an accident", "I reported an accident", Veto.MODALITY),
        ("my boss calls me", "I call my boss", Veto.ROLES),
        ("you sent my letter", "you will send my letter", Veto.MODALITY),
        ("do all seats recline", "do some seats recline", Veto.ONE_WORD),
        ("is only the gate shut", "is the gate shut too", Veto.ONE_WORD),
        ("which train goes to oslo", "how often does a train go to oslo", Veto.QUESTION),
        ("she mailed me her form", "I mailed her my form", Veto.ROLES),
        ("we sent them our bill", "they sent us their bill", Veto.ROLES),
        ("do I have to fill in a form", "can I fill in a form", Veto.MODALITY),
        ("is it required to book ahead", "is it possible to book ahead", Veto.MODALITY),
        ("I was thinking of selling my boat", "I sold my boat", Veto.MODALITY),
        ("I would like to terminate my plan", "I terminated my plan", Veto.MODALITY),
    ],
)
def test_who_what_when_and_how_many(one: str, other: str, why: Veto) -> None:
    assert vetoed(one, other) is why
    assert vetoed(other, one) is why
