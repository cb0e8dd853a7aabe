from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.callee_book import Callee, CalleeBook, detect
from simulation.errors import CalleeInvalid


def test_a_number_is_answered_as_it_was_entered() -> None:
    book = CalleeBook()
    book.put("+14155550123", Callee(outcome="busy"))
    assert book.find("+14155550123").outcome == "busy"
    assert book.find("+14155550124") == Callee()
    book.put("*", Callee(outcome="failed"))
    assert book.find("+14155550124").outcome == "failed"
    assert set(book.as_dict()) == {"+14155550123", "*"}
    book.clear()
    assert book.find("+14155550123") == book.find("+14155550124") == Callee()


def test_a_callee_from_json() -> None:
    wire = {"kind": "machine", "says": ["jfk"], "talk_s": None, "after_s": 2, "presses": "1#"}
    assert Callee.parse(wire) == Callee(
        kind="machine", says=("jfk",), talk_s=None, after_s=2, presses="1#"
    )


@pytest.mark.parametrize(
    ("wire", "says"),
    [
        ({"outcom": "busy"}, "outcom"),
        ({"outcome": "engaged"}, "no-answer"),
        ({"kind": 1}, "human"),
        ({"after_s": -1}, "after_s"),
        ({"after_s": float("nan")}, "after_s"),
        ({"after_s": None}, "after_s"),
        ({"talk_s": True}, "talk_s"),
        ({"says": "jfk"}, "list"),
        ({"says": [1]}, "list"),
        ({"speaks_first": 1}, "true or false"),
        ({"presses": "12w"}, "presses"),
    ],
)
def test_a_wrong_field_names_itself(wire: dict[str, Any], says: str) -> None:
    with pytest.raises(CalleeInvalid, match=says):
        Callee.parse(wire)


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from([*Callee.__dataclass_fields__, "other"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=3)
        | st.lists(st.text(max_size=2)),
        max_size=4,
    )
)
def test_any_json_is_a_callee_or_invalid(wire: dict[str, Any]) -> None:
    with suppress(CalleeInvalid):
        Callee.parse(wire)


@pytest.mark.parametrize(
    ("callee", "mode", "result"),
    [
        (Callee(), "Enable", ("human", 2.5)),
        (Callee(), "DetectMessageEnd", ("human", 2.5)),
        (Callee(kind="fax"), "Enable", ("fax", 2.5)),
        (Callee(kind="silent"), "Enable", ("unknown", 2.5)),
        (Callee(kind="machine"), "Enable", ("machine_start", 2.5)),
        (Callee(kind="machine"), "DetectMessageEnd", ("machine_end_beep", 6.0)),
        (
            Callee(kind="machine", machine_end="silence"),
            "DetectMessageEnd",
            ("machine_end_silence", 6.0),
        ),
        (Callee(detection_s=30.0), "Enable", ("unknown", 20.0)),
    ],
)
def test_what_machine_detection_says(callee: Callee, mode: str, result: tuple[str, float]) -> None:
    assert detect(callee, mode, timeout_s=20.0, greeting_s=6.0) == result
