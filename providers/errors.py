"""What can go wrong at a provider, in one tree.

ProviderError                 ``retryable`` decides whether another try or another provider helps
├── ProviderUnavailable       connect, TLS, 5xx, closed in mid-stream (retryable)
├── ProviderTimeout           accepted, then silent (retryable)
├── ProviderBusy              429 or a concurrency limit (retryable; ``retry_after_s``); one that
│                             names a setting is a limit of our own on this process
├── ProviderRefused           401, 403, 402: a key, a plan (not retryable; names the setting)
├── ProviderRejected          400, 404: a voice, a model, a field (not retryable; names the setting)
└── ProviderProtocolError     something that is not the protocol came back (retryable)
"""

from __future__ import annotations


class ProviderError(Exception):
    """A provider did not do its work.

    Args:
        message: What happened, for a person; never holds a key or a transcript.
        provider: The provider's short name.
        setting: The environment variable or agent field to look at; empty when there is none.
        retry_after_s: How long the provider asked us to stay away; None when it did not say.
    """

    retryable = True

    def __init__(
        self,
        message: str = "",
        provider: str = "",
        setting: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, provider, setting, retry_after_s)
        self.message = message
        self.provider = provider
        self.setting = setting
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        hint = f" (look at {self.setting})" if self.setting else ""
        return f"{self.provider}: {self.message}{hint}" if self.provider else self.message + hint


class ProviderUnavailable(ProviderError):
    """Refused, reset, unreachable, or a server error."""


class ProviderTimeout(ProviderError):
    """It accepted and then said nothing in time."""


class ProviderBusy(ProviderError):
    """Too many requests, or too many at once."""


class ProviderRefused(ProviderError):
    """The key or the plan does not allow this."""

    retryable = False


class ProviderRejected(ProviderError):
    """What we asked for does not exist there or is not valid."""

    retryable = False


class ProviderProtocolError(ProviderError):
    """The answer does not follow the protocol."""
