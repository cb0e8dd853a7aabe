"""What can go wrong in telemetry, in one tree.

TelemetryError
├── SnapshotInvalid     what another process sent is no snapshot or sketch of ours
├── MetricMisused       a metric was written with wrong labels or as the wrong kind (our mistake)
├── PricesInvalid       a price table cannot be read; names the file and the entry
└── TracesUnavailable   traces are wanted, but not as this installation can send them
"""

from __future__ import annotations


class TelemetryError(Exception):
    """Something measured could not be taken.

    Args:
        message: What is wrong and where, for a person.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class SnapshotInvalid(TelemetryError):
    """A snapshot or sketch from outside cannot be read; nothing of it was taken."""


class MetricMisused(TelemetryError):
    """The catalog says otherwise about this metric."""


class PricesInvalid(TelemetryError):
    """The file of prices cannot be used; the message names it and the setting."""


class TracesUnavailable(TelemetryError):
    """The environment asks for traces that cannot be sent; the message names the variable."""
