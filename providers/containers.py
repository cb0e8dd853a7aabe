"""How audio files begin: what a service that was asked for bare samples must not send."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 4
"""As many bytes are enough to tell."""
_CONTAINERS: Final = {b"RIFF": "WAV", b"ID3": "MP3", b"OggS": "Ogg", b"fLaC": "FLAC"}


def container_of(begin: bytes) -> str:
    """The format of a file that begins so; empty for bare samples, as far as can be told.

    Samples that begin like a file would be noise at full scale.
    """
    return next((name for mark, name in _CONTAINERS.items() if begin.startswith(mark)), "")
