"""What can go wrong in the caches, in one tree.

CacheError
├── ClipTooLarge      a pinned clip does not fit the memory of the cache (names the setting)
├── ClipFileBroken    a file of the clip folder is cut short or altered; it is made anew
├── DeltasInvalid     what an owner, a worker or a file says cannot be read
├── SnapshotBroken    a snapshot is cut short, altered or of another version; it is set aside
├── ImportInvalid     a file of answers cannot be read: says which line and what is wanted
├── EncoderUnavailable  the semantic tier is off: says what to install or to set
└── ModelUnsupported    a sentence-transformers model of another kind than those known here
"""

from __future__ import annotations


class CacheError(Exception):
    """A cache could not keep or give something.

    Args:
        message: What happened and what to change, for a person; never holds what was said.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class ClipTooLarge(CacheError):
    """More is pinned than the cache may hold."""


class ClipFileBroken(CacheError):
    """The checksum or the shape of a clip file is wrong."""


class DeltasInvalid(CacheError):
    """A line of another form, or of a type that was not expected there."""


class SnapshotBroken(CacheError):
    """The checksum, the length or the version of a snapshot is wrong."""


class ImportInvalid(CacheError):
    """A file of questions and answers is of another form than those known here."""


class EncoderUnavailable(CacheError):
    """There is no encoder: a library, a model folder or the exported file is missing or broken."""


class ModelUnsupported(CacheError):
    """The model is of a kind that cannot be exported here."""
