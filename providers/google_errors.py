"""What Google's status codes mean, as typed errors; no I/O and nothing of Google's packages.

A message holds the name of the code and the service's own reason (``SERVICE_DISABLED``), never its
prose: that may quote the request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.google_settings import (
    GOOGLE_CREDENTIALS,
    GOOGLE_PROJECT,
    GOOGLE_SPEECH_ENDPOINT,
    GOOGLE_SPEECH_LOCATION,
    GOOGLE_SPEECH_MODEL,
    GOOGLE_TTS_ENDPOINT,
    GOOGLE_TTS_LOCATION,
)
from providers.http_status import safe_code

PROVIDER: Final = "google"
INSTALL_HINT: Final = (
    "Google's clients are not installed on this machine: pip install 'callcluster[google]'"
)


@dataclass(frozen=True, slots=True)
class GoogleBlame:
    """Which setting to name for which kind of failure.

    Attributes:
        request: For what does not exist or is not valid.
        address: For a host that cannot be reached.
        location: For a location that is none.
    """

    request: str
    address: str
    location: str


SPEECH_BLAME: Final = GoogleBlame(
    GOOGLE_SPEECH_MODEL, GOOGLE_SPEECH_ENDPOINT, GOOGLE_SPEECH_LOCATION
)
TTS_BLAME: Final = GoogleBlame("voice", GOOGLE_TTS_ENDPOINT, GOOGLE_TTS_LOCATION)

# Ends of a stream that say nothing against the service: it was too old, or nobody spoke.
_ENDED: Final = frozenset({"ABORTED", "OUT_OF_RANGE"})
_REQUEST: Final = frozenset(
    {"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "UNIMPLEMENTED"}
)


class StreamEnded(ProviderUnavailable):
    """The service ended a stream that had its time; another one may follow at once."""


def error_of_code(
    code: str, blame: GoogleBlame, *, reason: str = "", retry_after_s: float | None = None
) -> ProviderError:
    """The typed error for a gRPC status.

    Args:
        code: The name of the code, such as ``RESOURCE_EXHAUSTED``.
        blame: Whom to name.
        reason: ``ErrorInfo.reason``, if the service sent one.
        retry_after_s: ``RetryInfo.retry_delay``, likewise.
    """
    known, why = safe_code(code) or "UNKNOWN", safe_code(reason)
    message = f"{known} {why}" if why else known
    if known == "UNAUTHENTICATED":
        return ProviderRefused(message, PROVIDER, GOOGLE_CREDENTIALS)
    if known == "PERMISSION_DENIED":
        return ProviderRefused(message, PROVIDER, GOOGLE_PROJECT)
    if known == "RESOURCE_EXHAUSTED":
        return ProviderBusy(message, PROVIDER, "", retry_after_s)
    if known == "DEADLINE_EXCEEDED":
        return ProviderTimeout(message, PROVIDER, "", retry_after_s)
    if known in _REQUEST:
        return ProviderRejected(message, PROVIDER, blame.request)
    if known in _ENDED:
        return StreamEnded(message, PROVIDER)
    return ProviderUnavailable(message, PROVIDER, "", retry_after_s)
