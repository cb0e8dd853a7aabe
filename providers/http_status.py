"""HTTP answers that mean "no", turned into typed errors; the same for every provider.

A message holds the status, the provider's own error code and the request id. It never holds the
provider's prose: that may quote the request, which is what a caller said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)

_CODE = re.compile(r"[A-Za-z0-9_.\-]{1,64}\Z")
_OF_ANOTHER_PATH = frozenset({405, 406, 411, 415, 426})  # something is there, but not this
_OUT_OF_MONEY = frozenset({"insufficient_quota", "insufficient_credits", "quota_exceeded"})


@dataclass(frozen=True, slots=True)
class Blame:
    """Which setting to name for which kind of failure.

    Attributes:
        provider: Short name, such as ``openai``.
        key: For 401, 402, 403 and an exhausted quota.
        request: For 400, 404 and 422: what was asked for does not exist.
        address: For a host that cannot be reached, or that is another one.
    """

    provider: str
    key: str
    request: str
    address: str


def safe_code(code: object) -> str:
    """The provider's error code if it looks like one; otherwise nothing (it may be prose)."""
    text = str(code) if isinstance(code, str | int) and not isinstance(code, bool) else ""
    return text if _CODE.match(text) else ""


def retry_after_s(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds to stay away, from ``retry-after-ms`` or ``retry-after`` (RFC 9110 10.2.3).

    Args:
        headers: Looked up in lower case.
        now: Aware UTC time, for the date form; the wall clock when not given.

    Returns:
        Zero or more, or None when the headers are absent or make no sense.
    """
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        raw = headers.get(name)
        if raw is None:
            continue
        try:
            seconds = float(raw) * scale
        except ValueError:
            return _until(raw, now or datetime.now(UTC))
        return seconds if math.isfinite(seconds) and seconds >= 0 else None
    return None


def _until(raw: str, now: datetime) -> float | None:
    try:
        when = parsedate_to_datetime(raw)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())


def error_of_status(
    status: int,
    blame: Blame,
    *,
    code: object = "",
    request_id: str = "",
    retry_after: float | None = None,
) -> ProviderError:
    """The typed error for an HTTP status, with the provider's error code if it gave one."""
    known = safe_code(code)
    message = f"HTTP {status}" + (f" {known}" if known and known != str(status) else "")
    if safe_code(request_id):
        message += f", request {request_id}"
    provider = blame.provider
    if known in _OUT_OF_MONEY or status in (401, 402, 403):
        return ProviderRefused(message, provider, blame.key)
    if status == 429:
        return ProviderBusy(message, provider, "", retry_after)
    if status in (408, 504):
        return ProviderTimeout(message, provider, "", retry_after)
    if status >= 500 or status in (409, 425):
        return ProviderUnavailable(message, provider, "", retry_after)
    if status in _OF_ANOTHER_PATH:
        return ProviderRejected(message, provider, blame.address)
    if 400 <= status < 500:
        return ProviderRejected(message, provider, blame.request)
    return ProviderProtocolError(message, provider, blame.address)
