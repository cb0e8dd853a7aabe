"""Tokens in the URLs of a call."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.call_token import CallClaims, mint_call_token, read_call_token
from telephony.errors import TokenExpired, TokenForged, TokenMalformed, TokenRefused
from telephony.stream_token import StreamClaims, mint

SECRET = b"a secret of the test"
CLAIMS = CallClaims("acme", "sales", "018f", "outbound", 1_000, True)


@given(st.text(max_size=60), st.text(max_size=60), st.booleans())
def test_what_was_said_comes_back(tenant: str, agent: str, flag: bool) -> None:
    claims = CallClaims(tenant, agent, "id", "inbound", 10, flag)
    token = mint_call_token(claims, SECRET)
    assert read_call_token(token, (b"another secret here", SECRET), now_us=9) == claims


def test_a_late_token_is_refused() -> None:
    with pytest.raises(TokenExpired):
        read_call_token(mint_call_token(CLAIMS, SECRET), (SECRET,), now_us=1_000)


def test_a_token_of_another_secret_or_of_another_purpose_is_refused() -> None:
    token = mint_call_token(CLAIMS, b"another secret here")
    with pytest.raises(TokenForged):
        read_call_token(token, (SECRET,), now_us=0)
    stream = StreamClaims("stream", "t", "a", "c", "CA", "actor", 0, 0, 1_000, "id")
    with pytest.raises(TokenForged):
        read_call_token(mint(stream, SECRET), (SECRET,), now_us=0)


@given(st.text(max_size=300))
def test_whatever_comes_is_refused_and_nothing_else(text: str) -> None:
    with pytest.raises(TokenRefused):
        read_call_token(text, (SECRET,), now_us=0)


def test_a_changed_token_is_refused() -> None:
    token = mint_call_token(CLAIMS, SECRET)
    other = mint_call_token(dataclasses.replace(CLAIMS, tenant_id="evil"), SECRET)
    mixed = other.partition(".")[0] + "." + token.partition(".")[2]
    with pytest.raises(TokenForged):
        read_call_token(mixed, (SECRET,), now_us=0)
    with pytest.raises(TokenMalformed):
        read_call_token("x" * 2_000, (SECRET,), now_us=0)
