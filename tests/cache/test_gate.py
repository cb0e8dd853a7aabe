from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.gate import (
    FIRST_LABELS,
    Bound,
    Label,
    cold_accepts,
    fit,
    is_due,
    wilson_lower,
    wilson_upper,
)


def labels(count: int) -> list[Label]:
    chance = random.Random(3)
    made = []
    for _ in range(count):
        margin, noise = chance.random(), chance.random()
        made.append(Label((margin, noise), chance.random() < margin))
    return made


def test_it_learns_which_feature_matters() -> None:
    gate = fit(labels(2_000), 2_000)
    assert gate is not None
    assert gate.right_ratio((0.95, 0.5)) > 0.85
    assert gate.right_ratio((0.05, 0.5)) < 0.15
    assert abs(gate.right_ratio((0.5, 0.9)) - gate.right_ratio((0.5, 0.1))) < 0.15


def test_it_waits_for_labels_of_both_kinds() -> None:
    assert fit(labels(FIRST_LABELS - 1), FIRST_LABELS - 1) is None
    only_right = [Label((0.5,), is_right=True)] * 1_000
    assert fit(only_right, 1_000) is None


def test_other_features_than_those_it_was_fitted_on_are_refused() -> None:
    gate = fit(labels(600), 600)
    assert gate is not None
    with pytest.raises(ValueError, match="3 features"):
        gate.right_ratio((1.0, 2.0, 3.0))


@pytest.mark.parametrize(
    ("seen", "fitted_on", "due"),
    [(399, 0, False), (400, 0, True), (499, 400, False), (500, 400, True)],
)
def test_when_it_is_fitted(seen: int, fitted_on: int, due: bool) -> None:
    assert is_due(seen, fitted_on) is due


@pytest.mark.parametrize(
    ("similarity", "other", "is_trusted", "accepts"),
    [
        (0.76, None, True, True),
        (0.74, None, True, False),
        (0.85, 0.70, True, True),
        (0.85, 0.80, True, False),
        (0.79, 0.10, True, False),
        (0.89, None, False, True),
        (0.87, None, False, False),
        (0.89, 0.70, False, True),
        (0.89, 0.78, False, False),
    ],
)
def test_the_rule_without_labels(
    similarity: float, other: float | None, is_trusted: bool, accepts: bool
) -> None:
    assert cold_accepts(similarity, other, is_trusted=is_trusted) is accepts


def test_errors_tighten_the_bound_and_then_close_the_tier() -> None:
    bound = Bound(0.06)
    for _ in range(2):
        bound = bound.after(is_right=False)
    assert bound.in_force == 0.06  # two errors say nothing about a share
    bound = bound.after(is_right=False)
    assert bound.in_force == 0.0
    mended = bound
    for _ in range(60):
        mended = mended.after(is_right=True)
    assert mended.in_force == 0.06
    some = Bound(0.06, checked=100.0, wrong=6.0, errors=6)
    assert some.in_force == 0.015


def test_a_hit_that_is_checked_often_counts_for_less() -> None:
    often = Bound(0.06)
    for _ in range(4):
        often = often.after(is_right=False, weight=0.06)
    for _ in range(20):
        often = often.after(is_right=True, weight=4.0)
    assert often.in_force == 0.06


def test_what_was_seen_fades() -> None:
    closed = Bound(0.06, checked=4.0, wrong=4.0, errors=4)
    assert closed.in_force == 0.0
    assert closed.faded().in_force == 0.06


@given(st.integers(0, 50), st.integers(1, 500))
def test_the_interval_holds_the_share(wrong: int, more: int) -> None:
    checked = wrong + more
    lower, upper = wilson_lower(wrong, checked), wilson_upper(wrong, checked)
    assert 0.0 <= lower <= wrong / checked + 1e-12
    assert wrong / checked - 1e-12 <= upper <= 1.0
