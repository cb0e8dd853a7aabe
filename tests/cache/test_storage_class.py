from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.entry import StorageClass, TtlClass
from cache.storage_class import AnswerFacts, storage_class, ttl_class

FACTS = AnswerFacts("when do you open", "We open at nine every day.", "en-US")


def test_public_knowledge_is_generic() -> None:
    assert storage_class(FACTS) is StorageClass.GENERIC


@pytest.mark.parametrize(
    "change",
    [
        {"is_complete": False},
        {"is_sensitive": True},
        {"has_side_effect": True},
        {"used_tool": True},
        {"answered": " "},
        {"answered": "word " * 1_000},
        {"asked": ""},
        {"answered": "Your balance is low."},
        {"answered": "Write to ann.lee@example.com then."},
        {"answered": "Call 555 010 0199 12 for that."},
        {"answered": "It went to GB29 NWBK 6016 1331 9268 19."},
        {"asked": "is my mail ann@example.com", "answered": "Yes, it is."},
        {"caller_data": ("Ann Lee",), "answered": "Hello Ann, we open at nine."},
        {"slots": ("friday",), "answered": "On Friday we open at nine."},
        {"slots": ("twenty five",), "answered": "A group of 25 is fine."},
        {"asked": "a table for 7", "answered": "A table for seven, of course."},
    ],
)
def test_what_belongs_to_one_caller_is_never_kept(change: dict[str, object]) -> None:
    assert storage_class(replace(FACTS, **change)) is StorageClass.NEVER  # type: ignore[arg-type]


def test_of_a_plan_the_plan_is_kept() -> None:
    plan = replace(FACTS, plan_id="hours", used_tool=True, slots=("friday",))
    assert storage_class(plan) is StorageClass.PLAN
    assert storage_class(replace(FACTS, plan_id="hours")) is StorageClass.GENERIC
    assert storage_class(replace(plan, is_sensitive=True)) is StorageClass.NEVER


@given(st.text(max_size=80), st.text(max_size=80))
def test_it_never_raises(asked: str, answered: str) -> None:
    storage_class(replace(FACTS, asked=asked, answered=answered, slots=(asked,)))


@pytest.mark.parametrize(
    ("answered", "life"),
    [
        ("We open at nine.", TtlClass.BUSINESS),
        ("We are open today until five.", TtlClass.TODAY),
        ("Right now there is no queue.", TtlClass.MOMENT),
        ("我們今天五點關門", TtlClass.TODAY),
    ],
)
def test_what_is_said_of_today_ends_today(answered: str, life: TtlClass) -> None:
    assert ttl_class(answered) is life


def test_times_to_live() -> None:
    noon_s = 43_200.0
    assert TtlClass.TODAY.expires_s(noon_s) == 86_400.0
    assert TtlClass.TODAY.expires_s(noon_s, utc_offset_s=8 * 3_600.0) == 57_600.0
    assert TtlClass.MOMENT.expires_s(noon_s) == noon_s + 300.0
    assert TtlClass.STATIC.expires_s(0.0, jitter=1.0) == pytest.approx(7 * 86_400 * 0.9)
