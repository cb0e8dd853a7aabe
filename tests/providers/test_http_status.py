"""HTTP statuses become typed errors that name a setting and quote nobody."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.http_status import Blame, error_of_status, retry_after_s, safe_code

BLAME = Blame("openai", "KEY", "MODEL", "URL")
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "code", "kind", "setting"),
    [
        (400, "unknown_parameter", ProviderRejected, "MODEL"),
        (401, "invalid_api_key", ProviderRefused, "KEY"),
        (402, "", ProviderRefused, "KEY"),
        (403, "", ProviderRefused, "KEY"),
        (404, "model_not_found", ProviderRejected, "MODEL"),
        (408, "", ProviderTimeout, ""),
        (409, "", ProviderUnavailable, ""),
        (422, "", ProviderRejected, "MODEL"),
        (429, "rate_limit_exceeded", ProviderBusy, ""),
        (429, "insufficient_quota", ProviderRefused, "KEY"),
        (500, "", ProviderUnavailable, ""),
        (503, "", ProviderUnavailable, ""),
        (504, "", ProviderTimeout, ""),
        (302, "", ProviderProtocolError, "URL"),
    ],
)
def test_kinds(status: int, code: str, kind: type[ProviderError], setting: str) -> None:
    error = error_of_status(status, BLAME, code=code)
    assert type(error) is kind
    assert error.setting == setting
    assert str(status) in str(error)
    assert code in str(error)


@given(st.integers(100, 599), st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=50)
def test_every_status_is_some_error(status: int, code: str, request_id: str) -> None:
    assert error_of_status(status, BLAME, code=code, request_id=request_id).provider == "openai"


def test_prose_is_not_taken_over() -> None:
    error = error_of_status(400, BLAME, code="the caller said no", request_id="a b")
    assert str(error) == "openai: HTTP 400 (look at MODEL)"
    assert safe_code(None) == ""
    assert safe_code(True) == ""


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, now=NOW) == seconds


@given(st.text(max_size=40))
@settings(max_examples=50)
def test_no_header_crashes_it(raw: str) -> None:
    seconds = retry_after_s({"retry-after": raw}, now=NOW)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("status", [405, 406, 411, 415, 426])
def test_what_is_not_to_be_had_at_this_path_names_the_address(status: int) -> None:
    error = error_of_status(status, BLAME)
    assert isinstance(error, ProviderRejected)
    assert error.setting == BLAME.address
