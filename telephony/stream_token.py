"""The signed claims that travel through Twilio and come back: one format, two kinds.

A ``stream`` token goes into ``<Parameter>`` and returns in ``start``; an ``action`` token goes into
the query of the ``action`` URL and says which call to resume. The kind is signed, so the one is
never good for the other. Signature, kind and expiry are all that can be checked here, and they
suffice to answer a call while every database is down; that a stream token is used *once* is the
CallActor's to check, by ``token_id``.

The form: ``base64url(json array) "." base64url(HMAC-SHA256)``, without padding. The array begins
with the format's version; readers ignore elements after those they know, so a newer writer may add
some, and take the default of those at its end that an older writer did not know. The MAC is checked
before anything is parsed.
"""

from __future__ import annotations

import hmac
import json
import secrets as randomness
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from operator import attrgetter
from typing import Literal, cast

from telephony.errors import (
    InvalidSetting,
    LocalProtocolError,
    TokenExpired,
    TokenForged,
    TokenMalformed,
    TokenMisused,
)

TokenKind = Literal["stream", "action"]

MAX_TOKEN_CHARS = 480
"""Twilio takes fewer than 500 characters for the name and the value of a parameter together."""

MIN_SECRET_BYTES = 16

_VERSION = 1
_CONTEXT = b"callcluster/stream_token/1\x00"
_MAC_CHARS = 43
_KINDS = ("stream", "action")


@dataclass(frozen=True, slots=True)
class StreamClaims:
    """What a token says.

    Attributes:
        kind: ``stream`` or ``action``.
        actor: Name of the CallActor that holds the call.
        resume: How many times the call has been resumed; 0 at first.
        minted_us: UTC microseconds; decides between two streams of the same resume number.
        expires_us: UTC microseconds; from then on the token is refused.
        token_id: 128 random bits as text, from ``new_token_id``.
        hand_overs: How many of ``resume`` were no losses: the carrier had the call on purpose.
        after: What it did with the call before this stream; empty when nothing.
        mode: How the stream is carried (``dialogue.agent.CallMode``); empty: as its agent says.
    """

    kind: TokenKind
    tenant_id: str
    agent_id: str
    call_id: str
    call_sid: str
    actor: str
    resume: int
    minted_us: int
    expires_us: int
    token_id: str
    hand_overs: int = 0
    after: str = ""
    mode: str = ""

    @property
    def epoch(self) -> tuple[int, int]:
        """(resume number, mint time): the larger one owns the call."""
        return (self.resume, self.minted_us)


def new_token_id() -> str:
    """128 bits from the system's generator, 22 characters."""
    return randomness.token_urlsafe(16)


def mint(claims: StreamClaims, secret: bytes) -> str:
    """Sign claims.

    Args:
        claims: What to say; all of it can be read by whoever holds the token.
        secret: At least 16 bytes, the same on every node.

    Returns:
        At most 480 URL-safe characters.

    Raises:
        InvalidSetting: A secret that is too short.
        LocalProtocolError: Names so long that the token would not fit into a parameter.
    """
    values = list(_values(claims))
    while len(values) > _REQUIRED and not values[-1]:  # defaults at the end need no room
        values.pop()
    array = json.dumps((_VERSION, *values), separators=(",", ":"), ensure_ascii=False)
    try:
        body = urlsafe_b64encode(array.encode("utf-8")).rstrip(b"=")
    except UnicodeEncodeError:
        raise LocalProtocolError("a claim holds half a character") from None
    token = (body + b"." + _mac(body, secret)).decode("ascii")
    if len(token) > MAX_TOKEN_CHARS:
        longest = max(
            ("tenant_id", "agent_id", "call_id", "call_sid", "actor", "token_id", "after"),
            key=lambda name: len(getattr(claims, name)),
        )
        raise LocalProtocolError(
            f"the token is {len(token)} characters, at most {MAX_TOKEN_CHARS}: shorten {longest}"
        )
    return token


def verify(token: str, secrets: Sequence[bytes], *, kind: TokenKind, now_us: int) -> StreamClaims:
    """Check a token and read it.

    Args:
        token: As it came back.
        secrets: Every secret that may have signed it: the present one and, while rotating, the one
            before.
        kind: What it is about to be used for.
        now_us: UTC microseconds.

    Raises:
        TokenMalformed: Not a token, or of a version that we cannot read.
        TokenForged: Signed with none of the secrets.
        TokenMisused: Of the other kind.
        TokenExpired: Too late.
        InvalidSetting: No secret, or one that is too short.
    """
    if not secrets:
        raise InvalidSetting("no secret to check tokens with", "secrets")
    body, mac = _split(token)
    # All are tried, whichever matches: the time tells nothing.
    matches = [hmac.compare_digest(_mac(body, secret), mac) for secret in secrets]
    if not any(matches):
        raise TokenForged("signed with none of our secrets")
    claims = _read(body)
    if claims.kind != kind:
        raise TokenMisused(f"a token for {claims.kind}, used for {kind}")
    if now_us >= claims.expires_us:
        raise TokenExpired(f"expired {(now_us - claims.expires_us) / 1e6:.3f} s ago")
    return claims


def _mac(body: bytes, secret: bytes) -> bytes:
    if len(secret) < MIN_SECRET_BYTES:
        raise InvalidSetting(f"a secret of at least {MIN_SECRET_BYTES} bytes is needed", "secret")
    return urlsafe_b64encode(hmac.digest(secret, _CONTEXT + body, "sha256")).rstrip(b"=")


def _split(token: str) -> tuple[bytes, bytes]:
    if len(token) > MAX_TOKEN_CHARS or not token.isascii():
        raise TokenMalformed(f"not a token: {len(token)} characters")
    body, dot, mac = token.encode("ascii").rpartition(b".")
    if not dot or not body or len(mac) != _MAC_CHARS:
        raise TokenMalformed("not a token: it has no signature")
    return body, mac


def _read(body: bytes) -> StreamClaims:
    """Read what our own signature vouches for; another version may have written it."""
    try:
        array = json.loads(urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
    except (Base64Error, ValueError, RecursionError):
        raise TokenMalformed("the claims cannot be read") from None
    if not isinstance(array, list) or not array or array[0] != _VERSION:
        raise TokenMalformed("the claims are of a version that we cannot read")
    values = array[1 : 1 + len(_TYPES)]
    if len(values) < _REQUIRED or any(
        type(value) is not kind for value, kind in zip(values, _TYPES, strict=False)
    ):
        raise TokenMalformed("a claim is missing or of the wrong type")
    if values[0] not in _KINDS:
        raise TokenMalformed("the token is of an unknown kind")
    return StreamClaims(cast(TokenKind, values[0]), *values[1:])


_TYPES: tuple[type, ...] = tuple(
    int if claim.name in ("resume", "minted_us", "expires_us", "hand_overs") else str
    for claim in fields(StreamClaims)
)
_REQUIRED = sum(claim.default is MISSING for claim in fields(StreamClaims))
_values = attrgetter(*(claim.name for claim in fields(StreamClaims)))
