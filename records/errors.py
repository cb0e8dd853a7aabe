"""What can go wrong with the call store, in one tree.

RecordsError
├── StoreAddressInvalid    DATABASE_URL is not a database we can speak to (names what to change)
├── StoreNotWritable       missing directory, read-only disk, no permission (names DATABASE_URL)
├── StoreUnavailable       down, locked or unreachable for now; another try may help
└── RowRejected            this row can never be written: a value no database holds
"""

from __future__ import annotations


class RecordsError(Exception):
    """The call store did not do its work.

    Args:
        message: What happened and what to change, for a person; never holds a transcript.
    """

    retryable = False

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class StoreAddressInvalid(RecordsError):
    """``DATABASE_URL`` cannot be read, or its driver is not installed."""


class StoreNotWritable(RecordsError):
    """The database file cannot be made or written where ``DATABASE_URL`` points.

    Retryable: a disk may be mounted again, a directory made.
    """

    retryable = True


class StoreUnavailable(RecordsError):
    """The database did not answer, or stayed locked for too long."""

    retryable = True


class RowRejected(RecordsError):
    """A row holds a value that cannot be stored."""
