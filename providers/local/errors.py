"""What can go wrong with a model in this process; part of the tree of ``providers.errors``.

ProviderError
├── LocalModelUnavailable     it cannot be loaded here (not retryable)
├── TurnModelBusy             no answer in time: others were first, or the machine is slow
└── TurnModelFailed           it raised; a fault of ours or of the library (not retryable)
"""

from __future__ import annotations

from providers.errors import ProviderBusy, ProviderError


class LocalModelUnavailable(ProviderError):
    """The library is missing, or the weights do not load."""

    retryable = False


class TurnModelBusy(ProviderBusy):
    """The end-of-turn model had no time for this pause; that says nothing about the turn."""


class TurnModelFailed(ProviderError):
    """The end-of-turn model raised; its log line has the details."""

    retryable = False
