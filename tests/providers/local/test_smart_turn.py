"""The end-of-turn model on real speech over the telephone; figures of its own code are beside."""

from __future__ import annotations

import tracemalloc

import pytest

from providers.local.smart_turn import SmartTurn, knows
from simulation.clip_library import load_library


@pytest.fixture(scope="session")
def model() -> SmartTurn:
    return SmartTurn()


@pytest.mark.parametrize(
    ("name", "until_s", "published"),
    [
        ("goforward", 2.6, 0.990),
        ("welcome_zh", 5.4, 0.988),
        ("jfk", 5.3, 0.037),
        ("hes_en_um", 2.3, 0.006),
    ],
)
def test_finished_and_unfinished_turns_are_told_apart(
    model: SmartTurn, name: str, until_s: float, published: float
) -> None:
    ulaw = load_library().clip(name).ulaw[: round(until_s * 8_000)]
    assert model.finished_ratio(ulaw) == pytest.approx(published, abs=0.03)


def test_only_the_last_seconds_count(model: SmartTurn) -> None:
    ulaw = load_library().clip("jfk").ulaw[: round(10.9 * 8_000)]
    assert model.finished_ratio(ulaw) == model.finished_ratio(ulaw[-64_000:])


def test_what_was_judged_before_makes_no_difference(model: SmartTurn) -> None:
    ulaw = load_library().clip("goforward").ulaw
    found = model.finished_ratio(ulaw)
    model.finished_ratio(load_library().clip("jfk").ulaw)
    assert model.finished_ratio(ulaw) == found


def test_a_judgement_takes_little_memory_of_its_own(model: SmartTurn) -> None:
    """Beside what the network takes by itself, which is not Python's."""
    ulaw = load_library().clip("jfk").ulaw
    tracemalloc.start()
    try:
        model.finished_ratio(ulaw)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 300_000


def test_nothing_heard_has_an_answer_too(model: SmartTurn) -> None:
    assert 0.0 <= model.finished_ratio(b"") <= 1.0


@pytest.mark.parametrize(
    ("tag", "is_known"),
    [
        ("en-US", True),
        ("EN", True),
        ("pt-BR", True),
        ("nb-NO", True),
        ("zh", True),
        ("zh-CN", True),
        ("cmn-Hans", True),
        ("zh-HK", False),
        ("zh-Hant-HK", False),
        ("yue", False),
        ("yue-HK", False),
        ("sv-SE", False),
        ("", False),
    ],
)
def test_it_says_which_languages_it_knows(tag: str, is_known: bool) -> None:
    assert knows(tag) is is_known
