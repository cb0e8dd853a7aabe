"""What can go wrong with the call store, in one tree.

RecordsError
├── StoreAddressInvalid    DATABASE_URL is not a database we can speak to (names what to change)
├── StoreNotWritable       missing directory, read-only disk, no permission (names DATABASE_URL)
├── StoreAccessDenied      wrong password, no such role or database, no right to a table
├── StoreUnavailable       down, locked or unreachable for now; another try may help
├── SchemaMismatch         the tables are not those of this version
│   ├── SchemaMissing      there are none yet, or one is gone
│   ├── SchemaOlder        made by an earlier version: callcluster records migrate
│   ├── SchemaNewer        made by a later version: upgrade callcluster
│   └── SchemaForeign      tables of our names that somebody else made
├── RowRejected            this row can never be written: a value no database holds
│   └── TextTooLong        a text is longer than its column allows
├── IdempotencyConflict    the key of a request was used for another request
├── NumberTaken            the phone number belongs to another tenant
└── ExportFailed           the file cannot be written, or its format needs a package
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
    """The database cannot be made or written where ``DATABASE_URL`` points.

    Retryable: a disk may be mounted again, a directory made.
    """

    retryable = True


class StoreAccessDenied(RecordsError):
    """The database knows this user, password, name or right not.

    Retryable: an administrator may grant it while rows wait.
    """

    retryable = True


class StoreUnavailable(RecordsError):
    """The database did not answer, or stayed locked for too long."""

    retryable = True


class SchemaMismatch(RecordsError):
    """The tables are not those that this version reads and writes.

    Retryable: somebody may migrate the database while rows wait.
    """

    retryable = True


class SchemaMissing(SchemaMismatch):
    """The database holds no tables of ours, or one of them is gone."""


class SchemaOlder(SchemaMismatch):
    """The tables were made by an earlier version and wait for ``callcluster records migrate``."""


class SchemaNewer(SchemaMismatch):
    """The tables were made by a later version than this one."""


class SchemaForeign(SchemaMismatch):
    """The database holds a table of one of our names that is not ours."""

    retryable = False


class RowRejected(RecordsError):
    """A row holds a value that cannot be stored."""


class TextTooLong(RowRejected):
    """A text is longer than its column takes; the message names column, length and limit."""


class IdempotencyConflict(RecordsError):
    """An idempotency key came again with another request."""


class NumberTaken(RecordsError):
    """A phone number belongs to another tenant."""


class ExportFailed(RecordsError):
    """An export could not be written; the message says what to change."""
