"""A signed token in the URLs of one call: whose it is, which agent has it, which id it has.

The carrier keeps these URLs and asks them as the call goes on (voice, status, machine, recording),
so that a replica which knows nothing of the call can serve it. The webhook itself is signed by the
carrier; this signature is ours and says that the names are. The form is that of
``telephony.stream_token`` with a context of its own: neither is ever good for the other.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from telephony.errors import (
    InvalidSetting,
    LocalProtocolError,
    TokenExpired,
    TokenForged,
    TokenMalformed,
)
from telephony.stream_token import MIN_SECRET_BYTES

MAX_CALL_TOKEN_CHARS = 1_600
"""The carrier takes URLs of about 4,000 characters."""

_VERSION = 1
_CONTEXT = b"callcluster/call_token/1\x00"
_MAC_CHARS = 43


@dataclass(frozen=True, slots=True)
class CallClaims:
    """What a token says.

    Attributes:
        call_id: Ours.
        direction: ``inbound`` or ``outbound``.
        expires_us: UTC microseconds; from then on the token is refused.
        has_variables: The prompt of this call wants variables, which are kept in the store.
    """

    tenant_id: str
    agent_id: str
    call_id: str
    direction: str
    expires_us: int
    has_variables: bool = False


_TYPES: tuple[type, ...] = (str, str, str, str, int, bool)


def mint_call_token(claims: CallClaims, secret: bytes) -> str:
    """Sign claims; at most 1,600 URL-safe characters.

    Raises:
        InvalidSetting: A secret that is too short.
        LocalProtocolError: Names that are too long.
    """
    array = json.dumps((_VERSION, *astuple(claims)), separators=(",", ":"))
    body = urlsafe_b64encode(array.encode("ascii")).rstrip(b"=")
    token = (body + b"." + _mac(body, secret)).decode("ascii")
    if len(token) > MAX_CALL_TOKEN_CHARS:
        raise LocalProtocolError("the call token is too long: shorten the names of tenant or agent")
    return token


def read_call_token(token: str, secrets: Sequence[bytes], *, now_us: int) -> CallClaims:
    """Check a token and read it.

    Args:
        token: As it came back.
        secrets: Every secret that may have signed it.
        now_us: UTC microseconds.

    Raises:
        TokenMalformed: Not a token of this kind.
        TokenForged: Signed with none of the secrets, or for another purpose.
        TokenExpired: Too late.
        InvalidSetting: A secret that is too short.
    """
    if len(token) > MAX_CALL_TOKEN_CHARS or not token.isascii():
        raise TokenMalformed(f"not a token: {len(token)} characters")
    body, dot, mac = token.encode("ascii").rpartition(b".")
    if not dot or not body or len(mac) != _MAC_CHARS:
        raise TokenMalformed("not a token: it has no signature")
    matches = [hmac.compare_digest(_mac(body, secret), mac) for secret in secrets]
    if not any(matches):
        raise TokenForged("signed with none of our secrets")
    try:
        array = json.loads(urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
    except (Base64Error, ValueError, RecursionError):
        raise TokenMalformed("the claims cannot be read") from None
    if not isinstance(array, list) or not array or array[0] != _VERSION:
        raise TokenMalformed("the claims are of a version that we cannot read")
    values = array[1 : 1 + len(_TYPES)]
    if len(values) != len(_TYPES) or any(
        type(value) is not kind for value, kind in zip(values, _TYPES, strict=True)
    ):
        raise TokenMalformed("a claim is missing or of the wrong type")
    claims = CallClaims(*values)
    if now_us >= claims.expires_us:
        raise TokenExpired(f"expired {(now_us - claims.expires_us) / 1e6:.3f} s ago")
    return claims


def _mac(body: bytes, secret: bytes) -> bytes:
    if len(secret) < MIN_SECRET_BYTES:
        raise InvalidSetting(f"a secret of at least {MIN_SECRET_BYTES} bytes is needed", "secret")
    return urlsafe_b64encode(hmac.digest(secret, _CONTEXT + body, "sha256")).rstrip(b"=")
