from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.api.errors import STATUS_OF, ApiError, ErrorBody, ErrorCode, error_response


def test_every_code_has_one_status() -> None:
    assert set(STATUS_OF) == set(get_args(ErrorCode))
    assert all(400 <= status < 600 for status in STATUS_OF.values())


def test_the_page_for_people_names_every_code() -> None:
    page = (Path(__file__).parents[3] / "docs" / "api.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d{3}) \| (.*) \|$", page, re.MULTILINE)
    named = {(int(status), code) for status, text in rows for code in re.findall(r"`(\w+)`", text)}
    assert named == {(status, code) for code, status in STATUS_OF.items() if code != "internal"}


@pytest.mark.parametrize("code", get_args(ErrorCode))
def test_an_error_is_the_same_on_the_other_side_of_a_process(code: ErrorCode) -> None:
    error = ApiError("what to change", code, "from")
    again = pickle.loads(pickle.dumps(error))
    assert (again.status, again.body()) == (error.status, error.body())
    assert str(again) == "what to change"


def test_what_is_raised_without_a_code_is_our_own_fault() -> None:
    assert ApiError("what happened").status == 500


@given(st.text(), st.text())
def test_whatever_an_error_says_can_be_sent(message: str, field: str) -> None:
    for text in (message, message + "\ud800"):
        answer = error_response(ApiError(text, "invalid_request", field))
        detail = ErrorBody.model_validate(json.loads(answer.body)).error
        assert (detail.field or "") == field.encode("utf-8", "replace").decode()


def test_who_has_no_key_is_told_how_keys_are_sent() -> None:
    answer = error_response(ApiError("no key", "unauthorized"), {"Connection": "close"})
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["connection"] == "close"
