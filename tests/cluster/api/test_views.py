from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.api.errors import ApiError
from cluster.api.schemas import CallDetail, CallView
from cluster.api.views import call_detail, call_view, cursor_text, instant, read_cursor
from records.call_overview import CallOverview, overview_of_new
from records.edge_rows import CallRequestRow

REQUEST = CallRequestRow("default", "call-1", "ann", "+14155550123", "+14155550199")


def row(**changes: Any) -> CallOverview:
    plain = {name: getattr(overview_of_new(REQUEST), name) for name in CallOverview.__slots__}
    return CallOverview(**{**plain, "created_at_us": 5, **changes})


@given(st.integers(-(1 << 61), 1 << 61), st.text(st.characters(codec="utf-8"), max_size=64))
def test_a_cursor_is_read_as_it_was_written(at_us: int, call_id: str) -> None:
    read = read_cursor(cursor_text(row(created_at_us=at_us, call_id=call_id)))
    assert read == (at_us, call_id.replace("\x00", ""))


@given(st.text(max_size=400))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with suppress(ApiError):
        at_us, call_id = read_cursor(text)
        assert type(at_us) is int
        call_id.encode()


@pytest.mark.parametrize(
    "plain", ["", "[]", "[1]", '["1", "a"]', "[true, \"a\"]", "[1, 2]", f"[{1 << 62}, \"a\"]",
              "[1.5, \"a\"]", "{}", "null", "[" * 10_000]
)  # fmt: skip
def test_other_json_is_no_cursor(plain: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_cursor(base64.urlsafe_b64encode(plain.encode()).decode())
    assert (caught.value.code, caught.value.field) == ("invalid_request", "cursor")


@pytest.mark.parametrize(
    ("at_us", "text"),
    [
        (0, None),
        (1, "1970-01-01T00:00:00.000001Z"),
        (1_760_000_000_123_456, "2025-10-09T08:53:20.123456Z"),
    ],
)
def test_instants_are_rfc_3339_in_utc(at_us: int, text: str | None) -> None:
    assert instant(at_us) == text


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"state": "queued", "error": "no line"}, {"waiting_for": "no line", "error": None}),
        (
            {"state": "failed", "error": "no such number", "error_code": 21211},
            {"waiting_for": "", "error": {"code": 21211, "message": "no such number"}},
        ),
        ({"state": "busy", "error": ""}, {"error": None}),
        ({"state": "completed", "error": "outcome_unknown: lost"}, {"error": None}),
        (
            {"started_at_us": 1_000_000, "ended_at_us": 3_500_000},
            {"duration_s": 2.5, "started_at": "1970-01-01T00:00:01.000000Z"},
        ),
        ({"started_at_us": 0, "ended_at_us": 3_500_000}, {"duration_s": None}),
        ({"started_at_us": 5, "ended_at_us": 0}, {"duration_s": None, "ended_at": None}),
    ],
)
def test_what_a_call_shows(changes: dict[str, Any], shown: dict[str, Any]) -> None:
    view = call_view(row(**changes)).model_dump(by_alias=True)
    assert {name: view[name] for name in shown} == shown


@pytest.mark.parametrize(
    ("mode", "answered_by", "reason"),
    [
        ("hang_up", "machine_start", "machine"),
        ("hang_up", "fax", "machine"),
        ("hang_up", "human", "closed"),
        ("continue", "machine_start", "closed"),
    ],
)
def test_a_call_that_a_machine_answered_ended_for_that(
    mode: str, answered_by: str, reason: str
) -> None:
    request = CallRequestRow(
        "default", "call-1", "ann", "", "", options={"machine_detection": {"mode": mode}}
    )
    overview = row(ended_at_us=9, end_reason="closed", answered_by=answered_by)
    assert call_detail(overview, None, request, [], [], []).end_reason == reason


def test_a_new_call_is_shown_as_the_list_shows_it() -> None:
    view = CallView.model_validate(call_view(row()))
    detail: CallDetail = call_detail(row(), None, REQUEST, [], [], [])
    assert (
        json.loads(view.model_dump_json()).items() <= json.loads(detail.model_dump_json()).items()
    )
