"""The frame veto: two sentences that are nearly the same and ask for different answers.

"I want to pay" and "I do not want to pay", Friday and Saturday, from Rome to Berlin and back:
embeddings find them closer than true paraphrases. But for a "no" or a "yes" to what was said
before, the veto looks only at pairs whose frames nearly coincide; where whole sentences differ, the
neighbourhood decides (``cache.gate``).
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Final

from cache import frame_words as lists
from cache.frame import Frame, frame_of, has_lists, stem

MOST_DIFFERENT: Final = 4
LEAST_SHARED: Final = 0.6
_LEAST_TURNED: Final = 3  # "on fridays do you close", and "rome berlin" is another way


class Veto(StrEnum):
    """Why two turns may not have one answer."""

    NUMBER = "number"
    NEGATION = "negation"
    AGREEMENT = "agreement"
    """One says yes to what was said before, and the other does not."""
    OPPOSITE = "opposite"
    TIME = "time"
    ROLES = "roles"
    QUESTION = "question"
    MODALITY = "modality"
    ONE_WORD = "one_word"
    NO_LISTS = "no_word_lists"
    NOTHING_SHARED = "nothing_shared"
    """Near to the encoder, and not one word in common: a collision may be made on purpose."""


SOFT: Final = frozenset((Veto.ONE_WORD, Veto.QUESTION, Veto.MODALITY, Veto.TIME))
"""Other questions with the same answer may show that the difference does not matter."""


def veto(asked: str, known: str, language: str, *, slots_may_differ: bool = False) -> Veto | None:
    """Why the answer to ``known`` must not be given to ``asked``; None when nothing speaks against.

    Both are canonical (``cache.normalise``). About 10 µs when the frames are remembered.

    Args:
        asked: What was asked now.
        known: What was asked before.
        language: BCP-47 tag.
        slots_may_differ: The answer is a plan: numbers and days are taken from the turn itself.
    """
    if asked == known:
        return None
    one, other = frame_of(asked, language), frame_of(known, language)
    if not (set(one.tokens) & set(other.tokens) or set(one.content) & set(other.content)):
        return Veto.NOTHING_SHARED
    if one.rejects != other.rejects:
        return Veto.NEGATION  # "no, it is not" denies twice, and so counts as none
    if one.affirms != other.affirms:
        return Veto.AGREEMENT
    if not _is_close(one, other):
        return None
    if one.numbers != other.numbers and not slots_may_differ:
        return Veto.NUMBER
    if (one.negations + other.negations) % 2 and not (one.denies_softly or other.denies_softly):
        return Veto.NEGATION
    if not has_lists(language):
        return Veto.NO_LISTS  # any small difference may be the one that matters
    if _has_opposites(one, other):
        return Veto.OPPOSITE
    if one.times - lists.PAST != other.times - lists.PAST and not slots_may_differ:
        return Veto.TIME
    return _grammatical(one, other, lists.TIMES if slots_may_differ else frozenset())


def is_close(asked: str, known: str, language: str) -> bool:
    """Whether two canonical turns are nearly the same sentence: the veto looks at these only."""
    return _is_close(frame_of(asked, language), frame_of(known, language))


def says_the_same(asked: str, known: str, language: str) -> bool:
    """Whether both have the same words of content and numbers: neither says more than the other.

    Args:
        asked: What was asked now, canonical.
        known: What was asked before.
        language: BCP-47 tag.
    """
    one, other = frame_of(asked, language), frame_of(known, language)
    if one.affirms != other.affirms or one.rejects != other.rejects:
        return False
    if one.negations % 2 != other.negations % 2 or one.question != other.question:
        return False
    return one.numbers == other.numbers and set(one.content) == set(other.content)


def _grammatical(one: Frame, other: Frame, ignored: frozenset[str]) -> Veto | None:
    if _roles_differ(one, other):
        return Veto.ROLES
    if one.question != other.question and _asks_another_thing(one, other):
        return Veto.QUESTION
    if _modality_differs(one, other):
        return Veto.MODALITY
    if _one_word_differs(one, other, ignored) or _quantity_differs(one, other):
        return Veto.ONE_WORD
    return None


def _is_close(one: Frame, other: Frame) -> bool:
    longer = max(len(one.tokens), len(other.tokens))
    shared, left = 0, Counter(one.tokens)
    for word in other.tokens:
        if left[word] > 0:
            left[word] -= 1
            shared += 1
    return longer - shared <= MOST_DIFFERENT or shared >= LEAST_SHARED * longer


def _has_opposites(one: Frame, other: Frame) -> bool:
    only_one, only_other = one.raw - other.raw, other.raw - one.raw
    if not only_one or not only_other:
        return False
    left = only_one | {stem(word) for word in only_one}
    right = only_other | {stem(word) for word in only_other}
    for first, second in _OPPOSITES:
        if (first in left and second in right) or (second in left and first in right):
            return True
    return any(
        longer == prefix + shorter
        for these, those in ((left, right), (right, left))
        for longer in these
        for prefix in lists.NEGATIVE_PREFIXES
        if longer.startswith(prefix)
        for shorter in those
    )


def _roles_differ(one: Frame, other: Frame) -> bool:
    """The same words in another order: who does what to whom, from where to where."""
    if Counter(one.tokens) == Counter(other.tokens):
        return one.tokens != other.tokens
    acted_on = bool(one.raw & lists.ACTED_ON) != bool(other.raw & lists.ACTED_ON)
    if _changed_places(one.content, other.content) and (len(one.content) > 2 or acted_on):
        return True  # "the cost of delivery" is "delivery cost"
    if _changed_places(_persons(one), _persons(other)) or _changed_roles(one, other):
        return True
    before, after = _ways(one), _ways(other)
    return bool(before and after and before != after and before == after[::-1])


def _changed_places(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Equal words in another order, and not just the last of them said first."""
    if one == other or Counter(one) != Counter(other):
        return False
    turned = [one[start:] + one[:start] for start in range(1, len(one))]
    return len(one) < _LEAST_TURNED or other not in turned


def _changed_roles(one: Frame, other: Frame) -> bool:
    """Each person stands where another one stood: "he gave me his keys", "I gave him my keys"."""
    left, right = _persons(one), _persons(other)
    if left == right or len(left) != len(right) or set(left) != set(right):
        return False
    return len(set(zip(left, right, strict=True))) == len(set(left))


def _persons(frame: Frame) -> tuple[str, ...]:
    return tuple(lists.PERSONS[word] for word in frame.tokens if word in lists.PERSONS)


def _ways(frame: Frame) -> tuple[str, ...]:
    """The words after "from" and "to", in this order; empty unless both are there."""
    ends = []
    for mark in ("from", "to"):
        places = [index for index, word in enumerate(frame.tokens[:-1]) if word == mark]
        if not places:
            return ()
        place = frame.tokens[places[-1] + 1 :]
        ends.append(next((word for word in place if word not in lists.FUNCTION), ""))
    return tuple(ends)


def _asks_another_thing(one: Frame, other: Frame) -> bool:
    """Both ask for something definite, or one does and every other word is the same."""
    if one.question and other.question:
        return True
    return Counter(one.content) == Counter(other.content) and "cost" not in one.content


def _modality_differs(one: Frame, other: Frame) -> bool:
    if one.obliges != other.obliges and (one.permits or other.permits):
        return True
    if one.is_done != other.is_done:
        return True
    if _content_but_modals(one) == _content_but_modals(other) and (
        _one_is_a_duty(one, other) or _one_is_a_plan(one, other)
    ):
        return True
    differs = one.obliges != other.obliges or one.is_future != other.is_future
    return (differs or _is_past(one) != _is_past(other)) and _same_but_grammar(one, other)


def _one_is_a_duty(one: Frame, other: Frame) -> bool:
    """Whether it has to be done is asked here, whether it can be done there."""
    return any(
        this.asks_duty and not that.obliges and bool(that.raw & lists.ABILITY)
        for this, that in ((one, other), (other, one))
    )


def _one_is_a_plan(one: Frame, other: Frame) -> bool:
    """It is meant to be done here, and was done there."""
    return any(
        this.intends
        and not that.intends
        and not _is_past(this, lists.AUXILIARY_PAST)
        and _is_past(that)
        for this, that in ((one, other), (other, one))
    )


def _content_but_modals(frame: Frame) -> Counter[str]:
    return Counter(word for word in frame.content if word not in _MODAL_STEMS)


def _is_past(frame: Frame, but: frozenset[str] = frozenset()) -> bool:
    return any(
        word in lists.PAST_FORMS or (word.endswith("ed") and stem(word) != word)
        for word in frame.raw - but
    )


def _same_but_grammar(one: Frame, other: Frame) -> bool:
    """Equal content, and nothing but one or two words of grammar added or taken."""
    if Counter(one.content) != Counter(other.content):
        return False
    left, right = _grammar(one), _grammar(other)
    return (left - right).total() + (right - left).total() <= 2


def _grammar(frame: Frame) -> Counter[str]:
    return Counter(word for word in frame.tokens if word in lists.FUNCTION)


def _quantity_differs(one: Frame, other: Frame) -> bool:
    """One speaks of all or of these only, and says the same otherwise."""
    for words in (lists.UNIVERSAL, lists.LIMITING):
        if bool(one.raw & words) != bool(other.raw & words):
            left, right = (
                Counter(word for word in frame.content if word not in lists.QUANTITIES)
                for frame in (one, other)
            )
            return left == right
    return False


def _one_word_differs(one: Frame, other: Frame, ignored: frozenset[str]) -> bool:
    """One or two content words replaced in a frame that is otherwise the same."""
    left = Counter(word for word in one.content if word not in ignored)
    right = Counter(word for word in other.content if word not in ignored)
    gone, come = left - right, right - left
    replaced = min(gone.total(), come.total())
    if not replaced:
        return False
    grammar_left, grammar_right = _grammar(one), _grammar(other)
    moved = (grammar_left - grammar_right).total() + (grammar_right - grammar_left).total()
    if replaced == 1 and gone.total() == come.total() == 1:
        return moved <= 2
    return moved == 0 and gone.total() <= 2 and come.total() <= 2


_MODAL_STEMS: Final = frozenset(stem(word) for word in lists.MODAL)
_OPPOSITES: Final = tuple(
    pair
    for first, second in lists.OPPOSITES
    for pair in {(first, second), (stem(first), stem(second))}
    if pair[0] != pair[1]
)
