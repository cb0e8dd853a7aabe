from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cache.answer_space import AnswerSpace, measure
from cache.pattern import MOST_STATES, DialogueState, PatternTier
from cache.scope import Scope

SCOPE = Scope("t", "a", "1", "1", "", "en")


def questions(seed: int = 0) -> tuple[NDArray[np.float32], list[str]]:
    """Answers differ in the first numbers, rewordings in the others, and by more."""
    chance = np.random.default_rng(seed)
    centres = chance.standard_normal((10, 4))
    answers = [number % 10 for number in range(400)]
    made = np.concatenate(
        [
            centres[answers] + 0.2 * chance.standard_normal((400, 4)),
            3.0 * chance.standard_normal((400, 12)),
        ],
        axis=1,
    )
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made.astype(np.float32), [str(answer) for answer in answers]


def test_it_sees_through_what_varies_within_answers() -> None:
    vectors, answers = questions()
    whitening = measure(vectors[:300], answers[:300])
    assert whitening is not None
    space = AnswerSpace(whitening)
    for vector, answer in zip(vectors[:300], answers[:300], strict=True):
        space.add(vector, answer)
    right = plain = 0
    for vector, answer in zip(vectors[300:], answers[300:], strict=True):
        close = space.closeness(vector)
        right += close.of(answer) > close.best_but(answer)
        plain += answers[int(np.argmax(vectors[:300] @ vector))] == answer
    assert right > 2 * plain


def test_what_goes_leaves_nothing() -> None:
    vectors, answers = questions()
    whitening = measure(vectors, answers)
    assert whitening is not None
    few, all_then_few = AnswerSpace(whitening), AnswerSpace(whitening)
    for index in range(400):
        all_then_few.add(vectors[index], answers[index])
    for index in range(400):
        if answers[index] in ("3", "4", "5"):
            few.add(vectors[index], answers[index])
        else:
            all_then_few.remove(vectors[index], answers[index])
    one, other = few.closeness(vectors[0]), all_then_few.closeness(vectors[0])
    for name in map(str, range(10)):
        assert (one.of(name) == -1.0) is (name not in {"3", "4", "5"})
        assert abs(one.of(name) - other.of(name)) < 1e-3
        assert abs(one.best_but(name) - other.best_but(name)) < 1e-3


def test_all_at_once_is_the_same_as_one_by_one() -> None:
    vectors, answers = questions()
    whitening = measure(vectors, answers)
    assert whitening is not None
    filled, added = AnswerSpace(whitening), AnswerSpace(whitening)
    filled.fill(vectors[:300], answers[:300])
    for index in range(300):
        added.add(vectors[index], answers[index])
    for space in (filled, added):
        space.remove(vectors[0], answers[0])
        space.add(vectors[300], "new")
    one, other = filled.closeness(vectors[1]), added.closeness(vectors[1])
    for name in (*map(str, range(10)), "new"):
        assert abs(one.of(name) - other.of(name)) < 1e-4


def test_too_little_to_measure() -> None:
    vectors, answers = questions()
    assert measure(vectors[:100], answers[:100]) is None
    assert measure(vectors, [str(number) for number in range(400)]) is None


def test_a_state_that_mostly_leads_to_one_plan() -> None:
    tier, state = PatternTier(), DialogueState("book", frozenset({"date"}))
    assert tier.expect(SCOPE, state) is None
    for count in range(1, 5):
        tier.followed(SCOPE, state, "ask:time")
        expected = tier.expect(SCOPE, state)
        assert expected is not None
        assert expected.is_sure is (count >= 4)
    tier.followed(SCOPE, state, "ask:name")
    expected = tier.expect(SCOPE, state)
    assert expected is not None
    assert not expected.is_sure
    tier.was_wrong(SCOPE, state)
    assert tier.expect(SCOPE, state) is None


def test_states_are_forgotten() -> None:
    tier = PatternTier(most_states=3)
    for number in range(10):
        tier.followed(SCOPE, DialogueState(str(number)), "plan")
    assert len(tier) == 3
    assert MOST_STATES >= 1_000
