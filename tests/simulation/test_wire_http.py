from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.errors import WireViolation
from simulation.wire_http import body_length, format_head, parse_head


def test_a_head_is_taken_apart() -> None:
    request = parse_head(b"POST /v1/a%20b?x=1&y= HTTP/1.1\r\nHost: h\r\nContent-Length: 3")
    assert (request.method, request.path) == ("POST", "/v1/a b")
    assert request.query == {"x": "1", "y": ""}
    assert body_length(request) == 3
    assert not request.is_upgrade


@pytest.mark.parametrize(
    "head",
    [b"", b"GET /", b"GET / HTTP/2", b"GET / HTTP/1.1\r\nno colon", b"GET //[ HTTP/1.1"],
)
def test_what_is_no_request_is_a_violation(head: bytes) -> None:
    with pytest.raises(WireViolation):
        parse_head(head)


@pytest.mark.parametrize("field", [b"Content-Length: x", b"Transfer-Encoding: chunked"])
def test_a_body_of_unknown_length_is_a_violation(field: bytes) -> None:
    with pytest.raises(WireViolation):
        body_length(parse_head(b"POST / HTTP/1.1\r\n" + field))


def test_a_head_is_put_together() -> None:
    assert format_head(429, {"a": "b"}) == b"HTTP/1.1 429 Too Many Requests\r\na: b\r\n\r\n"


@settings(max_examples=80)
@given(st.binary(max_size=80))
def test_any_head_parses_or_is_a_violation(data: bytes) -> None:
    with suppress(WireViolation):
        body_length(parse_head(b"GET " + data))
