"""What goes wrong at Deepgram's recognition, typed: a refused handshake, a message, a close.

Source: Deepgram's pages "Errors", "STT Troubleshooting WebSocket, NET, and DATA Errors" and, for
refusals by ``/v2/listen``, "Flux Multilingual & Language Prompting". Which fatal codes there are is
nowhere listed in full: they are told apart by what stands in their names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.http_status import Blame, error_of_status, retry_after_s, safe_code
from providers.settings import (
    DEEPGRAM_BASE_URL,
    DEEPGRAM_EAGER_EOT,
    DEEPGRAM_EOT,
    DEEPGRAM_EOT_TIMEOUT,
    DEEPGRAM_KEY,
    DEEPGRAM_MODEL,
)

PROVIDER = "deepgram"

_CODE_IN_REASON = re.compile(r"\b(?:NET|DATA)-\d{4}\b")
# What a refused handshake complains of, in the order in which it is looked for in its prose.
_COMPLAINTS = (
    ("language", "language"),
    ("keyterm", "hints"),
    ("eager_eot", DEEPGRAM_EAGER_EOT),
    ("eot_timeout", DEEPGRAM_EOT_TIMEOUT),
    ("eot_threshold", DEEPGRAM_EOT),
    ("encoding", DEEPGRAM_BASE_URL),
    ("sample_rate", DEEPGRAM_BASE_URL),
)
_ERROR_CODES: tuple[tuple[str, type[ProviderError], str], ...] = (
    ("UNPARSABLE", ProviderRejected, DEEPGRAM_BASE_URL),
    ("INACTIVE", ProviderTimeout, ""),
    ("TIMEOUT", ProviderTimeout, ""),
    ("NET-", ProviderTimeout, ""),
    ("DATA-", ProviderRejected, DEEPGRAM_BASE_URL),
    ("TOO_MANY", ProviderBusy, ""),
    ("RATE_LIMIT", ProviderBusy, ""),
    ("CONCURREN", ProviderBusy, ""),
    ("AUTH", ProviderRefused, DEEPGRAM_KEY),
    ("PERMISSION", ProviderRefused, DEEPGRAM_KEY),
    ("PAYMENT", ProviderRefused, DEEPGRAM_KEY),
    ("CREDIT", ProviderRefused, DEEPGRAM_KEY),
    ("INVALID", ProviderRejected, DEEPGRAM_MODEL),
)


def error_of_code(code: object, where: str = "on the socket") -> ProviderError:
    """The typed error for a code of Deepgram's, as in ``{"type": "Error", "code": code}``."""
    name = safe_code(code) or "error"
    upper = name.upper()
    for part, kind, setting in _ERROR_CODES:
        if part in upper:
            return kind(f"{name} {where}", PROVIDER, setting)
    return ProviderUnavailable(f"{name} {where}", PROVIDER)


def error_of_close(code: int | None, reason: str) -> ProviderError:
    """The typed error for a socket that the service closed.

    Args:
        code: Of the close frame; None when none came.
        reason: Prose; only a code such as ``NET-0001`` is taken over.
    """
    known = _CODE_IN_REASON.search(reason)
    if known is not None:
        return error_of_code(known[0], f"and closed with {code}")
    if code == 1013:
        return ProviderBusy(f"closed with {code}", PROVIDER)
    return ProviderUnavailable(
        f"closed with {code}" if code is not None else "the connection broke", PROVIDER
    )


def error_of_handshake(status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """The typed error for a refused upgrade.

    The body is JSON of one of three forms (``err_code``, ``code``, ``category``). Its prose says
    which parameter was not liked; that is looked for, and never repeated.
    """
    fields: dict[str, Any] = {}
    try:
        parsed = json.loads(body)
        fields = parsed if isinstance(parsed, dict) else {}
    except (ValueError, RecursionError):
        fields = {}
    code = next((fields[key] for key in ("err_code", "code", "category") if key in fields), "")
    setting = DEEPGRAM_MODEL
    if status in (400, 422):
        prose = " ".join(str(fields.get(key)) for key in ("err_msg", "description", "details"))
        prose = f"{prose} {headers.get('dg-error', '')}".lower()
        setting = next((name for part, name in _COMPLAINTS if part in prose), DEEPGRAM_MODEL)
    elif status == 404:
        setting = DEEPGRAM_BASE_URL
    request_id = fields.get("request_id") or headers.get("dg-request-id", "")
    return error_of_status(
        status,
        Blame(PROVIDER, DEEPGRAM_KEY, setting, DEEPGRAM_BASE_URL),
        code=code,
        request_id=str(request_id),
        retry_after=retry_after_s(headers),
    )
