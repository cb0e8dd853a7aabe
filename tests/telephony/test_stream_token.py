from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import stream_token
from telephony.errors import (
    InvalidSetting,
    LocalProtocolError,
    TokenExpired,
    TokenForged,
    TokenMalformed,
    TokenMisused,
    TokenRefused,
)
from telephony.stream_token import StreamClaims, mint, new_token_id, verify
from tests.telephony.properties import examples

SECRET = b"a secret of thirty-two bytes ...."
OTHER = b"another secret of some length ...."
MINTED_US = 1_790_000_000_000_000
CLAIMS = StreamClaims(
    kind="stream",
    tenant_id="tenant-0001",
    agent_id="reception",
    call_id="019fd3a0-7c00-7000-8000-000000000001",
    call_sid="CA00000000000000000000000000000001",
    actor="call-actor-17",
    resume=2,
    minted_us=MINTED_US,
    expires_us=MINTED_US + 60_000_000,
    token_id="AAAAAAAAAAAAAAAAAAAAAA",
)


def _verify(token: str, **changes: Any) -> StreamClaims:
    asked: dict[str, Any] = {"secrets": [SECRET], "kind": "stream", "now_us": MINTED_US} | changes
    return verify(token, asked.pop("secrets"), **asked)


def _signed(array: object, secret: bytes = SECRET) -> str:
    """A token written from the description alone, by another hand."""
    body = base64.urlsafe_b64encode(json.dumps(array).encode()).rstrip(b"=")
    mac = hmac.new(secret, b"callcluster/stream_token/1\x00" + body, hashlib.sha256).digest()
    return (body + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


ARRAY: list[object] = [1, *dataclasses.astuple(CLAIMS)]


def test_a_token_of_before_the_hand_overs_is_read() -> None:
    assert _verify(_signed(ARRAY[:11])) == CLAIMS


def test_what_the_carrier_did_before_travels_along() -> None:
    claims = dataclasses.replace(CLAIMS, hand_overs=1, after="dial:sales:no-answer")
    assert _verify(mint(claims, SECRET)) == claims


def test_a_token_of_a_call_that_was_never_handed_over_says_nothing_of_it() -> None:
    body = mint(CLAIMS, SECRET).split(".")[0]
    array = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert array == ARRAY[:11]


def test_what_is_minted_comes_back() -> None:
    assert _verify(mint(CLAIMS, SECRET)) == CLAIMS


def test_the_epoch_is_resume_number_and_mint_time() -> None:
    assert CLAIMS.epoch == (2, MINTED_US)


def test_the_token_fits_into_a_parameter_and_a_url() -> None:
    token = mint(CLAIMS, SECRET)
    assert len(token) < 400
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_reads_a_token_written_from_the_description() -> None:
    assert _verify(_signed(ARRAY)) == CLAIMS


def test_what_a_newer_writer_adds_is_ignored() -> None:
    assert _verify(_signed([*ARRAY, "new", {"more": 1}])) == CLAIMS


def test_token_ids_are_128_random_bits() -> None:
    ids = {new_token_id() for _ in range(100)}
    assert len(ids) == 100
    assert {len(base64.urlsafe_b64decode(entry + "==")) for entry in ids} == {16}


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("secrets", [[OTHER], [OTHER, SECRET + b"!"]])
def test_another_secret_is_a_forgery(secrets: list[bytes]) -> None:
    with pytest.raises(TokenForged):
        _verify(mint(CLAIMS, SECRET), secrets=secrets)


def test_while_secrets_rotate_both_are_good() -> None:
    assert _verify(mint(CLAIMS, OTHER), secrets=[SECRET, OTHER]) == CLAIMS


def test_every_altered_character_is_a_forgery_or_no_token() -> None:
    token = mint(CLAIMS, SECRET)
    for at, character in enumerate(token):
        altered = token[:at] + ("B" if character != "B" else "C") + token[at + 1 :]
        with pytest.raises((TokenForged, TokenMalformed)):
            _verify(altered)


def test_the_signature_of_another_token_is_a_forgery() -> None:
    body = mint(CLAIMS, SECRET).partition(".")[0]
    mac = mint(dataclasses.replace(CLAIMS, resume=3), SECRET).partition(".")[2]
    with pytest.raises(TokenForged):
        _verify(f"{body}.{mac}")


def test_a_stream_token_is_no_action_token() -> None:
    with pytest.raises(TokenMisused, match="for stream, used for action"):
        _verify(mint(CLAIMS, SECRET), kind="action")


def test_an_action_token_is_no_stream_token() -> None:
    action = dataclasses.replace(CLAIMS, kind="action")
    with pytest.raises(TokenMisused, match="for action, used for stream"):
        _verify(mint(action, SECRET))
    assert _verify(mint(action, SECRET), kind="action") == action


@pytest.mark.parametrize(
    ("age_us", "good"), [(0, True), (59_999_999, True), (60_000_000, False), (10**9, False)]
)
def test_expires_at_its_time(age_us: int, good: bool) -> None:
    token = mint(CLAIMS, SECRET)
    if good:
        assert _verify(token, now_us=MINTED_US + age_us) == CLAIMS
    else:
        with pytest.raises(TokenExpired):
            _verify(token, now_us=MINTED_US + age_us)


@pytest.mark.parametrize(
    "token",
    ["", ".", "a.b", "no token", "é" * 60, "x" * 481, "." + "A" * 43, "a" * 100, "\ud800.x"],
)
def test_what_is_no_token_is_malformed(token: str) -> None:
    with pytest.raises(TokenMalformed):
        _verify(token)


@pytest.mark.parametrize(
    "array",
    [
        None,
        {},
        [],
        "text",
        [2, *ARRAY[1:]],
        ARRAY[:10],
        [*ARRAY[:-1], 7],
        [1, "transfer", *ARRAY[2:]],
        [1, ["stream"], *ARRAY[2:]],
        [*ARRAY[:7], True, *ARRAY[8:]],
        [*ARRAY[:7], 2.0, *ARRAY[8:]],
    ],
)
def test_claims_that_cannot_be_read_are_malformed_though_signed(array: object) -> None:
    with pytest.raises(TokenMalformed):
        _verify(_signed(array))


def test_no_refusal_quotes_the_token() -> None:
    token = mint(CLAIMS, SECRET)
    for changes in ({"secrets": [OTHER]}, {"kind": "action"}, {"now_us": 2 * MINTED_US}):
        with pytest.raises(TokenRefused) as caught:
            _verify(token, **changes)
        assert token[:20] not in str(caught.value)


# --- our own mistakes -----------------------------------------------------------------------------


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="16 bytes"):
        mint(CLAIMS, b"short")
    with pytest.raises(InvalidSetting, match="16 bytes"):
        _verify(mint(CLAIMS, SECRET), secrets=[b""])


def test_no_secret_is_refused() -> None:
    with pytest.raises(InvalidSetting):
        _verify(mint(CLAIMS, SECRET), secrets=[])


def test_names_too_long_for_a_parameter_are_refused_by_name() -> None:
    with pytest.raises(LocalProtocolError, match="shorten agent_id"):
        mint(dataclasses.replace(CLAIMS, agent_id="a" * 300), SECRET)


def test_half_a_character_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="half a character"):
        mint(dataclasses.replace(CLAIMS, tenant_id="\ud800"), SECRET)


# --- anything -------------------------------------------------------------------------------------

_name = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@examples()
@given(
    st.builds(
        StreamClaims,
        kind=st.sampled_from(["stream", "action"]),
        tenant_id=_name,
        agent_id=_name,
        call_id=_name,
        call_sid=_name,
        actor=_name,
        resume=st.integers(0, 99),
        minted_us=st.integers(0, 2**53),
        expires_us=st.integers(1, 2**53),
        token_id=_name,
    ),
    st.binary(min_size=16, max_size=40),
)
def test_any_claims_come_back(claims: StreamClaims, secret: bytes) -> None:
    try:
        token = mint(claims, secret)
    except LocalProtocolError:
        return
    assert verify(token, [secret], kind=claims.kind, now_us=0) == claims


@examples()
@given(
    st.text() | st.text("abAB09-_.", max_size=90) | st.binary().map(lambda b: b.decode("latin-1"))
)
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(TokenRefused):
        _verify(token)


@examples()
@given(st.recursive(st.none() | st.booleans() | st.integers(), st.lists, max_leaves=8))
def test_any_signed_json_is_refused_or_read(array: Any) -> None:
    with pytest.raises(TokenRefused):
        _verify(_signed(array))


def test_the_limit_of_a_parameter_leaves_room_for_its_name() -> None:
    assert stream_token.MAX_TOKEN_CHARS + len("token") < 500
