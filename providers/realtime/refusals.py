"""What goes wrong at OpenAI Realtime, typed: a handshake, an error, a response, a close.

A message carries the service's code and never its prose. Codes: OpenAI's pages "Realtime server
events" and "Error codes", and reports of closes (1001 at the longest session).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

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
from providers.settings import (
    OPENAI_BASE_URL,
    OPENAI_KEY,
    REALTIME_BASE_URL,
    REALTIME_KEY,
    REALTIME_MODEL,
    TRANSCRIPTION_MODEL,
)

PROVIDER: Final = "openai_realtime"
BLAME: Final = Blame(
    PROVIDER,
    key=f"{REALTIME_KEY} or {OPENAI_KEY}",
    request=f"{REALTIME_MODEL} or {REALTIME_BASE_URL}",
    address=f"{REALTIME_BASE_URL} or {OPENAI_BASE_URL}",
)

_SESSION_OVER: Final = frozenset({"session_expired", "session_not_found"})
_NO_MONEY: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_NO_KEY: Final = frozenset({"invalid_api_key", "authentication_error", "permission_denied"})
_NO_MODEL: Final = frozenset({"model_not_found", "invalid_model"})
_BUSY: Final = frozenset({"rate_limit_exceeded", "rate_limit_error", "tokens", "requests"})
# Which setting a refused field of ``session.update`` comes from, by a part of its path.
_FIELDS: Final = (
    ("transcription", TRANSCRIPTION_MODEL),
    ("voice", "realtime.voice"),
    ("turn_detection", "realtime.turns"),
    ("noise_reduction", "realtime.noise_reduction"),
    ("speed", "realtime.speed"),
    ("reasoning", "realtime.effort"),
    ("tools", "tools"),
    ("instructions", "prompt"),
    ("model", REALTIME_MODEL),
)
_GOING_AWAY: Final = 1001
_TRY_AGAIN: Final = 1013


def error_of_handshake(status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """The typed error of a refused handshake; ``headers`` in lower case."""
    code: object = ""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if isinstance(told, dict) and isinstance(told.get("error"), dict):
        code = told["error"].get("code")
    return error_of_status(
        status,
        BLAME,
        code=code,
        request_id=headers.get("x-request-id", ""),
        retry_after=retry_after_s(headers),
    )


def error_of_report(report: Mapping[str, Any]) -> ProviderError:
    """The typed error of an ``error`` event, or of a response that failed."""
    kind, code = safe_code(report.get("type")), safe_code(report.get("code"))
    message = f"it reports {code or kind or 'an error'}"
    known = {code, kind}
    if known & _NO_MONEY or known & _NO_KEY:
        return ProviderRefused(message, PROVIDER, BLAME.key)
    if known & _NO_MODEL:
        return ProviderRejected(message, PROVIDER, REALTIME_MODEL)
    if known & _BUSY:
        return ProviderBusy(message, PROVIDER)
    if known & _SESSION_OVER:
        return ProviderUnavailable(message, PROVIDER)
    if kind == "invalid_request_error":
        return ProviderRejected(message, PROVIDER, _setting_of(report.get("param")))
    return ProviderUnavailable(message, PROVIDER)


def ends_session(report: Mapping[str, Any]) -> bool:
    """Whether nothing more can be had of a session that reported this."""
    known = {safe_code(report.get("type")), safe_code(report.get("code"))}
    return bool(known & (_SESSION_OVER | _NO_MONEY | _NO_KEY | _NO_MODEL))


def error_of_close(code: int | None, reason: str) -> ProviderError:
    """The typed error of a socket that the service closed; None for one without a close frame."""
    known = safe_code(reason.rpartition(".")[2])
    if known in _NO_KEY:
        return ProviderRefused(f"closed with {code} {known}", PROVIDER, BLAME.key)
    if known in _NO_MODEL:
        return ProviderRejected(f"closed with {code} {known}", PROVIDER, REALTIME_MODEL)
    if code is None:
        return ProviderUnavailable("hung up", PROVIDER)
    if code == _GOING_AWAY:
        return ProviderUnavailable("the session was ended by the service (1001)", PROVIDER)
    if code == _TRY_AGAIN:
        return ProviderBusy("closed with 1013", PROVIDER)
    return ProviderUnavailable(f"closed with {code}", PROVIDER)


def not_the_protocol(what: str) -> ProviderProtocolError:
    """Something came back that is not what the protocol has there."""
    return ProviderProtocolError(what, PROVIDER)


def too_late(what: str) -> ProviderTimeout:
    """Something did not come in time."""
    return ProviderTimeout(what, PROVIDER)


def _setting_of(param: object) -> str:
    path = param if isinstance(param, str) else ""
    return next((setting for part, setting in _FIELDS if part in path), "")
