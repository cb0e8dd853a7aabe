"""What can go wrong in the caches, in one tree.

CacheError
├── ClipTooLarge      a pinned clip does not fit the memory of the cache (names the setting)
├── ClipFileBroken    a file of the clip folder is cut short or altered; it is made anew
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


class EncoderUnavailable(CacheError):
    """There is no encoder: a library, a model folder or the exported file is missing or broken."""


class ModelUnsupported(CacheError):
    """The model is of a kind that cannot be exported here."""
